//! What of an inbox is asked for, and what waits in it.

use domain_calendar::Timestamp;
use xietong_mesh::Error;
use xietong_mesh::convert::decode_optional_time;
use xietong_mesh::input::{ENTRIES, LINE, at_most, optional, text};
use xietong_proto::notification as proto;

use super::convert::{decode_kind, kind};
use crate::store::{Archived, Counts, InboxFilter, Recalled};

/// Words looked for at once.
const MOST_TERMS: usize = 8;

/// A list that is asked for.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) filter: InboxFilter,
}

impl Listing {
    /// # Errors
    /// INVALID_ARGUMENT when a filter says nothing that can be.
    pub(super) fn read(request: proto::ListMessagesRequest) -> Result<Self, Error> {
        let kinds = at_most("kinds", request.kinds, ENTRIES)?;
        let terms: Vec<String> = text("q", request.q, LINE)?.split_whitespace().map(str::to_owned).collect();
        let archived = match proto::ArchiveFilter::try_from(request.archived) {
            Ok(proto::ArchiveFilter::Unspecified) => Archived::Without,
            Ok(proto::ArchiveFilter::Archived) => Archived::Only,
            Ok(proto::ArchiveFilter::All) => Archived::With,
            Err(_) => {
                let chinese = "归档条件不存在";
                return Err(Error::invalid("archived", "must be one of the known filters", chinese));
            }
        };
        let recalled = match proto::RecallFilter::try_from(request.recalled) {
            Ok(proto::RecallFilter::Unspecified) => Recalled::With,
            Ok(proto::RecallFilter::Standing) => Recalled::Without,
            Ok(proto::RecallFilter::Recalled) => Recalled::Only,
            Err(_) => {
                let chinese = "撤回条件不存在";
                return Err(Error::invalid("recalled", "must be one of the known filters", chinese));
            }
        };
        let filter = InboxFilter {
            unread: request.unread,
            unsigned: request.unsigned,
            kinds: kinds.into_iter().map(|one| decode_kind("kinds", one)).collect::<Result<_, _>>()?,
            subject: optional("subject", request.subject)?,
            capacity: optional("capacity", request.capacity)?,
            from: decode_optional_time("start_time", request.start_time.as_ref())?,
            until: decode_optional_time("end_time", request.end_time.as_ref())?,
            archived,
            recalled,
            terms: at_most("q", terms, MOST_TERMS)?,
        };
        if filter.from.zip(filter.until).is_some_and(|(from, until)| from >= until) {
            return Err(Error::invalid("end_time", "must be after start_time", "截止时间须晚于起始时间"));
        }
        Ok(Listing { filter })
    }

    /// Everything that makes the list what it is.
    pub(super) fn query(&self, official: &str) -> Vec<String> {
        let InboxFilter {
            unread,
            unsigned,
            kinds,
            subject,
            capacity,
            from,
            until,
            archived,
            recalled,
            terms,
        } = &self.filter;
        let instant = |time: &Option<Timestamp>| time.map(Timestamp::as_micros);
        let mut kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        kinds.sort_unstable();
        vec![
            "ListMessages".to_owned(),
            official.to_owned(),
            format!("{unread} {unsigned} {archived:?} {recalled:?} {:?} {:?}", instant(from), instant(until)),
            kinds.join(" "),
            subject.clone().unwrap_or_default(),
            capacity.clone().unwrap_or_default(),
            terms.join(" "),
        ]
    }
}

pub(super) fn encode_counts(counts: Counts) -> proto::GetUnreadResponse {
    let kinds = counts.kinds.into_iter().map(|(of, (unread, unsigned))| proto::KindCount {
        kind: kind(of).into(),
        unread,
        unsigned,
    });
    let kinds: Vec<_> = kinds.collect();
    proto::GetUnreadResponse {
        unread: kinds.iter().map(|one| one.unread).sum(),
        unsigned: kinds.iter().map(|one| one.unsigned).sum(),
        kinds,
        last_change: counts.last_change,
    }
}

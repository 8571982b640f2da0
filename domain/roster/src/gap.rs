//! Gaps: times in which an official and the stand-in who would act are both away.

use domain_calendar::Timestamp;

use crate::absence::Absence;
use crate::book::Book;
use crate::interval::{Interval, chinese_instant};
use crate::resolution::Person;

/// A time in which nobody covers an official's duties, because A and B are away together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Whose duties are uncovered (A).
    pub official: Person,
    /// Who would have acted (B).
    pub stand_in: Person,
    /// First instant of the gap.
    pub start_time: Timestamp,
    /// First instant after it.
    pub end_time: Timestamp,
}

impl Gap {
    /// The gap as an official reads it.
    pub fn chinese(&self) -> String {
        format!(
            "{}与其代行人{}在{}至{}同时不在岗",
            self.official.display_name,
            self.stand_in.display_name,
            chinese_instant(self.start_time),
            chinese_instant(self.end_time)
        )
    }
}

/// Whom an absent official leaves the duties to.
#[derive(Debug, Clone)]
pub(crate) struct Cover<'a> {
    official: &'a str,
    /// Who is named for the absence: for all of it, or for a part.
    named: Vec<&'a str>,
    /// Somebody is named for whatever no part is of.
    rest_named: bool,
}

impl<'a> Cover<'a> {
    pub(crate) fn of(absence: &'a Absence) -> Self {
        let shares = absence.shares.iter().map(|share| share.stand_in.as_str());
        Cover {
            official: &absence.official,
            named: absence.stand_in.as_deref().into_iter().chain(shares).collect(),
            rest_named: absence.stand_in.is_some(),
        }
    }

    /// Who would act when: whoever is named all the time, the standing B while a division or a
    /// unit's list says so.
    fn segments<'b>(&self, book: &'b Book, period: Interval) -> Vec<(Interval, &'b str)>
    where
        'a: 'b,
    {
        let mut found: Vec<(Interval, &'b str)> = self.named.iter().map(|named| (period, *named)).collect();
        if self.rest_named {
            return found;
        }
        let divisions = book.divisions().map(|division| division.effective_time);
        let lists = book.stand_in_lists().map(|list| list.effective_time);
        let mut bounds: Vec<Timestamp> = divisions
            .chain(lists)
            .filter(|effective| period.start < *effective && *effective < period.end)
            .chain([period.start, period.end])
            .collect();
        bounds.sort_unstable();
        bounds.dedup();
        for (start, end) in bounds.iter().zip(bounds.iter().skip(1)) {
            let view = book.view(*start, Timestamp::MAX);
            let standing = view.division().and_then(|division| division.standing_b(self.official));
            let standing = standing.or_else(|| view.list_stand_in(self.official).map(|(_, b)| b));
            found.extend(standing.map(|b| (Interval { start: *start, end: *end }, b)));
        }
        found
    }
}

/// The gaps a new absence would open: in the official's own duties, and in the duties of those
/// already away whom the official would have stood in for.
pub(crate) fn gaps(book: &Book, cover: &Cover<'_>, period: Interval) -> Vec<Gap> {
    let official = cover.official;
    let mut found = Vec::new();
    for (segment, stand_in) in cover.segments(book, period) {
        for absence in book.absences_of(stand_in) {
            let both = absence.known().and_then(|away| away.overlap(segment));
            found.extend(both.map(|both| gap(book, official, stand_in, both)));
        }
    }
    for absence in book.absences().filter(|absence| absence.official != official) {
        let both = absence.known().and_then(|away| away.overlap(period));
        let segments = both.map(|both| Cover::of(absence).segments(book, both)).unwrap_or_default();
        for (segment, _) in segments.into_iter().filter(|(_, stand_in)| *stand_in == official) {
            found.push(gap(book, &absence.official, official, segment));
        }
    }
    found
}

fn gap(book: &Book, official: &str, stand_in: &str, both: Interval) -> Gap {
    let view = book.view(both.start, Timestamp::MAX);
    Gap {
        official: view.person(official),
        stand_in: view.person(stand_in),
        start_time: both.start,
        end_time: both.end,
    }
}

#[cfg(test)]
mod tests {
    use crate::absence::{Absence, Registration};
    use crate::error::RosterError;
    use crate::fixture::{Roster, at, registration};

    /// 崔元斌 away 10 to 12 June; 胡晓刚, his B, asks for 11 to 13 June.
    fn refused(change: impl FnOnce(&mut Registration)) -> Result<(), RosterError> {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let mut asked =
            registration("two", "hu-xiaogang", "2023-06-11T00:00+08:00", "2023-06-13T00:00+08:00");
        change(&mut asked);
        Absence::create(&roster.book, asked, at("2023-06-01T08:00+08:00")).map(|_| ())
    }

    #[test]
    fn a_and_b_away_together_is_refused_with_the_gap() {
        let Err(error @ RosterError::AwayTogether { .. }) = refused(|_| ()) else {
            panic!("A and B may not be away together");
        };
        let RosterError::AwayTogether { gaps } = &error else { panic!("checked above") };
        assert!(gaps.iter().all(|gap| {
            gap.start_time == at("2023-06-11T00:00+08:00") && gap.end_time == at("2023-06-12T00:00+08:00")
        }));
        assert_eq!(
            gaps.iter().map(|gap| gap.official.display_name.as_str()).collect::<Vec<_>>(),
            ["胡晓刚", "崔元斌"]
        );
        assert!(error.chinese().contains("胡晓刚与其代行人崔元斌在2023年6月11日至2023年6月12日同时不在岗"));
    }

    #[test]
    fn the_mayors_approval_lets_both_go() {
        assert_eq!(refused(|asked| asked.approval = Some("市长批示".into())), Ok(()));
        assert!(refused(|asked| asked.approval = Some(" ".into())).is_err());
    }

    #[test]
    fn naming_another_b_still_leaves_a_without_the_standing_b() {
        let Err(RosterError::AwayTogether { gaps }) =
            refused(|asked| asked.stand_in = Some("officials/li-yanping".into()))
        else {
            panic!("nobody covers A");
        };
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].official.display_name, "崔元斌");
    }

    #[test]
    fn with_both_covered_by_others_b_may_go() {
        let mut roster = Roster::linfen();
        let mut first =
            registration("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        first.stand_in = Some("officials/wang-yuan".into());
        roster.register(first);
        let mut second =
            registration("two", "hu-xiaogang", "2023-06-11T00:00+08:00", "2023-06-13T00:00+08:00");
        second.stand_in = Some("officials/li-yanping".into());
        assert!(Absence::create(&roster.book, second, at("2023-06-01T08:00+08:00")).is_ok());
    }

    #[test]
    fn a_named_b_who_is_away_is_refused() {
        let mut roster = Roster::linfen();
        roster.away("one", "li-yanping", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let mut asked =
            registration("two", "zhang-xiliang", "2023-06-11T00:00+08:00", "2023-06-13T00:00+08:00");
        asked.stand_in = Some("officials/li-yanping".into());
        let refused = Absence::create(&roster.book, asked, at("2023-06-01T08:00+08:00"));
        assert!(matches!(refused, Err(RosterError::AwayTogether { .. })), "{refused:?}");
    }

    #[test]
    fn pairs_count_only_while_their_division_is_in_force() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-05-10T00:00+08:00", "2023-05-20T00:00+08:00");
        let asked = registration("two", "hu-xiaogang", "2023-05-12T00:00+08:00", "2023-05-16T00:00+08:00");
        let refused = Absence::create(&roster.book, asked, at("2023-05-13T08:00+08:00"));
        let Err(RosterError::AwayTogether { gaps }) = refused else { panic!("from 14 May they are a pair") };
        assert!(gaps.iter().all(|gap| gap.start_time == at("2023-05-14T00:00+08:00")));
    }
}

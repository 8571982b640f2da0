//! Which seats follow a new division of work.

use domain_calendar::Timestamp;
use domain_roster::{Book, Subject, who};

use crate::group::{Group, Seat, SeatHolder};

/// A seat that somebody else would hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatChange {
    /// The seat.
    pub seat: Seat,
    /// Who holds it until then, `officials/{id}`.
    pub from: Option<String>,
    /// Who holds it from then on, or is proposed.
    pub to: Option<String>,
    /// The holder is named: the seat does not pass, and only the head of the group may decide
    /// that it does. 临政办发〔2023〕12号 says that posts in coordinating bodies follow the
    /// division; a person's seat is never taken silently.
    pub proposed: bool,
}

/// The seats of a group that have another holder at an instant under one roster than under
/// another, in the order of the group; none before its founding.
pub fn seats_that_follow(group: &Group, before: &Book, after: &Book, at: Timestamp) -> Vec<SeatChange> {
    if at < group.start_time {
        return Vec::new();
    }
    group.seats.iter().filter_map(|seat| change(seat, before, after, at)).collect()
}

fn change(seat: &Seat, before: &Book, after: &Book, at: Timestamp) -> Option<SeatChange> {
    match &seat.holder {
        SeatHolder::Post(post) => {
            let subject = Subject::Post(post.clone());
            let (from, to) = (holder(before, &subject, at), holder(after, &subject, at));
            (from != to).then(|| SeatChange { seat: seat.clone(), from, to, proposed: false })
        }
        SeatHolder::Official(official) => {
            let subject = Subject::Field(seat.held_for_field.clone()?);
            let (was, to) = (holder(before, &subject, at), holder(after, &subject, at));
            // Somebody who was not in charge of the field before is no news of this division.
            let follows = was != to && to.is_some() && to.as_ref() != Some(official);
            let from = Some(official.clone());
            follows.then(|| SeatChange { seat: seat.clone(), from, to, proposed: true })
        }
        SeatHolder::Unit(_) | SeatHolder::OpenClass(_) => None,
    }
}

/// Whoever the roster names; nobody where it cannot say.
fn holder(book: &Book, subject: &Subject, at: Timestamp) -> Option<String> {
    who(book, subject, at, Timestamp::MAX).ok()?.accountable.map(str::to_owned)
}

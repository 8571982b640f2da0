//! Where an official belongs: among the city's leaders, and in which units.

use std::collections::BTreeSet;

use crate::official::PostKind;
use crate::view::View;

/// The posts of those whose word is the government's own.
const LEADERS: [PostKind; 4] =
    [PostKind::Mayor, PostKind::ExecutiveDeputyMayor, PostKind::DeputyMayor, PostKind::SecretaryGeneral];

/// Whether an official is one of the city government's leaders: the division in force gives him a
/// portfolio, or he holds a leader's post. Whoever assists one, or leads a unit, is none.
pub fn is_leader(view: View<'_>, official: &str) -> bool {
    let Some(known) = view.official(official) else { return false };
    view.division().is_some_and(|division| division.portfolio(official).is_some())
        || LEADERS.iter().any(|kind| known.holds(*kind, None, view.at()))
}

/// The units that an official holds a post in, each with all that it belongs to: whoever serves in an
/// office serves in the one above it.
pub fn units_served(view: View<'_>, official: &str) -> BTreeSet<String> {
    let Some(known) = view.official(official) else { return BTreeSet::new() };
    let held =
        known.posts.iter().filter(|post| post.held_at(view.at())).filter_map(|post| post.unit.as_deref());
    let mut served = BTreeSet::new();
    for name in held {
        served.insert(name.to_owned());
        if let Some(unit) = view.unit(name) {
            served.extend(view.lineage(unit).into_iter().map(|one| one.name.clone()));
        }
    }
    served
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{is_leader, units_served};
    use crate::event::RosterEvent;
    use crate::fixture::{Roster, at, holder, unit};
    use crate::official::PostKind;

    #[test]
    fn leaders_are_those_of_the_division_and_those_with_a_leaders_post() {
        let roster = Roster::linfen();
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        for (official, leads) in [
            ("officials/qiao-feihong", true),
            ("officials/water-head", false),
            ("officials/water-liaison", false),
            ("officials/nobody", false),
        ] {
            assert_eq!(is_leader(view, official), leads, "{official}");
        }
    }

    #[test]
    fn whoever_serves_in_an_office_serves_in_what_it_belongs_to_while_the_post_lasts() {
        let mut roster = Roster::linfen();
        let mut office = unit("supervision-office", "市政府督查室", &[]);
        office.parent = Some("units/government".to_owned());
        roster.add_unit(office);
        let mut clerk = holder("clerk", "丁", PostKind::Staff, Some("supervision-office"));
        clerk.posts[0].end_time = Some(at("2023-07-01T00:00+08:00"));
        roster.record(&RosterEvent::OfficialCreated(clerk), at("2023-04-01T00:00+08:00"));
        let served = |instant| {
            let view = roster.book.view(at(instant), Timestamp::MAX);
            units_served(view, "officials/clerk").into_iter().collect::<Vec<_>>()
        };
        assert_eq!(served("2023-06-30T23:59+08:00"), ["units/government", "units/supervision-office"]);
        assert!(served("2023-07-01T00:00+08:00").is_empty());
    }
}

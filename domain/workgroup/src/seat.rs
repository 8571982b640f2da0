//! Who holds the seats of a group at an instant: posts follow the roster.

use domain_calendar::Timestamp;
use domain_roster::{Book, Person, Resolution, Subject, resolve};

use crate::error::WorkgroupError;
use crate::group::{Group, Seat, SeatHolder};

/// A seat with whoever holds it at the instant asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSeat {
    /// The seat.
    pub seat: Seat,
    /// Who holds it; nobody when it is a unit's, a class or vacant.
    pub holder: Option<Person>,
    /// Who acts for the holder then: the holder, a stand-in, or nobody, which is an alarm.
    pub acting: Option<Person>,
    /// Why, in Chinese.
    pub basis: String,
}

/// Who holds each seat of a group at `at`, as far as the roster was known at `known_at`. A post
/// that stands for nobody or for several is a vacant seat whose basis says so: one unclear
/// seat does not hide the others.
///
/// Refused before the group's founding.
pub fn held_seats(
    group: &Group,
    book: &Book,
    at: Timestamp,
    known_at: Timestamp,
) -> Result<Vec<HeldSeat>, WorkgroupError> {
    if at < group.start_time {
        return Err(WorkgroupError::NotYetFounded { founded: group.start_time, at });
    }
    Ok(group.seats.iter().map(|seat| held(seat, book, at, known_at)).collect())
}

fn held(seat: &Seat, book: &Book, at: Timestamp, known_at: Timestamp) -> HeldSeat {
    let (holder, acting, basis) = match &seat.holder {
        SeatHolder::Post(post) => match resolve(book, &Subject::Post(post.clone()), at, known_at) {
            Ok(answer) => {
                let basis = steps(&answer);
                (answer.accountable, answer.acting, basis)
            }
            Err(unclear) => (None, None, unclear.chinese()),
        },
        SeatHolder::Official(official) => {
            let (acting, mut basis) = match resolve(book, &Subject::Official(official.clone()), at, known_at)
            {
                Ok(answer) => (answer.acting.clone(), steps(&answer)),
                Err(unknown) => (None, unknown.chinese()),
            };
            if let Some(field) = &seat.held_for_field {
                basis.push_str(&proposal(book, official, field, at, known_at).unwrap_or_default());
            }
            (Some(book.view(at, known_at).person(official)), acting, basis)
        }
        SeatHolder::Unit(_) => (None, None, "成员单位".to_owned()),
        SeatHolder::OpenClass(_) => (None, None, "由办公室确定具体人员".to_owned()),
    };
    HeldSeat { seat: seat.clone(), holder, acting, basis }
}

/// The steps of an answer as one sentence.
fn steps(answer: &Resolution) -> String {
    answer.steps.iter().map(|step| step.basis.as_str()).collect::<Vec<_>>().join("；")
}

/// What to propose when the division has given a named leader's field to somebody else.
fn proposal(book: &Book, official: &str, field: &str, at: Timestamp, known_at: Timestamp) -> Option<String> {
    let answer = resolve(book, &Subject::Field(field.to_owned()), at, known_at).ok()?;
    let successor = answer.accountable.filter(|successor| successor.official != official)?;
    let name = successor.display_name;
    Some(format!("；“{field}”现由{name}负责，建议由其接任该席位，须经组长确认"))
}

#[cfg(test)]
mod tests {
    use domain_roster::{
        Absence, Division, FieldDuty, Official, Portfolio, Post, PostKind, Registration, Relation,
        RosterEvent, StandInPair,
    };

    use super::*;
    use crate::group::SeatRole;
    use crate::group::tests::green_energy;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn deputy(slug: &str, display_name: &str) -> Official {
        Official {
            name: format!("officials/{slug}"),
            display_name: display_name.into(),
            posts: vec![Post {
                kind: PostKind::DeputyMayor,
                unit: None,
                title: "副市长".into(),
                start_time: None,
                end_time: None,
            }],
        }
    }

    fn division(name: &str, effective: &str, water: &str, health: &str) -> Division {
        let portfolio = |official: &str, field: &str| Portfolio {
            official: format!("officials/{official}"),
            presides: false,
            fields: vec![FieldDuty { field: field.into(), relation: Relation::Directs }],
            units: vec![],
            classes: vec![],
        };
        Division {
            name: format!("divisions/{name}"),
            document_number: name.into(),
            title: String::new(),
            effective_time: at(effective),
            partial: false,
            portfolios: vec![portfolio(water, "水利"), portfolio(health, "卫生健康")],
            pairs: vec![StandInPair {
                official: "officials/qiao".into(),
                stand_in: "officials/li".into(),
                mutual: true,
            }],
            third_stand_ins: vec![],
            fallback: None,
            exclusions: vec![],
            absence_limit_days: None,
            corrects: None,
            record_time: at("2023-04-01T00:00+08:00"),
        }
    }

    /// 乔飞鸿 directs water until 14 May 2023 and 李艳萍 from then on; 李艳萍 is away on 1 and 2 June.
    fn book() -> Book {
        let recorded = at("2023-04-01T00:00+08:00");
        let mut book = Book::new();
        for event in [
            RosterEvent::OfficialCreated(deputy("qiao", "乔飞鸿")),
            RosterEvent::OfficialCreated(deputy("li", "李艳萍")),
            RosterEvent::DivisionCreated(division("一", "2023-04-20T00:00+08:00", "qiao", "li")),
            RosterEvent::DivisionCreated(division("二", "2023-05-14T00:00+08:00", "li", "qiao")),
        ] {
            book.apply(&event, recorded).unwrap();
        }
        let registration = Registration {
            name: "absences/1".into(),
            official: "officials/li".into(),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: at("2023-06-03T00:00+08:00"),
            stand_in: None,
            shares: vec![],
            excluded: domain_roster::Scope::default(),
            reason: "赴省城开会".into(),
            approval: None,
            reassignment: None,
        };
        let away = Absence::create(&book, registration, recorded).unwrap();
        book.apply(&away, recorded).unwrap();
        book
    }

    fn group(holder: SeatHolder, held_for_field: Option<&str>) -> Group {
        let held_for_field = held_for_field.map(str::to_owned);
        let seat = Seat { role: SeatRole::Head, holder, held_for_field, subgroup: None };
        Group { start_time: at("2023-05-01T00:00+08:00"), seats: vec![seat], ..green_energy() }
    }

    fn only_seat(group: &Group, instant: &str) -> HeldSeat {
        let seats = held_seats(group, &book(), at(instant), Timestamp::MAX).unwrap();
        assert_eq!(seats.len(), 1);
        seats.into_iter().next().unwrap()
    }

    fn person(found: Option<&Person>) -> &str {
        found.map_or("", |person| person.official.as_str())
    }

    #[test]
    fn a_seat_by_post_follows_the_division_to_the_microsecond() {
        let group = group(SeatHolder::Post("市政府分管水利工作的副市长".into()), None);
        for (instant, holder) in [
            ("2023-05-13T23:59:59.999999+08:00", "officials/qiao"),
            ("2023-05-14T00:00+08:00", "officials/li"),
        ] {
            let seat = only_seat(&group, instant);
            assert_eq!(person(seat.holder.as_ref()), holder, "{instant}");
            assert_eq!(seat.acting, seat.holder, "{instant}");
        }
    }

    #[test]
    fn a_stand_in_acts_while_the_holder_is_away() {
        let group = group(SeatHolder::Post("分管水利工作的副市长".into()), None);
        let seat = only_seat(&group, "2023-06-02T09:00+08:00");
        assert_eq!(person(seat.holder.as_ref()), "officials/li");
        assert_eq!(person(seat.acting.as_ref()), "officials/qiao");
        assert!(seat.basis.contains("赴省城开会"), "{}", seat.basis);
        let back = only_seat(&group, "2023-06-03T00:00+08:00");
        assert_eq!(back.acting, back.holder);
    }

    #[test]
    fn a_named_seat_keeps_its_holder_and_proposes_the_successor() {
        let group = group(SeatHolder::Official("officials/qiao".into()), Some("水利"));
        let before = only_seat(&group, "2023-05-10T00:00+08:00");
        assert!(!before.basis.contains("建议"), "{}", before.basis);
        let after = only_seat(&group, "2023-05-20T00:00+08:00");
        assert_eq!(person(after.holder.as_ref()), "officials/qiao");
        assert!(after.basis.contains("现由李艳萍负责"), "{}", after.basis);
    }

    #[test]
    fn a_seat_nobody_can_be_found_for_is_vacant_and_says_why() {
        for (holder, with_holder) in [
            (SeatHolder::Post("市外星局局长".into()), ""),
            (SeatHolder::Official("officials/nobody".into()), "officials/nobody"),
            (SeatHolder::Unit("units/water".into()), ""),
            (SeatHolder::OpenClass("各施工单位项目负责人".into()), ""),
        ] {
            let seat = only_seat(&group(holder, None), "2023-05-20T00:00+08:00");
            assert_eq!(person(seat.holder.as_ref()), with_holder);
            assert_eq!(seat.acting, None);
            assert!(!seat.basis.is_empty());
        }
    }

    #[test]
    fn a_division_that_is_tried_out_moves_posts_and_proposes_successors() {
        use crate::succession::{SeatChange, seats_that_follow};
        let recorded = at("2023-04-01T00:00+08:00");
        let mut before = Book::new();
        for event in [
            RosterEvent::OfficialCreated(deputy("qiao", "乔飞鸿")),
            RosterEvent::OfficialCreated(deputy("li", "李艳萍")),
            RosterEvent::DivisionCreated(division("一", "2023-04-20T00:00+08:00", "qiao", "li")),
        ] {
            before.apply(&event, recorded).unwrap();
        }
        let after = book();
        let (post, named) = (
            group(SeatHolder::Post("分管水利工作的副市长".into()), None),
            group(SeatHolder::Official("officials/qiao".into()), Some("水利")),
        );
        let change = |group: &Group, proposed| SeatChange {
            seat: group.seats[0].clone(),
            from: Some("officials/qiao".into()),
            to: Some("officials/li".into()),
            proposed,
        };
        let day = at("2023-05-14T00:00+08:00");
        assert_eq!(seats_that_follow(&post, &before, &after, day), [change(&post, false)]);
        assert_eq!(seats_that_follow(&named, &before, &after, day), [change(&named, true)]);
        let eve = at("2023-05-13T23:59:59.999999+08:00");
        for (group, instant) in [
            (&post, eve),
            (&named, eve),
            (&group(SeatHolder::Official("officials/qiao".into()), None), day),
            (&group(SeatHolder::Official("officials/li".into()), Some("水利")), day),
            (&group(SeatHolder::Unit("units/water".into()), None), day),
        ] {
            assert_eq!(seats_that_follow(group, &before, &after, instant), [], "{group:?}");
        }
        let young = Group { start_time: at("2023-05-15T00:00+08:00"), ..post };
        assert_eq!(seats_that_follow(&young, &before, &after, day), [], "it is not founded yet");
    }

    #[test]
    fn a_group_has_no_seats_before_its_founding() {
        let group = group(SeatHolder::Unit("units/water".into()), None);
        let eve = at("2023-04-30T23:59:59.999999+08:00");
        assert_eq!(
            held_seats(&group, &book(), eve, Timestamp::MAX),
            Err(WorkgroupError::NotYetFounded { founded: group.start_time, at: eve })
        );
        assert_eq!(
            held_seats(&group, &book(), group.start_time, Timestamp::MAX).map(|seats| seats.len()),
            Ok(1)
        );
    }
}

//! Who holds the seats, by the copy of the roster.

use domain_roster::{
    Division, FieldDuty, Official, Portfolio, Post, PostKind, Relation, RosterEvent, StandInPair,
};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error, Principal};
use xietong_proto::workgroup as proto;
use xietong_proto::workgroup::division_preview_service_client::DivisionPreviewServiceClient;

use crate::harness::{Backend, Mesh, at, clerk, on_both_back_ends, told};

on_both_back_ends!(
    a_seat_by_post_follows_the_roster,
    nothing_is_guessed_before_the_roster_is_known,
    what_would_follow_a_division_is_said_before,
);

fn instant(text: &str) -> domain_calendar::Timestamp {
    domain_calendar::Timestamp::parse(text).unwrap()
}

fn deputy(slug: &str, display_name: &str) -> RosterEvent {
    RosterEvent::OfficialCreated(Official {
        name: format!("officials/{slug}"),
        display_name: display_name.into(),
        posts: vec![Post {
            kind: PostKind::DeputyMayor,
            unit: None,
            title: "副市长".into(),
            start_time: None,
            end_time: None,
        }],
    })
}

/// A division that gives 发展改革 to one deputy mayor.
fn division(name: &str, effective: &str, official: &str) -> RosterEvent {
    RosterEvent::DivisionCreated(Division {
        name: format!("divisions/{name}"),
        document_number: "临政办发〔2023〕12号".into(),
        title: String::new(),
        effective_time: instant(effective),
        partial: false,
        portfolios: vec![Portfolio {
            official: format!("officials/{official}"),
            presides: false,
            fields: vec![FieldDuty { field: "发展改革".into(), relation: Relation::Directs }],
            units: vec![],
            classes: vec![],
        }],
        pairs: vec![StandInPair {
            official: "officials/cui".into(),
            stand_in: "officials/hu".into(),
            mutual: true,
        }],
        third_stand_ins: vec![],
        fallback: None,
        exclusions: vec![],
        absence_limit_days: None,
        corrects: None,
        record_time: instant("2023-04-01T00:00+08:00"),
    })
}

async fn seats(
    mesh: &Mesh,
    asked: Option<prost_types::Timestamp>,
) -> Result<proto::ListSeatsResponse, Error> {
    let request = proto::ListSeatsRequest { name: "groups/green-energy".into(), at: asked };
    let answer = mesh.client().list_seats(mesh.from(&clerk(), request)).await;
    answer.map(tonic::Response::into_inner).map_err(|status| told(&status))
}

async fn a_seat_by_post_follows_the_roster(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    mesh.found("green-energy").await;
    mesh.roster_says(&[deputy("cui", "崔元斌"), deputy("hu", "胡晓刚")]).await;
    mesh.roster_says(&[division("a", "2023-04-20T00:00+08:00", "hu")]).await;
    mesh.settle().await;
    let day = at("2023-05-14T00:00+08:00", 0);
    let before = seats(&mesh, Some(day)).await.unwrap();
    assert_eq!(before.seats[0].official, "officials/hu");
    assert_eq!(before.roster_position, 3);
    assert!(before.roster_as_of.is_some());

    mesh.roster_says(&[division("b", "2023-05-14T00:00+08:00", "cui")]).await;
    mesh.settle().await;
    let after = seats(&mesh, Some(day)).await.unwrap();
    assert_eq!(after.roster_position, 4);
    let [head, unit, class] = after.seats.as_slice() else { panic!("{after:?}") };
    assert_eq!((head.official.as_str(), head.display_name.as_str()), ("officials/cui", "崔元斌"));
    assert_eq!(head.acting, "officials/cui");
    assert!(head.basis.contains("发展改革"), "{}", head.basis);
    for vacant in [unit, class] {
        assert_eq!((vacant.official.as_str(), vacant.acting.as_str()), ("", ""));
    }
    let eve = at("2023-05-14T00:00+08:00", -1);
    assert_eq!(seats(&mesh, Some(eve)).await.unwrap().seats[0].official, "officials/hu");
    assert_eq!(seats(&mesh, None).await.unwrap().seats[0].official, "officials/cui", "unset: now");

    let unfounded = seats(&mesh, Some(at("2023-05-05T23:59:59+08:00", 0))).await.unwrap_err();
    assert_eq!((unfounded.code(), unfounded.reason()), (Code::FailedPrecondition, "GROUP_NOT_YET_FOUNDED"));
}

async fn nothing_is_guessed_before_the_roster_is_known(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    mesh.found("green-energy").await;
    assert!(!mesh.workgroup.is_ready());
    assert_eq!(seats(&mesh, None).await.unwrap_err().code(), Code::Unavailable);
    mesh.settle().await;
    assert!(mesh.workgroup.is_ready());
    assert_eq!(seats(&mesh, None).await.unwrap().seats[0].official, "", "an empty roster is a known one");
}

async fn what_would_follow_a_division_is_said_before(backend: Backend) {
    let mesh = Mesh::start(backend).await;
    mesh.found("green-energy").await;
    let ask = |division: &str| proto::PreviewSeatsRequest { division: division.into() };
    let administrator = Principal::account("administrator", None, vec![Grant::of(Role::Administrator)]);
    let preview = async |principal: &Principal, division: &str| {
        let mut previews = DivisionPreviewServiceClient::new(mesh.channel());
        let answer = previews.preview_seats(mesh.from(principal, ask(division))).await;
        answer.map(|answer| answer.into_inner().seats).map_err(|status| told(&status))
    };
    let next = division("b", "2023-05-14T00:00+08:00", "cui").to_payload().unwrap();
    mesh.roster_says(&[deputy("cui", "崔元斌"), deputy("hu", "胡晓刚")]).await;
    mesh.roster_says(&[division("a", "2023-04-20T00:00+08:00", "hu")]).await;
    mesh.settle().await;

    let found = preview(&administrator, &next).await.unwrap();
    let [seat] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((seat.from.as_str(), seat.to.as_str()), ("officials/hu", "officials/cui"));
    assert_eq!((seat.group.as_str(), seat.proposed), ("groups/green-energy", false));
    let day = at("2023-05-14T00:00+08:00", 0);
    assert_eq!(seats(&mesh, Some(day)).await.unwrap().seats[0].official, "officials/hu", "only tried out");
    let before = division("c", "2023-05-01T00:00+08:00", "cui").to_payload().unwrap();
    assert_eq!(preview(&administrator, &before).await.unwrap(), [], "the group is not founded then");

    assert_eq!(preview(&administrator, "{}").await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(preview(&clerk(), &next).await.unwrap_err().code(), Code::PermissionDenied);
}

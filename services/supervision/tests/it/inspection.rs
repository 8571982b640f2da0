//! Inspections: a team visits sites, and what it finds is put right in tasks.

use tonic::{Code, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::{FindingOutcome, InspectionState, Light, TaskState};

use crate::city::{City, Store, account, at, clerk, leader, refusal, supervisor};
use crate::on_both;

on_both!(
    what_is_found_is_put_right_in_a_task_and_the_inspection_concluded,
    what_cannot_be_asked_is_refused_and_changes_nothing,
    supervisors_inspect_and_units_hear_of_it_by_their_tasks,
    inspections_are_listed_the_latest_first,
    a_repeated_request_enters_one_task,
);

fn planned() -> proto::Inspection {
    proto::Inspection {
        title: "防汛准备专项督查".into(),
        ground: "临政办发〔2023〕13号".into(),
        start_time: Some(encode_time(at("2023-06-01T00:00:00+08:00"))),
        end_time: Some(encode_time(at("2023-06-10T00:00:00+08:00"))),
        sites: vec![
            proto::Site { unit: "units/water".into(), place: "城区泵站".into() },
            proto::Site { unit: "units/yaodu".into(), place: String::new() },
        ],
        team: vec!["officials/second".into()],
        ..Default::default()
    }
}

fn found(unit: &str) -> proto::Finding {
    proto::Finding {
        text: "泵站备用电源缺失".into(),
        place: "城区泵站".into(),
        unit: format!("units/{unit}"),
        due_time: Some(encode_time(at("2023-06-21T00:00:00+08:00"))),
        ..Default::default()
    }
}

impl City {
    async fn planned(&self, inspection: proto::Inspection) -> Result<Response<proto::Inspection>, Status> {
        let request = proto::CreateInspectionRequest { inspection: Some(inspection), ..Default::default() };
        self.inspections(&supervisor()).create_inspection(request).await
    }

    async fn under_way(&self) -> proto::Inspection {
        let name = self.planned(planned()).await.unwrap().into_inner().name;
        let request = proto::StartInspectionRequest { name, ..Default::default() };
        self.inspections(&supervisor()).start_inspection(request).await.unwrap().into_inner()
    }

    async fn find(
        &self,
        inspection: &str,
        finding: proto::Finding,
    ) -> Result<Response<proto::Inspection>, Status> {
        let (parent, finding) = (inspection.to_owned(), Some(finding));
        let request = proto::CreateFindingRequest { parent, finding, ..Default::default() };
        self.inspections(&supervisor()).create_finding(request).await
    }

    async fn rectify(&self, finding: &str) -> Result<Response<proto::Inspection>, Status> {
        let (name, unclassified) = (finding.to_owned(), true);
        let request = proto::RectifyFindingRequest { name, unclassified, ..Default::default() };
        self.inspections(&supervisor()).rectify_finding(request).await
    }

    async fn dismiss(&self, finding: &str, ground: &str) -> Result<Response<proto::Inspection>, Status> {
        let (name, ground) = (finding.to_owned(), ground.to_owned());
        let request = proto::DismissFindingRequest { name, ground, ..Default::default() };
        self.inspections(&supervisor()).dismiss_finding(request).await
    }

    async fn conclude(&self, inspection: &str) -> Result<Response<proto::Inspection>, Status> {
        let (name, conclusion) = (inspection.to_owned(), "总体较好".to_owned());
        let request = proto::ConcludeInspectionRequest { name, conclusion, ..Default::default() };
        self.inspections(&supervisor()).conclude_inspection(request).await
    }

    async fn inspected(&self, name: &str) -> proto::Inspection {
        let request = proto::GetInspectionRequest { name: name.to_owned() };
        self.inspections(&supervisor()).get_inspection(request).await.unwrap().into_inner()
    }
}

async fn what_is_found_is_put_right_in_a_task_and_the_inspection_concluded(store: Store) {
    let city = City::start(store).await;
    let name = city.under_way().await.name;
    city.find(&name, found("water")).await.unwrap();
    let two = city.find(&name, found("yaodu")).await.unwrap().into_inner();
    assert_eq!(two.state(), InspectionState::UnderWay);
    let outcomes: Vec<_> = two.findings.iter().map(proto::Finding::outcome).collect();
    assert_eq!(outcomes, [FindingOutcome::Open; 2]);
    let (code, error) = refusal(city.conclude(&name).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "FINDINGS_OPEN"));
    assert_eq!(error.chinese(), "尚有2个问题未交办整改，不能结束督查");

    let first = two.findings[0].name.clone();
    let rectified = city.rectify(&first).await.unwrap().into_inner();
    let finding = &rectified.findings[0];
    assert_eq!((finding.outcome(), finding.task_state()), (FindingOutcome::Rectified, TaskState::Issued));
    let task = city.get(&finding.task).await;
    assert_eq!((task.origin.as_str(), task.title.as_str()), (first.as_str(), "整改：泵站备用电源缺失"));
    assert_eq!(task.text, "防汛准备专项督查发现的问题（城区泵站）：泵站备用电源缺失");
    assert_eq!((task.assignments[0].unit.as_str(), task.due_time), ("units/water", found("water").due_time));
    assert_eq!(task.terms.as_ref().unwrap().kind(), proto::TaskKind::Finding);
    let (code, error) = refusal(city.rectify(&first).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "FINDING_SETTLED"));

    city.dismiss(&two.findings[1].name, "现场已整改").await.unwrap();
    let concluded = city.conclude(&name).await.unwrap().into_inner();
    assert_eq!((concluded.state(), concluded.conclusion.as_str()), (InspectionState::Concluded, "总体较好"));
    assert_eq!(concluded.findings[1].dismissal_ground, "现场已整改");
    assert_eq!(concluded, city.inspected(&name).await);
    // The finding shows how its task stands.
    city.live_until("2023-06-21T00:00:00+08:00").await;
    assert_eq!(city.inspected(&name).await.findings[0].light(), Light::Red);
}

async fn what_cannot_be_asked_is_refused_and_changes_nothing(store: Store) {
    let city = City::start(store).await;
    let with = |change: fn(&mut proto::Inspection)| {
        let mut inspection = planned();
        change(&mut inspection);
        inspection
    };
    for (inspection, field) in [
        (with(|one| one.title = " ".into()), "title"),
        (with(|one| one.ground.clear()), "ground"),
        (with(|one| one.title = "督".repeat(300)), "inspection.title"),
        (with(|one| one.end_time = one.start_time), "inspection.end_time"),
        (with(|one| one.end_time = None), "inspection.end_time"),
        (with(|one| one.team.clear()), "inspection"),
        (with(|one| one.team = vec!["officials/nobody".into()]), "inspection.team[0]"),
        (with(|one| one.sites[0].unit = "units/moon".into()), "inspection.sites[0].unit"),
        (with(|one| one.sites[0].unit = "water".into()), "inspection.sites[0].unit"),
        (with(|one| one.sites = vec![one.sites[0].clone(); 201]), "inspection.sites"),
    ] {
        let (code, error) = refusal(city.planned(inspection).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
        assert!(error.chinese().chars().any(|one| one >= '\u{4e00}'));
    }
    let waiting = city.planned(planned()).await.unwrap().into_inner();
    let (code, error) = refusal(city.find(&waiting.name, found("water")).await);
    assert_eq!((code, error.chinese()), (Code::FailedPrecondition, "督查已计划、尚未启动，不能记录问题"));

    let name = city.under_way().await.name;
    for (finding, field) in [
        (proto::Finding { text: String::new(), ..found("water") }, "text"),
        (proto::Finding { text: "缺".repeat(501), ..found("water") }, "finding.text"),
        (found("moon"), "finding.unit"),
        (proto::Finding { due_time: None, ..found("water") }, "finding.due_time"),
        (
            proto::Finding { due_time: Some(encode_time(at("2023-06-02T00:00:00+08:00"))), ..found("water") },
            "finding.due_time",
        ),
    ] {
        let (code, error) = refusal(city.find(&name, finding).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let found = city.find(&name, found("water")).await.unwrap().into_inner();
    let finding = found.findings[0].name.clone();
    let request = proto::RectifyFindingRequest { name: finding.clone(), ..Default::default() };
    let undeclared = city.inspections(&supervisor()).rectify_finding(request).await;
    assert_eq!(refusal(undeclared).0, Code::InvalidArgument, "not declared unclassified");
    assert_eq!(refusal(city.dismiss(&finding, " ").await).0, Code::InvalidArgument);
    assert_eq!(refusal(city.rectify(&format!("{name}/findings/9")).await).0, Code::NotFound);
    assert_eq!(refusal(city.rectify("inspections/none/findings/1").await).0, Code::NotFound);
    assert_eq!(refusal(city.rectify("findings/1").await).0, Code::InvalidArgument);
    assert_eq!(city.inspected(&name).await, found, "nothing has changed");
    let request =
        proto::CancelInspectionRequest { name, ground: "调整安排".into(), ..Default::default() };
    let cancelled = city.inspections(&supervisor()).cancel_inspection(request).await;
    assert_eq!(refusal(cancelled).0, Code::FailedPrecondition, "it has begun");
    let request = proto::CancelInspectionRequest {
        name: waiting.name,
        ground: "调整安排".into(),
        etag: "v9".into(),
        ..Default::default()
    };
    let stale = city.inspections(&supervisor()).cancel_inspection(request.clone()).await;
    assert_eq!(refusal(stale).0, Code::Aborted);
    let request = proto::CancelInspectionRequest { etag: String::new(), ..request };
    let cancelled = city.inspections(&supervisor()).cancel_inspection(request).await.unwrap().into_inner();
    assert_eq!(cancelled.state(), InspectionState::Cancelled);
}

async fn supervisors_inspect_and_units_hear_of_it_by_their_tasks(store: Store) {
    let city = City::start(store).await;
    let name = city.under_way().await.name;
    let get = || proto::GetInspectionRequest { name: name.clone() };
    for reader in [leader("first"), account("inspector", Grant::of(Role::Inspector))] {
        city.inspections(&reader).get_inspection(get()).await.unwrap();
        let request = proto::CreateFindingRequest {
            parent: name.clone(),
            finding: Some(found("water")),
            ..Default::default()
        };
        let refused = city.inspections(&reader).create_finding(request).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied);
    }
    let refused = city.inspections(&clerk("water")).get_inspection(get()).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
    let found = city.find(&name, found("water")).await.unwrap().into_inner();
    let task = city.rectify(&found.findings[0].name).await.unwrap().into_inner().findings[0].task.clone();
    let request = proto::GetTaskRequest { name: task };
    city.clerk("water").get_task(request).await.unwrap();
}

async fn inspections_are_listed_the_latest_first(store: Store) {
    let city = City::start(store).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.insert(0, city.planned(planned()).await.unwrap().into_inner().name);
    }
    names.insert(0, city.under_way().await.name);
    let list = |page_size, page_token: &str, state: InspectionState| {
        let (page_token, state) = (page_token.to_owned(), state.into());
        let request = proto::ListInspectionsRequest { page_size, page_token, state };
        let mut client = city.inspections(&supervisor());
        async move { client.list_inspections(request).await.unwrap().into_inner() }
    };
    let name = |all: &proto::ListInspectionsResponse| -> Vec<String> {
        all.inspections.iter().map(|one| one.name.clone()).collect()
    };
    let first = list(3, "", InspectionState::Unspecified).await;
    assert_eq!(name(&first), names[..3]);
    let second = list(3, &first.next_page_token, InspectionState::Unspecified).await;
    assert_eq!((name(&second), second.next_page_token.as_str()), (names[3..].to_vec(), ""));
    assert_eq!(name(&list(0, "", InspectionState::UnderWay).await), names[..1]);
    assert!(list(0, "", InspectionState::Concluded).await.inspections.is_empty());
}

async fn a_repeated_request_enters_one_task(store: Store) {
    let city = City::start(store).await;
    let name = city.under_way().await.name;
    let found = city.find(&name, found("water")).await.unwrap().into_inner();
    let request = proto::RectifyFindingRequest {
        name: found.findings[0].name.clone(),
        unclassified: true,
        etag: found.etag,
        request_id: "once".into(),
    };
    let first = city.inspections(&supervisor()).rectify_finding(request.clone()).await.unwrap().into_inner();
    let again = city.inspections(&supervisor()).rectify_finding(request).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert_eq!(city.list(proto::ListTasksRequest::default()).await.len(), 1);
}

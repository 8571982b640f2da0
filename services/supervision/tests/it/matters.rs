//! Matters: tasks that are linked as one, and reports that answer all of them.

use domain_supervision::{MATTER_REPORTED, MatterReported};
use tonic::Code;
use xietong_mesh::principal::{Grant, Role};
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_proto::supervision::AssignmentState;

use crate::city::{City, Store, account, clerk, leader, refusal, supervisor, task};
use crate::on_both;

on_both!(
    tasks_are_linked_and_taken_out_on_record,
    a_task_is_in_one_matter_at_most,
    whoever_sees_a_task_sees_its_matter_and_nothing_of_the_others,
    matters_are_listed_by_task_unit_and_title,
    only_supervisors_link,
    what_cannot_be_linked_is_refused,
    one_report_answers_all_that_a_unit_holds_of_a_matter,
    what_cannot_be_answered_is_named_and_holds_up_nothing,
    a_report_on_a_restricted_task_answers_no_other,
    a_report_that_does_not_ask_for_it_answers_one_task,
);

/// Tasks with these titles, led by the energy bureau with the water bureau beside it.
async fn tasks(city: &City, titles: &[&str]) -> Vec<proto::Task> {
    let mut tasks = Vec::new();
    for title in titles {
        tasks.push(city.issued(task(title, &[("energy", Lead), ("water", Cooperating)])).await);
    }
    tasks
}

fn create(title: &str, tasks: &[&proto::Task]) -> proto::CreateMatterRequest {
    proto::CreateMatterRequest {
        title: title.to_owned(),
        tasks: tasks.iter().map(|task| task.name.clone()).collect(),
        ground: "同一项目".to_owned(),
        ..Default::default()
    }
}

async fn matter(city: &City, title: &str, tasks: &[&proto::Task]) -> proto::Matter {
    city.matters(&supervisor()).create_matter(create(title, tasks)).await.unwrap().into_inner()
}

fn link(matter: &proto::Matter, tasks: &[&proto::Task]) -> proto::LinkTasksRequest {
    proto::LinkTasksRequest {
        name: matter.name.clone(),
        tasks: tasks.iter().map(|task| task.name.clone()).collect(),
        ground: "同一工程".to_owned(),
        ..Default::default()
    }
}

fn unlink(matter: &proto::Matter, tasks: &[&proto::Task]) -> proto::UnlinkTasksRequest {
    let proto::LinkTasksRequest { name, tasks, .. } = link(matter, tasks);
    proto::UnlinkTasksRequest { name, tasks, ground: "不是同一工程".to_owned(), ..Default::default() }
}

fn numbers(matter: &proto::Matter) -> Vec<i64> {
    matter.tasks.iter().map(|one| one.ledger_number).collect()
}

async fn tasks_are_linked_and_taken_out_on_record(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站", "供热管网"]).await;
    let mut matters = city.matters(&supervisor());
    let request = proto::CreateMatterRequest {
        request_id: "matter-1".to_owned(),
        ..create("绿色能源输配", &[&all[1], &all[0]])
    };
    let created = matters.create_matter(request.clone()).await.unwrap().into_inner();
    assert_eq!((created.title.as_str(), numbers(&created)), ("绿色能源输配", vec![2, 1]));
    assert_eq!((created.creator.as_str(), created.etag.as_str()), ("supervisor", "v1"));
    assert_eq!(created.tasks[0].lead_units, ["units/energy"]);
    assert_eq!(
        (created.tasks[0].ground.as_str(), created.tasks[0].linked_by.as_str()),
        ("同一项目", "supervisor")
    );
    assert_eq!(matters.create_matter(request).await.unwrap().into_inner(), created, "the first answer");

    let linked = matters.link_tasks(link(&created, &[&all[2], &all[0]])).await.unwrap().into_inner();
    assert_eq!(numbers(&linked), [2, 1, 3]);
    let stale = proto::UnlinkTasksRequest { etag: created.etag.clone(), ..unlink(&created, &[&all[1]]) };
    assert_eq!(refusal(matters.unlink_tasks(stale).await).0, Code::Aborted);
    let rest = matters.unlink_tasks(unlink(&created, &[&all[1]])).await.unwrap().into_inner();
    assert_eq!((numbers(&rest), rest.etag.as_str()), (vec![1, 3], "v3"));
    let get = proto::GetMatterRequest { name: created.name.clone() };
    assert_eq!(matters.get_matter(get).await.unwrap().into_inner(), rest);

    assert_eq!(city.get(&all[0].name).await.matter, created.name);
    assert_eq!(city.get(&all[1].name).await.matter, "");
    let told: Vec<_> = city
        .timeline(&all[1].name)
        .await
        .into_iter()
        .skip(2)
        .map(|entry| (entry.text, entry.ground))
        .collect();
    assert_eq!(
        told,
        [
            ("并入事项《绿色能源输配》：同一项目".to_owned(), "同一项目".to_owned()),
            ("移出事项《绿色能源输配》：不是同一工程".to_owned(), "不是同一工程".to_owned()),
        ]
    );
    let of_matter = proto::ListTasksRequest { matter: created.name, ..Default::default() };
    let listed: Vec<_> = city.list(of_matter).await.into_iter().map(|task| task.ledger_number).collect();
    assert_eq!(listed, [3, 1]);
}

async fn a_task_is_in_one_matter_at_most(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站"]).await;
    let first = matter(&city, "甲", &[&all[0]]).await;
    let mut matters = city.matters(&supervisor());
    let (code, error) = refusal(matters.create_matter(create("乙", &[&all[1], &all[0]])).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "IN_MATTER"));
    assert_eq!(error.metadata()["matter"], first.name);
    assert_eq!(city.get(&all[1].name).await.matter, "", "nothing of it happened");
    let second = matter(&city, "乙", &[&all[1]]).await;
    let (code, _) = refusal(matters.link_tasks(link(&second, &[&all[0]])).await);
    assert_eq!(code, Code::FailedPrecondition);
    matters.unlink_tasks(unlink(&first, &[&all[0]])).await.unwrap();
    assert_eq!(numbers(&matters.link_tasks(link(&second, &[&all[0]])).await.unwrap().into_inner()), [2, 1]);
}

async fn whoever_sees_a_task_sees_its_matter_and_nothing_of_the_others(store: Store) {
    let city = City::start(store).await;
    let open = city.issued(task("河道清淤", &[("water", Lead)])).await;
    let mut secret = task("排污线索核查", &[("health", Lead)]);
    secret.visibility = Visibility::Restricted.into();
    secret.restricted_units = vec!["units/health".to_owned()];
    let secret = city.issued(secret).await;
    let joined = matter(&city, "一泓清水入黄河", &[&secret, &open]).await;
    let get = proto::GetMatterRequest { name: joined.name.clone() };
    for (reader, expected) in [
        (supervisor(), vec![2, 1]),
        (account("auditor", Grant::of(Role::Auditor)), vec![2, 1]),
        (clerk("water"), vec![1]),
        (leader("second"), vec![1]),
        (clerk("health"), vec![2]),
    ] {
        let mut matters = city.matters(&reader);
        let seen = matters.get_matter(get.clone()).await.unwrap().into_inner();
        assert_eq!(numbers(&seen), expected, "{reader:?}");
        let listed = matters.list_matters(proto::ListMattersRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.matters, std::slice::from_ref(&seen), "{reader:?}");
        let of_secret = proto::ListMattersRequest { task: secret.name.clone(), ..Default::default() };
        let found = matters.list_matters(of_secret).await.unwrap().into_inner().matters.len();
        assert_eq!(found == 1, expected.contains(&2), "{reader:?}");
        let of_health = proto::ListMattersRequest { unit: "units/health".to_owned(), ..Default::default() };
        let found = matters.list_matters(of_health).await.unwrap().into_inner().matters.len();
        assert_eq!(found == 1, expected.contains(&2), "{reader:?}");
    }
    let mut stranger = city.matters(&clerk("yaodu"));
    assert_eq!(refusal(stranger.get_matter(get).await).0, Code::PermissionDenied);
    let listed = stranger.list_matters(proto::ListMattersRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.matters, []);
    let missing = proto::GetMatterRequest { name: "matters/none".to_owned() };
    assert_eq!(refusal(stranger.get_matter(missing.clone()).await).0, Code::PermissionDenied);
    assert_eq!(refusal(city.matters(&supervisor()).get_matter(missing).await).0, Code::NotFound);
}

async fn matters_are_listed_by_task_unit_and_title(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站"]).await;
    let health = city.issued(task("疫苗接种", &[("health", Lead)])).await;
    let first = matter(&city, "绿色能源输配（一期）", &[&all[0]]).await;
    let second = matter(&city, "绿色能源输配（二期）100%", &[&all[1]]).await;
    let third = matter(&city, "健康临汾", &[&health]).await;
    let mut matters = city.matters(&supervisor());
    let by = |change: fn(&mut proto::ListMattersRequest, &str), with: &str| {
        let mut request = proto::ListMattersRequest::default();
        change(&mut request, with);
        request
    };
    let q = |q: &str| by(|request, q| request.q = q.to_owned(), q);
    for (request, expected) in [
        (proto::ListMattersRequest::default(), vec![&third, &second, &first]),
        (by(|request, unit| request.unit = unit.to_owned(), "units/water"), vec![&second, &first]),
        (by(|request, task| request.task = task.to_owned(), &health.name), vec![&third]),
        (q("能源 〔一期〕"), vec![&first]),
        (q("源"), vec![&second, &first]),
        (q("100%"), vec![&second]),
        (q("%_"), vec![]),
    ] {
        let listed = matters.list_matters(request.clone()).await.unwrap().into_inner().matters;
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{request:?}");
    }
    let page = proto::ListMattersRequest { page_size: 2, ..Default::default() };
    let listed = matters.list_matters(page.clone()).await.unwrap().into_inner();
    assert_eq!(listed.matters.len(), 2);
    let next = proto::ListMattersRequest { page_token: listed.next_page_token, ..page };
    let rest = matters.list_matters(next.clone()).await.unwrap().into_inner();
    assert_eq!((rest.matters, rest.next_page_token), (vec![first], String::new()));
    let other = proto::ListMattersRequest { q: "健康".to_owned(), ..next };
    assert_eq!(refusal(matters.list_matters(other).await).0, Code::InvalidArgument);
}

async fn only_supervisors_link(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站"]).await;
    let joined = matter(&city, "绿色能源输配", &[&all[0]]).await;
    for principal in [clerk("energy"), leader("first"), account("auditor", Grant::of(Role::Auditor))] {
        let mut matters = city.matters(&principal);
        let refused = [
            refusal(matters.create_matter(create("甲", &[&all[1]])).await).0,
            refusal(matters.link_tasks(link(&joined, &[&all[1]])).await).0,
            refusal(matters.unlink_tasks(unlink(&joined, &[&all[0]])).await).0,
            refusal(matters.list_matter_proposals(proto::ListMatterProposalsRequest::default()).await).0,
        ];
        assert_eq!(refused, [Code::PermissionDenied; 4], "{principal:?}");
    }
}

async fn what_cannot_be_linked_is_refused(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线"]).await;
    let mut matters = city.matters(&supervisor());
    let good = create("绿色能源输配", &[&all[0]]);
    let missing = vec!["tasks/none".to_owned()];
    for (request, code, field) in [
        (
            proto::CreateMatterRequest { title: " ".to_owned(), ..good.clone() },
            Code::InvalidArgument,
            "title",
        ),
        (
            proto::CreateMatterRequest { title: "题".repeat(201), ..good.clone() },
            Code::InvalidArgument,
            "title",
        ),
        (
            proto::CreateMatterRequest { ground: String::new(), ..good.clone() },
            Code::InvalidArgument,
            "ground",
        ),
        (
            proto::CreateMatterRequest { ground: "因".repeat(501), ..good.clone() },
            Code::InvalidArgument,
            "ground",
        ),
        (proto::CreateMatterRequest { tasks: vec![], ..good.clone() }, Code::InvalidArgument, "tasks"),
        (
            proto::CreateMatterRequest { tasks: vec!["任务".to_owned()], ..good.clone() },
            Code::InvalidArgument,
            "tasks[0]",
        ),
        (
            proto::CreateMatterRequest { tasks: vec![all[0].name.clone(); 201], ..good.clone() },
            Code::InvalidArgument,
            "tasks",
        ),
        (proto::CreateMatterRequest { tasks: missing, ..good.clone() }, Code::NotFound, ""),
    ] {
        let (found, error) = refusal(matters.create_matter(request).await);
        assert_eq!(found, code, "{field}: {error}");
        assert_eq!(error.violations().first().map_or("", |one| one.field.as_str()), field);
        assert!(!error.chinese().is_empty());
    }
    let nowhere = proto::Matter { name: "matters/none".to_owned(), ..Default::default() };
    assert_eq!(refusal(matters.link_tasks(link(&nowhere, &[&all[0]])).await).0, Code::NotFound);
    let joined = matter(&city, "绿色能源输配", &[&all[0]]).await;
    let other = tasks(&city, &["调压站"]).await;
    let (code, error) = refusal(matters.unlink_tasks(unlink(&joined, &[&other[0]])).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "NOT_IN_MATTER"));
}

/// What the energy bureau holds of tasks, signed for and deployed.
async fn under_way(city: &City, tasks: &[&proto::Task]) {
    let mut energy = city.clerk("energy");
    for task in tasks {
        let name = task.assignments[0].name.clone();
        let sign = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
        energy.sign_assignment(sign).await.unwrap();
        let deploy = proto::DeployAssignmentRequest { name, ..Default::default() };
        energy.deploy_assignment(deploy).await.unwrap();
    }
}

fn report(task: &proto::Task, answer_matter: bool) -> proto::ReportAssignmentRequest {
    proto::ReportAssignmentRequest {
        name: task.assignments[0].name.clone(),
        text: "主管道已焊接12公里。".to_owned(),
        answer_matter,
        ..Default::default()
    }
}

async fn states(city: &City, tasks: &[proto::Task]) -> Vec<AssignmentState> {
    let mut states = Vec::new();
    for task in tasks {
        states.push(city.get(&task.name).await.assignments[0].state());
    }
    states
}

async fn told(city: &City) -> Vec<MatterReported> {
    city.run().await;
    let events = city.service.log.read(0, 1_000).await.unwrap().events;
    let told = events.iter().filter(|event| event.event_type == MATTER_REPORTED).map(|event| {
        let payload = serde_json::from_str(&event.payload).unwrap();
        MatterReported::from_payload(&event.event_type, &payload).unwrap().unwrap()
    });
    told.collect()
}

async fn one_report_answers_all_that_a_unit_holds_of_a_matter(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站", "供热管网"]).await;
    let joined = matter(&city, "绿色能源输配", &[&all[0], &all[1], &all[2]]).await;
    under_way(&city, &[&all[0], &all[1], &all[2]]).await;
    let request =
        proto::ReportAssignmentRequest { request_id: "report-1".to_owned(), ..report(&all[1], true) };
    let mut energy = city.clerk("energy");
    let answer = energy.report_assignment(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.name, all[1].assignments[0].name);
    let answered: Vec<_> =
        answer.matter_answers.iter().map(|one| (one.name.as_str(), one.answered)).collect();
    assert_eq!(
        answered,
        [(all[0].assignments[0].name.as_str(), true), (all[2].assignments[0].name.as_str(), true)]
    );
    assert_eq!(energy.report_assignment(request).await.unwrap().into_inner(), answer, "the first answer");
    assert_eq!(states(&city, &all).await, [AssignmentState::InProgress; 3]);
    for task in &all {
        let entry = city.timeline(&task.name).await.pop().unwrap();
        let text =
            "市能源局反馈进展（一次反馈，同时答复事项《绿色能源输配》的各项任务）：主管道已焊接12公里。";
        assert_eq!((entry.r#type.as_str(), entry.text.as_str()), ("supervision.assignment.reported", text));
        let shown = city.get(&task.name).await;
        assert_eq!(shown.assignments[0].last_report, "主管道已焊接12公里。");
        assert_eq!(shown.assignments[1].state(), AssignmentState::Assigned, "the water bureau's stays");
    }
    let [told] = told(&city).await.try_into().unwrap();
    assert_eq!((told.unit.as_str(), told.matter.as_str()), ("units/energy", joined.name.as_str()));
    let items: Vec<_> = told.items.iter().map(|item| item.task.ledger_number).collect();
    assert_eq!(items, [2, 1, 3], "what was reported on comes first");
}

async fn what_cannot_be_answered_is_named_and_holds_up_nothing(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站", "供热管网", "储气罐"]).await;
    matter(&city, "绿色能源输配", &[&all[0], &all[1], &all[2], &all[3]]).await;
    under_way(&city, &[&all[0], &all[1], &all[3]]).await;
    let mut energy = city.clerk("energy");
    let submit = proto::SubmitAssignmentRequest {
        name: all[1].assignments[0].name.clone(),
        text: "已建成".to_owned(),
        ..Default::default()
    };
    energy.submit_assignment(submit).await.unwrap();
    let withdraw = proto::WithdrawTaskRequest {
        name: all[3].name.clone(),
        ground: "并入其他事项".to_owned(),
        ..Default::default()
    };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    let answer = energy.report_assignment(report(&all[0], true)).await.unwrap().into_inner();
    let answers: Vec<_> = answer
        .matter_answers
        .iter()
        .map(|one| (one.name.as_str(), one.answered, one.status.as_str(), one.message_zh.as_str()))
        .collect();
    let refused = |task: &proto::Task| task.assignments[0].name.clone();
    assert_eq!(
        answers,
        [
            (
                refused(&all[1]).as_str(),
                false,
                "FAILED_PRECONDITION",
                "已申请办结、正在等待核验，不能反馈进展"
            ),
            (refused(&all[2]).as_str(), false, "FAILED_PRECONDITION", "尚未签收，请先签收、部署再反馈进展"),
        ]
    );
    assert_eq!(told(&city).await, [], "one task is told of as ever");
    assert_eq!(
        states(&city, &all).await,
        [
            AssignmentState::InProgress,
            AssignmentState::Submitted,
            AssignmentState::Assigned,
            AssignmentState::Withdrawn,
        ]
    );
    // What is reported on must itself be answered: else nothing is.
    let (code, _) = refusal(energy.report_assignment(report(&all[2], true)).await);
    assert_eq!(code, Code::FailedPrecondition);
    assert_eq!(city.timeline(&all[0].name).await.len(), 6);
    let (code, _) = refusal(city.clerk("health").report_assignment(report(&all[0], true)).await);
    assert_eq!(code, Code::PermissionDenied);
    let empty = proto::ReportAssignmentRequest { text: " ".to_owned(), ..report(&all[0], true) };
    assert_eq!(refusal(energy.report_assignment(empty).await).0, Code::InvalidArgument);
    let stale = proto::ReportAssignmentRequest { etag: "v1".to_owned(), ..report(&all[0], true) };
    assert_eq!(refusal(energy.report_assignment(stale).await).0, Code::Aborted);
}

async fn a_report_on_a_restricted_task_answers_no_other(store: Store) {
    let city = City::start(store).await;
    let mut all = tasks(&city, &["输气管线", "调压站"]).await;
    let mut secret = task("气源谈判", &[("energy", Lead)]);
    secret.visibility = Visibility::Restricted.into();
    secret.restricted_units = vec!["units/energy".to_owned()];
    all.push(city.issued(secret).await);
    matter(&city, "绿色能源输配", &[&all[0], &all[1], &all[2]]).await;
    under_way(&city, &[&all[0], &all[1], &all[2]]).await;
    let mut energy = city.clerk("energy");
    let answer = energy.report_assignment(report(&all[2], true)).await.unwrap().into_inner();
    assert!(answer.matter_answers.iter().all(|one| !one.answered && one.message_zh.contains("限定知悉范围")));
    assert_eq!(answer.matter_answers.len(), 2);
    let deployed = AssignmentState::Deployed;
    assert_eq!(states(&city, &all).await, [deployed, deployed, AssignmentState::InProgress]);

    // What all may know may be said to few.
    let answer = energy.report_assignment(report(&all[0], true)).await.unwrap().into_inner();
    assert!(answer.matter_answers.iter().all(|one| one.answered));
    let [told] = told(&city).await.try_into().unwrap();
    let items: Vec<_> = told.items.iter().map(|item| item.task.ledger_number).collect();
    assert_eq!(items, [1, 2], "the restricted one is told of by itself");
}

async fn a_report_that_does_not_ask_for_it_answers_one_task(store: Store) {
    let city = City::start(store).await;
    let all = tasks(&city, &["输气管线", "调压站"]).await;
    matter(&city, "绿色能源输配", &[&all[0], &all[1]]).await;
    under_way(&city, &[&all[0], &all[1]]).await;
    let mut energy = city.clerk("energy");
    let answer = energy.report_assignment(report(&all[0], false)).await.unwrap().into_inner();
    assert_eq!(answer.matter_answers, []);
    assert_eq!(states(&city, &all).await, [AssignmentState::InProgress, AssignmentState::Deployed]);
    assert_eq!(
        city.timeline(&all[0].name).await.pop().unwrap().text,
        "市能源局反馈进展：主管道已焊接12公里。"
    );
    // In no matter, it answers what it is about.
    let alone = tasks(&city, &["充电桩"]).await;
    under_way(&city, &[&alone[0]]).await;
    let answer = energy.report_assignment(report(&alone[0], true)).await.unwrap().into_inner();
    assert_eq!((answer.matter_answers, answer.state), (vec![], AssignmentState::InProgress.into()));
}

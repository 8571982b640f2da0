//! Sub-tasks, end to end.

use tonic::Code;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::{Light, TaskState};

use crate::city::{City, Store, refusal, supervisor, task_of};
use crate::extension::deployed;
use crate::on_both;
use crate::permission::verify;

on_both!(
    a_task_shows_how_its_sub_tasks_stand,
    a_task_is_not_struck_off_before_its_sub_tasks,
    what_cannot_be_a_parent_is_refused,
    a_roll_up_and_a_list_hold_what_the_reader_may_see,
);

fn below(parent: &str, unit: &str) -> proto::Task {
    proto::Task { parent: parent.to_owned(), ..task_of(unit) }
}

async fn drafted(city: &City, task: proto::Task) -> Result<proto::Task, (Code, xietong_mesh::Error)> {
    let request = proto::CreateTaskRequest { task: Some(task), ..Default::default() };
    let outcome = city.supervisor().create_task(request).await;
    match outcome {
        Ok(created) => Ok(created.into_inner()),
        Err(status) => Err(refusal(Err::<tonic::Response<()>, _>(status))),
    }
}

/// Deploys and submits a task's assignment.
async fn submit(city: &City, task: &proto::Task, unit: &str) -> String {
    let name = deployed(city, task, 0).await;
    let text = "完成".to_owned();
    let request = proto::SubmitAssignmentRequest { name: name.clone(), text, ..Default::default() };
    city.clerk(unit).submit_assignment(request).await.unwrap();
    name
}

async fn a_task_shows_how_its_sub_tasks_stand(store: Store) {
    let city = City::start(store).await;
    let top = city.issued(task_of("energy")).await;
    assert_eq!(city.get(&top.name).await.sub_tasks, None);
    let done = city.issued(below(&top.name, "water")).await;
    let late = city.issued(below(&top.name, "health")).await;
    drafted(&city, below(&top.name, "industry")).await.unwrap();
    let gone = city.issued(below(&top.name, "office")).await;
    let withdraw =
        proto::WithdrawTaskRequest { name: gone.name, ground: "重复".to_owned(), ..Default::default() };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    let name = submit(&city, &done, "water").await;
    verify(&mut city.supervisor(), &name).await.unwrap();
    city.wait_until("2023-06-09T09:00:00+08:00").await;

    let shown = city.get(&top.name).await.sub_tasks.unwrap();
    let states: Vec<_> = shown.states.iter().map(|one| (one.state(), one.count)).collect();
    use TaskState::{Draft, Issued, StruckOff, Withdrawn};
    assert_eq!(states, [(Draft, 1), (Issued, 1), (StruckOff, 1), (Withdrawn, 1)]);
    let lights: Vec<_> = shown.lights.iter().map(|one| (one.light(), one.count)).collect();
    assert_eq!(lights, [(Light::Blue, 1), (Light::Grey, 1), (Light::Red, 1)]);
    assert_eq!((shown.total, shown.worst_light(), shown.struck_off_percent), (4, Light::Red, 50));

    let listed = city.list(proto::ListTasksRequest { parent: top.name.clone(), ..Default::default() }).await;
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().any(|one| one.name == late.name && one.parent == top.name));
}

async fn a_task_is_not_struck_off_before_its_sub_tasks(store: Store) {
    let city = City::start(store).await;
    let top = city.issued(task_of("energy")).await;
    let part = city.issued(below(&top.name, "water")).await;
    let own = submit(&city, &top, "energy").await;
    let (code, error) = refusal(verify(&mut city.supervisor(), &own).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "SUB_TASKS_OPEN"));
    assert_eq!(error.chinese(), "尚有1项子任务未办结，请待子任务全部销号或撤销后再核验通过");
    let name = submit(&city, &part, "water").await;
    verify(&mut city.supervisor(), &name).await.unwrap();
    verify(&mut city.supervisor(), &own).await.unwrap();
    assert_eq!(city.get(&top.name).await.state(), TaskState::StruckOff);

    let (code, error) = drafted(&city, below(&top.name, "health")).await.unwrap_err();
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "PARENT_OVER"));
    let reopen = |name: &str| proto::ReopenAssignmentRequest {
        name: name.to_owned(),
        ground: "反弹".to_owned(),
        until: Some(xietong_mesh::convert::encode_time(crate::city::at("2023-07-01T00:00:00+08:00"))),
        ..Default::default()
    };
    let mut office = city.side_roads(&supervisor());
    let (code, error) = refusal(office.reopen_assignment(reopen(&name)).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "PARENT_OVER"));
    office.reopen_assignment(reopen(&own)).await.unwrap();
    office.reopen_assignment(reopen(&name)).await.unwrap();
}

async fn what_cannot_be_a_parent_is_refused(store: Store) {
    let city = City::start(store).await;
    let top = drafted(&city, task_of("energy")).await.unwrap();
    let middle = drafted(&city, below(&top.name, "water")).await.unwrap();
    let low = drafted(&city, below(&middle.name, "health")).await.unwrap();
    let wider = proto::Task { visibility: Visibility::Public.into(), ..below(&top.name, "health") };
    for task in
        [below(&low.name, "industry"), below("tasks/none", "industry"), below("groups/1", "industry"), wider]
    {
        let (code, error) = drafted(&city, task).await.unwrap_err();
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "task.parent"));
    }
    let move_to = |name: &str, parent: &str| proto::UpdateTaskRequest {
        task: Some(proto::Task { name: name.to_owned(), parent: parent.to_owned(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["parent".to_owned()] }),
        ..Default::default()
    };
    let mut office = city.supervisor();
    for (name, parent) in [(&top.name, &low.name), (&top.name, &top.name)] {
        let (code, error) = refusal(office.update_task(move_to(name, parent)).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "parent"));
    }
    let other = drafted(&city, task_of("industry")).await.unwrap();
    let deep = refusal(office.update_task(move_to(&middle.name, &low.name)).await);
    assert_eq!(deep.0, Code::InvalidArgument);
    office.update_task(move_to(&other.name, &middle.name)).await.unwrap();
    let of_middle = proto::ListTasksRequest { parent: middle.name.clone(), ..Default::default() };
    assert_eq!(city.list(of_middle.clone()).await.len(), 2);
    let moved = office.update_task(move_to(&other.name, "")).await.unwrap().into_inner();
    assert_eq!((moved.parent.as_str(), city.list(of_middle).await.len()), ("", 1));
    let text = city.timeline(&other.name).await.pop().unwrap().text;
    assert_eq!(text, "修订：上级任务有调整");

    let issued = city.issued(task_of("office")).await;
    let request =
        proto::UpdateTaskRequest { ground: "调整".to_owned(), ..move_to(&issued.name, &top.name) };
    assert_eq!(refusal(office.update_task(request).await).1.reason(), "FIXED_ONCE_ISSUED");
}

async fn a_roll_up_and_a_list_hold_what_the_reader_may_see(store: Store) {
    let city = City::start(store).await;
    let top = city.issued(task_of("energy")).await;
    city.issued(below(&top.name, "energy")).await;
    city.issued(below(&top.name, "water")).await;
    let get = proto::GetTaskRequest { name: top.name.clone() };
    let seen = city.clerk("energy").get_task(get.clone()).await.unwrap().into_inner().sub_tasks.unwrap();
    assert_eq!((seen.total, city.get(&top.name).await.sub_tasks.unwrap().total), (1, 2));
    let list = proto::ListTasksRequest { parent: top.name.clone(), ..Default::default() };
    let listed = crate::city::list_all(&mut city.clerk("energy"), list).await;
    assert_eq!(listed.len(), 1);
    let first = city.leader("first").get_task(get).await.unwrap().into_inner().sub_tasks.unwrap();
    assert_eq!(first.total, 1, "of his portfolio");
    let wrong = proto::ListTasksRequest { parent: "groups/1".to_owned(), ..Default::default() };
    assert_eq!(refusal(city.supervisor().list_tasks(wrong).await).0, Code::InvalidArgument);
}

//! What happens by itself when stages are due.

use xietong_proto::supervision as proto;
use xietong_proto::supervision::{Light, TaskState};

use crate::city::{City, Store, at, task_of};
use crate::on_both;

on_both!(
    a_missed_settle_date_is_overdue_once,
    a_reminder_comes_at_yellow_and_not_for_who_is_done,
    nothing_fires_early,
    lights_follow_the_clock,
);

fn types(timeline: &[proto::TimelineEntry]) -> Vec<&str> {
    timeline.iter().skip(2).map(|entry| entry.r#type.trim_start_matches("supervision.assignment.")).collect()
}

async fn a_missed_settle_date_is_overdue_once(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    for day in ["2023-06-02", "2023-06-05", "2023-06-07", "2023-06-09", "2023-06-20", "2023-07-01"] {
        city.wait_until(&format!("{day}T12:00:00+08:00")).await;
    }
    let timeline = city.timeline(&issued.name).await;
    assert_eq!(types(&timeline), ["urged", "urged", "reminded", "overdue"]);
    assert_eq!(timeline[2].text, "催办市能源局：签收、部署逾期");
    assert_eq!(timeline[5].text, "市能源局逾期未办结");
    assert_eq!(timeline[5].actor, "system/supervision");
    assert_eq!(timeline[5].ground, "13710督办规则第1版");
    assert_eq!(timeline[5].time.unwrap().seconds * 1_000_000, at("2023-06-09T12:00:00+08:00").as_micros());

    let late = city.get(&issued.name).await;
    assert_eq!((late.state(), late.light()), (TaskState::Issued, Light::Red));
    assert!(late.assignments[0].was_late);
}

async fn a_reminder_comes_at_yellow_and_not_for_who_is_done(store: Store) {
    let city = City::start(store).await;
    let (slow, quick) = (city.issued(task_of("energy")).await, city.issued(task_of("energy")).await);
    let mut clerk = city.clerk("energy");
    for task in [&slow, &quick] {
        let name = task.assignments[0].name.clone();
        let request = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
        clerk.sign_assignment(request).await.unwrap();
        let request = proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() };
        clerk.deploy_assignment(request).await.unwrap();
        let request =
            proto::ReportAssignmentRequest { name, text: "开工".to_owned(), ..Default::default() };
        clerk.report_assignment(request).await.unwrap();
    }
    let request = proto::SubmitAssignmentRequest {
        name: quick.assignments[0].name.clone(),
        text: "完成".to_owned(),
        ..Default::default()
    };
    clerk.submit_assignment(request).await.unwrap();
    // From 9:00 on 1 June to the end of 8 June are 183 hours; a fifth of them is 36.6.
    city.wait_until("2023-06-07T11:23:59+08:00").await;
    assert_eq!(city.timeline(&slow.name).await.len(), 5);
    city.wait_until("2023-06-07T11:24:00+08:00").await;
    assert_eq!(types(&city.timeline(&slow.name).await).last(), Some(&"reminded"));
    assert_eq!(types(&city.timeline(&quick.name).await).last(), Some(&"submitted"));
    assert_eq!(city.get(&slow.name).await.light(), Light::Yellow);
    city.wait_until("2023-07-01T00:00:00+08:00").await;
    assert_eq!(types(&city.timeline(&slow.name).await).last(), Some(&"overdue"));
    assert_eq!(types(&city.timeline(&quick.name).await).last(), Some(&"submitted"));
}

async fn nothing_fires_early(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    // It is late from midnight on, and nobody is told before people work.
    city.wait_until("2023-06-02T00:00:00+08:00").await;
    assert_eq!(city.get(&issued.name).await.light(), Light::Yellow);
    city.wait_until("2023-06-02T07:59:59.999999+08:00").await;
    assert_eq!(city.timeline(&issued.name).await.len(), 2);
    let due = city.service.timers.as_ref().unwrap().next_due().await.unwrap();
    assert_eq!(due, Some(at("2023-06-02T08:00:00+08:00")));
}

async fn lights_follow_the_clock(store: Store) {
    let city = City::start(store).await;
    let mut long = task_of("water");
    long.grade = proto::Grade::LongTerm.into();
    for task in [task_of("energy"), long] {
        city.issued(task).await;
    }
    let draft = proto::CreateTaskRequest { task: Some(task_of("health")), ..Default::default() };
    city.supervisor().create_task(draft).await.unwrap();
    for day in ["01T10:00:00", "01T23:59:59", "02T00:00:00", "08T23:59:59", "09T00:00:00", "30T00:00:00"] {
        city.wait_until(&format!("2023-06-{day}+08:00")).await;
        let everything = city.list(proto::ListTasksRequest::default()).await;
        for light in [Light::Green, Light::Yellow, Light::Red, Light::Blue, Light::Grey] {
            let request = proto::ListTasksRequest { light: light.into(), ..Default::default() };
            let found = city.list(request).await;
            let expected: Vec<proto::Task> =
                everything.iter().filter(|task| task.light() == light).cloned().collect();
            assert_eq!(found, expected, "{light:?} on {day}");
        }
    }
}

//! Months of a clock, lived through instant by instant.

use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::Lead;
use xietong_proto::supervision::Light;

use crate::city::{City, Store, at, clerk, refusal, task, task_of};
use crate::extension::deployed;
use crate::on_both;
use crate::regulation::{administrator, create, span, working};

on_both!(
    a_major_matter_across_national_day_is_told_of_on_days_that_are_worked,
    a_month_into_an_unpublished_spring_festival_is_counted_anew_and_makes_nobody_late,
    a_timer_that_comes_late_at_night_tells_in_the_morning,
    a_rule_says_who_decides_what_timers_do_and_what_evidence_is_wanted,
    what_such_a_rule_cannot_mean_is_refused,
);

fn major(units: &[&str]) -> proto::Task {
    let units: Vec<_> = units.iter().map(|unit| (*unit, Lead)).collect();
    proto::Task { grade: proto::Grade::Major.into(), ..task("城区内涝点整治", &units) }
}

impl City {
    /// When what happened to a task by itself, from its issue on.
    async fn alarms(&self, task: &str) -> Vec<(String, String)> {
        let own = |entry: &proto::TimelineEntry| entry.actor == "system/supervision";
        let told = |entry: proto::TimelineEntry| {
            let time = entry.time.unwrap();
            let micros = time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000;
            let what = entry.r#type.rsplit('.').next().unwrap().to_owned();
            (domain_calendar::Timestamp::from_micros(micros).to_string(), what)
        };
        self.timeline(task).await.into_iter().filter(own).map(told).collect()
    }

    async fn lights(&self, task: &str) -> Vec<Light> {
        self.get(task).await.assignments.iter().map(proto::Assignment::light).collect()
    }

    async fn with_light(&self, light: Light) -> usize {
        self.list(proto::ListTasksRequest { light: light.into(), ..Default::default() }).await.len()
    }
}

fn expected(alarms: &[(&str, &str)]) -> Vec<(String, String)> {
    alarms.iter().map(|(when, what)| (at(when).to_string(), (*what).to_owned())).collect()
}

async fn a_major_matter_across_national_day_is_told_of_on_days_that_are_worked(store: Store) {
    let city = City::start(store).await;
    city.clock.set(at("2023-09-06T10:00:00+08:00"));
    city.add_rule(working()).await;
    let issued = city.issued(major(&["energy", "water"])).await;
    let name = deployed(&city, &issued, 0).await;
    // A month on, 6 October is off; Saturday, 7 October, is worked for it.
    city.live_until("2023-10-01T16:23:59+08:00").await;
    assert_eq!(city.lights(&issued.name).await, [Light::Green, Light::Yellow]);
    city.live_until("2023-10-01T16:24:00+08:00").await;
    assert_eq!(city.lights(&issued.name).await, [Light::Yellow; 2], "on a day off, too");
    city.live_until("2023-10-07T17:00:00+08:00").await;
    let request = proto::SubmitAssignmentRequest { name, text: "已完成".to_owned(), ..Default::default() };
    city.clerk("energy").submit_assignment(request).await.unwrap();
    city.live_until("2023-10-07T23:59:59+08:00").await;
    assert_eq!((city.with_light(Light::Yellow).await, city.with_light(Light::Red).await), (1, 0));
    city.live_until("2023-10-08T00:00:00+08:00").await;
    assert_eq!((city.with_light(Light::Yellow).await, city.with_light(Light::Red).await), (0, 1));
    city.live_until("2023-10-20T00:00:00+08:00").await;
    let alarms = expected(&[
        ("2023-09-07T08:00:00+08:00", "urged"),
        ("2023-09-12T08:00:00+08:00", "urged"),
        ("2023-10-07T08:00:00+08:00", "reminded"),
        ("2023-10-07T08:00:00+08:00", "reminded"),
        ("2023-10-08T00:00:00+08:00", "overdue"),
    ]);
    assert_eq!(city.alarms(&issued.name).await, alarms);
}

async fn a_month_into_an_unpublished_spring_festival_is_counted_anew_and_makes_nobody_late(store: Store) {
    let mut city = City::start(store).await;
    city.clock.set(at("2027-01-05T10:00:00+08:00"));
    city.add_rule(working()).await;
    let issued = city.issued(major(&["energy"])).await;
    deployed(&city, &issued, 0).await;
    city.live_until("2027-02-04T09:00:00+08:00").await;
    assert_eq!(city.lights(&issued.name).await, [Light::Yellow]);
    city.publish_2027().await;
    city.run().await;
    city.run().await;
    assert_eq!(city.lights(&issued.name).await, [Light::Green], "it is due on 12 February");
    city.live_until("2027-02-12T23:59:59+08:00").await;
    assert!(!city.get(&issued.name).await.assignments[0].was_late);
    city.live_until("2027-02-13T00:00:00+08:00").await;
    let alarms = expected(&[
        ("2027-02-01T08:00:00+08:00", "reminded"),
        ("2027-02-04T09:00:00+08:00", "deadline_recomputed"),
        ("2027-02-12T08:00:00+08:00", "reminded"),
        ("2027-02-13T00:00:00+08:00", "overdue"),
    ]);
    assert_eq!(city.alarms(&issued.name).await, alarms);
}

async fn a_timer_that_comes_late_at_night_tells_in_the_morning(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    // Whoever fires timers was down from Friday morning until Saturday night.
    city.wait_until("2023-06-03T23:00:00+08:00").await;
    assert_eq!(city.alarms(&issued.name).await, []);
    let next = city.service.timers.as_ref().unwrap().next_due().await.unwrap();
    assert_eq!(next, Some(at("2023-06-05T08:00:00+08:00")), "Monday, when the report is late, too");
    city.live_until("2023-06-05T08:00:00+08:00").await;
    assert_eq!(city.alarms(&issued.name).await, expected(&[("2023-06-05T08:00:00+08:00", "urged")]));
    assert_eq!(city.timeline(&issued.name).await[2].text, "催办市能源局：签收、部署、反馈逾期");
}

async fn a_rule_says_who_decides_what_timers_do_and_what_evidence_is_wanted(store: Store) {
    let city = City::start(store).await;
    let request = proto::GetRuleRequest { name: "rules/1".into() };
    let version_1 = city.rules(&administrator()).get_rule(request).await.unwrap().into_inner();
    let ladder = version_1.ladder.clone().unwrap();
    assert_eq!((ladder.most_urgings, ladder.cool_down_hours), (Some(1), Some(24)));
    assert_eq!(version_1.deciders().count(), 3);

    let instruction = proto::RuleLimits {
        kind: proto::TaskKind::Instruction.into(),
        settled_within: span(3),
        ..Default::default()
    };
    let rule = proto::Rule {
        ladder: Some(proto::RuleLadder {
            remind_at_yellow: Some(false),
            most_urgings: Some(2),
            cool_down_hours: Some(48),
            leader_signs: vec![],
        }),
        deciders: vec![proto::RuleDecider::FirstLead.into()],
        evidence_at: vec![proto::RuleEvidence::Submit.into()],
        limits: vec![instruction],
        ..working()
    };
    let request = proto::CreateRuleRequest { validate_only: true, ..create(rule.clone()) };
    assert!(city.rules(&administrator()).create_rule(request).await.unwrap().into_inner().preview.is_some());
    let added = city.add_rule(rule.clone()).await;
    assert_eq!((&added.deciders, &added.evidence_at), (&rule.deciders, &rule.evidence_at));
    assert_eq!(added.ladder.unwrap().leader_signs.len(), 3, "as in version 1");
    assert_eq!(added.limits.len(), 2, "those of emergencies stay");

    let terms = proto::Terms { kind: proto::TaskKind::Instruction.into(), ..Default::default() };
    let issued = city.issued(proto::Task { terms: Some(terms), ..task_of("energy") }).await;
    let due = issued.assignments[0].settle_due_time;
    assert_eq!(due, Some(xietong_mesh::convert::encode_time(at("2023-06-07T00:00:00+08:00"))));
    let name = deployed(&city, &issued, 0).await;
    let request = proto::SubmitAssignmentRequest { name, text: "已完成".into(), ..Default::default() };
    let (code, error) = refusal(city.clerk("energy").submit_assignment(request.clone()).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (tonic::Code::InvalidArgument, "attachments"));
    assert_eq!(error.chinese(), "办结应附证明材料");
    let proof = city.uploaded(&clerk("energy"), 1, "验收单.pdf");
    let proven = proto::SubmitAssignmentRequest { attachments: vec![proof], ..request };
    city.clerk("energy").submit_assignment(proven).await.unwrap();
    let told = city.timeline(&issued.name).await.pop().unwrap().text;
    assert_eq!(told, "市能源局申请办结：已完成（附件1个）");

    let slow = city.issued(task_of("water")).await;
    city.live_until("2023-06-09T18:00:00+08:00").await;
    let urged = expected(&[
        ("2023-06-02T08:00:00+08:00", "urged"),
        // Two days later is a Sunday.
        ("2023-06-05T08:00:00+08:00", "urged"),
        // The report was due on the 6th; two days after the last urging.
        ("2023-06-07T08:00:00+08:00", "urged"),
        ("2023-06-09T08:00:00+08:00", "urged"),
    ]);
    assert_eq!(city.alarms(&slow.name).await, urged);
}

async fn what_such_a_rule_cannot_mean_is_refused(store: Store) {
    let city = City::start(store).await;
    let minutes = Some(proto::RuleSpan { limit: Some(proto::rule_span::Limit::Minutes(30)) });
    let kind = proto::TaskKind::Approval.into();
    let ladder = |change: fn(&mut proto::RuleLadder)| {
        let mut ladder = proto::RuleLadder::default();
        change(&mut ladder);
        Some(ladder)
    };
    for (rule, field) in [
        (proto::Rule { deciders: vec![9], ..working() }, "rule.deciders"),
        (proto::Rule { deciders: vec![1, 1], ..working() }, "rule.deciders"),
        (proto::Rule { evidence_at: vec![0], ..working() }, "rule.evidence_at"),
        (proto::Rule { sign_within: minutes, ..working() }, "rule.limits"),
        (
            proto::Rule {
                limits: vec![proto::RuleLimits { kind, settled_within: minutes, ..Default::default() }],
                ..working()
            },
            "rule.limits",
        ),
        (
            proto::Rule {
                limits: vec![proto::RuleLimits { kind: 99, settled_within: span(3), ..Default::default() }],
                ..working()
            },
            "rule.limits[0].kind",
        ),
        (proto::Rule { ladder: ladder(|one| one.most_urgings = Some(11)), ..working() }, "rule.ladder"),
        (
            proto::Rule { ladder: ladder(|one| one.cool_down_hours = Some(-1)), ..working() },
            "rule.ladder.cool_down_hours",
        ),
        (
            proto::Rule { ladder: ladder(|one| one.leader_signs = vec![2]), ..working() },
            "rule.ladder.leader_signs",
        ),
    ] {
        let (code, error) = refusal(city.rules(&administrator()).create_rule(create(rule)).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (tonic::Code::InvalidArgument, field));
        assert!(error.chinese().chars().any(|one| one >= '\u{4e00}'));
    }
}

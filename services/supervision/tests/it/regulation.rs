//! Versions of the rule, and calendars that are published while tasks run.

use std::collections::BTreeSet;

use domain_calendar::{Holiday, YearArrangement};
use domain_roster::{PublishedCalendar, RosterEvent};
use tonic::{Code, Response};
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};

use crate::city::{City, Store, account, at, refusal, task, task_of};
use crate::on_both;

on_both!(
    a_version_is_added_listed_and_issued_under_from_its_beginning,
    what_is_no_rule_is_refused_and_adds_nothing,
    only_administrators_add_rules_and_everybody_reads_them,
    a_preview_counts_the_open_tasks_and_changes_nothing,
    running_tasks_are_put_under_a_version_with_a_record_each,
    a_published_calendar_moves_what_was_provisional_once_and_nothing_else,
    whoever_changes_a_task_first_finds_it_counted_anew,
);

pub(crate) fn administrator() -> Principal {
    account("administrator", Grant::of(Role::Administrator))
}

pub(crate) fn span(days: i32) -> Option<proto::RuleSpan> {
    Some(proto::RuleSpan { limit: Some(proto::rule_span::Limit::Days(days)) })
}

fn month() -> Option<proto::RuleSpan> {
    Some(proto::RuleSpan { limit: Some(proto::rule_span::Limit::Months(1)) })
}

/// Version 1 in working days.
pub(crate) fn working() -> proto::Rule {
    proto::Rule {
        ground: "市政府督查室通知".into(),
        day_kind: proto::RuleDayKind::Working.into(),
        sign_within: span(0),
        deploy_within: span(0),
        report_within: span(3),
        ordinary_settled_within: span(7),
        major_settled_within: month(),
        long_term_beyond: month(),
        long_term_cycle: proto::ReportCycle::Monthly.into(),
        yellow_percent: 20,
        yellow_at_least_hours: 24,
        no_yellow_below_hours: 72,
        ..Default::default()
    }
}

pub(crate) fn create(rule: proto::Rule) -> proto::CreateRuleRequest {
    proto::CreateRuleRequest { rule: Some(rule), ..Default::default() }
}

fn settle_due(task: &proto::Task) -> Vec<Option<String>> {
    let text = |one: &proto::Assignment| {
        let due = one.settle_due_time.as_ref()?;
        Some(domain_calendar::Timestamp::from_micros(due.seconds * 1_000_000).to_string())
    };
    task.assignments.iter().map(text).collect()
}

fn due(text: &str) -> Option<String> {
    Some(at(text).to_string())
}

impl City {
    pub(crate) async fn add_rule(&self, rule: proto::Rule) -> proto::Rule {
        let answer = self.rules(&administrator()).create_rule(create(rule)).await.unwrap();
        answer.into_inner().rule.unwrap()
    }

    async fn versions(&self) -> Vec<(i32, bool)> {
        let request = proto::ListRulesRequest::default();
        let rules = self.rules(&administrator()).list_rules(request).await.unwrap().into_inner().rules;
        rules.iter().map(|rule| (rule.version, rule.in_force)).collect()
    }

    async fn rebase(&self, request: proto::RebaseTasksRequest) -> proto::RebaseTasksResponse {
        let request = proto::RebaseTasksRequest { ground: "督查室通知".into(), ..request };
        self.rules(&administrator()).rebase_tasks(request).await.unwrap().into_inner()
    }

    async fn types(&self, task: &str) -> Vec<String> {
        self.timeline(task).await.into_iter().map(|entry| entry.r#type).collect()
    }

    /// Spring Festival of 2027 is published, and the day worked for it.
    pub(crate) async fn publish_2027(&mut self) {
        let day = |day: u8| time::Date::from_calendar_date(2027, time::Month::February, day).unwrap();
        let published = PublishedCalendar {
            name: "calendars/2027".into(),
            version: 2,
            arrangement: YearArrangement {
                year: 2027,
                source: "放假通知".into(),
                holidays: vec![Holiday { name: "春节".into(), first_day: day(5), last_day: day(11) }],
                make_up_days: BTreeSet::from([day(14)]),
            },
            recorded_at: self.clock.now(),
        };
        let now = self.clock.now();
        self.roster.record(RosterEvent::CalendarPublished(published), now).await;
    }
}

async fn a_version_is_added_listed_and_issued_under_from_its_beginning(store: Store) {
    let mut city = City::start(store).await;
    let before = city.issued(task_of("energy")).await;
    let start_time = Some(encode_time(at("2023-06-08T00:00:00+08:00")));
    let added = city.add_rule(proto::Rule { start_time, ..working() }).await;
    assert_eq!((added.name.as_str(), added.version, added.in_force), ("rules/2", 2, false));
    assert_eq!(city.versions().await, [(2, false), (1, true)]);
    let still = city.issued(task_of("energy")).await;
    assert_eq!(settle_due(&still), settle_due(&before), "it has not begun");

    city.wait_until("2023-06-08T09:00:00+08:00").await;
    assert_eq!(city.versions().await, [(2, true), (1, false)]);
    let under = city.issued(task_of("energy")).await;
    // Seven working days from Thursday, 8 June.
    assert_eq!(settle_due(&under), [due("2023-06-20T00:00:00+08:00")]);
    assert_eq!(settle_due(&city.get(&before.name).await), settle_due(&before), "it keeps its version");
    city.restart().await;
    city.follow_roster().await;
    assert_eq!(settle_due(&city.get(&under.name).await), settle_due(&under));
    let request = proto::GetRuleRequest { name: "rules/2".into() };
    let rule = city.rules(&administrator()).get_rule(request).await.unwrap().into_inner();
    assert_eq!(proto::Rule { in_force: false, ..rule }, added);
}

async fn what_is_no_rule_is_refused_and_adds_nothing(store: Store) {
    let city = City::start(store).await;
    for bad in [
        proto::Rule::default(),
        proto::Rule { ground: String::new(), ..working() },
        proto::Rule { ground: "字".repeat(10_000), ..working() },
        proto::Rule { day_kind: 9, ..working() },
        proto::Rule { report_within: None, ..working() },
        proto::Rule { report_within: span(-1), ..working() },
        proto::Rule { report_within: span(367), ..working() },
        proto::Rule { yellow_percent: 101, ..working() },
        proto::Rule { long_term_cycle: proto::ReportCycle::TimesAWeek.into(), ..working() },
        proto::Rule { start_time: Some(encode_time(at("2023-01-01T00:00:00+08:00"))), ..working() },
    ] {
        let (code, error) = refusal(city.rules(&administrator()).create_rule(create(bad.clone())).await);
        assert_eq!(code, Code::InvalidArgument, "{bad:?}");
        assert!(error.chinese().chars().any(|one| one >= '\u{4e00}'));
    }
    let nothing = proto::CreateRuleRequest::default();
    assert_eq!(refusal(city.rules(&administrator()).create_rule(nothing).await).0, Code::InvalidArgument);
    assert_eq!(city.versions().await, [(1, true)]);
    for name in ["rules/2", "rules/x", "rules/99999999999"] {
        let request = proto::GetRuleRequest { name: name.into() };
        assert_eq!(refusal(city.rules(&administrator()).get_rule(request).await).0, Code::NotFound);
        let request =
            proto::RebaseTasksRequest { name: name.into(), ground: "通知".into(), ..Default::default() };
        assert_eq!(refusal(city.rules(&administrator()).rebase_tasks(request).await).0, Code::NotFound);
    }
    let request = proto::RebaseTasksRequest { name: "rules/1".into(), ..Default::default() };
    assert_eq!(refusal(city.rules(&administrator()).rebase_tasks(request).await).0, Code::InvalidArgument);
}

async fn only_administrators_add_rules_and_everybody_reads_them(store: Store) {
    let city = City::start(store).await;
    for role in Role::OF_ACCOUNTS.into_iter().filter(|role| *role != Role::Administrator) {
        let mut rules = city.rules(&account("one", Grant::of(role)));
        assert_eq!(refusal(rules.create_rule(create(working())).await).0, Code::PermissionDenied, "{role:?}");
        let list = rules.list_rules(proto::ListRulesRequest::default()).await.map(Response::into_inner);
        assert_eq!(list.unwrap().rules.len(), 1, "{role:?}");
        let request =
            proto::RebaseTasksRequest {
                name: "rules/1".into(), ground: "通知".into(), ..Default::default()
            };
        let rebased = rules.rebase_tasks(request).await;
        assert_eq!(rebased.is_ok(), role == Role::Supervisor, "{role:?}");
    }
}

async fn a_preview_counts_the_open_tasks_and_changes_nothing(store: Store) {
    let city = City::start(store).await;
    let open = city.issued(task_of("energy")).await;
    let major = proto::Task { grade: proto::Grade::Major.into(), ..task_of("water") };
    city.issued(major).await;
    let dated =
        proto::Task { due_time: Some(encode_time(at("2023-06-20T00:00:00+08:00"))), ..task_of("health") };
    city.issued(dated).await;
    let draft = proto::CreateTaskRequest {
        task: Some(task_of("health")),
        confirm_duplicates: true,
        ..Default::default()
    };
    city.supervisor().create_task(draft).await.unwrap();
    let before = city.service.log.read(0, 1_000).await.unwrap().last_position;

    let request = proto::CreateRuleRequest { validate_only: true, ..create(working()) };
    let answer = city.rules(&administrator()).create_rule(request).await.unwrap().into_inner();
    let preview = answer.preview.unwrap();
    assert_eq!(answer.rule.unwrap().version, 2);
    let grades: Vec<_> =
        preview.grades.iter().map(|one| (one.grade(), one.open, one.changed, one.would_be_late)).collect();
    // 1 July is a Saturday, so the month ends on Monday; the dated task has another report day.
    assert_eq!(grades, [(proto::Grade::Ordinary, 2, 2, 0), (proto::Grade::Major, 1, 1, 0)]);
    let first = &preview.examples[0];
    assert_eq!(
        (first.task.as_str(), preview.examples.len(), preview.truncated),
        (open.name.as_str(), 3, false)
    );
    assert_eq!(first.settle_due_time, Some(encode_time(at("2023-06-09T00:00:00+08:00"))));
    assert_eq!(first.new_settle_due_time, Some(encode_time(at("2023-06-13T00:00:00+08:00"))));

    let strict = proto::Rule { ordinary_settled_within: span(0), ..working() };
    city.wait_until("2023-06-02T09:00:00+08:00").await;
    let request = proto::CreateRuleRequest { validate_only: true, ..create(strict) };
    let answer = city.rules(&administrator()).create_rule(request).await.unwrap().into_inner();
    assert_eq!(answer.preview.unwrap().grades[0].would_be_late, 1);
    assert_eq!(city.versions().await, [(1, true)]);
    let types = city.types(&open.name).await;
    assert_eq!(types.len(), 3, "created, issued, urged: {types:?}");
    assert!(before <= city.service.log.read(0, 1_000).await.unwrap().last_position);
}

async fn running_tasks_are_put_under_a_version_with_a_record_each(store: Store) {
    let mut city = City::start(store).await;
    let tasks = [
        city.issued(task("清洁取暖", &[("energy", Lead), ("water", Cooperating)])).await,
        city.issued(task_of("water")).await,
    ];
    city.add_rule(working()).await;
    let request = || proto::RebaseTasksRequest {
        name: "rules/2".into(),
        unit: "units/energy".into(),
        ..Default::default()
    };
    let tried = city.rebase(proto::RebaseTasksRequest { validate_only: true, ..request() }).await;
    assert_eq!((tried.rebased, settle_due(&city.get(&tasks[0].name).await)), (1, settle_due(&tasks[0])));
    let done = city.rebase(request()).await;
    assert_eq!((done.rebased, done.left_out.len(), done.next_after), (1, 0, 0));
    assert_eq!(city.rebase(request()).await.rebased, 0, "it is under the version already");
    let rebased = city.get(&tasks[0].name).await;
    assert_eq!(settle_due(&rebased), vec![due("2023-06-13T00:00:00+08:00"); 2]);
    assert_eq!(settle_due(&city.get(&tasks[1].name).await), settle_due(&tasks[1]), "not asked for");
    let timeline = city.timeline(&tasks[0].name).await;
    let last = timeline.last().unwrap();
    assert_eq!(last.r#type, "supervision.task.rebased");
    assert_eq!(last.text, "计时规则由第1版改为第2版（依据：督查室通知）");
    assert_eq!((last.actor.as_str(), last.ground.as_str()), ("administrator", "督查室通知"));

    // The stored clock and the timers have moved.
    city.wait_until("2023-06-12T23:59:59+08:00").await;
    let red = proto::ListTasksRequest { light: proto::Light::Red.into(), ..Default::default() };
    let names = |tasks: Vec<proto::Task>| tasks.into_iter().map(|task| task.name).collect::<Vec<_>>();
    assert_eq!(names(city.list(red.clone()).await), [tasks[1].name.clone()]);
    city.wait_until("2023-06-13T00:00:00+08:00").await;
    assert_eq!(city.list(red).await.len(), 2);
    assert!(city.types(&tasks[0].name).await.contains(&"supervision.assignment.overdue".to_owned()));

    // What would be late at once keeps its version, and says why.
    let late = city.issued(task_of("industry")).await;
    city.add_rule(proto::Rule { ordinary_settled_within: span(0), ..working() }).await;
    city.wait_until("2023-06-14T09:00:00+08:00").await;
    let request = proto::RebaseTasksRequest {
        name: "rules/3".into(),
        unit: "units/industry".into(),
        ..Default::default()
    };
    let answer = city.rebase(request).await;
    assert_eq!((answer.rebased, answer.left_out[0].task.as_str()), (0, late.name.as_str()));
    assert_eq!(answer.left_out[0].reason, "改按新规则将立即逾期（办结），保留原规则");
    city.restart().await;
}

async fn a_published_calendar_moves_what_was_provisional_once_and_nothing_else(store: Store) {
    let mut city = City::start(store).await;
    city.clock.set(at("2027-02-03T10:00:00+08:00"));
    let natural = city.issued(task_of("energy")).await;
    city.add_rule(working()).await;
    let moved = city.issued(task("清洁取暖", &[("energy", Lead), ("water", Cooperating)])).await;
    let dated =
        proto::Task { due_time: Some(encode_time(at("2027-02-10T00:00:00+08:00"))), ..task_of("health") };
    let dated = city.issued(dated).await;
    assert_eq!(settle_due(&moved), vec![due("2027-02-13T00:00:00+08:00"); 2], "the plain week");

    city.publish_2027().await;
    city.run().await;
    city.run().await;
    let now = city.get(&moved.name).await;
    assert_eq!(settle_due(&now), vec![due("2027-02-19T00:00:00+08:00"); 2]);
    let timeline = city.timeline(&moved.name).await;
    let recomputed: Vec<_> =
        timeline.iter().filter(|entry| entry.r#type.ends_with("deadline_recomputed")).collect();
    assert_eq!(recomputed.len(), 2, "one record an assignment, once");
    assert_eq!(recomputed[0].text, "按第2版工作日历重新核定市能源局的办理时限");
    assert_eq!(
        (recomputed[0].actor.as_str(), recomputed[0].ground.as_str()),
        ("system/supervision", "工作日历第2版")
    );
    assert_eq!(city.types(&natural.name).await.len(), 2, "natural days depend on no calendar");
    assert_eq!(settle_due(&city.get(&dated.name).await), settle_due(&dated), "a day that is named stays");

    city.restart().await;
    city.follow_roster().await;
    city.run().await;
    assert_eq!(city.timeline(&moved.name).await.len(), timeline.len());
    // No timer of before does anything, the new ones do, once.
    city.wait_until("2027-02-18T23:59:59+08:00").await;
    let overdue = |types: Vec<String>| types.iter().filter(|one| one.ends_with("overdue")).count();
    assert_eq!(overdue(city.types(&moved.name).await), 0);
    city.wait_until("2027-02-19T00:00:00+08:00").await;
    assert_eq!(overdue(city.types(&moved.name).await), 2);
}

async fn whoever_changes_a_task_first_finds_it_counted_anew(store: Store) {
    let mut city = City::start(store).await;
    city.clock.set(at("2027-02-03T10:00:00+08:00"));
    city.add_rule(working()).await;
    let issued = city.issued(task_of("energy")).await;
    city.publish_2027().await;
    // The calendar is known, and the job has not come to the task.
    for consumer in &city.service.consumers {
        use xietong_timers::{Progress, Worker};
        while consumer.turn().await.unwrap() == Progress::Worked {}
    }
    city.restart().await;
    city.follow_roster().await;
    let name = issued.assignments[0].name.clone();
    let request = proto::SignAssignmentRequest { name, ..Default::default() };
    let signed = city.clerk("energy").sign_assignment(request).await.unwrap().into_inner();
    assert_eq!(signed.settle_due_time, Some(encode_time(at("2027-02-19T00:00:00+08:00"))));
    let types = city.types(&issued.name).await;
    assert_eq!(types[2..], ["supervision.assignment.deadline_recomputed", "supervision.assignment.signed"]);
    city.run().await;
    assert_eq!(city.types(&issued.name).await.len(), 4, "once");
}

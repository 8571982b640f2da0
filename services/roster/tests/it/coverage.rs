//! What is unanswered for, and the alarm for it.

use domain_roster::{GapFacts, RosterEvent};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Code, Error};
use xietong_proto::roster as proto;
use xietong_timers::Progress;

use crate::acts::extend;
use crate::city::{City, absence, at, on_both, refused, time};

on_both!(
    a_gap_is_one_a_leader_with_all_that_nobody_answers_for,
    coverage_is_asked_as_it_was_known,
    a_window_out_of_bounds_is_refused_and_everybody_with_an_account_may_ask,
    a_gap_is_told_once_whatever_restarts,
    a_gap_that_time_brings_near_is_told_at_eight_in_the_morning,
    a_gap_that_is_closed_or_changed_is_told_so,
    a_gap_is_told_before_the_absence_that_opens_it_begins,
);

impl City {
    /// Lets the watch over coverage do what it has to.
    pub(crate) async fn watch(&self) {
        let watch = self.service.workers.iter().find(|worker| worker.name() == "roster/coverage").unwrap();
        while watch.turn().await.unwrap() == Progress::Worked {}
    }

    pub(crate) async fn coverage(
        &self,
        start: Option<&str>,
        end: Option<&str>,
    ) -> Result<proto::GetCoverageResponse, Error> {
        let request = proto::GetCoverageRequest {
            start_time: start.map(time),
            end_time: end.map(time),
            known_at: None,
        };
        let answer = self.roster().get_coverage(self.clerk(request)).await;
        answer.map(tonic::Response::into_inner).map_err(refused)
    }

    /// Gaps that were told of a subject: what and when.
    pub(crate) async fn alarms(&self, subject: &str) -> Vec<(String, String, String)> {
        let events = self.events(&GapFacts::aggregate(subject)).await;
        let told = |event: &xietong_events::Event| {
            let decoded = RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap();
            let gap = match decoded {
                RosterEvent::GapOpened(gap) | RosterEvent::GapClosed(gap) => gap,
                RosterEvent::GapChanged(changed) => changed.gap,
                other => panic!("{other:?}"),
            };
            let what = event.event_type.rsplit('_').next().unwrap().to_owned();
            let end = gap.end_time.map(|end| end.to_string()).unwrap_or_default();
            (what, gap.start_time.to_string(), end)
        };
        events.iter().map(told).collect()
    }
}

const MAYOR: &str = "officials/wang-yanfeng";
const START: &str = "2023-06-20T00:00:00+08:00";
const END: &str = "2023-06-22T00:00:00+08:00";

fn told(what: &str, start: &str, end: &str) -> (String, String, String) {
    (what.to_owned(), at(start).to_string(), at(end).to_string())
}

/// 崔元斌 and his B, with the mayor's approval.
async fn both_away(city: &City) {
    city.away("cui-yuanbin", START, END).await.unwrap();
    let hu = proto::Absence { approval: "市长批示".into(), ..absence("hu-xiaogang", START, END) };
    city.register(hu).await.unwrap();
}

async fn a_gap_is_one_a_leader_with_all_that_nobody_answers_for(city: City) {
    let city = city.with_division().await;
    both_away(&city).await;
    let (from, to) = ("2023-06-01T00:00:00+08:00", "2023-07-01T00:00:00+08:00");
    let answer = city.coverage(Some(from), Some(to)).await.unwrap();
    let [cui, hu] = answer.gaps.as_slice() else { panic!("{:?}", answer.gaps) };
    assert_eq!(cui.kind(), proto::CoverageGapKind::LeaderAway);
    assert_eq!((cui.start_time, cui.end_time), (Some(time(START)), Some(time(END))));
    assert_eq!(cui.units, ["units/industry"]);
    assert_eq!(cui.fields, ["工业和信息化", "民营经济"]);
    assert_eq!(cui.official.as_ref().unwrap().display_name, "崔元斌");
    assert_eq!(cui.passed_over[0].display_name, "胡晓刚");
    assert_eq!(cui.reason, "崔元斌不在岗，胡晓刚不在岗或不能代行");
    assert_eq!((hu.units.len(), hu.fields.as_slice()), (0, ["国企国资监管".to_owned()].as_slice()));
    assert_eq!(city.who("units/industry", "2023-06-20T00:00:00+08:00").await.1, "");
    assert_eq!(city.who("units/industry", END).await.1, "崔元斌");

    // Without a window: 30 days from now, of which there is no division for the first 13.
    let answer = city.coverage(None, None).await.unwrap();
    assert_eq!(answer.end_time, Some(time("2023-05-31T09:00:00+08:00")));
    let [gap] = answer.gaps.as_slice() else { panic!("{:?}", answer.gaps) };
    assert_eq!(gap.kind(), proto::CoverageGapKind::NoDivision);
    assert_eq!((gap.end_time, gap.units.len()), (Some(time("2023-05-14T00:00:00+08:00")), 6));
}

async fn coverage_is_asked_as_it_was_known(city: City) {
    let city = city.with_division().await;
    city.advance("2023-05-20T09:00:00+08:00").await;
    city.away("wang-yanfeng", START, END).await.unwrap();
    for (known_at, gaps) in [(None, 1), (Some("2023-05-19T00:00:00+08:00"), 0)] {
        let request = proto::GetCoverageRequest {
            start_time: Some(time("2023-06-01T00:00:00+08:00")),
            end_time: None,
            known_at: known_at.map(time),
        };
        let answer = city.roster().get_coverage(city.clerk(request)).await.unwrap().into_inner();
        assert_eq!(answer.gaps.len(), gaps, "{known_at:?}");
    }
}

async fn a_window_out_of_bounds_is_refused_and_everybody_with_an_account_may_ask(city: City) {
    let city = city.with_division().await;
    let from = "2023-06-01T00:00:00+08:00";
    for to in [from, "2023-05-01T00:00:00+08:00", "2024-06-01T00:00:00.000001+08:00"] {
        let refused = city.coverage(Some(from), Some(to)).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.violations()[0].field.as_str()),
            (Code::InvalidArgument, "end_time")
        );
    }
    assert!(city.coverage(Some(from), Some("2024-06-01T00:00:00+08:00")).await.is_ok(), "366 days");
    for role in Role::OF_ACCOUNTS {
        let request = city.of("one", vec![Grant::of(role)], proto::GetCoverageRequest::default());
        city.roster().get_coverage(request).await.unwrap();
    }
    let nobody = city.of("one", vec![], proto::GetCoverageRequest::default());
    let denied = refused(city.roster().get_coverage(nobody).await.unwrap_err());
    assert_eq!(denied.code(), Code::PermissionDenied);
}

async fn a_gap_is_told_once_whatever_restarts(city: City) {
    let city = city.with_division().await;
    city.advance("2023-06-01T09:00:00+08:00").await;
    both_away(&city).await;
    city.watch().await;
    let once = [told("opened", START, END)];
    assert_eq!(city.alarms("officials/cui-yuanbin").await, once);
    assert_eq!(city.alarms("officials/hu-xiaogang").await, once);
    let event = &city.events("coverage/officials/cui-yuanbin").await[0];
    assert_eq!(event.actor, "system/roster");
    city.unit("archive", "市档案馆", &[]).await;
    city.watch().await;
    let city = city.restarted().await;
    city.watch().await;
    for day in ["2023-06-02T08:00:00+08:00", START, "2023-06-21T09:00:00+08:00", END] {
        city.advance(day).await;
        city.watch().await;
    }
    assert_eq!(city.alarms("officials/cui-yuanbin").await, once);
}

async fn a_gap_that_time_brings_near_is_told_at_eight_in_the_morning(city: City) {
    let city = city.with_division().await;
    city.away("wang-yanfeng", START, END).await.unwrap();
    city.watch().await;
    for early in ["2023-05-20T09:00:00+08:00", "2023-05-21T07:59:59.999999+08:00"] {
        city.advance(early).await;
    }
    assert_eq!(city.alarms(MAYOR).await, []);
    city.advance("2023-05-21T08:00:00+08:00").await;
    assert_eq!(city.alarms(MAYOR).await, [told("opened", START, END)]);
    city.watch().await;
    city.advance("2023-06-19T09:00:00+08:00").await;
    assert_eq!(city.alarms(MAYOR).await.len(), 1);
}

async fn a_gap_that_is_closed_or_changed_is_told_so(city: City) {
    let city = city.with_division().await;
    city.advance("2023-06-01T09:00:00+08:00").await;
    let name = city.away("wang-yanfeng", START, END).await.unwrap().name;
    city.watch().await;
    let longer = "2023-06-25T00:00:00+08:00";
    city.extend(extend(&name, longer)).await.unwrap();
    city.watch().await;
    city.advance("2023-06-21T09:00:00+08:00").await;
    city.end(&name, "").await.unwrap();
    city.watch().await;
    let all = [told("opened", START, END), told("changed", START, longer), told("closed", START, longer)];
    assert_eq!(city.alarms(MAYOR).await, all);
    let again = city.away("wang-yanfeng", "2023-06-22T00:00:00+08:00", END).await;
    assert!(again.is_err(), "it would be empty");
    city.away("wang-yanfeng", "2023-06-23T00:00:00+08:00", longer).await.unwrap();
    city.watch().await;
    assert_eq!(city.alarms(MAYOR).await.len(), 4, "another gap is told");
}

async fn a_gap_is_told_before_the_absence_that_opens_it_begins(city: City) {
    let city = city.with_division().await;
    city.advance("2023-06-20T09:00:00+08:00").await;
    let name = city.away("wang-yanfeng", START, END).await.unwrap().name;
    // The watch has not looked yet when the absence begins.
    city.advance("2023-06-20T09:00:00+08:00").await;
    assert_eq!(city.history(&name).await, ["roster.absence.created", "roster.absence.started"]);
    assert_eq!(city.alarms(MAYOR).await, [told("opened", START, END)]);
    let sequencer = city.service.workers.iter().find(|worker| worker.name() == "roster/sequencer").unwrap();
    while sequencer.turn().await.unwrap() == Progress::Worked {}
    let log = city.service.log.read(0, 1_000).await.unwrap().events;
    let types: Vec<_> = log.iter().rev().take(2).map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["roster.absence.started", "roster.coverage.gap_opened"]);
}

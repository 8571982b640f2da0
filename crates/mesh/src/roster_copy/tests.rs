//! When a copy takes a snapshot, and when it reads the log.

use std::sync::Mutex;

use xietong_events::{Digest, Epoch, LogPage, SourceError};

use super::*;
use crate::roster_snapshot::Snapshot;

/// A roster of collectives, one an event, that notes what it is asked for.
struct Roster {
    epoch: &'static str,
    last_position: i64,
    /// What the snapshot is of; `None`: there is none.
    snapshot: Option<(&'static str, i64)>,
    asked: Vec<String>,
}

/// The line to it.
struct Line(Mutex<Roster>);

fn event(position: i64) -> Event {
    let name = format!("collectives/{position}");
    Event {
        id: position.to_string(),
        position,
        aggregate: name.clone(),
        version: 1,
        event_type: "roster.collective.created".into(),
        actor: "tester".into(),
        acting_for: None,
        ground: None,
        occurred_at: Timestamp::from_micros(position),
        recorded_at: MachineTime::from_micros(position),
        traceparent: None,
        causation_id: None,
        payload: format!(r#"{{"name":"{name}","displayName":"第{position}批","units":["units/water"]}}"#),
        prev_hash: Digest::default(),
        hash: Digest::default(),
    }
}

#[async_trait]
impl EventSource for Line {
    async fn read(&self, after: i64, limit: u32) -> Result<LogPage, SourceError> {
        let mut roster = self.0.lock().unwrap();
        roster.asked.push(format!("log {after} {limit}"));
        let epoch = Epoch { name: roster.epoch.into(), after_position: 0 };
        let last_position = roster.last_position;
        let events = (after + 1..=last_position).take(limit as usize).map(event).collect();
        Ok(LogPage { epochs: vec![epoch], last_position, pending: false, events })
    }
}

#[async_trait]
impl SnapshotSource for Line {
    async fn read(&self) -> Result<Snapshot, SnapshotError> {
        let mut roster = self.0.lock().unwrap();
        roster.asked.push("snapshot".into());
        let (epoch, position) =
            roster.snapshot.ok_or_else(|| SnapshotError::Refused("there is none".into()))?;
        let mut view = RosterView::default();
        (1..=position).for_each(|position| RosterCopy::apply(&mut view, &event(position)).unwrap());
        let book = Arc::unwrap_or_clone(view.book);
        Ok(Snapshot { book, position, epoch: epoch.to_owned() })
    }
}

impl Line {
    fn to_roster(last_position: i64, snapshot: Option<(&'static str, i64)>) -> Arc<Self> {
        Arc::new(Line(Mutex::new(Roster { epoch: "first", last_position, snapshot, asked: Vec::new() })))
    }

    fn copy(self: &Arc<Self>) -> RosterCopy {
        RosterCopy::new(ServiceName::Workgroup, self.clone(), &Bus::embedded()).starting_from(self.clone())
    }

    /// Brings a copy up to date, and says what it asked for.
    async fn bring_up(&self, copy: &RosterCopy) -> Vec<String> {
        while copy.turn().await.unwrap() == Progress::Worked {}
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn change(&self, change: impl FnOnce(&mut Roster)) {
        change(&mut self.0.lock().unwrap());
    }
}

fn is_whole(copy: &RosterCopy, epoch: &str, position: i64) -> bool {
    let view = copy.view();
    let count = i64::try_from(view.book.collectives().count()).unwrap();
    (view.epoch.as_str(), view.position, count) == (epoch, position, position) && copy.is_complete()
}

#[tokio::test]
async fn a_fresh_copy_starts_from_a_snapshot_and_reads_on_in_the_log() {
    let line = Line::to_roster(2_005, Some(("first", 2_003)));
    let copy = line.copy();
    assert_eq!(line.bring_up(&copy).await, ["log 0 0", "snapshot", "log 2003 1000", "log 2005 1000"]);
    assert!(is_whole(&copy, "first", 2_005));
}

#[tokio::test]
async fn a_snapshot_alone_confirms_nothing() {
    let line = Line::to_roster(5, Some(("first", 5)));
    let copy = line.copy();
    assert_eq!(copy.turn().await.unwrap(), Progress::Worked);
    assert_eq!((copy.view().position, copy.is_complete()), (5, false));
    assert!(copy.view().is_stale(MachineTime::from_micros(0)));
}

#[tokio::test]
async fn a_copy_of_nothing_is_complete_without_a_snapshot() {
    let line = Line::to_roster(0, Some(("first", 0)));
    let copy = line.copy();
    assert_eq!(line.bring_up(&copy).await, ["log 0 0"]);
    assert!(copy.is_complete());
}

#[tokio::test]
async fn a_copy_that_has_fallen_far_behind_takes_a_snapshot() {
    let line = Line::to_roster(1, Some(("first", 1)));
    let copy = line.copy();
    line.bring_up(&copy).await;
    line.change(|roster| (roster.last_position, roster.snapshot) = (1 + FAR_BEHIND, Some(("first", 9))));
    let asked = line.bring_up(&copy).await;
    assert!(!asked.contains(&"snapshot".to_owned()), "it is behind, and not far: {asked:?}");
    let last = 2 * (1 + FAR_BEHIND);
    line.change(|roster| (roster.last_position, roster.snapshot) = (last, Some(("first", last))));
    let asked = line.bring_up(&copy).await;
    assert_eq!(asked, ["log 10001 1000", "snapshot", "log 20002 1000"]);
    assert!(is_whole(&copy, "first", last));
}

#[tokio::test]
async fn without_a_snapshot_the_log_is_read_and_none_is_asked_for_until_it_is() {
    for snapshot in [None, Some(("second", 2_500)), Some(("first", 0))] {
        let line = Line::to_roster(2_500, snapshot);
        let copy = line.copy();
        let asked = line.bring_up(&copy).await;
        let expected =
            ["log 0 0", "snapshot", "log 0 1000", "log 1000 1000", "log 2000 1000", "log 2500 1000"];
        assert_eq!(asked, expected, "{snapshot:?}");
        assert!(is_whole(&copy, "first", 2_500));
        let last = 2_501 + FAR_BEHIND;
        line.change(|roster| (roster.last_position, roster.snapshot) = (last, Some(("first", last))));
        assert_eq!(line.bring_up(&copy).await[1], "snapshot", "it is asked for again");
        assert!(is_whole(&copy, "first", last));
    }
}

#[tokio::test]
async fn a_restored_roster_is_copied_anew_from_a_snapshot() {
    let line = Line::to_roster(2_500, Some(("first", 2_500)));
    let copy = line.copy();
    line.bring_up(&copy).await;
    line.change(|roster| {
        (roster.epoch, roster.last_position, roster.snapshot) = ("second", 2_500, Some(("second", 2_500)));
    });
    assert_eq!(line.bring_up(&copy).await, ["log 2500 1000", "log 0 0", "snapshot", "log 2500 1000"]);
    assert!(is_whole(&copy, "second", 2_500));
}

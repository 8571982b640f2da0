//! What a row's JSON holds beyond the record itself.

use domain_calendar::Timestamp;
use domain_roster::{Absence, ActingPart, DutyRoster, DutySwap, GapFacts, Version};
use serde::{Deserialize, Serialize};

/// A record with all that it became. A row that was written before records could change has
/// the record alone, and reads as one that never did.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History<T> {
    /// As it was created.
    #[serde(flatten)]
    pub(crate) first: T,
    /// What it was recorded as since, in order.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<Change<T>>,
}

/// What a record was recorded as later.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change<T> {
    /// The record, whole.
    #[serde(flatten)]
    pub(crate) value: T,
    /// From when it is so; unset: as far back as it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) effective_time: Option<Timestamp>,
    /// When the roster learned of it.
    pub(crate) recorded_at: Timestamp,
}

impl<'a, T> History<&'a T> {
    /// The versions of a record of the book; none when it has no such record.
    pub(crate) fn of(mut versions: impl Iterator<Item = &'a Version<T>>) -> Option<Self> {
        let first = &versions.next()?.value;
        let changes = versions.map(|version| Change {
            value: &version.value,
            effective_time: version.effective_time,
            recorded_at: version.recorded_at,
        });
        Some(History { first, changes: changes.collect() })
    }
}

/// An absence and what everybody was told of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredAbsence<T = Absence> {
    #[serde(flatten)]
    pub(crate) absence: T,
    /// Unset in rows that were written before absences could be extended or corrected: there the
    /// version says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Told>,
    /// Who was last told to act.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) acting: Vec<ActingPart>,
}

/// How much of an absence everybody was told: each of its moments is an event, once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Told {
    /// That it will be.
    #[default]
    Registered,
    /// That it began.
    Begun,
    /// That it ended.
    Ended,
}

impl Told {
    /// What was told at a version, of an absence that was neither extended nor corrected: after
    /// its registration it begins and then ends. One that was cancelled never does either.
    pub(crate) fn at_version(version: i64) -> Self {
        match version {
            ..=1 => Told::Registered,
            2 => Told::Begun,
            3.. => Told::Ended,
        }
    }
}

/// A duty roster with all that it became, and the swaps of its shifts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredDutyRoster<T = DutyRoster> {
    #[serde(flatten)]
    pub(crate) history: History<T>,
    /// In the order of recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) swaps: Vec<DutySwap>,
}

/// What was told of a subject's gaps in coverage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredAlarm {
    /// Because of whom or what, for example `officials/{id}`.
    pub(crate) subject: String,
    /// Those that were told and not called off.
    pub(crate) told: Vec<GapFacts>,
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use domain_roster::{Absence, ActingPart, Scope, Unit};

    use super::{Change, History, StoredAbsence, Told};

    const UNIT: &str = r#"{"name":"units/water","displayName":"市水利局","kind":"UNIT_KIND_DEPARTMENT"}"#;
    const ABSENCE: &str = r#"{"name":"absences/one","official":"officials/one",
        "startTime":"2023-06-10T00:00:00+08:00","endTime":"2023-06-12T00:00:00+08:00",
        "recordedAt":"2023-06-01T00:00:00+08:00"}"#;

    #[test]
    fn a_row_of_before_reads_as_a_record_that_never_changed() {
        let row: History<Unit> = serde_json::from_str(UNIT).unwrap();
        assert!(row.changes.is_empty());
        assert_eq!(serde_json::to_value(&row).unwrap(), serde_json::to_value(&row.first).unwrap());
        let row: StoredAbsence = serde_json::from_str(ABSENCE).unwrap();
        assert_eq!((row.told, row.acting), (None, vec![]));
        assert_eq!([1, 2, 3].map(Told::at_version), [Told::Registered, Told::Begun, Told::Ended]);
    }

    #[test]
    fn a_row_reads_back_as_it_was_written() {
        let unit: Unit = serde_json::from_str(UNIT).unwrap();
        let renamed = Unit { display_name: "市水务局".into(), ..unit.clone() };
        let effective_time = Some(Timestamp::from_micros(1_000_000));
        let recorded_at = Timestamp::from_micros(2_000_000);
        let change = Change { value: &renamed, effective_time, recorded_at };
        let written = serde_json::to_string(&History { first: &unit, changes: vec![change] }).unwrap();
        let read: History<Unit> = serde_json::from_str(&written).unwrap();
        let [change] = read.changes.as_slice() else { panic!("{read:?}") };
        assert_eq!((&read.first, &change.value), (&unit, &renamed));
        assert_eq!((change.effective_time, change.recorded_at), (effective_time, recorded_at));

        let absence: Absence = serde_json::from_str(ABSENCE).unwrap();
        let part = ActingPart {
            acting: "officials/two".into(),
            scope: Scope { units: vec!["units/water".into()], fields: vec![] },
            start_time: absence.start_time,
            end_time: absence.end_time,
        };
        let acting = vec![part];
        let stored = StoredAbsence { absence: &absence, told: Some(Told::Begun), acting: acting.clone() };
        let read: StoredAbsence = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
        assert_eq!((read.absence, read.told, read.acting), (absence, Some(Told::Begun), acting));
    }
}

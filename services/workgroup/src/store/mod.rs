//! The tables of this service. Records that are read whole are kept as JSON, beside the
//! columns that are searched.

pub(crate) mod decisions;
pub(crate) mod escalations;
pub(crate) mod groups;
pub(crate) mod meetings;
mod migrations;

pub(crate) use migrations::MIGRATIONS;

use sea_orm::QueryResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xietong_store::StoreError;

/// A record and the version a save compares and sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored<T> {
    /// The record.
    pub(crate) record: T,
    /// Its version.
    pub(crate) version: i64,
}

impl<T: DeserializeOwned> Stored<T> {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        Ok(Stored { record: body(row)?, version: row.try_get_by("version")? })
    }
}

/// The record in a row's body.
fn body<T: DeserializeOwned>(row: &QueryResult) -> Result<T, StoreError> {
    let json: String = row.try_get_by("body")?;
    serde_json::from_str(&json).map_err(|error| StoreError::corrupt("record", error))
}

/// A record as a row's body.
fn json<T: Serialize>(record: &T) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::corrupt("record", error))
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use domain_workgroup::{Decision, DecisionState, Group, GroupKind, Meeting, WindUp};
    use xietong_store::{CrashPoints, Db, migrate};

    use super::{MIGRATIONS, decisions, groups, meetings};

    /// An empty database in memory, at the newest schema.
    pub(crate) async fn scratch() -> Db {
        let db = Db::connect("sqlite::memory:", 1, CrashPoints::default()).await.unwrap();
        migrate(&db, MIGRATIONS).await.unwrap();
        db
    }

    pub(crate) fn group(id: &str, office_unit: Option<&str>) -> Group {
        Group {
            name: format!("groups/{id}"),
            display_name: "领导小组".into(),
            kind: GroupKind::LeadingGroup,
            founding_document: String::new(),
            purpose: String::new(),
            start_time: Timestamp::from_micros(0),
            wind_up: WindUp::Condition("建成后撤销".into()),
            office_unit: office_unit.map(str::to_owned),
            seats: vec![],
            subgroups: vec![],
            duties: vec![],
            mechanisms: vec![],
        }
    }

    /// A decision of a group's meeting, all three stored.
    pub(crate) async fn decided(db: &Db, id: &str) -> Decision {
        let meeting = Meeting {
            name: format!("groups/{id}/meetings/1"),
            title: "第一次会议".into(),
            meet_time: Timestamp::from_micros(0),
            place: String::new(),
        };
        let decision = Decision {
            name: format!("{}/decisions/1", meeting.name),
            text: "完成规划调整手续".into(),
            lead_units: vec!["units/energy".into()],
            cooperating_units: vec![],
            due_time: None,
            state: DecisionState::Followed,
            version: 1,
        };
        assert_eq!(groups::insert(db.writer(), &group(id, None)).await.unwrap(), None);
        meetings::insert(db.writer(), &meeting).await.unwrap();
        decisions::insert(db.writer(), &decision).await.unwrap();
        decision
    }

    #[tokio::test]
    async fn a_save_over_a_newer_version_is_refused() {
        let db = scratch().await;
        let decision = decided(&db, "g").await;
        let newer = Decision { version: 2, ..decision.clone() };
        decisions::update(db.writer(), &newer, 1).await.unwrap();
        let stale = decisions::update(db.writer(), &newer, 1).await;
        assert!(matches!(stale, Err(xietong_store::StoreError::Stale(name)) if name == decision.name));
    }
}

//! What happened to the roster, as written to its event log and read by every other service.

use std::borrow::Cow;

use domain_calendar::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::absence::Absence;
use crate::absence_event::{
    AbsenceAcknowledged, AbsenceActingChanged, AbsenceActs, AbsenceCancelled, AbsenceCorrected, AbsenceEnded,
    AbsenceExtended, AbsenceStarted,
};
use crate::account::Account;
use crate::alarm::{GapChanged, GapFacts};
use crate::collective::Collective;
use crate::division::Division;
use crate::duty::{DutyRoster, DutySwap};
use crate::handover::{FieldHandover, Handover};
use crate::mandate::Mandate;
use crate::official::Official;
use crate::published_calendar::PublishedCalendar;
use crate::stand_in_list::StandInList;
use crate::unit::Unit;

const UNIT_CREATED: &str = "roster.unit.created";
const COLLECTIVE_CREATED: &str = "roster.collective.created";
const OFFICIAL_CREATED: &str = "roster.official.created";
const ACCOUNT_CREATED: &str = "roster.account.created";
const DIVISION_CREATED: &str = "roster.division.created";
const DIVISION_TOOK_EFFECT: &str = "roster.division.took_effect";
const ABSENCE_CREATED: &str = "roster.absence.created";
const ABSENCE_STARTED: &str = "roster.absence.started";
const ABSENCE_ACTING_CHANGED: &str = "roster.absence.acting_changed";
const ABSENCE_ENDED: &str = "roster.absence.ended";
const ABSENCE_CANCELLED: &str = "roster.absence.cancelled";
const ABSENCE_EXTENDED: &str = "roster.absence.extended";
const ABSENCE_CORRECTED: &str = "roster.absence.corrected";
const ABSENCE_ACTS_ARRIVED: &str = "roster.absence.acts_arrived";
const ABSENCE_ACKNOWLEDGED: &str = "roster.absence.acknowledged";
const MANDATE_CREATED: &str = "roster.mandate.created";
const MANDATE_REVOKED: &str = "roster.mandate.revoked";
const GAP_OPENED: &str = "roster.coverage.gap_opened";
const GAP_CHANGED: &str = "roster.coverage.gap_changed";
const GAP_CLOSED: &str = "roster.coverage.gap_closed";
const DUTY_ROSTER_CREATED: &str = "roster.duty_roster.created";
const DUTY_ROSTER_CHANGED: &str = "roster.duty_roster.changed";
const DUTY_SHIFT_SWAPPED: &str = "roster.duty_roster.swapped";
const UNIT_CHANGED: &str = "roster.unit.changed";
const COLLECTIVE_CHANGED: &str = "roster.collective.changed";
const OFFICIAL_CHANGED: &str = "roster.official.changed";
const CALENDAR_PUBLISHED: &str = "roster.calendar.published";
const STAND_IN_LIST_CREATED: &str = "roster.stand_in_list.created";

/// One event of the roster. The payload is the resource or fact itself, without a tag: the type
/// stands beside it in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RosterEvent {
    /// A unit was added.
    UnitCreated(Unit),
    /// A collective was added.
    CollectiveCreated(Collective),
    /// An official was added.
    OfficialCreated(Official),
    /// An account was added.
    AccountCreated(Account),
    /// A division of work was recorded; it may take effect later.
    DivisionCreated(Division),
    /// A division's effective time came.
    DivisionTookEffect(DivisionTookEffect),
    /// An absence was registered.
    AbsenceCreated(Absence),
    /// An absence began.
    AbsenceStarted(AbsenceStarted),
    /// Others act for somebody who is away than was told before.
    AbsenceActingChanged(AbsenceActingChanged),
    /// An absence ended, at its end or early.
    AbsenceEnded(AbsenceEnded),
    /// An absence was cancelled before it began.
    AbsenceCancelled(AbsenceCancelled),
    /// An absence lasts longer.
    AbsenceExtended(AbsenceExtended),
    /// An absence's times had been recorded wrongly.
    AbsenceCorrected(AbsenceCorrected),
    /// Acts for whoever is back became known after the end had been told.
    AbsenceActsArrived(AbsenceActs),
    /// Whoever is back has acknowledged what was done for him.
    AbsenceAcknowledged(AbsenceAcknowledged),
    /// A mandate was given; it may begin later.
    MandateCreated(Mandate),
    /// A mandate was ended before its time.
    MandateRevoked(MandateRevoked),
    /// A unit is another from some time on: it was renamed, moved, merged, or ceased.
    UnitChanged(Changed<Unit>),
    /// A collective has other members or names from some time on.
    CollectiveChanged(Changed<Collective>),
    /// An official's name or posts were recorded anew.
    OfficialChanged(Official),
    /// A unit's own AB list was recorded; it may take effect later.
    StandInListCreated(StandInList),
    /// A duty roster was recorded.
    DutyRosterCreated(DutyRoster),
    /// A duty roster is another from some time on.
    DutyRosterChanged(Changed<DutyRoster>),
    /// Others take one shift of a duty roster.
    DutyShiftSwapped(DutySwap),
    /// Somebody or something will be, or is, unanswered for: an alarm.
    GapOpened(GapFacts),
    /// A gap that was told has other times, or holds other things.
    GapChanged(GapChanged),
    /// A gap that was told is none any more, before it was over.
    GapClosed(GapFacts),
    /// A year's holidays and make-up workdays were recorded, or recorded anew.
    CalendarPublished(PublishedCalendar),
}

/// A mandate was ended before its time: at the instant it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MandateRevoked {
    /// `mandates/{id}`.
    pub mandate: String,
}

/// A record as it is from an instant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed<T> {
    /// The record, whole.
    #[serde(flatten)]
    pub value: T,
    /// From when it is so, until its next change.
    pub effective_time: Timestamp,
}

/// A division's effective time came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DivisionTookEffect {
    /// `divisions/{id}`.
    pub division: String,
    /// What people call it, for example 临政办发〔2023〕12号; empty in events of before this was
    /// recorded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document: String,
    /// From when it holds.
    pub effective_time: Timestamp,
    /// Until when it held, when another was in force already as this was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_time: Option<Timestamp>,
    /// Units whose person in charge changed with it.
    pub handovers: Vec<Handover>,
    /// Fields of work whose person in charge changed with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field_handovers: Vec<FieldHandover>,
}

impl DivisionTookEffect {
    /// What answers and notices call the division.
    pub fn label(&self) -> &str {
        if self.document.is_empty() { &self.division } else { &self.document }
    }
}

/// A payload that cannot be written or is not what its type says.
#[derive(Debug, thiserror::Error)]
#[error("payload of {event_type}: {source}")]
pub struct PayloadError {
    /// The event's type.
    pub event_type: String,
    /// What is wrong with the JSON.
    pub source: serde_json::Error,
}

impl RosterEvent {
    /// The type that stands in the log.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::UnitCreated(_) => UNIT_CREATED,
            Self::CollectiveCreated(_) => COLLECTIVE_CREATED,
            Self::OfficialCreated(_) => OFFICIAL_CREATED,
            Self::AccountCreated(_) => ACCOUNT_CREATED,
            Self::DivisionCreated(_) => DIVISION_CREATED,
            Self::DivisionTookEffect(_) => DIVISION_TOOK_EFFECT,
            Self::AbsenceCreated(_) => ABSENCE_CREATED,
            Self::AbsenceStarted(_) => ABSENCE_STARTED,
            Self::AbsenceActingChanged(_) => ABSENCE_ACTING_CHANGED,
            Self::AbsenceEnded(_) => ABSENCE_ENDED,
            Self::AbsenceCancelled(_) => ABSENCE_CANCELLED,
            Self::AbsenceExtended(_) => ABSENCE_EXTENDED,
            Self::AbsenceCorrected(_) => ABSENCE_CORRECTED,
            Self::AbsenceActsArrived(_) => ABSENCE_ACTS_ARRIVED,
            Self::AbsenceAcknowledged(_) => ABSENCE_ACKNOWLEDGED,
            Self::MandateCreated(_) => MANDATE_CREATED,
            Self::MandateRevoked(_) => MANDATE_REVOKED,
            Self::UnitChanged(_) => UNIT_CHANGED,
            Self::CollectiveChanged(_) => COLLECTIVE_CHANGED,
            Self::OfficialChanged(_) => OFFICIAL_CHANGED,
            Self::StandInListCreated(_) => STAND_IN_LIST_CREATED,
            Self::DutyRosterCreated(_) => DUTY_ROSTER_CREATED,
            Self::DutyRosterChanged(_) => DUTY_ROSTER_CHANGED,
            Self::DutyShiftSwapped(_) => DUTY_SHIFT_SWAPPED,
            Self::GapOpened(_) => GAP_OPENED,
            Self::GapChanged(_) => GAP_CHANGED,
            Self::GapClosed(_) => GAP_CLOSED,
            Self::CalendarPublished(_) => CALENDAR_PUBLISHED,
        }
    }

    /// The resource the event belongs to, for example `units/water`.
    pub fn aggregate(&self) -> Cow<'_, str> {
        let name: &str = match self {
            Self::GapOpened(gap) | Self::GapClosed(gap) | Self::GapChanged(GapChanged { gap, .. }) => {
                return Cow::Owned(GapFacts::aggregate(&gap.subject));
            }
            Self::UnitCreated(unit) => &unit.name,
            Self::CollectiveCreated(collective) => &collective.name,
            Self::OfficialCreated(official) => &official.name,
            Self::AccountCreated(account) => &account.name,
            Self::DivisionCreated(division) => &division.name,
            Self::DivisionTookEffect(fact) => &fact.division,
            Self::AbsenceCreated(absence) => &absence.name,
            Self::AbsenceStarted(fact) => &fact.absence,
            Self::AbsenceActingChanged(fact) => &fact.absence,
            Self::AbsenceEnded(fact) => &fact.absence,
            Self::AbsenceCancelled(fact) => &fact.absence,
            Self::AbsenceExtended(fact) => &fact.absence,
            Self::AbsenceCorrected(fact) => &fact.absence,
            Self::AbsenceActsArrived(fact) => &fact.absence,
            Self::AbsenceAcknowledged(fact) => &fact.absence,
            Self::MandateCreated(mandate) => &mandate.name,
            Self::MandateRevoked(fact) => &fact.mandate,
            Self::UnitChanged(changed) => &changed.value.name,
            Self::CollectiveChanged(changed) => &changed.value.name,
            Self::OfficialChanged(official) => &official.name,
            Self::StandInListCreated(list) => &list.name,
            Self::DutyRosterCreated(roster) => &roster.name,
            Self::DutyRosterChanged(changed) => &changed.value.name,
            Self::DutyShiftSwapped(swap) => &swap.duty_roster,
            Self::CalendarPublished(published) => &published.name,
        };
        Cow::Borrowed(name)
    }

    /// The JSON that stands in the log: the fields of the API, times in RFC 3339.
    pub fn to_payload(&self) -> Result<String, PayloadError> {
        serde_json::to_string(self)
            .map_err(|source| PayloadError { event_type: self.event_type().to_owned(), source })
    }

    /// Reads a payload by its type. Types this reader does not know give nothing, so that an old
    /// reader skips new events; fields it does not know are ignored.
    pub fn from_payload(event_type: &str, json: &str) -> Result<Option<Self>, PayloadError> {
        fn read<T: DeserializeOwned>(json: &str, event: fn(T) -> RosterEvent) -> Read {
            serde_json::from_str(json).map(|value| Some(event(value)))
        }
        type Read = Result<Option<RosterEvent>, serde_json::Error>;
        match event_type {
            UNIT_CREATED => read(json, Self::UnitCreated),
            COLLECTIVE_CREATED => read(json, Self::CollectiveCreated),
            OFFICIAL_CREATED => read(json, Self::OfficialCreated),
            ACCOUNT_CREATED => read(json, Self::AccountCreated),
            DIVISION_CREATED => read(json, Self::DivisionCreated),
            DIVISION_TOOK_EFFECT => read(json, Self::DivisionTookEffect),
            ABSENCE_CREATED => read(json, Self::AbsenceCreated),
            ABSENCE_STARTED => read(json, Self::AbsenceStarted),
            ABSENCE_ACTING_CHANGED => read(json, Self::AbsenceActingChanged),
            ABSENCE_ENDED => read(json, Self::AbsenceEnded),
            ABSENCE_CANCELLED => read(json, Self::AbsenceCancelled),
            ABSENCE_EXTENDED => read(json, Self::AbsenceExtended),
            ABSENCE_CORRECTED => read(json, Self::AbsenceCorrected),
            ABSENCE_ACTS_ARRIVED => read(json, Self::AbsenceActsArrived),
            ABSENCE_ACKNOWLEDGED => read(json, Self::AbsenceAcknowledged),
            MANDATE_CREATED => read(json, Self::MandateCreated),
            MANDATE_REVOKED => read(json, Self::MandateRevoked),
            UNIT_CHANGED => read(json, Self::UnitChanged),
            COLLECTIVE_CHANGED => read(json, Self::CollectiveChanged),
            OFFICIAL_CHANGED => read(json, Self::OfficialChanged),
            STAND_IN_LIST_CREATED => read(json, Self::StandInListCreated),
            DUTY_ROSTER_CREATED => read(json, Self::DutyRosterCreated),
            DUTY_ROSTER_CHANGED => read(json, Self::DutyRosterChanged),
            DUTY_SHIFT_SWAPPED => read(json, Self::DutyShiftSwapped),
            GAP_OPENED => read(json, Self::GapOpened),
            GAP_CHANGED => read(json, Self::GapChanged),
            GAP_CLOSED => read(json, Self::GapClosed),
            CALENDAR_PUBLISHED => read(json, Self::CalendarPublished),
            _ => Ok(None),
        }
        .map_err(|source| PayloadError { event_type: event_type.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::{Changed, RosterEvent};
    use crate::absence_event::{AbsenceAcknowledged, AbsenceActingChanged, AbsenceActs, ActEntry, ActsTold};
    use crate::alarm::{GapChanged, GapFacts};
    use crate::duty::{DutyRoster, DutySwap, DutyTeam};
    use crate::fixture::{Roster, at, pair};
    use crate::handover::took_effect;
    use crate::mandate::{Mandate, MandateKind};
    use crate::published_calendar::PublishedCalendar;
    use crate::stand_in_list::StandInList;

    #[test]
    fn every_event_reads_back_as_it_was_written() {
        let mut roster = Roster::linfen();
        roster.away("one", "cui-yuanbin", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00");
        let absence = roster.absence("one");
        let during = at("2023-06-11T00:00+08:00");
        let mut events: Vec<RosterEvent> = roster.log.iter().map(|(event, _)| event.clone()).collect();
        events.extend(took_effect(&roster.book, "divisions/no-12", during));
        events.extend(absence.begin(&roster.book, during));
        events.push(absence.end(&roster.book, during).unwrap());
        events.push(absence.cancel(at("2023-06-09T00:00+08:00")).unwrap());
        let later = at("2023-06-14T00:00+08:00");
        let approval = Some("市长批示".to_owned());
        events.push(
            absence
                .extend(&roster.book, later, crate::absence::Stated { approval, reassignment: None }, during)
                .unwrap(),
        );
        let times = crate::interval::Interval { start: absence.start_time, end: later };
        events.push(
            absence
                .correct(&roster.book, times, crate::absence::Stated::default(), "登记有误", during)
                .unwrap(),
        );
        let entry = ActEntry { acting: None, occurred_at: during, description: "核验通过".into() };
        let acts = ActsTold { count: 1, entries: vec![entry] };
        let RosterEvent::AbsenceEnded(mut ended) = absence.end(&roster.book, during).unwrap() else {
            panic!("it ends");
        };
        ended.acts = Some(acts.clone());
        events.push(RosterEvent::AbsenceEnded(ended));
        let parts = crate::acting::acting_parts(&roster.book, &absence, during);
        events.push(RosterEvent::AbsenceActingChanged(AbsenceActingChanged {
            absence: absence.name.clone(),
            official: absence.official.clone(),
            start_time: absence.start_time,
            end_time: absence.end_time,
            begun: parts.clone(),
            ended: parts.clone(),
            authorities: parts,
        }));
        let (name, official) = (absence.name.clone(), absence.official.clone());
        let arrived = AbsenceActs { absence: name.clone(), official: official.clone(), acts };
        events.push(RosterEvent::AbsenceActsArrived(arrived));
        events.push(RosterEvent::AbsenceAcknowledged(AbsenceAcknowledged {
            absence: name,
            official,
            acts: 1,
        }));
        let mandate = Mandate {
            name: "mandates/one".into(),
            kind: MandateKind::Assisting,
            leader: "officials/cui-yuanbin".into(),
            holder: "officials/water-head".into(),
            acts: vec!["supervision.assignments.verify".into()],
            units: vec!["units/water".into()],
            start_time: during,
            end_time: None,
            ground: "市政府办公室通知".into(),
            recorded_at: during,
            revoked_at: None,
        };
        events.push(mandate.revoke(during).unwrap());
        events.push(RosterEvent::MandateCreated(mandate));
        let unit = roster.book.unit("units/water").unwrap().clone();
        events.push(RosterEvent::UnitChanged(Changed { value: unit, effective_time: during }));
        let collective = roster.book.collective("collectives/counties").unwrap().clone();
        events.push(RosterEvent::CollectiveChanged(Changed { value: collective, effective_time: during }));
        let official = roster.book.official("officials/water-head").unwrap().clone();
        events.push(RosterEvent::OfficialChanged(official));
        events.push(RosterEvent::StandInListCreated(StandInList {
            name: "standInLists/one".into(),
            unit: "units/water".into(),
            effective_time: during,
            document_number: "市水利局〔2023〕1号".into(),
            pairs: vec![pair("water-head", "water-liaison")],
            recorded_at: during,
        }));

        let duty = DutyRoster {
            name: "dutyRosters/flood".into(),
            display_name: "防汛值班表".into(),
            unit: "units/water".into(),
            start_time: during,
            end_time: later,
            handovers: vec![480, 1_200],
            teams: vec![DutyTeam { leader: Some("officials/water-head".into()), members: vec![] }],
            first_team: 0,
        };
        events.push(RosterEvent::DutyRosterCreated(duty.clone()));
        events.push(RosterEvent::DutyRosterChanged(Changed { value: duty, effective_time: during }));
        events.push(RosterEvent::DutyShiftSwapped(DutySwap {
            duty_roster: "dutyRosters/flood".into(),
            shift_start_time: during,
            team: DutyTeam::default(),
            ground: "换班".into(),
            recorded_at: during,
        }));
        let gap = GapFacts {
            subject: "officials/water-head".into(),
            start_time: during,
            end_time: None,
            units: vec!["units/water".into()],
            fields: vec!["水利".into()],
            posts: vec!["units/water".into()],
            passed_over: vec!["officials/wang-yuan".into()],
        };
        events.push(RosterEvent::GapOpened(gap.clone()));
        let (previous_start_time, previous_end_time) = (during, Some(later));
        events.push(RosterEvent::GapChanged(GapChanged {
            gap: gap.clone(),
            previous_start_time,
            previous_end_time,
        }));
        events.push(RosterEvent::GapClosed(gap));
        let arrangement = domain_calendar::Calendar::built_in().arrangement(2023).unwrap().clone();
        events.push(RosterEvent::CalendarPublished(PublishedCalendar {
            name: "calendars/2023".into(),
            version: 2,
            arrangement,
            recorded_at: during,
        }));

        let types: std::collections::BTreeSet<_> = events.iter().map(RosterEvent::event_type).collect();
        assert_eq!(types.len(), 28, "every type is exercised: {types:?}");
        for event in events {
            let payload = event.to_payload().unwrap();
            let read = RosterEvent::from_payload(event.event_type(), &payload).unwrap();
            assert_eq!(read.as_ref(), Some(&event), "{payload}");
        }
    }

    #[test]
    fn unknown_types_are_skipped_and_unknown_fields_ignored() {
        assert_eq!(RosterEvent::from_payload("roster.unit.painted", "{}").unwrap(), None);
        let json = r#"{"name":"units/water","displayName":"市水利局","kind":"UNIT_KIND_DEPARTMENT","colour":"blue"}"#;
        let read = RosterEvent::from_payload("roster.unit.created", json).unwrap();
        assert!(matches!(read, Some(RosterEvent::UnitCreated(unit)) if unit.display_name == "市水利局"));
    }

    #[test]
    fn a_payload_that_is_not_its_type_is_refused() {
        let refused = RosterEvent::from_payload("roster.unit.created", r#"{"name":"units/water"}"#);
        assert!(refused.unwrap_err().to_string().starts_with("payload of roster.unit.created"));
    }
}

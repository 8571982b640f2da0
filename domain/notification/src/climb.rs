//! How a message that nobody signs for climbs: liaison, head of the unit, leader in charge.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use domain_roster::Book;
use serde::{Deserialize, Serialize};

use crate::address::Letter;
use crate::audience::{Audience, Recipient, recipients};
use crate::notice::{Ladder, NoticeKind, UnknownWord};
use crate::wording::{moment, unit};

/// How far a message has climbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// It was sent to the unit's liaison.
    Liaison,
    /// The unit's head was told.
    Head,
    /// The leader in charge was told; there is nobody above.
    Leader,
}

/// How long each rung has to sign before the next is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClimbRule {
    /// From the sending until the head is told.
    pub to_head: Duration,
    /// From telling the head until the leader is told.
    pub to_leader: Duration,
}

/// A message that is not signed for, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it climbs.
    pub ladder: Ladder,
    /// How far it is.
    pub rung: Rung,
    /// Everybody who has it already.
    pub told: BTreeSet<String>,
    /// When it was first sent.
    pub sent_at: Timestamp,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// The record it is about.
    pub subject: String,
}

/// The next step up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClimbStep {
    /// Where it is then.
    pub rung: Rung,
    /// Who is told: at least one, and nobody who has it already.
    pub recipients: Vec<Recipient>,
}

impl ClimbRule {
    /// When an unsigned message leaves a rung, if ever: after the rung's time, at the next
    /// moment at which people may be disturbed.
    pub fn climbs_at(&self, rung: Rung, told_at: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let wait = match rung {
            Rung::Liaison => self.to_head,
            Rung::Head => self.to_leader,
            Rung::Leader => return None,
        };
        Some(calendar.next_working_moment(told_at.saturating_add(wait)))
    }
}

impl Default for ClimbRule {
    /// A day each.
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        ClimbRule { to_head: DAY, to_leader: DAY }
    }
}

impl Rung {
    /// The word it is stored under, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Liaison => "liaison",
            Self::Head => "head",
            Self::Leader => "leader",
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Rung {
    type Err = UnknownWord;

    /// Reads the word it is stored under.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Liaison, Self::Head, Self::Leader]
            .into_iter()
            .find(|rung| rung.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text))
    }
}

/// The next rung on which there is somebody who does not have the message yet; none when
/// nobody is left above. A rung without such a person is passed over, not waited on.
pub fn next_step(standing: &Standing, book: &Book, at: Timestamp) -> Option<ClimbStep> {
    let ladder = &standing.ladder;
    let above: &[(Rung, Audience)] = &[
        (Rung::Head, Audience::UnitHead(ladder.unit.clone())),
        (Rung::Leader, Audience::LeaderInCharge(ladder.decider.clone())),
    ];
    above.iter().filter(|(rung, _)| *rung > standing.rung).find_map(|(rung, audience)| {
        let mut found = recipients(audience, book, at);
        found.retain(|one| !standing.told.contains(&one.official));
        (!found.is_empty()).then_some(ClimbStep { rung: *rung, recipients: found })
    })
}

/// What those above are sent: to be signed for as well, which ends the climbing.
pub fn climbed_letters(standing: &Standing, step: &ClimbStep, book: &Book) -> Vec<Letter> {
    let body = format!(
        "{}自{}收到通知后至今未签收，现升级提请您督促。原通知：{}",
        unit(book, &standing.ladder.unit),
        moment(standing.sent_at),
        standing.body
    );
    step.recipients
        .iter()
        .map(|recipient| Letter {
            recipient: recipient.clone(),
            kind: NoticeKind::Climbed,
            title: format!("升级：{}", standing.title),
            body: body.clone(),
            subject: standing.subject.clone(),
            requires_acknowledgement: true,
            ladders: Vec::new(),
            urgent: false,
            told_as_one: 1,
            // Those of what climbed, as they stand.
            tasks: BTreeSet::new(),
            asks: BTreeSet::new(),
            data: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use domain_calendar::Calendar;

    use super::{ClimbRule, Rung, Standing, climbed_letters, next_step};
    use crate::fixture::{Roster, at};
    use crate::notice::Ladder;

    fn standing(unit: &str, decider: &str, rung: Rung, told: &[&str]) -> Standing {
        Standing {
            ladder: Ladder { unit: format!("units/{unit}"), decider: format!("units/{decider}") },
            rung,
            told: told.iter().map(|slug| format!("officials/{slug}")).collect(),
            sent_at: at("2023-06-05T10:00+08:00"),
            title: "交办：第147号".into(),
            body: "请签收。".into(),
            subject: "tasks/1".into(),
        }
    }

    fn step(roster: &Roster, standing: &Standing) -> Option<(Rung, Vec<String>)> {
        next_step(standing, &roster.book, at("2023-06-06T10:00+08:00")).map(|step| {
            let short = |name: &str| name.trim_start_matches("officials/").to_owned();
            (step.rung, step.recipients.iter().map(|one| short(&one.official)).collect())
        })
    }

    #[test]
    fn it_climbs_from_the_liaison_to_the_head_to_the_leader_and_no_further() {
        let mut roster = Roster::new();
        let mut now = standing("water", "water", Rung::Liaison, &["water-liaison"]);
        assert_eq!(step(&roster, &now), Some((Rung::Head, vec!["water-head".into()])));
        now.rung = Rung::Head;
        now.told.insert("officials/water-head".into());
        roster.away("qiao-feihong", None);
        let both = vec!["qiao-feihong".into(), "wang-yuan".into()];
        assert_eq!(step(&roster, &now), Some((Rung::Leader, both)));
        now.rung = Rung::Leader;
        assert_eq!(step(&roster, &now), None);
    }

    #[test]
    fn a_rung_that_is_empty_or_has_it_already_is_passed_over() {
        let roster = Roster::new();
        let headless = standing("finance", "water", Rung::Liaison, &["finance-liaison"]);
        assert_eq!(step(&roster, &headless), Some((Rung::Leader, vec!["qiao-feihong".into()])));
        let head_has_it = standing("industry", "industry", Rung::Liaison, &["industry-head"]);
        assert_eq!(step(&roster, &head_has_it), Some((Rung::Leader, vec!["cui-yuanbin".into()])));
        let county = standing("yaodu", "yaodu", Rung::Liaison, &[]);
        assert_eq!(step(&roster, &county), None);
    }

    #[test]
    fn nobody_is_disturbed_at_a_weekend() {
        let (rule, calendar) = (ClimbRule::default(), Calendar::built_in());
        let sent_on_friday = at("2023-06-09T10:00+08:00");
        let climbs_at = rule.climbs_at(Rung::Liaison, sent_on_friday, &calendar);
        assert_eq!(climbs_at, Some(at("2023-06-12T08:00+08:00")));
        let sent_on_monday = at("2023-06-12T10:00+08:00");
        assert_eq!(rule.climbs_at(Rung::Head, sent_on_monday, &calendar), Some(at("2023-06-13T10:00+08:00")));
        assert_eq!(rule.climbs_at(Rung::Leader, sent_on_monday, &calendar), None);
    }

    #[test]
    fn those_above_read_what_was_not_signed_for_and_by_whom() {
        let roster = Roster::new();
        let now = standing("water", "water", Rung::Liaison, &["water-liaison"]);
        let step = next_step(&now, &roster.book, at("2023-06-06T10:00+08:00")).unwrap();
        let letters = climbed_letters(&now, &step, &roster.book);
        assert_eq!(letters[0].title, "升级：交办：第147号");
        let body = "市水利局自2023年6月5日10时收到通知后至今未签收，现升级提请您督促。原通知：请签收。";
        assert_eq!(letters[0].body, body);
        assert!(letters[0].requires_acknowledgement);
    }

    #[test]
    fn every_rung_is_read_back() {
        for rung in [Rung::Liaison, Rung::Head, Rung::Leader] {
            assert_eq!(rung.as_str().parse(), Ok(rung));
        }
        assert!("roof".parse::<Rung>().is_err());
    }
}

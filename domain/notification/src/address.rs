//! [`address`]: from notices with audiences to letters, one for each person.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_roster::Book;

use crate::audience::{Audience, Recipient, recipients};
use crate::notice::{Ladder, Notice, NoticeKind};
use crate::preference::Stakes;
use crate::recall::{Ask, asks};
use crate::template::NoticeData;

/// What one person gets of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who gets it and why.
    pub recipient: Recipient,
    /// What it is about.
    pub kind: NoticeKind,
    /// One line, in Chinese.
    pub title: String,
    /// In Chinese.
    pub body: String,
    /// The record it is about.
    pub subject: String,
    /// It must be signed for.
    pub requires_acknowledgement: bool,
    /// Where it climbs from if it is not: one entry for each unit the recipient is to sign for.
    pub ladders: Vec<Ladder>,
    /// It waits for nobody's hours.
    pub urgent: bool,
    /// How many notices the recipient would have got of the event, were they not one.
    pub told_as_one: usize,
    /// The tasks it tells of, where its subject does not say it.
    pub tasks: BTreeSet<String>,
    /// What it asks of units.
    pub asks: BTreeSet<Ask>,
    /// What the notice that gave it its title says as fields, where a city may word it.
    pub data: Option<NoticeData>,
}

/// The letters of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// In order of recipient, one for each.
    pub letters: Vec<Letter>,
    /// Notices that must be signed for and reach nobody: an alarm, never a guess.
    pub unaddressed: Vec<Notice>,
}

/// Resolves the audiences of one event's notices at the moment of sending.
///
/// A person who would get several gets one: its kind and title are those of the first that
/// must be signed for, else of the first; their texts follow one another.
pub fn address(notices: &[Notice], book: &Book, at: Timestamp) -> Mail {
    let mut letters: BTreeMap<String, Letter> = BTreeMap::new();
    let mut unaddressed = Vec::new();
    let (signed, read): (Vec<_>, Vec<_>) = notices.iter().partition(|one| one.requires_acknowledgement());
    for notice in signed.into_iter().chain(read) {
        let mut reached = false;
        for audience in &notice.audiences {
            let ask = ask_of(notice, audience);
            for recipient in recipients(audience, book, at) {
                reached = true;
                let official = recipient.official.clone();
                let letter = match letters.remove(&official) {
                    Some(known) => known.taking_in(notice, recipient),
                    None => Letter::of(notice, recipient),
                };
                letters.insert(official, letter.asking(notice, ask.as_ref()));
            }
        }
        if !reached && notice.requires_acknowledgement() {
            unaddressed.push(notice.clone());
        }
    }
    Mail { letters: letters.into_values().collect(), unaddressed }
}

/// What a notice asks of an audience.
fn ask_of(notice: &Notice, audience: &Audience) -> Option<Ask> {
    let its_unit = match audience {
        Audience::UnitLiaison(unit) | Audience::UnitHead(unit) | Audience::UnitApprovers(unit) => {
            unit.as_str()
        }
        Audience::LeaderInCharge(_)
        | Audience::Account(_)
        | Audience::Official(_)
        | Audience::InPerson(_)
        | Audience::Post(_)
        | Audience::Presider
        | Audience::WhoeverWasTold => "",
    };
    let unit = notice.unit.as_deref().unwrap_or(its_unit).to_owned();
    asks(notice.kind, notice.requires_acknowledgement()).then_some(Ask {
        unit,
        kind: notice.kind,
        outlasts: notice.outlasts,
    })
}

impl Letter {
    fn of(notice: &Notice, recipient: Recipient) -> Self {
        Letter {
            recipient,
            kind: notice.kind,
            title: notice.title.clone(),
            body: notice.body.clone(),
            subject: notice.subject.clone(),
            requires_acknowledgement: notice.requires_acknowledgement(),
            ladders: notice.ladder.iter().cloned().collect(),
            urgent: notice.urgent,
            told_as_one: notice.items,
            tasks: BTreeSet::new(),
            asks: BTreeSet::new(),
            data: notice.data.clone(),
        }
    }

    /// What is at stake with it.
    pub fn stakes(&self) -> Stakes {
        Stakes {
            kind: self.kind,
            requires_acknowledgement: self.requires_acknowledgement,
            urgent: self.urgent,
        }
    }

    fn asking(mut self, notice: &Notice, ask: Option<&Ask>) -> Self {
        self.tasks.extend(notice.tasks.iter().cloned());
        self.asks.extend(ask.cloned());
        self
    }

    fn taking_in(mut self, notice: &Notice, recipient: Recipient) -> Self {
        self.urgent |= notice.urgent;
        self.told_as_one += notice.items;
        let known = &mut self.recipient;
        if known.capacity.split('、').all(|capacity| capacity != recipient.capacity) {
            known.capacity = format!("{}、{}", known.capacity, recipient.capacity);
        }
        if known.acting_for.is_none() {
            known.acting_for = recipient.acting_for;
        }
        if self.body.lines().all(|line| line != notice.body) {
            self.body = format!("{}\n{}", self.body, notice.body);
        }
        self.ladders.extend(
            notice.ladder.iter().filter(|ladder| !self.ladders.contains(ladder)).cloned().collect::<Vec<_>>(),
        );
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::address;
    use crate::audience::{Audience, recipients};
    use crate::fixture::{Roster, at};
    use crate::notice::{Ladder, Notice, NoticeKind};

    fn notice(body: &str, audiences: Vec<Audience>) -> Notice {
        Notice::new(NoticeKind::Progress, "tasks/1", format!("题：{body}"), body.to_owned(), audiences)
    }

    fn ladder(unit: &str) -> Ladder {
        Ladder { unit: format!("units/{unit}"), decider: format!("units/{unit}") }
    }

    #[test]
    fn one_person_gets_one_letter_of_one_event() {
        let mut roster = Roster::new();
        roster.away("qiao-feihong", None);
        let in_charge = |unit: &str| Audience::LeaderInCharge(format!("units/{unit}"));
        let notices = [notice("水利", vec![in_charge("water")]), notice("财政", vec![in_charge("finance")])];
        let mail = address(&notices, &roster.book, at("2023-06-05T10:00+08:00"));
        let [qiao, wang] = mail.letters.as_slice() else { panic!("{:?}", mail.letters) };
        assert_eq!(
            (qiao.recipient.official.as_str(), qiao.body.as_str()),
            ("officials/qiao-feihong", "水利")
        );
        assert_eq!(wang.recipient.capacity, "代行分管领导、分管领导");
        assert_eq!(wang.recipient.acting_for.as_deref(), Some("officials/qiao-feihong"));
        assert_eq!((wang.title.as_str(), wang.body.as_str()), ("题：水利", "水利\n财政"));
    }

    #[test]
    fn what_must_be_signed_for_comes_first_and_keeps_every_ladder() {
        let roster = Roster::new();
        let liaison = vec![Audience::UnitLiaison("units/water".into())];
        let notices = [
            notice("供参阅", liaison.clone()),
            notice("请签收甲", liaison.clone()).requiring_signature(ladder("water")),
            notice("请签收乙", liaison).requiring_signature(ladder("finance")),
        ];
        let mail = address(&notices, &roster.book, at("2023-06-05T10:00+08:00"));
        let [letter] = mail.letters.as_slice() else { panic!("{:?}", mail.letters) };
        assert!(letter.requires_acknowledgement);
        assert_eq!(letter.title, "题：请签收甲");
        assert_eq!(letter.body, "请签收甲\n请签收乙\n供参阅");
        assert_eq!(letter.ladders, [ladder("water"), ladder("finance")]);
    }

    #[test]
    fn what_must_be_signed_for_and_reaches_nobody_is_reported() {
        let roster = Roster::new();
        let nobody = vec![Audience::UnitLiaison("units/yaodu".into())];
        let lost = notice("请签收", nobody.clone()).requiring_signature(ladder("yaodu"));
        let mail =
            address(&[lost.clone(), notice("供参阅", nobody)], &roster.book, at("2023-06-05T10:00+08:00"));
        assert!(mail.letters.is_empty());
        assert_eq!(mail.unaddressed, [lost]);
    }

    fn any_audience() -> impl Strategy<Value = Audience> {
        let unit = prop::sample::select(vec!["water", "finance", "industry", "police", "yaodu"]);
        let official = prop::sample::select(vec!["qiao-feihong", "wang-yuan", "water-head"]);
        prop_oneof![
            unit.clone().prop_map(|unit| Audience::UnitLiaison(format!("units/{unit}"))),
            unit.clone().prop_map(|unit| Audience::UnitHead(format!("units/{unit}"))),
            unit.prop_map(|unit| Audience::LeaderInCharge(format!("units/{unit}"))),
            official.prop_map(|official| Audience::Official(format!("officials/{official}"))),
            Just(Audience::Presider),
        ]
    }

    proptest! {
        #[test]
        fn whoever_is_away_everybody_concerned_reads_every_text_in_one_letter(
            audiences in prop::collection::vec(prop::collection::vec(any_audience(), 1..4), 1..5),
            away in prop::sample::subsequence(vec!["qiao-feihong", "wang-yuan", "water-liaison", "cui-yuanbin"], 0..=4),
        ) {
            let mut roster = Roster::new();
            away.into_iter().for_each(|official| roster.away(official, None));
            let now = at("2023-06-05T10:00+08:00");
            let notices: Vec<_> =
                audiences.into_iter().zip(0..).map(|(audiences, n)| notice(&format!("第{n}件"), audiences)).collect();
            let mail = address(&notices, &roster.book, now);

            let told: BTreeSet<_> = mail.letters.iter().map(|letter| &letter.recipient.official).collect();
            prop_assert_eq!(told.len(), mail.letters.len(), "one letter each");
            for letter in &mail.letters {
                let read: Vec<&str> = letter.body.lines().collect();
                let concerned = notices.iter().filter(|notice| {
                    let whom = notice.audiences.iter().flat_map(|one| recipients(one, &roster.book, now));
                    whom.into_iter().any(|one| one.official == letter.recipient.official)
                });
                prop_assert_eq!(read, concerned.map(|notice| notice.body.as_str()).collect::<Vec<_>>());
            }
            let reached = notices.iter().flat_map(|notice| &notice.audiences);
            let reached = reached.flat_map(|one| recipients(one, &roster.book, now));
            prop_assert!(reached.into_iter().all(|one| told.contains(&one.official)));
        }
    }
}

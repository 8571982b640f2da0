//! What is asked, and how people write it.

use domain_roster::{PostKind, Subject};

use crate::dice::Dice;
use crate::story::{FIELDS, Log, PEOPLE, UNITS, official_name, unit_name, written};

/// A question without the many ways to write it.
#[derive(Debug)]
pub(crate) enum Question {
    /// By resource name or name.
    Unit(String),
    Field(String),
    /// By resource name or name.
    Official(String),
    /// A post of the city government.
    CityPost(PostKind),
    /// A post inside a unit.
    UnitPost(String, PostKind),
    /// A title inside a unit.
    Titled(String, String),
    /// The leader in charge of a unit or a field.
    InCharge(String),
}

const UNIT_POSTS: [PostKind; 4] =
    [PostKind::UnitHead, PostKind::UnitDeputy, PostKind::Liaison, PostKind::LiaisonSubstitute];
const CITY_POSTS: [PostKind; 3] = [PostKind::Mayor, PostKind::ExecutiveDeputyMayor, PostKind::DeputyMayor];

impl Question {
    pub(crate) fn random(dice: &mut Dice, log: &Log) -> Self {
        match dice.below(18) {
            0..=6 => Question::Unit(unit(dice, log)),
            7 | 8 => Question::Field(field(dice)),
            9..=12 => Question::Official(match dice.below(4) {
                0 => (*dice.choose(&PEOPLE)).to_owned(),
                _ => official_name(dice.below(11)),
            }),
            13 => Question::CityPost(*dice.choose(&CITY_POSTS)),
            14 | 15 => {
                let unit = if dice.one_in(2) { unit_name(dice.below(3)) } else { unit(dice, log) };
                Question::UnitPost(unit, *dice.choose(&UNIT_POSTS))
            }
            16 => {
                let name = display_name(dice, log);
                Question::Titled(name, (*dice.choose(&["局长", "主任", "党组书记"])).to_owned())
            }
            _ if dice.one_in(2) => Question::InCharge(unit(dice, log)),
            _ => Question::InCharge(field(dice)),
        }
    }

    /// The question as somebody might write it.
    pub(crate) fn subject(&self, dice: &mut Dice) -> Subject {
        match self {
            Question::Unit(text) => Subject::Unit(spaced(dice, text)),
            Question::Field(text) => {
                let text = written(dice, text);
                Subject::Field(spaced(dice, &text))
            }
            Question::Official(text) => {
                Subject::Official(if dice.one_in(8) { format!(" {text} ") } else { text.clone() })
            }
            Question::CityPost(kind) => Subject::Post(match dice.below(4) {
                0 => format!("市政府{}", kind.chinese()),
                1 => format!("临汾市人民政府 {}", kind.chinese()),
                _ => kind.chinese().to_owned(),
            }),
            Question::UnitPost(unit, kind) => {
                let of = if dice.one_in(6) { "的" } else { "" };
                Subject::Post(format!("{unit}{of}{}", kind.chinese()))
            }
            Question::Titled(unit, title) => Subject::Post(format!("{unit}{title}")),
            Question::InCharge(text) => {
                let text = written_duty(dice, text);
                Subject::Post(match dice.below(3) {
                    0 => format!("市政府分管{text}的副市长"),
                    1 => format!("联系{text}的市领导"),
                    _ => format!("负责{text}的领导"),
                })
            }
        }
    }
}

fn written_duty(dice: &mut Dice, text: &str) -> String {
    if FIELDS.contains(&text) { written(dice, text) } else { text.to_owned() }
}

fn spaced(dice: &mut Dice, text: &str) -> String {
    if dice.one_in(8) && !text.contains('/') {
        let middle = text.char_indices().nth(1).map_or(0, |(place, _)| place);
        return format!(" {} {} ", &text[..middle], &text[middle..]);
    }
    text.to_owned()
}

/// A field; sometimes one that no division has, and one that is wider than any.
fn field(dice: &mut Dice) -> String {
    match dice.below(10) {
        0 => "航天".to_owned(),
        1 => "水利建设和移民".to_owned(),
        _ => (*dice.choose(&FIELDS)).to_owned(),
    }
}

fn unit(dice: &mut Dice, log: &Log) -> String {
    match dice.below(10) {
        0 => unit_name(UNITS),
        1..=4 => unit_name(dice.below(UNITS)),
        5 => ["市天务局", "市水务局(市警务局)", "市警务局(市天务局)", "市草务局"][dice.below(4)].to_owned(),
        _ => display_name(dice, log),
    }
}

/// A name that some unit has at some time.
fn display_name(dice: &mut Dice, log: &Log) -> String {
    let names: Vec<&str> = log
        .iter()
        .flat_map(|(event, _)| match event {
            domain_roster::RosterEvent::UnitCreated(unit) => unit.names().collect(),
            domain_roster::RosterEvent::UnitChanged(changed) => changed.value.names().collect(),
            _ => Vec::new(),
        })
        .collect();
    (*dice.choose(&names)).to_owned()
}

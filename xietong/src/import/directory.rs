//! [`KnownUnits`]: what the units, collectives and people of a notice are looked up by.

use anyhow::Context;
use domain_calendar::Timestamp;
use domain_notice::{Directory as Names, Meaning};
use domain_roster::{
    Book, Collective, Lookup, Official, RosterError, RosterEvent, Unit, UnitKind, View, admit_collective,
};
use prost::{Message, Name};
use serde::de::DeserializeOwned;
use serde_json::Value;
use xietong_proto::roster;

use crate::json::Json;
use crate::sample::Directory;

use super::people;

pub use super::people::Person;

/// The units, collectives and officials of a city, from a file or from a running roster.
#[derive(Debug, Clone)]
pub struct KnownUnits {
    book: Book,
    at: Timestamp,
    /// Names of counties, the development zone and collectives as they stand in sentences, the
    /// longest first, each with the resource name.
    places: Vec<(String, String)>,
}

impl KnownUnits {
    /// Those of a directory's file.
    ///
    /// # Errors
    /// When something in it is no request of the API, and as [`KnownUnits::new`].
    pub fn of(directory: &Directory) -> anyhow::Result<Self> {
        let json = Json::new()?;
        let units = requests(&json, &directory.units, |request: roster::CreateUnitRequest| {
            let name = format!("units/{}", request.unit_id);
            Some(roster::Unit { name, ..request.unit? })
        })?;
        let collectives =
            requests(&json, &directory.collectives, |request: roster::CreateCollectiveRequest| {
                let name = format!("collectives/{}", request.collective_id);
                Some(roster::Collective { name, ..request.collective? })
            })?;
        let mut officials =
            requests(&json, &directory.officials, |request: roster::CreateOfficialRequest| {
                let name = format!("officials/{}", request.official_id);
                Some(roster::Official { name, ..request.official? })
            })?;
        // Without an id the roster makes one up, and no file can say which.
        officials.retain(|official| official.name != "officials/");
        Self::new(&units, &collectives, &officials)
    }

    /// These, as they are when all is over that any of them has a time for; see
    /// [`KnownUnits::as_of`].
    ///
    /// # Errors
    /// When one is no record of the roster, or a collective shares a name or has a member that
    /// is not among the units.
    pub fn new(
        units: &[roster::Unit],
        collectives: &[roster::Collective],
        officials: &[roster::Official],
    ) -> anyhow::Result<Self> {
        let json = Json::new()?;
        let recorded_at = Timestamp::MIN;
        let (mut book, mut places) = (Book::new(), Vec::new());
        for unit in units {
            let unit: Unit = record(&json, &unit.name, unit)?;
            unit.check().map_err(|error| refused(&unit.name, &error))?;
            if matches!(unit.kind, UnitKind::County | UnitKind::DevelopmentZone) {
                let names = std::iter::once(&unit.display_name).chain(&unit.aliases);
                // 尧都 alone is in the names of streets and companies.
                places.extend(names.filter(|one| is_place(one)).map(|one| (one.clone(), unit.name.clone())));
            }
            book.apply(&RosterEvent::UnitCreated(unit), recorded_at)?;
        }
        for collective in collectives {
            let collective: Collective = record(&json, &collective.name, collective)?;
            admit_collective(&book, &collective).map_err(|error| refused(&collective.name, &error))?;
            places.extend(collective.names().map(|one| (half_width(one), collective.name.clone())));
            book.apply(&RosterEvent::CollectiveCreated(collective), recorded_at)?;
        }
        for official in officials {
            let official: Official = record(&json, &official.name, official)?;
            official.check().map_err(|error| refused(&official.name, &error))?;
            book.apply(&RosterEvent::OfficialCreated(official), recorded_at)?;
        }
        places.sort_by_key(|(called, _)| std::cmp::Reverse(called.len()));
        Ok(KnownUnits { book, at: Timestamp::MAX, places })
    }

    /// The same at an instant: units that exist and posts that are held then, as a notice of
    /// that day means them.
    #[must_use]
    pub fn as_of(self, at: Timestamp) -> Self {
        KnownUnits { at, ..self }
    }

    /// The members of `collectives/{slug}`, `units/{slug}` each, in the city's order; `None` when
    /// it is no collective.
    pub fn members(&self, collective: &str) -> Option<&[String]> {
        self.book.collective(collective).map(|one| one.units.as_slice())
    }

    /// Whom a name stands for; of several who have it, the one whose post or unit the title
    /// names.
    pub fn official(&self, name: &str, title: &str) -> Person {
        people::find(self.view(), name, title)
    }

    fn view(&self) -> View<'_> {
        self.book.view(self.at, Timestamp::MAX)
    }

    /// A unit that has ceased, or is yet to be, is no place; a collective always is.
    fn exists(&self, name: &str) -> bool {
        self.book.unit(name).is_none_or(|unit| unit.exists_at(self.at))
    }
}

/// What the requests of a file ask to create.
fn requests<M, T>(json: &Json, values: &[Value], entry: fn(M) -> Option<T>) -> anyhow::Result<Vec<T>>
where
    M: Message + Name + Default,
{
    let read = |value: &Value| {
        let request = json.read(value.clone())?;
        entry(request).with_context(|| format!("{}: nothing to create in {value}", M::full_name()))
    };
    values.iter().map(read).collect()
}

fn refused(name: &str, error: &RosterError) -> anyhow::Error {
    anyhow::anyhow!("{name}: {error} / {}", error.chinese())
}

/// The domain's record of a message: both have the same JSON.
fn record<M: Message + Name, T: DeserializeOwned>(json: &Json, name: &str, message: &M) -> anyhow::Result<T> {
    let read = || anyhow::Ok(serde_json::from_value(json.write(message)?)?);
    read().with_context(|| format!("the record {name:?}"))
}

/// Notices are read in half-width forms.
fn half_width(name: &str) -> String {
    name.replace('（', "(").replace('）', ")")
}

fn is_place(name: &str) -> bool {
    name.chars().count() >= 3 || name.ends_with('县')
}

impl Names for KnownUnits {
    fn find(&self, name: &str) -> Meaning {
        let view = self.view();
        if let Some(collective) = view.lookup_collective(name) {
            return Meaning::One(collective.name.clone());
        }
        let names = |units: Vec<&Unit>| units.into_iter().map(|unit| unit.name.clone()).collect();
        match view.lookup_unit(name) {
            Lookup::Found(unit) => Meaning::One(unit.name.clone()),
            Lookup::Ambiguous(units) => Meaning::Ambiguous(names(units)),
            Lookup::Unknown => Meaning::Unknown(names(view.similar_units(name))),
        }
    }

    fn mentioned(&self, text: &str) -> Vec<String> {
        let mut rest = text.to_owned();
        let mut found: Vec<(usize, String)> = Vec::new();
        for (called, unit) in self.places.iter().filter(|(_, name)| self.exists(name)) {
            while let Some(at) = rest.find(called.as_str()) {
                // A shorter name inside a longer one is not a second mention.
                rest.replace_range(at..at + called.len(), &"\0".repeat(called.len()));
                if found.iter().all(|(_, one)| one != unit) {
                    found.push((at, unit.clone()));
                }
            }
        }
        found.sort();
        found.into_iter().map(|(_, unit)| unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use domain_notice::{Directory as _, Meaning};
    use xietong_mesh::convert::encode_time;
    use xietong_proto::roster;

    use super::{KnownUnits, Person};

    fn city() -> KnownUnits {
        KnownUnits::of(&crate::sample::directory().unwrap()).unwrap()
    }

    fn county(slug: &str, display_name: &str) -> roster::Unit {
        roster::Unit {
            name: format!("units/{slug}"),
            display_name: display_name.into(),
            kind: roster::UnitKind::County.into(),
            ..Default::default()
        }
    }

    fn counties(display_name: &str, units: &[&str]) -> roster::Collective {
        roster::Collective {
            name: "collectives/counties".into(),
            display_name: display_name.into(),
            units: units.iter().map(|unit| format!("units/{unit}")).collect(),
            etag: "v1".into(),
            ..Default::default()
        }
    }

    #[test]
    fn every_name_of_a_unit_finds_it() {
        let city = city();
        for name in
            ["市工信局", "市工业和信息化局", "临汾市工业和信息化局", "市工业和信息化局(市民营经济发展促进局)"]
        {
            assert_eq!(city.find(name), Meaning::One("units/gongxinju".to_owned()), "{name}");
        }
        for name in ["各县市区", "各县(市、区)", "各县市区人民政府"] {
            assert!(
                matches!(city.find(name), Meaning::One(one) if one.starts_with("collectives/")),
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_not_guessed_but_what_is_like_it_is_offered() {
        let Meaning::Unknown(candidates) = city().find("市水利水务局") else {
            panic!("it was guessed")
        };
        assert_eq!(candidates.first().map(String::as_str), Some("units/shuiliju"));
        let Meaning::Unknown(candidates) = city().find("市工讯局") else { panic!("it was guessed") };
        assert_eq!(candidates.first().map(String::as_str), Some("units/gongxinju"));
        assert_eq!(city().find("省海洋渔业厅"), Meaning::Unknown(vec![]));
    }

    #[test]
    fn places_in_a_sentence_are_found_once_and_in_order() {
        let found = city().mentioned("6月底前,完成侯马市、大宁县、吉县污水处理厂,侯马市率先,尧都路不算");
        assert_eq!(found, ["units/houma", "units/daning", "units/jixian"]);
    }
    #[test]
    fn a_collective_has_its_members_in_order_and_a_unit_has_none() {
        let city = city();
        let Meaning::One(counties) = city.find("各县(市、区)") else { panic!("it is a collective") };
        let members = city.members(&counties).unwrap();
        assert_eq!(
            (members.len(), members[0].as_str(), members[16].as_str()),
            (17, "units/yaodu", "units/huozhou")
        );
        assert_eq!((city.members("units/yaodu"), city.members("各县(市、区)")), (None, None));
    }

    #[test]
    fn the_people_of_a_file_are_known() {
        let found = city().official("王渊", "市委常委、市政府常务副市长");
        assert_eq!(found, Person::Found("officials/wangyuan".to_owned()));
    }

    #[test]
    fn a_roster_that_was_asked_is_known_as_a_file_is() {
        let units = [county("yaodu", "尧都区"), county("houma", "侯马市")];
        let known = KnownUnits::new(&units, &[counties("各县（市、区）", &["houma", "yaodu"])], &[]).unwrap();
        assert_eq!(known.find("各县(市、区)"), Meaning::One("collectives/counties".to_owned()));
        let members = known.members("collectives/counties").unwrap();
        assert_eq!(members, ["units/houma", "units/yaodu"]);
        let mentioned = known.mentioned("尧都区与各县(市、区)");
        assert_eq!(mentioned, ["units/yaodu", "collectives/counties"]);
    }

    #[test]
    fn what_the_roster_would_refuse_is_refused() {
        let units = [county("yaodu", "尧都区")];
        let refusal = |units: &[roster::Unit], collective| {
            format!("{:#}", KnownUnits::new(units, &[collective], &[]).unwrap_err())
        };
        assert!(refusal(&units, counties("各县", &["moon"])).contains("没有名为“units/moon”的单位"));
        assert!(refusal(&units, counties("尧都区", &["yaodu"])).contains("“尧都区”已是“尧都区”的名称"));
        let nameless = roster::Unit { display_name: " ".into(), ..county("yaodu", "") };
        assert!(refusal(&[nameless], counties("各县", &["yaodu"])).contains("必填项“名称”为空"));
        let kindless = roster::Unit { kind: 0, ..county("yaodu", "尧都区") };
        assert!(refusal(&[kindless], counties("各县", &["yaodu"])).contains("units/yaodu"));
    }

    #[test]
    fn a_unit_is_known_and_mentioned_while_it_exists() {
        let change = Timestamp::from_micros(1_684_000_000_000_000);
        let until = roster::Unit { end_time: Some(encode_time(change)), ..county("old", "霍县") };
        let from = roster::Unit { start_time: Some(encode_time(change)), ..county("new", "霍州市") };
        let known = KnownUnits::new(&[until, from], &[], &[]).unwrap();
        let before = known.clone().as_of(Timestamp::from_micros(change.as_micros() - 1));
        for (known, found, name) in
            [(before, "霍县", "units/old"), (known.as_of(change), "霍州市", "units/new")]
        {
            assert_eq!(known.find(found), Meaning::One(name.to_owned()));
            assert_eq!(known.mentioned("霍县、霍州市"), [name]);
        }
    }
}

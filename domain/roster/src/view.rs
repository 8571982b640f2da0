//! The roster at one instant, as far as it was known at another.

use domain_calendar::Timestamp;

use crate::absence::Absence;
use crate::book::{Book, Filed};
use crate::collective::Collective;
use crate::division::Division;
use crate::lookup::Lookup;
use crate::names::{half_width, key, normalise, split_signboard};
use crate::official::{Official, PostKind};
use crate::resolution::Person;
use crate::stand_in_list::StandInList;
use crate::unit::Unit;

/// At most so many units are offered for a name that nobody has.
const MOST_SIMILAR: usize = 5;
/// Highest tower of units of which each belongs to the next.
const MOST_PARENTS: usize = 64;
/// Longest chain of units of which each was merged into the next.
const MOST_MERGERS: usize = 16;
/// Thousandths of likeness from which a unit is offered: one character of three may differ.
const LIKE: u64 = 330;

/// How much two names have in common, in thousandths: the mean of Dice's coefficient over
/// their characters and over their neighbouring pairs.
fn likeness(one: &str, other: &str) -> u64 {
    let (one, other) = (letters(one), letters(other));
    let pairs = |name: &[char]| -> Vec<(char, char)> {
        name.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect()
    };
    (dice(&one, &other) + dice(&pairs(&one), &pairs(&other))) / 2
}

/// All municipal units begin with 市: it tells nothing.
fn letters(name: &str) -> Vec<char> {
    let key = normalise(name);
    key.strip_prefix('市').unwrap_or(&key).chars().collect()
}

fn dice<T: PartialEq>(one: &[T], other: &[T]) -> u64 {
    let mut left: Vec<&T> = other.iter().collect();
    let common = one
        .iter()
        .filter(|part| left.iter().position(|other| other == part).map(|at| left.swap_remove(at)).is_some())
        .count();
    let all = one.len() + other.len();
    u64::try_from((2_000 * common).checked_div(all).unwrap_or(0)).unwrap_or(0)
}

/// A [`Book`] at `at`, as far as it was known at `known_at`. Nothing recorded after `known_at`
/// ever changes what it says.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    book: &'a Book,
    at: Timestamp,
    known_at: Timestamp,
}

impl<'a> View<'a> {
    pub(crate) fn new(book: &'a Book, at: Timestamp, known_at: Timestamp) -> Self {
        View { book, at, known_at }
    }

    /// The instant it is about.
    pub fn at(self) -> Timestamp {
        self.at
    }

    /// The instant whose knowledge it has.
    pub fn known_at(self) -> Timestamp {
        self.known_at
    }

    /// The division in force: of those known, the latest to take effect; of two that took effect
    /// together, the one recorded last.
    pub fn division(self) -> Option<&'a Division> {
        self.filed().map(Filed::division)
    }

    /// The same, with what it says at a glance.
    pub(crate) fn filed(self) -> Option<&'a Filed> {
        self.book.in_force(self.at, self.known_at)
    }

    /// A unit by resource name, existing at the instant or not.
    pub fn unit(self, name: &str) -> Option<&'a Unit> {
        self.book.unit_at(name, self.at, self.known_at)
    }

    /// The units that exist, in order of resource name.
    pub fn units(self) -> impl Iterator<Item = &'a Unit> {
        self.book.units_at(self.at, self.known_at).filter(move |unit| unit.exists_at(self.at))
    }

    /// A collective by resource name.
    pub fn collective(self, name: &str) -> Option<&'a Collective> {
        self.book.collective_at(name, self.at, self.known_at)
    }

    /// Collectives in order of resource name.
    pub fn collectives(self) -> impl Iterator<Item = &'a Collective> {
        self.book.collectives_at(self.at, self.known_at)
    }

    /// An official by resource name.
    pub fn official(self, name: &str) -> Option<&'a Official> {
        self.book.official_at(name, self.at, self.known_at)
    }

    /// Officials in order of resource name.
    pub fn officials(self) -> impl Iterator<Item = &'a Official> {
        self.book.officials_at(self.at, self.known_at)
    }

    /// The unit a name stands for: its resource name, or the full name, alias (简称) or second
    /// signboard of a unit that exists. A name with a signboard in brackets must agree on both.
    /// What nobody is called now may be what a unit was called before, or a unit that was merged
    /// into another.
    pub fn lookup_unit(self, text: &str) -> Lookup<'a, Unit> {
        let name = text.trim();
        if name.starts_with("units/")
            && let Some(unit) = self.unit(name)
        {
            return Lookup::Found(unit);
        }
        let key = key(text);
        let called = |key: &str| self.called(key);
        let mut found = called(&key);
        if found.is_empty()
            && let Some((name, signboard)) = split_signboard(&key)
        {
            found = called(name);
            // A signboard nobody carries is only a remark; one of another unit is a contradiction.
            let others = if found.is_empty() { Vec::new() } else { called(&normalise(signboard)) };
            found.extend(others);
            found.sort_by(|left, right| left.name.cmp(&right.name));
            found.dedup_by(|left, right| left.name == right.name);
        }
        if found.is_empty() {
            found = self.once_called(&key);
        }
        Lookup::among(found)
    }

    /// The units that exist and are called so, in order of resource name.
    fn called(self, key: &str) -> Vec<&'a Unit> {
        let callings = self.book.ever_called(key).iter();
        let called = callings.filter_map(|one| self.book.unit_called(one, self.at, self.known_at));
        called.filter(|unit| unit.exists_at(self.at)).collect()
    }

    /// The units that exist and were called so before, and those that units called so were
    /// merged into, in order of resource name.
    fn once_called(self, key: &str) -> Vec<&'a Unit> {
        let callings = self.book.ever_called(key).iter();
        let known = callings.filter(|one| self.book.was_called(one, self.known_at));
        let mut found: Vec<&Unit> = known.filter_map(|one| self.living(&one.unit)).collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        found.dedup_by(|left, right| left.name == right.name);
        found
    }

    /// A unit that exists, or whoever succeeded it.
    fn living(self, name: &str) -> Option<&'a Unit> {
        let mut unit = self.unit(name)?;
        // A chain of mergers is short; a circle of them would have no end.
        for _ in 0..MOST_MERGERS {
            if unit.exists_at(self.at) {
                return Some(unit);
            }
            unit = self.unit(unit.successor.as_deref()?)?;
        }
        None
    }

    /// Whom a unit's own AB list names for one of its people, and the list.
    pub(crate) fn list_stand_in(self, official: &str) -> Option<(&'a StandInList, &'a str)> {
        let known = self.official(official)?;
        let posts = known.posts.iter().filter(|post| post.held_at(self.at));
        posts.filter_map(|post| post.unit.as_deref()).find_map(|unit| {
            let list = self.stand_in_list(unit)?;
            list.stand_in(official).map(|stand_in| (list, stand_in))
        })
    }

    /// A unit's own AB list.
    pub fn stand_in_list(self, unit: &str) -> Option<&'a StandInList> {
        let lists = self.book.stand_in_lists_of(unit).enumerate();
        lists
            .filter(|(_, list)| list.recorded_at <= self.known_at && list.effective_time <= self.at)
            .max_by_key(|(order, list)| (list.effective_time, list.recorded_at, *order))
            .map(|(_, list)| list)
    }

    /// What people call a unit.
    pub(crate) fn unit_label<'s>(self, unit: &'s str) -> &'s str
    where
        'a: 's,
    {
        self.unit(unit).map_or(unit, |known| known.display_name.as_str())
    }

    /// The collective a name stands for: its resource name, full name or alias. The book admits
    /// none that is called as another or as a unit, so there are never two; and the resource name
    /// of a unit stands for that unit, whatever collectives are called.
    pub fn lookup_collective(self, text: &str) -> Option<&'a Collective> {
        let name = text.trim();
        if let Some(collective) = self.collective(name) {
            return Some(collective);
        }
        if self.unit(name).is_some() {
            return None;
        }
        let key = normalise(text);
        self.collectives().find(|collective| collective.is_called(&key))
    }

    /// Units that are called something like a text, the likeliest first, at most five: for a
    /// person to choose from, never to guess by.
    pub fn similar_units(self, text: &str) -> Vec<&'a Unit> {
        let mut found: Vec<(u64, &Unit)> = self
            .units()
            .filter_map(|unit| {
                let likeness = unit.names().map(|name| likeness(text, name)).max()?;
                (likeness >= LIKE).then_some((likeness, unit))
            })
            .collect();
        found.sort_by(|(one, left), (other, right)| other.cmp(one).then_with(|| left.name.cmp(&right.name)));
        found.into_iter().take(MOST_SIMILAR).map(|(_, unit)| unit).collect()
    }

    /// The official a name stands for: a resource name or a person's name.
    pub fn lookup_official(self, text: &str) -> Lookup<'a, Official> {
        let name = text.trim();
        if name.starts_with("officials/")
            && let Some(official) = self.official(name)
        {
            return Lookup::Found(official);
        }
        let key = half_width(text);
        let officials = self.book.people_called(&key).iter().filter_map(|name| self.official(name));
        Lookup::among(officials.filter(|official| half_width(&official.display_name) == key).collect())
    }

    /// Who holds a post of a kind, in order of resource name; in any unit when `unit` is unset.
    pub fn holders(self, kind: PostKind, unit: Option<&str>) -> Vec<&'a Official> {
        let names = match unit {
            Some(unit) => self.book.people_of_unit(unit),
            None => self.book.people_of_kind(kind),
        };
        let officials = names.iter().filter_map(|name| self.official(name));
        officials.filter(|official| official.holds(kind, unit, self.at)).collect()
    }

    /// The officials whose title in a unit a text may be, by a key as [`key`] has it: those with a
    /// post in a unit whose name it begins with, and those so titled in none.
    pub(crate) fn perhaps_titled(self, key: &str) -> Vec<&'a Official> {
        let units =
            key.char_indices().flat_map(|(end, _)| self.book.ever_called(key.get(..end).unwrap_or_default()));
        let mut names: Vec<&String> =
            units.flat_map(|calling| self.book.people_of_unit(&calling.unit)).collect();
        names.extend(self.book.people_titled(key));
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| self.official(name)).collect()
    }

    /// The absence an official is away on; nothing when the official is there.
    pub fn away(self, official: &str) -> Option<&'a Absence> {
        self.book.away(official, self.at, self.known_at)
    }

    /// Officials who are away, in order of resource name.
    pub fn absentees(self) -> impl Iterator<Item = &'a Absence> {
        self.book.absentees(self.at, self.known_at)
    }

    /// An official as answers show one; the resource name stands in for an unknown person's name.
    pub fn person(self, official: &str) -> Person {
        let display_name = self.official(official).map_or(official, |known| known.display_name.as_str());
        Person { official: official.to_owned(), display_name: display_name.to_owned() }
    }

    /// What people call an official.
    pub(crate) fn official_label<'s>(self, official: &'s str) -> &'s str
    where
        'a: 's,
    {
        self.official(official).map_or(official, |known| known.display_name.as_str())
    }

    /// The unit and those it belongs to, nearest first; each once, whatever the data says.
    pub(crate) fn lineage(self, unit: &'a Unit) -> Vec<&'a Unit> {
        let mut line = vec![unit];
        let mut current = unit;
        while let Some(parent) = current.parent.as_deref().and_then(|parent| self.unit(parent)) {
            if line.iter().any(|seen| seen.name == parent.name) {
                break;
            }
            line.push(parent);
            current = parent;
        }
        line
    }

    /// Goes from a unit up to its parents as long as `go_on` says so. Where somebody made a circle
    /// of parents it ends.
    pub(crate) fn climb(self, unit: &'a Unit, mut go_on: impl FnMut(&'a Unit) -> bool) {
        let mut link = unit;
        for _ in 0..MOST_PARENTS {
            if !go_on(link) {
                return;
            }
            match link.parent.as_deref().and_then(|parent| self.unit(parent)) {
                Some(parent) if parent.name != unit.name => link = parent,
                Some(_) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use crate::fixture::{Roster, at, unit};
    use crate::lookup::Lookup;

    #[test]
    fn a_unit_is_found_by_every_name() {
        let roster = Roster::linfen();
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        for (text, name) in [
            ("units/health", "units/health"),
            ("市卫健委", "units/health"),
            ("临汾市卫生健康委员会", "units/health"),
            ("市 卫\n生健康委", "units/health"),
            ("市民营经济发展促进局", "units/industry"),
            ("市工业和信息化局（市民营经济发展促进局）", "units/industry"),
            ("市水利局(无此牌子)", "units/water"),
            ("临投集团", "units/investment-group"),
        ] {
            let found = view.lookup_unit(text);
            assert!(matches!(found, Lookup::Found(unit) if unit.name == name), "{text}: {found:?}");
        }
        for text in ["市月球局", "", "()", "units/moon"] {
            assert_eq!(view.lookup_unit(text), Lookup::Unknown, "{text}");
        }
    }

    #[test]
    fn a_collective_is_found_by_every_name_from_when_it_was_known() {
        let roster = Roster::linfen();
        let noon = at("2023-06-01T12:00+08:00");
        let view = roster.book.view(noon, Timestamp::MAX);
        for text in ["collectives/counties", "各县（市、区）", "各县(市、区)", "各 县市\n区", "各县市区政府"]
        {
            let found = view.lookup_collective(text).map(|one| one.name.as_str());
            assert_eq!(found, Some("collectives/counties"), "{text}");
        }
        for text in ["各县", "市水利局", "units/yaodu", "collectives/moon", ""] {
            assert_eq!(view.lookup_collective(text), None, "{text}");
        }
        let before = roster.book.view(noon, at("2023-03-31T23:59+08:00"));
        assert_eq!((before.lookup_collective("各县市区"), before.collectives().count()), (None, 0));
        assert_eq!(view.collectives().count(), 1);
    }

    #[test]
    fn an_ambiguous_name_gives_the_candidates() {
        let mut roster = Roster::linfen();
        roster.add_unit(unit("water-company", "临汾市水务公司", &["市水利局"]));
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        let Lookup::Ambiguous(candidates) = view.lookup_unit("市水利局") else {
            panic!("two carry the name")
        };
        assert_eq!(
            candidates.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>(),
            ["units/water", "units/water-company"]
        );
    }

    #[test]
    fn a_signboard_of_another_unit_is_a_contradiction() {
        let roster = Roster::linfen();
        let view = roster.book.view(at("2023-06-01T00:00+08:00"), Timestamp::MAX);
        assert!(
            matches!(view.lookup_unit("市水利局(市卫健委)"), Lookup::Ambiguous(found) if found.len() == 2)
        );
    }

    #[test]
    fn a_unit_that_ceased_leaves_its_name_to_its_successor() {
        let mut roster = Roster::linfen();
        let change = at("2023-07-01T00:00+08:00");
        let mut old = unit("science-old", "市科学局", &["市科局"]);
        old.end_time = Some(change);
        let mut new = unit("science-new", "市科学和技术局", &["市科局"]);
        new.start_time = Some(change);
        roster.add_unit(old);
        roster.add_unit(new);
        for (instant, name) in [
            ("2023-06-30T23:59:59.999999+08:00", "units/science-old"),
            ("2023-07-01T00:00+08:00", "units/science-new"),
        ] {
            let found = roster.book.view(at(instant), Timestamp::MAX).lookup_unit("市科局");
            assert!(matches!(found, Lookup::Found(unit) if unit.name == name), "{instant}: {found:?}");
        }
    }
}

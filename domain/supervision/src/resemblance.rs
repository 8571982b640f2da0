//! [`resemblance`]: whether two tasks ask for the same thing, by their words.
//!
//! Words are compared as sets of two and of three neighbouring characters (n-grams) of title and
//! text, without punctuation, spaces and remarks in brackets: tags such as
//! （省政府12件民生实事之一） stand on items that have nothing else in common. The measure is Dice's:
//! twice what both have over what each has. A name in quotation marks that both carry, such as
//! “一泓清水入黄河”, says the same where the rest is worded differently.
//!
//! [`Likeness::keys`] are what likeness is looked up by: tasks whose sets overlap share a key with
//! a probability that rises steeply with the overlap (MinHash in bands); then the words decide. A
//! turn of phrase that thousands of plans have makes keys too, so most keys are of a unit: a second
//! ask of the same unit is not crowded out by what is asked of others. Of two tasks of one unit at
//! 600 thousandths three in five share a key, at 750 nineteen in twenty, at 850 all but one in a
//! thousand.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// From which likeness on, in thousandths, two tasks ask for the same. Of the 195 items of
/// 临政办发〔2023〕8号 those that share a text are at 720 and above. Of the others the printed
/// items have one pair at 780, the same sentence about two evils (items 24 and 152), and none
/// between 560 and 600; the items of the sample, in words of our own, have none above 550.
pub const RESEMBLES_FROM: u32 = 600;
/// The same for tasks of few words, where “6月底前完成” is most of what they say.
const SHORT_RESEMBLES_FROM: u32 = 800;
/// Sets of fewer are of few words.
const FEW: usize = 24;

/// Characters of a text that are compared.
const COMPARED: usize = 4_000;
/// Characters that a name in quotation marks has at the least. Shorter ones are turns of phrase:
/// “十四五” stands in three items, “一住两公” in two.
const SHORTEST_NAME: usize = 5;
/// And at the most.
const LONGEST_NAME: usize = 40;
/// Longest remark in brackets.
const LONGEST_REMARK: usize = 60;

/// Bands of the signature that a task is looked up by among those of one unit, and how many
/// smallest numbers are in each.
const OF_A_UNIT: Bands = Bands { of: "unit", bands: 8, rows: 3 };
/// And among all: more alike, since there are so many more of them.
const OF_ALL: Bands = Bands { of: "all", bands: 10, rows: 4 };
/// Units of a task that it is looked up by, in the order of their names. One that more units settle
/// shares them with whatever else is asked of all of those.
const MOST_UNITS: usize = 8;

struct Bands {
    of: &'static str,
    bands: u64,
    rows: u64,
}

/// An open task that asks for the same as one that is being entered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownTask {
    /// `tasks/{id}`.
    pub task: String,
    /// The number people say aloud.
    pub ledger_number: i64,
    /// How much they have in common, in thousandths.
    pub per_mille: u32,
}

/// What two tasks are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// In order, each once.
    shingles: Vec<u64>,
    names: BTreeSet<String>,
}

/// What a task is looked up by. They are stored: when how they are made changes, a migration has them
/// made again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LikenessKeys {
    /// Among those of the units that settle it.
    pub of_units: BTreeSet<i32>,
    /// Among all.
    pub of_all: BTreeSet<i32>,
}

impl LikenessKeys {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = i32> {
        self.of_units.union(&self.of_all).copied()
    }
}

/// How two tasks resemble one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resemblance {
    /// Of their words, in thousandths.
    pub per_mille: u32,
    /// A name in quotation marks that both carry.
    pub shared_name: Option<String>,
    same_words: bool,
}

impl Resemblance {
    /// The words are the same, or nearly: it asks for the same again.
    pub fn of_words(&self) -> bool {
        self.same_words
    }
}

impl Likeness {
    /// What a task of this title and text is compared by.
    pub fn of(title: &str, text: &str) -> Self {
        let mut shingles = Vec::new();
        for words in [title, text] {
            let chars: Vec<char> = compared(words).chars().take(COMPARED).collect();
            for length in [2, 3] {
                shingles.extend(chars.windows(length).map(|some| shingle(some.iter().copied())));
            }
            if let [one] = chars.as_slice() {
                shingles.push(shingle([*one]));
            }
        }
        shingles.sort_unstable();
        shingles.dedup();
        let names = [title, text].into_iter().flat_map(names).collect();
        Likeness { shingles, names }
    }

    /// What a task that these units settle is looked up by.
    pub fn keys<'u>(&self, units: impl IntoIterator<Item = &'u str>) -> LikenessKeys {
        let units: BTreeSet<&str> = units.into_iter().collect();
        let mut of_all = self.keys_of(&OF_ALL, "");
        of_all.extend(self.names.iter().map(|name| stored(mix(!shingle(name.chars())))));
        let units = units.into_iter().take(MOST_UNITS);
        LikenessKeys { of_units: units.flat_map(|unit| self.keys_of(&OF_A_UNIT, unit)).collect(), of_all }
    }

    fn keys_of(&self, &Bands { of, bands, rows }: &Bands, whose: &str) -> BTreeSet<i32> {
        let kind = mix(shingle(of.chars()));
        let seed = mix(kind ^ shingle(whose.chars()));
        // Of a task that says nothing the words are those of all that say nothing.
        let bands = if self.shingles.is_empty() { 0..0 } else { 0..bands };
        bands
            .map(|band| {
                let smallest = |row: u64| {
                    let seed = mix(kind ^ (band * rows + row + 1));
                    self.shingles.iter().map(|one| mix(one ^ seed)).min().unwrap_or_default()
                };
                stored((0..rows).fold(mix(band ^ seed), |key, row| mix(key ^ smallest(row))))
            })
            .collect()
    }
}

/// A key as databases hold it: of a million tasks one in two hundred looked up shares it by chance.
fn stored(key: u64) -> i32 {
    let [first, second, third, fourth, ..] = key.to_le_bytes();
    i32::from_le_bytes([first, second, third, fourth])
}

/// How two tasks resemble one another; none when they do not.
pub fn resemblance(one: &Likeness, other: &Likeness) -> Option<Resemblance> {
    let both = one.shingles.iter().filter(|shingle| other.shingles.binary_search(shingle).is_ok()).count();
    let all = one.shingles.len() + other.shingles.len();
    let per_mille = (2_000 * both).checked_div(all).unwrap_or_default();
    let per_mille = u32::try_from(per_mille).unwrap_or_default();
    let shared_name = one.names.intersection(&other.names).next().cloned();
    let few = one.shingles.len().min(other.shingles.len()) < FEW;
    let same_words = per_mille >= if few { SHORT_RESEMBLES_FROM } else { RESEMBLES_FROM };
    let found = Resemblance { per_mille, shared_name, same_words };
    (same_words || found.shared_name.is_some()).then_some(found)
}

/// Words without what does not count: letters and numerals only, remarks in brackets left out.
fn compared(words: &str) -> String {
    let plain: Vec<char> = words.nfkc().flat_map(char::to_lowercase).take(2 * COMPARED).collect();
    let without = without_remarks(&plain);
    let letters = |chars: &[char]| chars.iter().filter(|one| one.is_alphanumeric()).collect::<String>();
    match letters(&without) {
        // All of it is a remark.
        nothing if nothing.is_empty() => letters(&plain),
        some => some,
    }
}

fn without_remarks(chars: &[char]) -> Vec<char> {
    let (mut kept, mut at) = (Vec::with_capacity(chars.len()), 0);
    while let Some(one) = chars.get(at) {
        let end = (*one == '(')
            .then(|| chars.iter().skip(at).take(LONGEST_REMARK).position(|next| *next == ')'))
            .flatten();
        match end {
            Some(length) => at += length + 1,
            None => {
                kept.push(*one);
                at += 1;
            }
        }
    }
    kept
}

/// The names in quotation marks.
fn names(words: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (open, close) in [('“', '”'), ('「', '」'), ('『', '』')] {
        for after in words.split(open).skip(1) {
            let Some((name, _)) = after.split_once(close) else { continue };
            let name: String =
                name.nfkc().flat_map(char::to_lowercase).filter(|one| one.is_alphanumeric()).collect();
            if (SHORTEST_NAME..=LONGEST_NAME).contains(&name.chars().count()) {
                names.push(name);
            }
        }
    }
    names
}

fn shingle(chars: impl IntoIterator<Item = char>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    chars.into_iter().flat_map(|one| u32::from(one).to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, step)
}

/// SplitMix64's finaliser: each bit of the answer depends on each bit of the number.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn like(one: (&str, &str), other: (&str, &str)) -> Option<Resemblance> {
        let (one, other) = (Likeness::of(one.0, one.1), Likeness::of(other.0, other.1));
        assert_eq!(resemblance(&one, &other), resemblance(&other, &one));
        resemblance(&one, &other)
    }

    #[test]
    fn the_same_in_another_spelling_is_the_same() {
        let first = ("城区内涝点整治", "入汛前完成城区三处内涝点整治。");
        for other in [
            first,
            ("城区内涝点整治", "入汛前，完成城区三处内涝点整治"),
            ("城区 内涝点\n整治", "入汛前完成城区三处内涝点整治（市民生实事）。"),
        ] {
            assert_eq!(like(first, other).unwrap().per_mille, 1_000, "{other:?}");
        }
        let nearly = like(first, ("城区内涝点整治", "入汛前完成城区五处内涝点整治。")).unwrap();
        assert!((700..1_000).contains(&nearly.per_mille), "{nearly:?}");
    }

    #[test]
    fn what_shares_a_tag_or_a_turn_of_phrase_is_not_the_same() {
        for (one, other) in [
            (
                ("既有住宅加装电梯提速", "既有住宅自愿加装电梯（省政府12件民生实事之一）。"),
                ("城镇社区幸福养老提速", "城镇社区养老服务（省政府12件民生实事之一）。"),
            ),
            (("编制“十四五”中期评估", "按期完成。"), ("落实“十四五”体育规划", "补齐场地短板。")),
            (("固定资产投资增长10%以上", ""), ("社零总额增长7%以上", "")),
            (("供热管网改造", "6月底前完成。"), ("校舍加固工程", "6月底前完成。")),
            (("", ""), ("", "")),
        ] {
            assert_eq!(like(one, other), None, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_name_in_quotation_marks_ties_what_is_worded_differently() {
        let plan = ("实施“一泓清水入黄河”重大工程", "接续谋划有利于水环境改善的新项目。");
        let item = ("列为“一号工程”", "把“一泓清水入黄河”工程作为牵引，十大类百余个项目落地见效。");
        let found = like(plan, item).unwrap();
        assert_eq!(found.shared_name.as_deref(), Some("一泓清水入黄河"));
        assert!(!found.of_words());
        let (plan, item) = (Likeness::of(plan.0, plan.1), Likeness::of(item.0, item.1));
        assert!(!plan.keys(["units/lake"]).of_all.is_disjoint(&item.keys(["units/moon"]).of_all));
    }

    #[test]
    fn stored_keys_stay_what_they_are() {
        let keys = Likeness::of("水利", "").keys(["units/moon"]);
        assert_eq!((keys.of_units.len(), keys.of_all.len()), (8, 10));
        assert_eq!(
            (keys.of_units.first(), keys.of_all.first()),
            (Some(&-1_232_789_336), Some(&-1_814_256_292))
        );
    }

    #[test]
    fn a_unit_is_looked_up_among_its_own() {
        let one = Likeness::of("城区内涝点整治", "入汛前完成城区三处内涝点整治。");
        let other = Likeness::of("城区内涝点整治", "入汛前完成城区三处内涝点整治，建账销号。");
        let shared = |units: Vec<&str>, others: Vec<&str>| {
            let others: BTreeSet<i32> = other.keys(others).iter().collect();
            one.keys(units).iter().filter(|key| others.contains(key)).count()
        };
        assert!(
            shared(vec!["units/moon"], vec!["units/moon"]) > shared(vec!["units/moon"], vec!["units/lake"])
        );
        // Nineteen units settle both.
        let units: Vec<String> = (0..19).map(|number| format!("units/{number}")).collect();
        let units = || units.iter().map(String::as_str);
        assert!(shared(units().collect(), units().rev().collect()) > 8);
        assert!(one.keys(units()).iter().count() <= 74);
    }

    proptest! {
        #[test]
        fn a_task_resembles_itself_and_shares_all_its_keys(title in any::<String>(), text in any::<String>()) {
            let (one, other) = (Likeness::of(&title, &text), Likeness::of(&title, &text));
            prop_assert_eq!(one.keys(["units/moon"]), other.keys(["units/moon"]));
            if !one.shingles.is_empty() {
                prop_assert_eq!(resemblance(&one, &other).unwrap().per_mille, 1_000);
            }
        }
    }
}

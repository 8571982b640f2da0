//! Duplicate asks: what resembles the tasks that are being entered.
//!
//! The same ask of a unit that settles both is a duplicate, and is refused unless whoever enters
//! it says that it is meant. The same ask of other units is proposed as one matter, and so is what
//! was said to be meant. One document's items are never held against one another: it says itself
//! what it asks of whom.

use std::collections::{BTreeMap, BTreeSet};

use domain_supervision::{AlikePair, KnownTask, Likeness, LikenessKeys, Resemblance, Task, resemblance};
use sea_orm::DatabaseTransaction;
use xietong_mesh::Error;
use xietong_mesh::error::MOST_VIOLATIONS;

use super::create::Entry;
use crate::record::Record;
use crate::store;

/// Open tasks of its units that one that is entered is compared with: those that share the most
/// keys, and of these the newest. Of all it is compared with as many.
const MOST_COMPARED: usize = 20;
/// Of what resembles a task, the likeliest that are kept to be proposed as its matter. Those that
/// say the same are all linked by the few that each of them keeps.
const MOST_PAIRED: usize = 10;
/// Candidates that a refusal names, with their titles.
const MOST_NAMED: usize = 5;
/// Candidates that it names of one task, in words.
const MOST_TOLD: usize = 3;
/// Characters of a title that a refusal repeats.
const TITLE: usize = 60;

/// What resembles each of the tasks that are entered, in their order.
#[derive(Debug)]
pub(super) struct Resembling {
    found: Vec<Vec<Found>>,
    keys: Vec<LikenessKeys>,
}

/// Something that resembles a task that is entered.
#[derive(Debug)]
struct Found {
    other: Other,
    /// Its title.
    title: String,
    how: Resemblance,
    /// It asks the same of a unit that settles both.
    duplicate: bool,
}

#[derive(Debug)]
enum Other {
    /// An open task.
    Task { name: String, ledger_number: i64 },
    /// One before it among those that are entered, by place.
    Entered(usize),
}

/// What resembles `records`, which are about to be entered.
pub(super) async fn resembling(tx: &DatabaseTransaction, records: &[Record]) -> Result<Resembling, Error> {
    let likenesses: Vec<(Likeness, LikenessKeys)> = records
        .iter()
        .map(|record| {
            let likeness = Likeness::of(&record.task.title, &record.task.text);
            // What is over when it is entered is asked of nobody.
            let open = record.task.is_open();
            let keys = if open { likeness.keys(settled_by(&record.task)) } else { LikenessKeys::default() };
            (likeness, keys)
        })
        .collect();
    let keys: BTreeSet<i32> = likenesses.iter().flat_map(|(_, keys)| keys.iter()).collect();
    let alike = store::alike(tx, &keys).await?;
    let mut entered: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    let (mut wanted, mut candidates) = (BTreeSet::new(), Vec::with_capacity(records.len()));
    for (at, (_, keys)) in likenesses.iter().enumerate() {
        let numbers = candidates_of(keys, &alike);
        wanted.extend(numbers.iter().copied());
        let places = candidates_of(keys, &entered);
        for key in keys.iter() {
            entered.entry(key).or_default().push(at);
        }
        candidates.push((numbers, places));
    }
    let known = if wanted.is_empty() { BTreeMap::new() } else { store::find_numbered(tx, &wanted).await? };
    let known: BTreeMap<i64, (Record, Likeness)> = known
        .into_iter()
        .map(|(number, record)| {
            let likeness = Likeness::of(&record.task.title, &record.task.text);
            (number, (record, likeness))
        })
        .collect();
    let found =
        records.iter().zip(&likenesses).zip(candidates).map(|((record, (likeness, _)), candidates)| {
            // The newest first.
            let (numbers, places) = candidates;
            let of_ledger =
                numbers.iter().rev().filter_map(|number| known.get(number)).filter_map(|(other, words)| {
                    let (name, ledger_number) = (other.task.name.clone(), other.task.ledger_number);
                    found(&record.task, likeness, (&other.task, words), Other::Task { name, ledger_number })
                });
            let of_batch = places.iter().rev().filter_map(|place| {
                let ((other, (words, _)), place) = (records.get(*place).zip(likenesses.get(*place))?, *place);
                found(&record.task, likeness, (&other.task, words), Other::Entered(place))
            });
            of_ledger.chain(of_batch).collect()
        });
    let found = found.collect();
    Ok(Resembling { found, keys: likenesses.into_iter().map(|(_, keys)| keys).collect() })
}

/// Of what is found by each key (the newest last, or no more than are compared), what is found by
/// the most keys of its units, and what by the most of all, the newest of each.
fn candidates_of<T: Copy + Ord>(keys: &LikenessKeys, by_key: &BTreeMap<i32, Vec<T>>) -> BTreeSet<T> {
    let most_shared = |keys: &BTreeSet<i32>| {
        let mut shared: BTreeMap<T, usize> = BTreeMap::new();
        let found = keys.iter().filter_map(|key| by_key.get(key));
        for one in found.flat_map(|found| found.iter().rev().take(MOST_COMPARED)) {
            *shared.entry(*one).or_default() += 1;
        }
        let mut found: Vec<(T, usize)> = shared.into_iter().collect();
        found.sort_by_key(|(one, keys)| std::cmp::Reverse((*keys, *one)));
        found.into_iter().take(MOST_COMPARED).map(|(one, _)| one)
    };
    most_shared(&keys.of_units).chain(most_shared(&keys.of_all)).collect()
}

fn found(
    task: &Task,
    likeness: &Likeness,
    (other, words): (&Task, &Likeness),
    which: Other,
) -> Option<Found> {
    let how = other.is_open().then(|| resemblance(likeness, words))??;
    let same_unit = settled_by(task).intersection(&settled_by(other)).next().is_some();
    let same_document = !task.source.document_number.is_empty()
        && task.source.document_number == other.source.document_number;
    if how.of_words() && same_unit && same_document {
        return None;
    }
    let duplicate = how.of_words() && same_unit;
    Some(Found { other: which, title: other.title.clone(), how, duplicate })
}

fn settled_by(task: &Task) -> BTreeSet<&str> {
    task.settling_assignments().map(|one| one.unit.as_str()).collect()
}

impl Resembling {
    /// Refuses duplicates, naming each and what it resembles.
    pub(super) fn refuse_duplicates(&self, entries: &[Entry]) -> Result<(), Error> {
        let mut doubled = entries.iter().zip(&self.found).filter_map(|(entry, found)| {
            let mut duplicates: Vec<&Found> = found.iter().filter(|one| one.duplicate).collect();
            duplicates.sort_by_key(|one| std::cmp::Reverse(one.how.per_mille));
            (!duplicates.is_empty()).then_some((entry, duplicates))
        });
        let Some(first) = doubled.next() else { return Ok(()) };
        let rest: Vec<_> = doubled.collect();
        let count = rest.len() + 1;
        let english = format!("{count} of the tasks resemble open ones of the same unit");
        let chinese = format!(
            "{count}项任务与同一单位在办的任务相近，确需另行登记的，请确认后重新提交（逐项登记的，在网址后加参数confirmDuplicates=true；批量登记的，填写同名字段）"
        );
        let error = Error::failed_precondition("DUPLICATE_ASK", english, chinese);
        let mut named = Vec::new();
        let told = std::iter::once(&first).chain(&rest).take(MOST_VIOLATIONS).fold(
            error,
            |error, (entry, duplicates)| {
                for one in duplicates.iter().take(MOST_NAMED.saturating_sub(named.len())) {
                    named.push(one.named(&entry.place, entries));
                }
                let english = duplicates
                    .iter()
                    .take(MOST_TOLD)
                    .map(|one| one.english(entries))
                    .collect::<Vec<_>>()
                    .join(", ");
                let chinese = duplicates
                    .iter()
                    .take(MOST_TOLD)
                    .map(|one| one.chinese(entries))
                    .collect::<Vec<_>>()
                    .join("、");
                error.and_invalid(
                    entry.place.clone(),
                    format!("resembles {english}"),
                    format!("《{}》与{chinese}相近", entry.draft.title),
                )
            },
        );
        let candidates = serde_json::Value::Array(named).to_string();
        Err(told.and_more(count.saturating_sub(MOST_VIOLATIONS)).with_metadata("candidates", candidates))
    }

    /// The duplicates of one of the tasks that are entered, once all of them have their numbers.
    pub(super) fn known_of(&self, at: usize, records: &[Record]) -> Vec<KnownTask> {
        let found = self.found.get(at).into_iter().flatten().filter(|one| one.duplicate);
        found
            .filter_map(|one| {
                let (task, ledger_number) = one.task(records)?;
                Some(KnownTask { task, ledger_number, per_mille: one.how.per_mille })
            })
            .collect()
    }

    /// What each of them is to be looked up by, once all of them have their numbers.
    pub(super) fn keys(&self, records: &[Record]) -> Vec<(i32, i64)> {
        let all = records.iter().zip(&self.keys);
        all.flat_map(|(record, keys)| keys.iter().map(|key| (key, record.task.ledger_number))).collect()
    }

    /// What is to be proposed as one matter, once all of them have their numbers.
    pub(super) fn pairs(&self, records: &[Record]) -> Vec<AlikePair> {
        let all = records.iter().zip(&self.found);
        all.flat_map(|(record, found)| {
            let mut likeliest: Vec<&Found> = found.iter().collect();
            likeliest.sort_by_key(|one| std::cmp::Reverse(one.how.per_mille));
            likeliest.truncate(MOST_PAIRED);
            likeliest.into_iter().filter_map(|one| {
                let (_, other) = one.task(records)?;
                let number = record.task.ledger_number;
                Some(AlikePair {
                    newer: number.max(other),
                    older: number.min(other),
                    per_mille: one.how.per_mille,
                    shared_name: one.how.shared_name.clone().unwrap_or_default(),
                })
            })
        })
        .collect()
    }
}

impl Found {
    fn task(&self, records: &[Record]) -> Option<(String, i64)> {
        match &self.other {
            Other::Task { name, ledger_number } => Some((name.clone(), *ledger_number)),
            Other::Entered(place) => {
                let record = records.get(*place)?;
                Some((record.task.name.clone(), record.task.ledger_number))
            }
        }
    }

    fn percent(&self) -> u32 {
        self.how.per_mille / 10
    }

    fn named(&self, place: &str, entries: &[Entry]) -> serde_json::Value {
        let title: String = self.title.chars().take(TITLE).collect();
        let percent = self.percent();
        match &self.other {
            Other::Task { name, ledger_number } => serde_json::json!({
                "for": place, "task": name, "ledgerNumber": ledger_number, "title": title,
                "similarityPercent": percent,
            }),
            Other::Entered(at) => serde_json::json!({
                "for": place, "place": entries.get(*at).map_or("", |entry| &entry.place), "title": title,
                "similarityPercent": percent,
            }),
        }
    }

    fn english(&self, entries: &[Entry]) -> String {
        match &self.other {
            Other::Task { name, .. } => format!("{name} ({}%)", self.percent()),
            Other::Entered(at) => {
                let place = entries.get(*at).map_or("another", |entry| &entry.place);
                format!("{place} of this request ({}%)", self.percent())
            }
        }
    }

    fn chinese(&self, entries: &[Entry]) -> String {
        match &self.other {
            Other::Task { ledger_number, .. } => {
                format!("台账第{ledger_number}号《{}》（相似度{}%）", self.title, self.percent())
            }
            Other::Entered(at) => {
                let place = entries.get(*at).map_or("", |entry| &entry.place);
                format!("本次提交的{place}《{}》（相似度{}%）", self.title, self.percent())
            }
        }
    }
}

//! The ledger as a whole: summed up.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;
use domain_roster::Book;
use domain_supervision::Light;
use xietong_mesh::{Call, Error, RosterView};

use super::authority::portfolio;
use super::{ListQuery, Supervision};
use crate::record::Record;
use crate::store::{self, Count, Grouping};

/// Rows of a summary, at most.
const MOST_ROWS: usize = 1_000;

/// What a row of a summary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupBy {
    /// A light.
    Light,
    /// A unit, with its own assignments.
    Unit,
    /// A document.
    Document,
    /// A tag.
    Tag,
    /// A leader, with what his units settle.
    Leader,
    /// A working group, with what it escalated.
    Group,
}

/// How many show each light.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts([i64; Light::ALL.len()]);

impl Counts {
    /// How many show a light.
    pub(crate) fn of(&self, light: Light) -> i64 {
        Light::ALL.iter().zip(self.0).filter(|(one, _)| **one == light).map(|(_, number)| number).sum()
    }

    /// All of them.
    pub(crate) fn total(&self) -> i64 {
        self.0.iter().sum()
    }

    fn add(&mut self, light: Light, number: i64) {
        for (_, count) in Light::ALL.iter().zip(&mut self.0).filter(|(one, _)| **one == light) {
            *count += number;
        }
    }
}

/// A row of a summary.
#[derive(Debug)]
pub(crate) struct SummaryRow {
    /// What it counts.
    pub(crate) key: String,
    /// What people call it.
    pub(crate) display_name: String,
    /// How many.
    pub(crate) counts: Counts,
    /// What has been red for longest, and since when.
    pub(crate) oldest_red: Option<(Timestamp, Record)>,
}

/// A summary.
#[derive(Debug)]
pub(crate) struct Summary {
    /// All, each task once.
    pub(crate) total: Counts,
    /// The worst first, leaders by key; at most [`MOST_ROWS`].
    pub(crate) rows: Vec<SummaryRow>,
    /// How many rows there are in all.
    pub(crate) row_count: usize,
    /// When it was so.
    pub(crate) as_of: Timestamp,
    /// When the roster was last known to be current, if the answer depends on it.
    pub(crate) roster_as_of: Option<Timestamp>,
    /// Until when everything that happened was searched, if something was looked for.
    pub(crate) search_as_of: Option<Timestamp>,
}

impl Supervision {
    /// The tasks the caller may see of those asked for, counted by light.
    pub(crate) async fn summary(
        &self,
        call: &Call,
        query: ListQuery,
        group_by: GroupBy,
    ) -> Result<Summary, Error> {
        // Taken before anything is resolved with it: what is said of the answer then holds.
        let roster_as_of = self.roster.view().as_of();
        let listing = self.listing(call, query).await?;
        let search_as_of = self.search_as_of(&listing).await?;
        let now = listing.now;
        let (grouping, by_roster) = match group_by {
            GroupBy::Light => (Grouping::Light, false),
            GroupBy::Unit => (Grouping::Unit, false),
            GroupBy::Document => (Grouping::Document, false),
            GroupBy::Tag => (Grouping::Tag, false),
            GroupBy::Leader => (Grouping::Leader(self.charges_shown(call, now)?), true),
            GroupBy::Group => (Grouping::Group(self.db.backend()), false),
        };
        let reader = self.db.reader();
        let all = store::total(reader, &listing.scope, &listing.filter, now).await?;
        let counts = store::summarise(reader, &listing.scope, &listing.filter, &grouping, now).await?;
        let mut total = Counts::default();
        all.iter().for_each(|count| total.add(count.light, count.number));

        let mut rows = rows(counts);
        if group_by == GroupBy::Leader {
            // Leaders are never ranked.
            rows.sort_by(|one, other| one.key.cmp(&other.key));
        }
        let row_count = rows.len();
        rows.truncate(MOST_ROWS);
        let oldest: BTreeSet<i64> =
            rows.iter().filter_map(|row| row.oldest_red).map(|(_, task)| task).collect();
        let oldest = store::find_numbered(reader, &oldest).await?;
        let book = self.roster.view().book;
        let rows = rows.into_iter().map(|row| SummaryRow {
            display_name: display_name(group_by, &row.key, &book),
            oldest_red: row.oldest_red.and_then(|(since, task)| Some((since, oldest.get(&task)?.clone()))),
            key: row.key,
            counts: row.counts,
        });
        Ok(Summary {
            total,
            rows: rows.collect(),
            row_count,
            as_of: now,
            roster_as_of: if by_roster { roster_as_of } else { listing.roster_as_of },
            search_as_of,
        })
    }
}

impl Supervision {
    /// Which of the leaders that the caller may see answers for which unit now.
    fn charges_shown(&self, call: &Call, now: Timestamp) -> Result<Vec<(String, String)>, Error> {
        let leaders = self.leaders_seen(call, None, now)?;
        let pairs = leaders
            .into_iter()
            .flat_map(|(leader, units)| units.into_iter().map(move |unit| (unit, leader.clone())));
        Ok(pairs.collect())
    }
}

struct Row {
    key: String,
    counts: Counts,
    oldest_red: Option<(Timestamp, i64)>,
}

/// The counts of each key together, the worst first.
fn rows(counts: Vec<Count>) -> Vec<Row> {
    let mut by_key: BTreeMap<String, (Counts, Option<(Timestamp, i64)>)> = BTreeMap::new();
    for Count { key, light, number, oldest_red } in counts {
        let (counts, oldest) = by_key.entry(key).or_default();
        counts.add(light, number);
        if light == Light::Red {
            *oldest = oldest_red;
        }
    }
    let mut rows: Vec<Row> =
        by_key.into_iter().map(|(key, (counts, oldest_red))| Row { key, counts, oldest_red }).collect();
    // The sort is stable: equals stay in the order of their keys.
    rows.sort_by_key(|Row { counts, .. }| {
        std::cmp::Reverse((counts.of(Light::Red), counts.of(Light::Yellow), counts.total()))
    });
    rows
}

/// Which leader answers for which unit at an instant, for the units a leader answers for.
pub(super) fn charges(view: &RosterView, at: Timestamp) -> Vec<(String, String)> {
    let leaders: BTreeSet<&str> = view
        .book
        .divisions()
        .flat_map(|division| division.portfolios.iter().map(|portfolio| portfolio.official.as_str()))
        .collect();
    leaders
        .into_iter()
        .flat_map(|leader| portfolio(view, leader, at).into_iter().map(|unit| (unit, leader.to_owned())))
        .collect()
}

fn display_name(group_by: GroupBy, key: &str, book: &Book) -> String {
    match group_by {
        GroupBy::Light => {
            let light = Light::ALL.into_iter().find(|light| light.as_str() == key);
            light.map_or(key.to_owned(), |light| light.chinese().to_owned())
        }
        GroupBy::Unit => unit_name(book, key).to_owned(),
        GroupBy::Document if key.is_empty() => "无文号".to_owned(),
        // What a group is called, the service of working groups says.
        GroupBy::Document | GroupBy::Tag | GroupBy::Group => key.to_owned(),
        GroupBy::Leader => book.official(key).map_or(key, |official| &official.display_name).to_owned(),
    }
}

/// What people call a unit.
pub(crate) fn unit_name<'a>(book: &'a Book, name: &'a str) -> &'a str {
    book.unit(name).map_or(name, |unit| &unit.display_name)
}

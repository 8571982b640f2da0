//! [`Gather`]: gaps on their way to being merged and grouped.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;

use super::{CoverageGap, GapCause};
use crate::interval::Interval;

/// What is unanswered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject<'a> {
    /// `units/{slug}`.
    Unit(&'a str),
    /// A field of work.
    Field(&'a str),
    /// The post that the cause names.
    Post,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Gather<'a> {
    found: BTreeMap<(GapCause, Subject<'a>), Vec<Interval>>,
    passed_over: BTreeMap<GapCause, Vec<(Interval, Vec<&'a str>)>>,
}

impl<'a> Gather<'a> {
    /// Notes that a subject is unanswered for.
    pub(super) fn add(&mut self, cause: GapCause, subject: Subject<'a>, interval: Interval) {
        self.found.entry((cause, subject)).or_default().push(interval);
    }

    /// Notes who was asked to act in a time and cannot.
    pub(super) fn pass_over(&mut self, cause: GapCause, interval: Interval, officials: Vec<&'a str>) {
        self.passed_over.entry(cause).or_default().push((interval, officials));
    }

    /// The gaps: of each subject as long as they last, those of one time and cause as one.
    pub(super) fn gaps(self) -> Vec<CoverageGap> {
        let mut grouped: BTreeMap<(Timestamp, GapCause, Timestamp), BTreeSet<Subject<'a>>> = BTreeMap::new();
        for ((cause, subject), intervals) in self.found {
            for interval in merged(intervals) {
                let key = (interval.start, cause.clone(), interval.end);
                grouped.entry(key).or_default().insert(subject);
            }
        }
        let passed_over = self.passed_over;
        let gap = |((start_time, cause, end_time), subjects): (_, BTreeSet<Subject<'a>>)| {
            let interval = Interval { start: start_time, end: end_time };
            let asked = passed_over.get(&cause).into_iter().flatten();
            let asked = asked.filter(|(when, _)| when.overlap(interval).is_some());
            let mut gap = CoverageGap {
                cause: cause.clone(),
                start_time,
                end_time,
                units: Vec::new(),
                fields: Vec::new(),
                passed_over: each_once(asked.flat_map(|(_, officials)| officials.iter().copied())),
            };
            for subject in subjects {
                match subject {
                    Subject::Unit(unit) => gap.units.push(unit.to_owned()),
                    Subject::Field(field) => gap.fields.push(field.to_owned()),
                    Subject::Post => {}
                }
            }
            gap
        };
        grouped.into_iter().map(gap).collect()
    }
}

/// The same times, those that overlap or touch as one, in order.
pub(crate) fn merged(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable_by_key(|interval| (interval.start, interval.end));
    let mut merged: Vec<Interval> = Vec::new();
    for interval in intervals {
        match merged.last_mut().filter(|last| interval.start <= last.end) {
            Some(last) => last.end = last.end.max(interval.end),
            None => merged.push(interval),
        }
    }
    merged
}

fn each_once<'a>(officials: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    officials.filter(|official| seen.insert(*official)).map(str::to_owned).collect()
}

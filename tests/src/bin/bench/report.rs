//! What a benchmark found, as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What one benchmark found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    benchmark: &'static str,
    /// Processors of this machine: figures of different machines do not compare.
    processors: usize,
    /// How it was run.
    settings: BTreeMap<&'static str, String>,
    figures: Vec<Figure>,
}

/// One figure over several runs.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    name: String,
    unit: &'static str,
    runs: Vec<f64>,
    min: f64,
    median: f64,
    max: f64,
    /// Processor time of all runs together, by who used it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    cpu_seconds: BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<Judged>,
}

/// What the median should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

#[derive(Debug, Serialize)]
struct Judged {
    median: String,
    met: bool,
}

impl Report {
    pub(crate) fn new(benchmark: &'static str) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Report { benchmark, processors, settings: BTreeMap::new(), figures: Vec::new() }
    }

    pub(crate) fn setting(&mut self, name: &'static str, value: impl ToString) {
        self.settings.insert(name, value.to_string());
    }

    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Whether every figure that has an aim meets it.
    pub(crate) fn meets_its_aims(&self) -> bool {
        self.figures.iter().filter_map(|figure| figure.aim.as_ref()).all(|aim| aim.met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

impl Figure {
    /// The figure of these runs; all zero when there was none.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, runs: Vec<f64>) -> Self {
        let mut sorted = runs.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let last = sorted.len().saturating_sub(1);
        Figure {
            name: name.into(),
            unit,
            min: at(0),
            median: (at(last / 2) + at(last.div_ceil(2))) / 2.0,
            max: at(last),
            runs,
            cpu_seconds: BTreeMap::new(),
            aim: None,
        }
    }

    /// Says what processor time the runs took.
    pub(crate) fn with_cpu(mut self, cpu: &BTreeMap<&'static str, Duration>) -> Self {
        self.cpu_seconds = cpu.iter().map(|(who, time)| (*who, time.as_secs_f64())).collect();
        self
    }

    /// Judges the median.
    pub(crate) fn with_aim(mut self, aim: Aim) -> Self {
        let (median, met) = match aim {
            Aim::AtMost(bound) => (format!("at most {bound}"), self.median <= bound),
            Aim::AtLeast(bound) => (format!("at least {bound}"), self.median >= bound),
        };
        self.aim = Some(Judged { median, met });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Aim, Figure, Report};

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        let median = |runs: &[f64]| Figure::new("", "", runs.to_vec()).median;
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[7.0]), 7.0);
    }

    #[test]
    fn a_missed_aim_is_said() {
        let mut report = Report::new("test");
        report.add(Figure::new("ready", "s", vec![0.4]).with_aim(Aim::AtMost(0.5)));
        assert!(report.meets_its_aims());
        report.add(Figure::new("ratio", "1", vec![0.4]).with_aim(Aim::AtLeast(0.5)));
        assert!(!report.meets_its_aims());
    }
}

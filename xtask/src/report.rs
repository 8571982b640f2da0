//! What was done, how it went and how long it took.

use std::process::ExitCode;
use std::time::{Duration, Instant};

enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

struct Step {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// The steps of one command, in order.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

impl Report {
    /// Does one step. `None` when it failed: the reason has been printed and the
    /// command will fail; a caller goes on with what does not need the result.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
        eprintln!("\n── {name}");
        let begun = Instant::now();
        let (outcome, result) = match work() {
            Ok(value) => (Outcome::Passed, Some(value)),
            Err(error) => {
                eprintln!("{name} failed: {error:#}");
                (Outcome::Failed, None)
            }
        };
        self.steps.push(Step { name, took: begun.elapsed(), outcome });
        result
    }

    /// Notes that a step was not done, and why that is no failure.
    pub(crate) fn skip(&mut self, name: &'static str, why: impl Into<String>) {
        self.steps.push(Step { name, took: Duration::ZERO, outcome: Outcome::Skipped(why.into()) });
    }

    /// Prints the table of steps; the exit code is a failure if one of them failed.
    pub(crate) fn finish(self) -> ExitCode {
        eprintln!();
        let mut failed = false;
        for Step { name, took, outcome } in &self.steps {
            let seconds = took.as_secs_f64();
            match outcome {
                Outcome::Passed => eprintln!("{name:<24}{seconds:>8.1} s  passed"),
                Outcome::Failed => {
                    failed = true;
                    eprintln!("{name:<24}{seconds:>8.1} s  FAILED");
                }
                Outcome::Skipped(why) => eprintln!("{name:<24}{:>8}    skipped: {why}", "-"),
            }
        }
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        let verdict = if failed { "FAILED" } else { "passed" };
        eprintln!("{:<24}{:>8.1} s  {verdict}", "all", total.as_secs_f64());
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

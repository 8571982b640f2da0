//! Running in turn: A B A B …, with what each cost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use xietong_tests::process::Process;

use crate::report::Figure;

/// Whose processor time is watched.
pub(crate) struct Watched(Vec<(&'static str, Vec<Process>, WithChildren)>);

#[derive(Clone, Copy)]
enum WithChildren {
    Yes,
    No,
}

impl Watched {
    /// This process, which sends the load.
    pub(crate) fn this_process() -> Self {
        Watched(vec![("this_process", vec![Process::this()], WithChildren::No)])
    }

    pub(crate) fn and(mut self, who: &'static str, processes: Vec<Process>) -> Self {
        self.0.push((who, processes, WithChildren::No));
        self
    }

    /// A server that has a process for each session, by the first of them.
    pub(crate) fn and_with_children(mut self, who: &'static str, first: Process) -> Self {
        self.0.push((who, vec![first], WithChildren::Yes));
        self
    }

    fn read(&self) -> anyhow::Result<BTreeMap<&'static str, Duration>> {
        let mut read = BTreeMap::new();
        for (who, processes, children) in &self.0 {
            let mut sum = Duration::ZERO;
            for process in processes {
                sum += match children {
                    WithChildren::Yes => process.cpu_with_children()?,
                    WithChildren::No => process.cpu()?,
                };
            }
            read.insert(*who, sum);
        }
        Ok(read)
    }
}

/// The runs of one of those that are compared.
pub(crate) struct Runs {
    name: String,
    rates: Vec<f64>,
    cpu: BTreeMap<&'static str, Duration>,
    done: u64,
}

impl Runs {
    pub(crate) fn of(name: impl Into<String>) -> Self {
        Runs { name: name.into(), rates: Vec::new(), cpu: BTreeMap::new(), done: 0 }
    }

    /// One run: `workers` repeat, each by itself, until the time is over; what has begun by
    /// then is finished and counted.
    pub(crate) async fn run<W: Worker>(
        &mut self,
        workers: Vec<W>,
        duration: Duration,
        watched: &Watched,
    ) -> anyhow::Result<()> {
        let before = watched.read()?;
        let run = timed(workers, duration).await.with_context(|| self.name.clone())?;
        for (who, after) in watched.read()? {
            let used = after.saturating_sub(before.get(who).copied().unwrap_or_default());
            *self.cpu.entry(who).or_default() += used;
        }
        eprintln!("bench: {}: {:.0}/s", self.name, run.rate());
        self.rates.push(run.rate());
        self.done += run.done;
        Ok(())
    }

    /// How often it was done in all runs together.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    pub(crate) fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// Its rates as a figure.
    pub(crate) fn figure(&self, unit: &'static str) -> Figure {
        Figure::new(self.name.clone(), unit, self.rates.clone()).with_cpu(&self.cpu)
    }
}

/// The ratio of two that were run in turn, run by run: what disturbs one of them for a while
/// disturbs its neighbour too.
pub(crate) fn ratio(name: &str, one: &Runs, other: &Runs) -> Figure {
    let ratios = one.rates().iter().zip(other.rates()).map(|(one, other)| one / other).collect();
    Figure::new(name, "1", ratios)
}

/// What is measured: one thing done again and again.
pub(crate) trait Worker: Send + 'static {
    /// Does it once.
    fn once(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

struct Run {
    done: u64,
    elapsed: Duration,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "no run does anything near 2^52 times")]
    fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }
}

/// Lets the workers work side by side, without counting.
pub(crate) async fn warm_up<W: Worker>(workers: Vec<W>, duration: Duration) -> anyhow::Result<()> {
    timed(workers, duration).await.context("warming up").map(drop)
}

async fn timed<W: Worker>(workers: Vec<W>, duration: Duration) -> anyhow::Result<Run> {
    ensure!(!workers.is_empty(), "nobody does anything");
    let mut side_by_side = JoinSet::new();
    let started = Instant::now();
    for mut worker in workers {
        side_by_side.spawn(async move {
            let mut done = 0_u64;
            while started.elapsed() < duration {
                worker.once().await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(finished) = side_by_side.join_next().await {
        done += finished??;
    }
    Ok(Run { done, elapsed: started.elapsed() })
}

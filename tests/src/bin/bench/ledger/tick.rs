//! What a look for due timers costs when none is due, on the tables as they are.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use async_trait::async_trait;
use domain_calendar::Timestamp;
use sea_orm::DatabaseTransaction;
use xietong_timers::{Clock, FireError, Poke, Progress, Timer, TimerHandler, Timers, Worker};

use super::mesh::LedgerMesh;
use crate::report::Figure;

const LOOKS: usize = 2_000;

/// How long each of a series of looks took, in microseconds, sorted.
pub(super) struct Looks(Vec<f64>);

impl Looks {
    pub(super) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    pub(super) fn figure(&self, name: &str) -> Figure {
        let at = |share: usize| self.0.get(self.0.len() * share / 100).copied().unwrap_or_default();
        Figure::new(name, "µs", vec![at(1), at(50), at(99)])
    }
}

/// Looks again and again, as a replica does, for timers of the real table.
pub(super) async fn measure(mesh: &LedgerMesh) -> anyhow::Result<Looks> {
    let timers = Timers::new(
        "bench",
        mesh.db.clone(),
        Clock::real(),
        Arc::new(NothingIsDue),
        Poke::new(),
        Poke::new(),
    );
    let mut looks = Vec::with_capacity(LOOKS);
    for _ in 0..LOOKS {
        let started = Instant::now();
        let progress = timers.turn().await?;
        looks.push(started.elapsed().as_secs_f64() * 1e6);
        ensure!(matches!(progress, Progress::Idle), "a timer was due while none should be");
    }
    looks.sort_by(f64::total_cmp);
    Ok(Looks(looks))
}

/// Never called: no timer of the ledger is due while it is measured.
struct NothingIsDue;

#[async_trait]
impl TimerHandler for NothingIsDue {
    async fn fire(&self, _: &DatabaseTransaction, _: &[Timer], _: Timestamp) -> Result<(), FireError> {
        Err(FireError::new("a timer was due while none should be"))
    }
}

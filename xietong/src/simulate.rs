//! `xietong simulate`: a year of the sample city, lived through on its simulated clock.
//!
//! The city is founded in a temporary folder and lived in day by day. On working days its people
//! do what a seed draws for them, through the API and each by the account of their own; on rest
//! days nothing happens but what happens by itself. While they act the clock stands still, so
//! that the same seed gives the same city on every machine. What is printed is computed by the
//! services, from the ledger as the supervisor sees it.

mod agenda;
mod behaviour;
mod life;
mod notices;
mod people;
mod random;
mod report;
mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::Args;
use domain_calendar::{Calendar, Timestamp};
use time::macros::time;
use time::{Date, Time};
use xietong_mesh::serve::shutdown_signal;
use xietong_mesh::telemetry::{Telemetry, TelemetryConfig};

use crate::cli::{Sample, UpArgs};
use crate::up::City;

use agenda::{a_year_after, ends_month};
use behaviour::{Behaviour, later};
use life::Life;
pub use notices::Notices;
use people::People;
pub use report::{Acts, Lights, Report, Score};

/// When absences are registered, when people work, when groups meet, and when the lights of a
/// month are read: none of them is near a moment at which a clock of 13710 can run out.
const MORNING: Time = time!(8:30);
const WORK: Time = time!(9:30);
const MEETING: Time = time!(15:00);
const EVENING: Time = time!(18:00);

/// Arguments of `xietong simulate`.
#[derive(Debug, Clone, Args)]
pub struct SimulateArgs {
    /// From when on people act (RFC 3339), on working days alone. The sample's history comes before it.
    #[arg(long, value_name = "RFC3339", value_parser = Timestamp::parse,
          default_value = "2023-06-01T09:00+08:00")]
    pub from: Timestamp,
    /// Until when (RFC 3339); a year later by default.
    #[arg(long, value_name = "RFC3339", value_parser = Timestamp::parse)]
    pub to: Option<Timestamp>,
    /// What chance is drawn from: the same seed gives the same year.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Prints the whole as one JSON object in the end.
    #[arg(long)]
    pub json: bool,
}

/// Lives through the time asked for and prints it, month by month.
pub fn run(arguments: &SimulateArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = TelemetryConfig { log: "warn".to_owned(), ..TelemetryConfig::default() };
        let telemetry = Telemetry::init("xietong", &config)?;
        let shutdown = shutdown_signal()?;
        let mut out = io::stdout();
        let ended = tokio::select! {
            ended = print(arguments, &mut out) => ended,
            // The folder is temporary: there is nothing to end in order.
            () = shutdown => Ok(()),
        };
        telemetry.shutdown().await;
        ended
    })
}

/// The same, printed to `out`.
pub async fn print(arguments: &SimulateArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    if arguments.json {
        let report = simulate(arguments, |_, _| Ok(())).await?;
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        return in_order(&report);
    }
    let report = simulate(arguments, |so_far, lights| {
        if so_far.lights.is_empty() {
            writeln!(out, "{}", table::heading(so_far))?;
        }
        writeln!(out, "{}", table::lights(lights))?;
        out.flush()
    })
    .await?;
    writeln!(out, "{}", table::rest(&report))?;
    in_order(&report)
}

/// Fails when somebody was told at the wrong time, or asked twice: the report names it.
fn in_order(report: &Report) -> anyhow::Result<()> {
    let Notices { untimely, asked_twice, figures_asked_twice, .. } = report.notices;
    if !report.notices.are_in_order() {
        bail!(
            "{untimely} notices came at night or on a rest day, {asked_twice} asked twice for one report, \
             {figures_asked_twice} for one figure by two tasks"
        );
    }
    Ok(())
}

/// Lives through the time asked for. `read` hears of the lights whenever they are read, with the
/// report as it was before.
async fn simulate(
    arguments: &SimulateArgs,
    mut read: impl FnMut(&Report, &Lights) -> io::Result<()>,
) -> anyhow::Result<Report> {
    // Nobody is at his desk at night or on a rest day to enter and issue what the city begins with.
    let from = Calendar::built_in().next_working_moment(arguments.from);
    let to = arguments.to.unwrap_or_else(|| a_year_after(arguments.from));
    if to <= from {
        bail!("--to must be later than --from and the first working day");
    }
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let founding = UpArgs {
        data: folder.path().to_owned(),
        http: ([127, 0, 0, 1], 0).into(),
        sample: Sample::Full,
        sim_clock: Some(from),
        real_clock: false,
    };
    let city = City::start(&founding).await?;
    let people = People::meet(city.callers()).await?;
    let (memories, acts) = (BTreeMap::new(), Acts::default());
    let mut life = Life { people, behaviour: Behaviour { seed: arguments.seed }, memories, acts };
    let mut report = Report {
        from: from.to_string(),
        to: to.to_string(),
        seed: arguments.seed,
        lights: vec![],
        scoreboard: vec![],
        acts: Acts::default(),
        notices: Notices::default(),
    };
    let calendar = Calendar::built_in();
    let (mut today, mut month) = (from.day(), None);
    while Timestamp::start_of_day(today) < to {
        if calendar.is_working_day(today) {
            if month != Some(today.month()) {
                month = Some(today.month());
                if live_until(&city, today, MORNING, to).await? {
                    life.month(today, Timestamp::at(today, MORNING).max(from)).await?;
                }
            }
            if live_until(&city, today, WORK, to).await? {
                life.day(today).await?;
            }
            if life.escalates_on(today) && live_until(&city, today, MEETING, to).await? {
                life.escalate(today).await?;
            }
        }
        if ends_month(today) && live_until(&city, today, EVENING, to).await? {
            let lights = Lights::of(today.to_string(), &life.people.ledger().await?);
            read(&report, &lights)?;
            report.lights.push(lights);
        }
        today = later(today, 1);
    }
    city.stand_at(to).await?;
    let ledger = life.people.ledger().await?;
    let last_read = report.lights.last().map(|lights| lights.day.clone());
    let just_read = [to.day(), later(to.day(), -1)].map(|day| Some(day.to_string()));
    if !just_read.contains(&last_read) {
        let lights = Lights::of(to.day().to_string(), &ledger);
        read(&report, &lights)?;
        report.lights.push(lights);
    }
    report.scoreboard = report::scoreboard(&ledger, &life.memories, &life.people, to)?;
    report.acts = life.acts;
    report.notices = Notices::read(city.callers(), from).await?;
    city.stop().await?;
    Ok(report)
}

/// Lets the city live until a time of a day; false when that is past the end.
async fn live_until(city: &City, day: Date, time: Time, to: Timestamp) -> anyhow::Result<bool> {
    let at = Timestamp::at(day, time);
    if at > to {
        return Ok(false);
    }
    city.stand_at(at).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;

    use super::{Report, SimulateArgs, print, simulate, table};

    /// Ten days, as the command is asked for them.
    fn ten_days(seed: u64) -> SimulateArgs {
        let at = |text| Timestamp::parse(text).unwrap();
        let (from, to) = (at("2023-06-01T09:00+08:00"), Some(at("2023-06-11T09:00+08:00")));
        SimulateArgs { from, to, seed, json: false }
    }

    async fn lived(seed: u64) -> Report {
        simulate(&ten_days(seed), |_, _| Ok(())).await.unwrap()
    }

    #[tokio::test]
    async fn a_seed_gives_the_same_city_again_and_another_seed_another_one() {
        let again = async {
            let mut out = Vec::new();
            print(&ten_days(7), &mut out).await.unwrap();
            String::from_utf8(out).unwrap()
        };
        let (first, printed, other) = tokio::join!(lived(7), again, lived(8));
        let [lights] = first.lights.as_slice() else { panic!("no month ended: {first:?}") };
        let parts = [table::heading(&first), table::lights(lights), table::rest(&first)];
        assert_eq!(printed, parts.join("\n") + "\n");
        assert_ne!((first.scoreboard, &first.acts), (other.scoreboard, &other.acts));
        let acts = first.acts;
        assert!(acts.signed > 0 && acts.reported > 0 && acts.verified > 0, "{acts:?}");
        assert!(acts.instructed > 0, "{acts:?}");
        assert!(first.notices.are_in_order(), "{:?}", first.notices);
        assert!(first.notices.kinds.values().sum::<u32>() > 0, "{:?}", first.notices);
    }

    #[tokio::test]
    async fn an_end_before_the_beginning_is_refused() {
        let arguments = ten_days(1);
        let arguments = SimulateArgs { to: Some(arguments.from), ..arguments };
        assert!(print(&arguments, &mut Vec::new()).await.is_err());
    }
}

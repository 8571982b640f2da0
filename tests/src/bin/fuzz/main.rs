//! Feeds readers what nobody would write: `fuzz notice --count 1000000`.
//!
//! Inputs are made from the sample notices by cutting, doubling, moving and breaking them,
//! from a seed that is printed. A panic names the input that made it. How long the slowest
//! took, and how reading grows with the length of a text, are in the result.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use domain_notice::Reader;
use serde_json::json;
use xietong_tests::random::Random;

/// Fuzzes a reader.
#[derive(Debug, Parser)]
#[command(name = "fuzz")]
struct Arguments {
    #[command(subcommand)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Target {
    /// The reader of government notices.
    Notice {
        /// Inputs in all.
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
        /// Brings the same inputs back.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// What notices are made of, to be put where it does not belong.
const TOKENS: [&str; 40] = [
    "\n",
    " ",
    "\u{3000}",
    "(",
    ")",
    "（",
    "《",
    "》",
    "“",
    "〔2024〕3号\n",
    "2024 年 5 月 1 日\n",
    "一、",
    "(一)",
    "9. ",
    "(12)",
    "①",
    "2. 1. 1 ",
    "牵头",
    "负责",
    "牵头单位:",
    "责任单位:",
    "责任人:",
    "落实,不再列出",
    "以下均需",
    "与",
    "由",
    "组 长:",
    "成员单位:",
    "主任由",
    "办公室设在",
    "分管",
    "协助",
    "互为AB角",
    "等",
    "和",
    "、",
    "6月底前,",
    "年底",
    "序号 任务 牵头单位\n",
    "之一)",
];

/// A reader that needs more than so many times as long for a text ten times as long grows
/// faster than the text.
const LINEAR: f64 = 30.0;

fn main() -> ExitCode {
    let Arguments { target: Target::Notice { count, seed } } = Arguments::parse();
    match notice(count, seed) {
        Ok(result) => {
            println!("{result:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn notice(count: u64, seed: u64) -> anyhow::Result<serde_json::Value> {
    let samples = samples()?;
    let begun = Instant::now();
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let slowest = thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                let samples = &samples;
                let inputs = (worker..count).step_by(usize::try_from(workers).unwrap_or(1));
                scope.spawn(move || read_all(samples, seed, inputs))
            })
            .collect();
        let ended =
            running.into_iter().map(|one| one.join().map_err(|_| anyhow::anyhow!("a worker died"))?);
        ended.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let growth = growth(&samples)?;
    ensure!(growth < LINEAR, "a text ten times as long took {growth:.1} times as long");
    let slowest = slowest.into_iter().max().unwrap_or_default();
    Ok(json!({
        "target": "notice",
        "seed": seed,
        "inputs": count,
        "panics": 0,
        "seconds": begun.elapsed().as_secs_f64(),
        "slowest_milliseconds": slowest.as_secs_f64() * 1e3,
        "times_as_long_for_ten_times_the_text": growth,
    }))
}

/// Reads each input; how long the slowest took.
fn read_all(samples: &[String], seed: u64, inputs: impl Iterator<Item = u64>) -> anyhow::Result<Duration> {
    let reader = Reader::new()?;
    let mut slowest = Duration::ZERO;
    for input in inputs {
        let text = broken(samples, &mut Random::seeded(seed ^ input.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let begun = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(|| reader.read(&text).map(|notices| notices.len())));
        slowest = slowest.max(begun.elapsed());
        ensure!(read.is_ok(), "input {input} of seed {seed} made it panic:\n{text}");
    }
    Ok(slowest)
}

fn samples() -> anyhow::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/notices");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.sort();
    files
        .iter()
        .map(|file| fs::read_to_string(file).with_context(|| format!("reading {}", file.display())))
        .collect()
}

/// A sample after one to eight accidents.
fn broken(samples: &[String], random: &mut Random) -> String {
    let mut text: Vec<char> = random.choose(samples).map(|text| text.chars().collect()).unwrap_or_default();
    for _ in 0..=random.below(8) {
        let (from, to) = range(&text, random);
        match random.below(6) {
            0 => drop(text.drain(from..to)),
            1 => {
                let part: Vec<char> = text[from..to].to_vec();
                let at = place(&text, random);
                text.splice(at..at, part);
            }
            2 => {
                let token: Vec<char> =
                    random.choose(&TOKENS).map(|one| one.chars().collect()).unwrap_or_default();
                let at = place(&text, random);
                text.splice(at..at, token);
            }
            3 => {
                let other: Vec<char> =
                    random.choose(samples).map(|text| text.chars().collect()).unwrap_or_default();
                let (from, to) = range(&other, random);
                let at = place(&text, random);
                text.splice(at..at, other[from..to].iter().copied());
            }
            4 => text.truncate(from),
            _ => {
                if let Some(character) = text.get_mut(from) {
                    *character =
                        char::from_u32(u32::try_from(random.below(0x11_0000)).unwrap_or(0)).unwrap_or('\0');
                }
            }
        }
    }
    text.into_iter().collect()
}

fn place(text: &[char], random: &mut Random) -> usize {
    usize::try_from(random.below(text.len() as u64 + 1)).unwrap_or(0)
}

/// A part of a text, mostly a short one.
fn range(text: &[char], random: &mut Random) -> (usize, usize) {
    let from = place(text, random);
    let length =
        if random.one_in(4) { place(text, random) } else { place(&text[..text.len().min(20)], random) };
    (from, (from + length).min(text.len()))
}

/// How many times as long a text of ten times the items takes.
fn growth(samples: &[String]) -> anyhow::Result<f64> {
    let reader = Reader::new()?;
    let list = samples.first().context("no sample")?;
    let (head, body) = list.split_once("一、").context("a list without chapters")?;
    let time = |times: usize| {
        let text = format!("{head}{}", format!("一、{body}").repeat(times));
        let mut took: Vec<Duration> = (0..5)
            .map(|_| {
                let begun = Instant::now();
                let _read = reader.read(&text);
                begun.elapsed()
            })
            .collect();
        took.sort();
        took.get(2).copied().unwrap_or_default()
    };
    Ok(time(1_000).as_secs_f64() / time(100).as_secs_f64())
}

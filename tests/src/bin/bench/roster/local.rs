//! Who answers, resolved from a copy in memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain_calendar::Timestamp;
use domain_roster::{Book, Subject, resolve, who};
use xietong_tests::random::Random;
use xietong_tests::roster::{RENAMED, Size, display_name, field, history, leader_name, now, unit_name};

/// Questions of a kind that are asked in turn.
const SUBJECTS: usize = 512;
const DAY: Duration = Duration::from_secs(86_400);

/// What was measured: its name, and nanoseconds a call in each run.
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) with_steps: bool,
    pub(crate) nanoseconds: Vec<f64>,
}

/// Measures every kind of question at the present, in the past, and in the past as it was known
/// then.
pub(crate) fn measure(size: Size, runs: usize, run: Duration) -> anyhow::Result<Vec<Measured>> {
    let mut book = Book::new();
    for (event, recorded_at) in history(size) {
        book.apply(&event, recorded_at).context("a history that is not one")?;
    }
    // Some leaders are away on most days, and everything is in force.
    let present = now().saturating_sub(DAY * 40);
    let past = now().saturating_sub(DAY * (365 * size.years / 2 + 40));
    let times =
        [("now", present, Timestamp::MAX), ("then", past, Timestamp::MAX), ("as known then", past, past)];
    let mut measured = Vec::new();
    for (kind, subjects) in subjects(size) {
        for (when, at, known_at) in times {
            let years = size.years;
            let without =
                |subject: &Subject| who(&book, subject, at, known_at).map(|who| who.acting.is_some());
            let with =
                |subject: &Subject| resolve(&book, subject, at, known_at).map(|found| found.acting.is_some());
            for subject in &subjects {
                let found = who(&book, subject, at, known_at).with_context(|| format!("{subject:?}"))?;
                ensure!(found.accountable.is_some(), "nobody answers for {subject:?}");
            }
            measured.push(Measured {
                name: format!("who: {kind}, {when}, {years} years"),
                with_steps: false,
                nanoseconds: (0..runs).map(|_| time(&subjects, run, without)).collect(),
            });
            measured.push(Measured {
                name: format!("with steps: {kind}, {when}, {years} years"),
                with_steps: true,
                nanoseconds: (0..runs).map(|_| time(&subjects, run, with)).collect(),
            });
        }
    }
    Ok(measured)
}

/// Nanoseconds a call, over whole rounds of the subjects.
#[expect(clippy::cast_precision_loss, reason = "no run asks anything near 2^52 times")]
fn time<T>(subjects: &[Subject], run: Duration, ask: impl Fn(&Subject) -> T) -> f64 {
    let (started, mut asked) = (Instant::now(), 0_u64);
    while started.elapsed() < run {
        for subject in subjects {
            black_box(ask(black_box(subject)));
            asked += 1;
        }
    }
    started.elapsed().as_secs_f64() * 1e9 / asked as f64
}

/// Whose number a question is about.
struct Numbers(Random);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap_or(0)
    }
}

fn subjects(size: Size) -> Vec<(&'static str, Vec<Subject>)> {
    type Make<'a> = &'a dyn Fn(&mut Numbers) -> Subject;
    let a_field = |numbers: &mut Numbers| field(numbers.below(size.leaders), numbers.below(10));
    // A title is written with the name of the day: of units that were never renamed.
    let never_renamed = |numbers: &mut Numbers| numbers.below(size.units / RENAMED) * RENAMED + RENAMED - 1;
    let kinds: [(&'static str, Make<'_>); 10] = [
        ("unit by resource name", &|numbers| Subject::Unit(unit_name(numbers.below(size.units)))),
        ("unit by name", &|numbers| Subject::Unit(display_name(numbers.below(size.units)))),
        ("field", &|numbers| Subject::Field(a_field(numbers))),
        ("field within another", &|numbers| Subject::Field(format!("{}建设", a_field(numbers)))),
        ("post in charge", &|numbers| Subject::Post(format!("市政府分管{}工作的副市长", a_field(numbers)))),
        ("head of a unit", &|numbers| {
            Subject::Post(format!("{}主要负责人", display_name(numbers.below(size.units))))
        }),
        ("title in a unit", &|numbers| {
            Subject::Post(format!("{}局长", display_name(never_renamed(numbers))))
        }),
        ("mayor", &|_| Subject::Post("市长".to_owned())),
        ("official", &|numbers| Subject::Official(leader_name(numbers.below(size.leaders)))),
        ("official by name", &|numbers| Subject::Official(format!("领导{}", numbers.below(size.leaders)))),
    ];
    let mut numbers = Numbers(Random::seeded(2));
    kinds.map(|(kind, make)| (kind, (0..SUBJECTS).map(|_| make(&mut numbers)).collect())).into()
}

//! How units, leaders and the supervisor behave: what is drawn for whom. Pure: the same seed
//! gives the same city.

use time::{Date, Duration};

use super::random::Random;

/// How a unit goes about its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temperament {
    /// 抓得紧: ahead of its limits.
    Punctual,
    /// 一般: mostly in time.
    Ordinary,
    /// 拖拉: behind as often as not.
    Slow,
}

/// An assignment, by what is the same in every run: the number on the ledger, the place in the
/// task, and the unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) ledger_number: i64,
    pub(super) place: usize,
    pub(super) unit: &'a str,
}

/// When and for how long a unit asks for more time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asking {
    /// Days before its settle date.
    pub(super) days_before: i64,
    /// Days it asks for beyond those it believes it needs.
    pub(super) to_spare: i64,
}

/// What is drawn for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    pub(super) seed: u64,
}

impl Behaviour {
    /// A generator for a question about an assignment.
    fn about(self, what: &str, work: Work<'_>) -> Random {
        Random::asked(self.seed, &format!("{what}/{}/{}", work.ledger_number, work.place))
    }

    /// A generator for any other question.
    pub(super) fn chance(self, question: &str) -> Random {
        Random::asked(self.seed, question)
    }

    pub(super) fn temperament(self, unit: &str) -> Temperament {
        match self.chance(&format!("temperament/{unit}")).between(1, 100) {
            ..=35 => Temperament::Punctual,
            36..=80 => Temperament::Ordinary,
            _ => Temperament::Slow,
        }
    }

    /// Days from the issue to the sign-off.
    pub(super) fn signs_after(self, work: Work<'_>) -> i64 {
        let mut random = self.about("signs", work);
        match self.temperament(work.unit) {
            Temperament::Punctual => 0,
            Temperament::Ordinary => i64::from(random.percent(10)),
            Temperament::Slow => random.between(0, 3),
        }
    }

    /// Days from the issue to the deployment.
    pub(super) fn deploys_after(self, work: Work<'_>) -> i64 {
        let mut random = self.about("deploys", work);
        let further = match self.temperament(work.unit) {
            Temperament::Punctual => 0,
            Temperament::Ordinary => i64::from(random.percent(15)),
            Temperament::Slow => random.between(0, 4),
        };
        self.signs_after(work).saturating_add(further)
    }

    /// Days before a report is due on which it is given; after it when negative.
    pub(super) fn reports_before(self, work: Work<'_>, due: Date) -> i64 {
        let mut random = self.about(&format!("reports/{due}"), work);
        match self.temperament(work.unit) {
            Temperament::Punctual => random.between(2, 6),
            Temperament::Ordinary if random.percent(8) => -random.between(1, 3),
            Temperament::Ordinary => random.between(0, 4),
            Temperament::Slow if random.percent(40) => -random.between(1, 9),
            Temperament::Slow => random.between(0, 2),
        }
    }

    /// The day on which the work of an assignment is done, for one that runs from `start` to
    /// `due`.
    pub(super) fn completes_on(self, work: Work<'_>, start: Date, due: Date) -> Date {
        let mut random = self.about("completes", work);
        let share = match self.temperament(work.unit) {
            Temperament::Punctual => random.between(55, 100),
            Temperament::Ordinary => random.between(75, 106),
            Temperament::Slow => random.between(88, 130),
        };
        let days = (due - start).whole_days().max(1).saturating_mul(share).saturating_add(50) / 100;
        later(start, days)
    }

    /// Whether, for the n-th time, a unit that will not be done in time asks for more.
    pub(super) fn asks(self, work: Work<'_>, times: u32) -> Option<Asking> {
        let mut random = self.about(&format!("asks/{times}"), work);
        let (percent, to_spare) = match self.temperament(work.unit) {
            Temperament::Punctual => (90, random.between(3, 10)),
            Temperament::Ordinary => (65, random.between(0, 7)),
            // It also believes that it needs less than it does.
            Temperament::Slow => (45, random.between(-10, 3)),
        };
        random.percent(percent).then(|| Asking { days_before: random.between(2, 8), to_spare })
    }

    /// Days that a leader takes over a request, and whether it is granted.
    pub(super) fn decides(self, work: Work<'_>, times: u32) -> (i64, bool) {
        let mut random = self.about(&format!("decides/{times}"), work);
        (random.between(1, 4), random.percent(80))
    }

    /// Days that the supervisor takes over the n-th submission, and whether it is accepted.
    pub(super) fn verifies(self, work: Work<'_>, times: u32) -> (i64, bool) {
        let mut random = self.about(&format!("verifies/{times}"), work);
        (random.between(1, 4), random.percent(88))
    }

    /// Days that rework takes.
    pub(super) fn reworks(self, work: Work<'_>, times: u32) -> i64 {
        let mut random = self.about(&format!("reworks/{times}"), work);
        match self.temperament(work.unit) {
            Temperament::Punctual => random.between(2, 5),
            Temperament::Ordinary => random.between(3, 10),
            Temperament::Slow => random.between(6, 20),
        }
    }
}

/// A day so many days later, or earlier when negative.
pub(super) fn later(day: Date, days: i64) -> Date {
    day.checked_add(Duration::days(days)).unwrap_or(if days < 0 { Date::MIN } else { Date::MAX })
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::{Behaviour, Temperament, Work};

    #[test]
    fn every_temperament_occurs_and_each_keeps_its_character() {
        let behaviour = Behaviour { seed: 1 };
        let units: Vec<String> = (0..200).map(|number| format!("units/{number}")).collect();
        let (start, due) = (date!(2023 - 06 - 01), date!(2023 - 12 - 31));
        let mut met = [0; 3];
        for unit in &units {
            let work = Work { ledger_number: 147, place: 1, unit };
            let done = behaviour.completes_on(work, start, due);
            match behaviour.temperament(unit) {
                Temperament::Punctual => {
                    met[0] += 1;
                    assert!(done <= due && behaviour.signs_after(work) == 0);
                }
                Temperament::Ordinary => {
                    met[1] += 1;
                    assert!(behaviour.signs_after(work) <= 1);
                }
                Temperament::Slow => met[2] += 1,
            }
            assert!(done > start);
            assert!(behaviour.deploys_after(work) >= behaviour.signs_after(work));
        }
        assert!(met.iter().all(|count| *count > 20), "{met:?}");
    }
}

//! [`Trace`]: the steps of an answer, written only when somebody asks for them.

use crate::resolution::Step;

/// Collects steps, or does not.
#[derive(Debug)]
pub(crate) enum Trace {
    /// Only the answer is wanted.
    Off,
    /// Every step is.
    On(Vec<Step>),
}

impl Trace {
    /// Notes a step; it is not even made when nobody wants it.
    pub(crate) fn note(&mut self, step: impl FnOnce() -> Step) {
        match self {
            Trace::Off => {}
            Trace::On(steps) => steps.push(step()),
        }
    }

    /// The steps noted.
    pub(crate) fn into_steps(self) -> Vec<Step> {
        match self {
            Trace::Off => Vec::new(),
            Trace::On(steps) => steps,
        }
    }
}

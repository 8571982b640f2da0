//! Who answers.

use domain_calendar::Timestamp;
use domain_roster::{Resolution, Subject, resolve};
use xietong_mesh::Error;

use super::App;
use crate::error::refusal;

/// An answer, the instant it is for and what it was derived from.
pub(crate) struct Answer {
    pub(crate) resolution: Resolution,
    pub(crate) at: Timestamp,
    /// Position of the roster's log; the answer rests on everything up to it.
    pub(crate) position: i64,
}

impl App {
    /// Says who answers for a subject: now, and by all that is known, unless asked otherwise.
    pub(crate) async fn resolve(
        &self,
        subject: &Subject,
        at: Option<Timestamp>,
        known_at: Option<Timestamp>,
    ) -> Result<Answer, Error> {
        let at = at.unwrap_or_else(|| self.now());
        // Asked for first: the book read after it holds at least what the log held then.
        let position = self.log.last_position().await?;
        let register = self.current().await?;
        let resolution = resolve(&register.book, subject, at, known_at.unwrap_or(Timestamp::MAX));
        Ok(Answer { resolution: resolution.map_err(refusal)?, at, position })
    }
}

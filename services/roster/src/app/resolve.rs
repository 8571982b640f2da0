//! Who answers.

use domain_calendar::Timestamp;
use domain_roster::{Book, Resolution, Subject, resolve, who};
use xietong_mesh::Error;

use super::App;
use crate::error::refusal;

/// What is asked: about whom or what, when, and as far as it was known when.
pub(crate) struct Question {
    pub(crate) subject: Subject,
    /// Unset: now.
    pub(crate) at: Option<Timestamp>,
    /// Unset: by all that is known.
    pub(crate) known_at: Option<Timestamp>,
}

/// An answer, the instant it is for and what it was derived from.
pub(crate) struct Answer {
    pub(crate) resolution: Resolution,
    pub(crate) at: Timestamp,
    /// Position of the roster's log; the answer rests on everything up to it.
    pub(crate) position: i64,
}

impl App {
    /// Says who answers for a subject.
    pub(crate) async fn resolve(&self, question: &Question) -> Result<Answer, Error> {
        let now = self.now();
        // Asked for first: the book read after it holds at least what the log held then.
        let position = self.log.last_position().await?;
        let register = self.current().await?;
        answer(&register.book, question, true, now, position)
    }

    /// Answers many questions on one roster and at one now; those that could not be read keep
    /// their errors. Returns the position with them.
    pub(crate) async fn resolve_all(
        &self,
        questions: Vec<Result<Question, Error>>,
        with_steps: bool,
    ) -> Result<(Vec<Result<Answer, Error>>, i64), Error> {
        let now = self.now();
        let position = self.log.last_position().await?;
        let register = self.current().await?;
        let answers = questions
            .into_iter()
            .map(|question| answer(&register.book, &question?, with_steps, now, position))
            .collect();
        Ok((answers, position))
    }
}

fn answer(
    book: &Book,
    question: &Question,
    with_steps: bool,
    now: Timestamp,
    position: i64,
) -> Result<Answer, Error> {
    let at = question.at.unwrap_or(now);
    let known_at = question.known_at.unwrap_or(Timestamp::MAX);
    let resolution = if with_steps {
        resolve(book, &question.subject, at, known_at).map_err(refusal)?
    } else {
        let found = who(book, &question.subject, at, known_at).map_err(refusal)?;
        let view = book.view(at, known_at);
        let person = |official: Option<&str>| official.map(|official| view.person(official));
        Resolution {
            accountable: person(found.accountable),
            acting: person(found.acting),
            stand_in: found.acting.is_some() && found.acting != found.accountable,
            steps: Vec::new(),
        }
    };
    Ok(Answer { resolution, at, position })
}

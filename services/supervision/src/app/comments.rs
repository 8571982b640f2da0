//! Plain remarks on tasks.

use domain_supervision::{COMMENT_MADE, Comment, CommentMade};
use xietong_events::Draft;
use xietong_mesh::{Call, Error, Transaction};
use xietong_timers::MachineClock;

use super::Supervision;
use crate::error::{command_refused, unreadable};
use crate::store::{self, Portion};

impl Supervision {
    /// Makes a remark on a task, after [`Supervision::prepare_change`]. The task stays as it is.
    pub(crate) async fn comment(
        &self,
        transaction: &mut Transaction,
        call: &Call,
        (task, text, units): (&str, &str, &[String]),
    ) -> Result<Comment, Error> {
        let now = transaction.now();
        let Some(record) = store::find(transaction.tx(), task).await? else {
            return Err(call.scope()?.missing(task));
        };
        let authority = self.authorize(call, &record.resource(), now)?;
        let comment = Comment {
            name: format!("{task}/comments/{}", MachineClock::system().new_id()),
            text: text.to_owned(),
            units: units.to_vec(),
            author: call.principal.subject.clone(),
            made_at: now,
        };
        let made = CommentMade::on(&record.task, comment).map_err(command_refused)?;
        authority.stamp(transaction);
        store::keep_comment(transaction.tx(), task, &made.comment).await?;
        let payload = made.to_payload().map_err(unreadable)?.to_string();
        let draft = Draft { event_type: COMMENT_MADE.to_owned(), payload };
        transaction.append(&made.comment.name, 0, vec![draft]).await?;
        Ok(made.comment)
    }

    /// A portion of the remarks on a task that the caller may see.
    pub(crate) async fn comments(
        &self,
        call: &Call,
        task: &str,
        portion: Portion,
    ) -> Result<Vec<(i64, Comment)>, Error> {
        self.get(call, task).await?;
        Ok(store::comments_of(self.db.reader(), task, portion).await?)
    }
}

//! Remarks on tasks.

use domain_supervision::Comment;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use xietong_store::StoreError;

use super::Portion;
use super::word::Table;

const TABLE: Table = Table { table: "comments", columns: &["task"], what: "comment" };

/// Remarks on a task, the newest first.
pub(crate) async fn comments_of(
    reader: &DatabaseConnection,
    task: &str,
    portion: Portion,
) -> Result<Vec<(i64, Comment)>, StoreError> {
    TABLE.list(reader, &[("task", Some(task))], portion).await
}

/// Keeps a new remark on a task.
pub(crate) async fn keep_comment(
    tx: &DatabaseTransaction,
    task: &str,
    comment: &Comment,
) -> Result<(), StoreError> {
    TABLE.insert(tx, &comment.name, vec![task.into()], comment).await
}

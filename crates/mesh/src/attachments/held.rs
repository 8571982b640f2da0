//! Which files the records of a service refer to: told to the gateway, which removes what no
//! record of any service refers to.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain_attachment::{Attachment, Digest};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use tonic::{Request, Response, Status};
use xietong_proto::common as proto;
use xietong_proto::common::attachment_holding_service_server::AttachmentHoldingService;
use xietong_store::{Db, Parameters, ROWS, SqlMigration, StoreError, places, statement};

use crate::authorize::Resource;
use crate::call::Call;
use crate::error::Error;

/// Most digests of one question.
pub const MOST_ASKED: usize = 1_000;

/// The table of this module. A row is never taken out: events go on referring to the file.
pub const MIGRATIONS: &[SqlMigration] = &[SqlMigration {
    name: "mesh_0002_attachments",
    statements: &["CREATE TABLE attachments_held (
            digest TEXT NOT NULL,
            aggregate TEXT NOT NULL,
            PRIMARY KEY (digest, aggregate)
        )"],
}];

/// Records that an aggregate refers to files.
pub(crate) async fn hold<'a>(
    tx: &DatabaseTransaction,
    aggregate: &str,
    attachments: impl IntoIterator<Item = &'a Attachment>,
) -> Result<(), StoreError> {
    let digests: BTreeSet<String> = attachments.into_iter().map(|one| one.digest.to_string()).collect();
    for chunk in digests.iter().collect::<Vec<_>>().chunks(ROWS) {
        let sql = format!(
            "INSERT INTO attachments_held (digest, aggregate) VALUES {} ON CONFLICT (digest, aggregate) DO NOTHING",
            places(chunk.len(), 2)
        );
        let values = chunk.iter().flat_map(|digest| [Value::from(digest.as_str()), Value::from(aggregate)]);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Serves what this service's records refer to.
pub struct Holdings {
    db: Db,
}

impl Holdings {
    /// Of a service's database.
    pub fn new(db: Db) -> Self {
        Holdings { db }
    }

    async fn held(&self, digests: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let mut held = BTreeSet::new();
        for chunk in digests.chunks(ROWS) {
            let mut parameters = Parameters::default();
            let asked = parameters.bind_all(chunk.iter().map(String::as_str));
            let sql = format!("SELECT DISTINCT digest FROM attachments_held WHERE digest IN ({asked})");
            // Of the writer: what was committed a moment ago must be seen.
            let writer = self.db.writer();
            for row in writer.query_all_raw(statement(writer, &sql, parameters.into_values())).await? {
                held.insert(row.try_get_by("digest")?);
            }
        }
        Ok(held)
    }
}

#[async_trait]
impl AttachmentHoldingService for Holdings {
    async fn filter_held(
        &self,
        request: Request<proto::FilterHeldRequest>,
    ) -> Result<Response<proto::FilterHeldResponse>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let digests = request.into_inner().digests;
        if digests.len() > MOST_ASKED || digests.iter().any(|digest| digest.parse::<Digest>().is_err()) {
            let english = "must be at most 1000 SHA-256 digests";
            return Err(Error::invalid("digests", english, "最多1000个SHA-256摘要").into());
        }
        let held = self.held(&digests).await.map_err(Error::from)?;
        let held = digests.into_iter().filter(|digest| held.contains(digest)).collect();
        Ok(Response::new(proto::FilterHeldResponse { held }))
    }
}

#[cfg(test)]
mod tests {
    use xietong_store::{CrashPoints, migrate};

    use super::*;

    fn file(number: u8) -> Attachment {
        Attachment {
            digest: Digest::of_bytes([number; 32]),
            size: 1,
            media_type: "text/plain".to_owned(),
            display_name: "清单.txt".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_a_record_refers_to_is_held_once_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("held.db").display());
        let db = Db::connect(&url, 1, CrashPoints::default()).await.unwrap();
        migrate(&db, MIGRATIONS).await.unwrap();
        let holdings = Holdings::new(db.clone());
        let asked: Vec<String> = (0..4).map(|number| file(number).digest.to_string()).collect();

        let tx = db.begin().await.unwrap();
        hold(&tx, "tasks/1", &[file(1), file(2), file(1)]).await.unwrap();
        tx.commit().await.unwrap();
        let tx = db.begin().await.unwrap();
        hold(&tx, "tasks/2", &[file(2)]).await.unwrap();
        hold(&tx, "tasks/2", &[file(2)]).await.unwrap();
        tx.commit().await.unwrap();
        let tx = db.begin().await.unwrap();
        hold(&tx, "tasks/3", &[file(3)]).await.unwrap();
        tx.rollback().await.unwrap();

        let held = holdings.held(&asked).await.unwrap();
        assert_eq!(held.into_iter().collect::<Vec<_>>(), [asked[1].clone(), asked[2].clone()]);
        assert!(holdings.held(&[]).await.unwrap().is_empty());
    }
}

//! Files in an S3-compatible object store.

use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use xietong_mesh::config::{ConfigError, S3Config};

use super::{AttachmentStore, Limits};

/// Bytes that are written at a time: S3 takes no smaller part but the last.
const PART: usize = 5 * 1024 * 1024;

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The access key cannot be read.
    #[error(transparent)]
    AccessKey(#[from] ConfigError),
    /// The settings are wrong.
    #[error("attachments.s3")]
    Settings(#[from] object_store::Error),
}

impl AttachmentStore {
    /// Files in a bucket. It is not asked for anything yet.
    ///
    /// # Errors
    /// When the access key cannot be read, or the settings are wrong.
    pub fn in_s3(config: &S3Config, limits: Limits) -> Result<Self, S3Error> {
        let (id, secret) = config.access_key()?;
        let objects = AmazonS3Builder::new()
            .with_endpoint(&config.endpoint)
            .with_allow_http(config.endpoint.starts_with("http://"))
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(id)
            .with_secret_access_key(secret)
            .build()?;
        Ok(AttachmentStore::over(Arc::new(objects), PART, limits))
    }
}

//! Files that records refer to: where the gateway keeps them, and which it takes in.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, read};
use crate::token::RECEIPT_LIFETIME;

/// The largest file that may be allowed, in bytes: 10 GiB.
const MOST_BYTES: u64 = 10 * 1024 * 1024 * 1024;

/// The shortest time that a file without a record is kept, in days: longer than its receipts.
const FEWEST_DAYS: u32 = 1 + (RECEIPT_LIFETIME.as_secs() / 86_400) as u32;

/// Where the gateway keeps files, and which it takes in. A folder unless `s3` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttachmentsConfig {
    /// The folder; several gateways share one.
    pub folder: PathBuf,
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// The media types that are accepted, instead of those that are by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_types: Option<Vec<String>>,
    /// How long a file is kept that no record refers to, in days after its last upload.
    pub keep_unused_days: u32,
    /// An S3-compatible store instead of the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Config>,
}

/// An S3-compatible object store. Secrets are in files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// For example `https://oss.example.gov.cn`; `http://` is for a store on the same machine.
    pub endpoint: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// What the store calls its region; many take anything.
    #[serde(default = "any_region")]
    pub region: String,
    /// File with the access key's id.
    pub access_key_id_file: PathBuf,
    /// File with the secret access key.
    pub secret_access_key_file: PathBuf,
}

fn any_region() -> String {
    "us-east-1".to_owned()
}

impl Default for AttachmentsConfig {
    fn default() -> Self {
        AttachmentsConfig {
            folder: PathBuf::from("xietong-data/attachments"),
            max_bytes: 50 * 1024 * 1024,
            media_types: None,
            keep_unused_days: 30,
            s3: None,
        }
    }
}

impl AttachmentsConfig {
    /// How long a file is kept that no record refers to.
    pub fn keep_unused(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_unused_days) * 86_400)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError(what));
        if !(1..=MOST_BYTES).contains(&self.max_bytes) {
            return wrong(format!("attachments.max_bytes: must be from 1 to {MOST_BYTES}"));
        }
        if self.keep_unused_days < FEWEST_DAYS {
            return wrong(format!("attachments.keep_unused_days: must be at least {FEWEST_DAYS}"));
        }
        for given in self.media_types.iter().flatten() {
            if domain_attachment::media_type(given).as_deref() != Ok(given.as_str()) {
                return wrong(format!("attachments.media_types: `{given}` is not of the form type/subtype"));
            }
        }
        Ok(())
    }
}

impl S3Config {
    /// The id and the secret of the access key.
    ///
    /// # Errors
    /// When one of the files cannot be read.
    pub fn access_key(&self) -> Result<(String, String), ConfigError> {
        let id = read("attachments.s3.access_key_id_file", &self.access_key_id_file)?;
        let secret = read("attachments.s3.secret_access_key_file", &self.secret_access_key_file)?;
        Ok((id.trim().to_owned(), secret.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut AttachmentsConfig)) -> String {
        let mut config = AttachmentsConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn the_first_bad_value_is_named() {
        assert!(AttachmentsConfig::default().check().is_ok());
        assert!(refused(|config| config.max_bytes = 0).starts_with("attachments.max_bytes: "));
        assert!(refused(|config| config.max_bytes = u64::MAX).starts_with("attachments.max_bytes: "));
        assert!(refused(|config| config.keep_unused_days = 7).starts_with("attachments.keep_unused_days: "));
        for given in ["pdf", "Text/Plain", "text/plain; charset=utf-8"] {
            let refusal = refused(|config| config.media_types = Some(vec![given.to_owned()]));
            assert!(refusal.starts_with("attachments.media_types: "), "{refusal}");
        }
    }

    #[test]
    fn the_access_key_is_read_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let (id, secret) = (folder.path().join("id"), folder.path().join("secret"));
        std::fs::write(&id, "key\n").unwrap();
        let config = S3Config {
            endpoint: "https://oss.example".to_owned(),
            bucket: "xietong".to_owned(),
            region: any_region(),
            access_key_id_file: id,
            secret_access_key_file: secret.clone(),
        };
        let refusal = config.access_key().unwrap_err().to_string();
        assert!(refusal.starts_with("attachments.s3.secret_access_key_file: "), "{refusal}");
        std::fs::write(&secret, "hunter2\n").unwrap();
        assert_eq!(config.access_key().unwrap(), ("key".to_owned(), "hunter2".to_owned()));
    }
}

//! Files that records refer to (附件): taken in, kept and given out (`docs/adr/0004`).
//!
//! The gateway keeps the bytes and knows nothing of records. Whoever uploads a file is given a
//! receipt, by which a record takes it; whoever is shown the record is given a grant, by which
//! the gateway gives the file out. REST is in `http/{upload,download}.rs`, gRPC in `server.rs`.

#[cfg(feature = "s3")]
mod s3;
mod server;
mod store;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain_attachment::{Attachment, AttachmentError};
use http::HeaderValue;
use xietong_mesh::attachments::{encode, grant_refused, granted, refused};
use xietong_mesh::authorize::{Resource, authorize};
use xietong_mesh::token::{Purpose, Signer, Verifier};
use xietong_mesh::{Error, Principal};
use xietong_proto::common as proto;

#[cfg(feature = "s3")]
pub use s3::S3Error;
pub(crate) use server::AttachmentServer;
pub use store::{AttachmentStore, Limits, MAX_BYTES, OpenError};
pub(crate) use store::{NotTaken, Upload};
pub(crate) use sweep::Sweeper;

/// gRPC path of an upload; its REST form is answered by `http/upload.rs`.
pub(crate) const UPLOAD: &str = "/xietong.gateway.v1.AttachmentService/UploadAttachment";
/// gRPC path of a download; its REST form is answered by `http/download.rs`.
pub(crate) const DOWNLOAD: &str = "/xietong.gateway.v1.AttachmentService/DownloadAttachment";

/// What an upload is asked as.
pub(crate) const UPLOAD_ACTION: &str = "gateway.attachments.upload";
/// What a download is asked as.
pub(crate) const DOWNLOAD_ACTION: &str = "gateway.attachments.download";

/// How long a client that uploads may say nothing.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);

/// What the gateway needs for files.
#[derive(Debug, Clone)]
pub struct AttachmentParts {
    /// Where they are.
    pub store: AttachmentStore,
    /// How long a file is kept that no record refers to; longer than a receipt is good.
    pub keep_unused: Duration,
}

/// Takes in files and gives them out. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Attachments {
    store: AttachmentStore,
    signer: Signer,
    verifier: Verifier,
}

impl Attachments {
    /// `signer` speaks as the gateway; `verifier` trusts the services that give grants.
    pub(crate) fn new(store: AttachmentStore, signer: Signer, verifier: Verifier) -> Self {
        Attachments { store, signer, verifier }
    }

    /// Who calls, if the matrix lets him.
    pub(crate) fn admit(&self, principal: &HeaderValue, action: &str) -> Result<Arc<Principal>, Error> {
        let token = principal.to_str().map_err(Error::internal)?;
        let principal = self.verifier.verify(token)?;
        authorize(&principal, action, &Resource::new())?;
        Ok(principal)
    }

    /// Where they are.
    pub(crate) fn store(&self) -> &AttachmentStore {
        &self.store
    }

    /// What an upload is answered with.
    pub(crate) fn received(
        &self,
        file: &Attachment,
        principal: &Principal,
    ) -> Result<proto::Attachment, Error> {
        let receipt = self.signer.sign_attachment(Purpose::Receipt, &principal.subject, file);
        Ok(proto::Attachment { receipt: receipt.map_err(Error::internal)?, ..encode(file) })
    }

    /// The file that somebody was given a grant for. Whether there is one is not asked before.
    pub(crate) fn granted(
        &self,
        name: &str,
        grant: &str,
        principal: &Principal,
    ) -> Result<Attachment, Error> {
        if grant.is_empty() {
            return Err(grant_refused("GRANT_MISSING", "a grant is required"));
        }
        let file = granted(&self.verifier, grant, &principal.subject)?;
        if file.name() != name {
            return Err(grant_refused("GRANT_OF_ANOTHER_FILE", "the grant is for another file"));
        }
        Ok(file)
    }
}

/// Why a file was not taken in, as the API says it.
impl From<NotTaken> for Error {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Refused(error @ AttachmentError::TooLarge { .. }) => {
                Error::resource_exhausted("ATTACHMENT_TOO_LARGE", error.to_string(), error.chinese())
            }
            NotTaken::Refused(error) => refused(field(&error), &error),
            NotTaken::Failed(error) => error,
        }
    }
}

/// The field of the request that is wrong.
fn field(error: &AttachmentError) -> &'static str {
    match error {
        AttachmentError::Name(_) => "display_name",
        AttachmentError::MediaType | AttachmentError::NotAccepted { .. } => "file.content_type",
        AttachmentError::Empty
        | AttachmentError::TooLarge { .. }
        | AttachmentError::Dangerous
        | AttachmentError::OtherThanDeclared { .. } => "file.data",
        // Of lists, which an upload has none of.
        AttachmentError::TooMany { .. } | AttachmentError::Twice { .. } => "file",
    }
}

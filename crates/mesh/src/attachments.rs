//! Files in records (附件): the seam between the gateway, which keeps them, and the services,
//! whose records refer to them.
//!
//! A handler that takes files into a record asks [`Call::attachments`] for what the request
//! names, and tells with [`Transaction::hold`](crate::Transaction::hold) that the record has
//! them. The receipts are verified where the transaction begins, so that no record takes a file
//! that its caller did not upload, and a repeated request needs them no more. A handler that
//! shows a record says it with [`encode`], and gives the reader grants with [`Grants`].

mod held;

use domain_attachment::{Attachment, AttachmentError, Digest, check_list, digest_of, file_name, media_type};
use xietong_proto::common as proto;

use crate::call::Call;
use crate::error::Error;
use crate::token::{AttachmentRefusal, Purpose, Signer, Verifier, claimed};

pub(crate) use held::hold;
pub use held::{Holdings, MIGRATIONS, MOST_ASKED};

/// Most files that one request puts into records: each receipt is a signature to verify.
const MOST_PRESENTED: usize = 1_000;

/// A file that a request puts into a record, and what proves that it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    /// Path of the receipt in the request.
    field: String,
    receipt: String,
}

/// A file that a revision of a record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// With a receipt.
    Uploaded(Attachment),
    /// Without one: the record must have it.
    Kept(Digest),
}

impl Named {
    /// Of its bytes.
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Uploaded(attachment) => &attachment.digest,
            Self::Kept(digest) => digest,
        }
    }
}

impl Call {
    /// The files that a field of the request puts into a new record or entry.
    ///
    /// They are what their receipts say, and the receipts are verified when the transaction of
    /// the call begins: nothing else may be done with the answer. A service that passes on, in a
    /// job of its own, what a record of its own refers to, says it in full and without a receipt:
    /// the job must be able to say the same again.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when there are too many, one is there twice or has no receipt.
    pub fn attachments(
        &mut self,
        field: &str,
        named: &[proto::Attachment],
    ) -> Result<Vec<Attachment>, Error> {
        let named = self.attachments_of_revision(field, named)?;
        let uploaded = named.into_iter().enumerate().map(|(at, one)| match one {
            Named::Uploaded(attachment) => Ok(attachment),
            Named::Kept(_) => Err(Error::invalid(
                format!("{field}[{at}].receipt"),
                "is required",
                "请先上传文件，并附上上传回执（receipt）",
            )),
        });
        uploaded.collect()
    }

    /// The same for a record that changes: what it has already needs no receipt.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when there are too many, one is there twice or is none.
    pub fn attachments_of_revision(
        &mut self,
        field: &str,
        named: &[proto::Attachment],
    ) -> Result<Vec<Named>, Error> {
        // Counted before any is looked at.
        if named.len() > domain_attachment::MOST {
            return Err(refused(field, &AttachmentError::TooMany { most: domain_attachment::MOST }));
        }
        let mut known = Vec::with_capacity(named.len());
        for (at, one) in named.iter().enumerate() {
            known.push(self.named(&format!("{field}[{at}]"), one)?);
        }
        check_list(known.iter().map(Named::digest)).map_err(|error| refused(field, &error))?;
        Ok(known)
    }

    fn named(&mut self, place: &str, one: &proto::Attachment) -> Result<Named, Error> {
        let place_of_name = format!("{place}.name");
        let named = (!one.name.is_empty()).then(|| {
            digest_of(&one.name).map_err(|_| {
                let english = "must be of the form attachments/{digest}";
                Error::invalid(place_of_name.clone(), english, "格式应为attachments/摘要")
            })
        });
        let named = named.transpose()?;
        if one.receipt.is_empty() && self.principal.is_system() {
            return passed_on(place, one).map(Named::Uploaded);
        }
        if one.receipt.is_empty() {
            return named.map(Named::Kept).ok_or_else(|| {
                let english = "must have a receipt or a name";
                Error::invalid(place.to_owned(), english, "请附上上传回执（receipt）")
            });
        }
        let field = format!("{place}.receipt");
        let attachment = claimed(&one.receipt).map_err(|refusal| not_good(&field, refusal))?;
        if named.is_some_and(|named| named != attachment.digest) {
            let english = "is not what the receipt is for";
            return Err(Error::invalid(place_of_name, english, "附件与上传回执不符"));
        }
        if self.presented.len() == MOST_PRESENTED {
            let english = format!("at most {MOST_PRESENTED} files are accepted in one request");
            return Err(Error::invalid(field, english, format!("一次请求最多{MOST_PRESENTED}个附件")));
        }
        self.presented.push(Presented { field, receipt: one.receipt.clone() });
        Ok(Named::Uploaded(attachment))
    }

    /// Whether the caller may put into a record what the request names.
    pub(crate) fn check_receipts(&self) -> Result<(), Error> {
        self.presented.iter().try_for_each(|Presented { field, receipt }| {
            let verifier = self.verifier.as_ref().ok_or_else(|| Error::internal(NoVerifier))?;
            let verified = verifier.verify_attachment(Purpose::Receipt, receipt, &self.principal.subject);
            verified.map(drop).map_err(|refusal| not_good(field, refusal))
        })
    }
}

/// A file as a service refers to it.
fn passed_on(place: &str, one: &proto::Attachment) -> Result<Attachment, Error> {
    let wrong =
        |field: &str, english: &str| Error::invalid(format!("{place}.{field}"), english, "附件引用不完整");
    let refused = |field: &str, error: AttachmentError| refused(&format!("{place}.{field}"), &error);
    let form = "must be of the form attachments/{digest}";
    Ok(Attachment {
        digest: digest_of(&one.name).map_err(|_| wrong("name", form))?,
        size: u64::try_from(one.size).map_err(|_| wrong("size", "must not be negative"))?,
        media_type: media_type(&one.media_type).map_err(|error| refused("media_type", error))?,
        display_name: file_name(&one.display_name).map_err(|error| refused("display_name", error))?,
    })
}

/// A call that presents something did not come through the layer: a fault of the set-up.
#[derive(Debug, thiserror::Error)]
#[error("a receipt cannot be verified without the layer that authenticates")]
struct NoVerifier;

/// What is wrong with a file, in a field of a request.
pub fn refused(field: &str, error: &AttachmentError) -> Error {
    Error::invalid(field, error.to_string(), error.chinese())
}

fn not_good(field: &str, refusal: AttachmentRefusal) -> Error {
    let chinese = match refusal {
        AttachmentRefusal::Malformed | AttachmentRefusal::NotTrusted => "上传回执无效，请重新上传文件",
        AttachmentRefusal::Expired => "上传回执已过期，请重新上传文件",
        AttachmentRefusal::OfAnother => "上传回执属于他人，请自行上传文件",
    };
    Error::invalid(field, refusal.to_string(), chinese)
}

/// PERMISSION_DENIED: a grant is missing, or is not good for this reader and this file.
pub fn grant_refused(reason: &'static str, english: impl Into<String>) -> Error {
    let chinese = "没有读取该附件的授权，或授权已过期，请重新打开所在的记录";
    Error::new(crate::error::Code::PermissionDenied, reason, english, chinese)
}

/// The file that a grant lets a subject read.
///
/// # Errors
/// PERMISSION_DENIED, with the reason `GRANT_MALFORMED`, `GRANT_NOT_TRUSTED`, `GRANT_EXPIRED`
/// or `GRANT_OF_ANOTHER`.
pub fn granted(verifier: &Verifier, grant: &str, subject: &str) -> Result<Attachment, Error> {
    verifier.verify_attachment(Purpose::Grant, grant, subject).map_err(|refusal| {
        let reason = match refusal {
            AttachmentRefusal::Malformed => "GRANT_MALFORMED",
            AttachmentRefusal::NotTrusted => "GRANT_NOT_TRUSTED",
            AttachmentRefusal::Expired => "GRANT_EXPIRED",
            AttachmentRefusal::OfAnother => "GRANT_OF_ANOTHER",
        };
        grant_refused(reason, format!("the grant: {refusal}"))
    })
}

/// A file as a record shows it, without a grant.
pub fn encode(attachment: &Attachment) -> proto::Attachment {
    proto::Attachment {
        name: attachment.name(),
        display_name: attachment.display_name.clone(),
        // No file comes near what the API's numbers cannot say.
        size: i64::try_from(attachment.size).unwrap_or(i64::MAX),
        media_type: attachment.media_type.clone(),
        digest: attachment.digest.to_string(),
        receipt: String::new(),
        grant: String::new(),
    }
}

/// Signs grants for one reader.
#[derive(Debug)]
pub struct Grants {
    signer: Signer,
    subject: String,
}

impl Grants {
    /// `signer` signs as the service that shows the record; `subject` is shown it.
    pub fn new(signer: Signer, subject: &str) -> Self {
        Grants { signer, subject: subject.to_owned() }
    }

    /// A file as a record shows it to the reader, with a grant.
    ///
    /// # Errors
    /// INTERNAL when it cannot be signed.
    pub fn encode(&self, attachment: &Attachment) -> Result<proto::Attachment, Error> {
        let signed = self.signer.sign_attachment(Purpose::Grant, &self.subject, attachment);
        let grant = signed.map_err(Error::internal)?;
        Ok(proto::Attachment { grant, ..encode(attachment) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use xietong_timers::MachineClock;

    use super::*;
    use crate::principal::{Principal, Role};
    use crate::service_name::ServiceName;
    use crate::token::{Issuer, SigningKey, VerifyingKey, generate_keypair};

    struct Mesh {
        gateway: Signer,
        service: Signer,
        verifier: Verifier,
    }

    fn mesh() -> Mesh {
        let make = |issuer| {
            let keys = generate_keypair().unwrap();
            let key = SigningKey::from_pem(&keys.private_pem).unwrap();
            let public = VerifyingKey::all_from_pem(&keys.public_pem).unwrap();
            (Signer::new(issuer, key, MachineClock::system()), public)
        };
        let (gateway, public) = make(Issuer::Gateway);
        let supervision = Issuer::System(ServiceName::Supervision);
        let (service, public_of_service) = make(supervision);
        let trusted = BTreeMap::from([(Issuer::Gateway, public), (supervision, public_of_service)]);
        Mesh { gateway, service, verifier: Verifier::new(trusted, MachineClock::system()) }
    }

    fn file(number: u8) -> Attachment {
        Attachment {
            digest: Digest::of_bytes([number; 32]),
            size: 3,
            media_type: "application/pdf".to_owned(),
            display_name: "验收报告.pdf".to_owned(),
        }
    }

    impl Mesh {
        fn call(&self, subject: &str) -> Call {
            let grants = vec![crate::principal::Grant::of(Role::Supervisor)];
            let principal = Principal::account(subject, None, grants);
            let mut call = Call::new(Arc::new(principal), "supervision.tasks.create", "token");
            call.verifier = Some(self.verifier.clone());
            call
        }

        fn uploaded(&self, number: u8, subject: &str) -> proto::Attachment {
            let attachment = file(number);
            let receipt = self.gateway.sign_attachment(Purpose::Receipt, subject, &attachment).unwrap();
            proto::Attachment { receipt, ..encode(&attachment) }
        }
    }

    #[test]
    fn what_the_caller_uploaded_is_taken_as_its_receipt_says() {
        let mesh = mesh();
        let mut named = mesh.uploaded(1, "clerk");
        named.size = 99;
        named.display_name = "别的.pdf".to_owned();
        let only_receipt =
            proto::Attachment { receipt: mesh.uploaded(2, "clerk").receipt, ..Default::default() };
        let mut call = mesh.call("clerk");
        assert_eq!(call.attachments("attachments", &[named, only_receipt]).unwrap(), [file(1), file(2)]);
        assert_eq!(call.check_receipts(), Ok(()));
    }

    #[test]
    fn what_is_not_the_callers_is_refused_where_it_stands() {
        let mesh = mesh();
        let foreign = mesh.uploaded(1, "somebody");
        let forged = proto::Attachment {
            receipt: mesh.service.sign_attachment(Purpose::Grant, "clerk", &file(2)).unwrap(),
            ..Default::default()
        };
        for named in [foreign, forged] {
            let mut call = mesh.call("clerk");
            call.attachments("task.attachments", &[named]).unwrap();
            let refused = call.check_receipts().unwrap_err();
            assert_eq!(refused.violations()[0].field, "task.attachments[0].receipt");
        }
    }

    #[test]
    fn what_is_no_attachment_is_refused_where_it_stands() {
        let mesh = mesh();
        let one = || mesh.uploaded(1, "clerk");
        let many: Vec<_> = (0..21).map(|number| mesh.uploaded(number, "clerk")).collect();
        for (named, field) in [
            (vec![proto::Attachment::default()], "files[0]"),
            (vec![proto::Attachment { receipt: String::new(), ..one() }], "files[0].receipt"),
            (vec![one(), proto::Attachment { receipt: "x.y.z".to_owned(), ..one() }], "files[1].receipt"),
            (vec![proto::Attachment { receipt: "x".repeat(5_000), ..one() }], "files[0].receipt"),
            (vec![proto::Attachment { name: "../secret".to_owned(), ..one() }], "files[0].name"),
            (vec![proto::Attachment { name: file(2).name(), ..one() }], "files[0].name"),
            (vec![one(), one()], "files"),
            (many, "files"),
        ] {
            let refused = mesh.call("clerk").attachments("files", &named).unwrap_err();
            assert_eq!(refused.violations()[0].field, field, "{refused}");
        }
    }

    #[test]
    fn a_revision_names_what_the_record_has_without_a_receipt() {
        let mesh = mesh();
        let kept = encode(&file(1));
        let mut call = mesh.call("clerk");
        let named = call.attachments_of_revision("files", &[kept, mesh.uploaded(2, "clerk")]).unwrap();
        assert_eq!(named, [Named::Kept(file(1).digest), Named::Uploaded(file(2))]);
    }

    #[test]
    fn a_service_passes_on_what_its_records_refer_to() {
        let mesh = mesh();
        let call = || Call {
            principal: Arc::new(Principal::system(ServiceName::Workgroup)),
            ..mesh.call("somebody")
        };
        let named = [encode(&file(1))];
        assert_eq!(call().attachments("files", &named).unwrap(), [file(1)]);
        let whole = || encode(&file(1));
        for (one, field) in [
            (proto::Attachment { name: String::new(), ..whole() }, "files[0].name"),
            (proto::Attachment { size: -1, ..whole() }, "files[0].size"),
            (proto::Attachment { media_type: "pdf".to_owned(), ..whole() }, "files[0].media_type"),
            (proto::Attachment { display_name: "../x".to_owned(), ..whole() }, "files[0].display_name"),
        ] {
            let refused = call().attachments("files", &[one]).unwrap_err();
            assert_eq!(refused.violations()[0].field, field);
        }
    }

    #[test]
    fn one_request_has_no_more_receipts_than_can_be_verified() {
        let mesh = mesh();
        let mut call = mesh.call("clerk");
        let named: Vec<_> = (0..20).map(|number| mesh.uploaded(number, "clerk")).collect();
        for task in 0..50 {
            assert!(call.attachments(&format!("tasks[{task}].attachments"), &named).is_ok());
        }
        let refused = call.attachments("tasks[50].attachments", &named).unwrap_err();
        assert_eq!(refused.violations()[0].field, "tasks[50].attachments[0].receipt");
    }

    #[test]
    fn a_grant_is_good_for_its_reader_alone() {
        let mesh = mesh();
        let grants = Grants::new(mesh.service.clone(), "clerk");
        let shown = grants.encode(&file(1)).unwrap();
        assert_eq!(granted(&mesh.verifier, &shown.grant, "clerk"), Ok(file(1)));
        let refused = granted(&mesh.verifier, &shown.grant, "somebody").unwrap_err();
        assert_eq!((refused.http_status(), refused.reason()), (403, "GRANT_OF_ANOTHER"));
        let refused = granted(&mesh.verifier, "no grant", "clerk").unwrap_err();
        assert_eq!(refused.reason(), "GRANT_MALFORMED");
    }
}

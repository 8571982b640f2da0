//! What is signed about files: receipts and grants (`docs/adr/0004`).
//!
//! A receipt says that its bearer uploaded a file, and lets him put it into a record. A grant
//! says that its bearer may read a file, because a record that has it was shown to him. Both
//! are compact JWTs (EdDSA) like principals, with audiences of their own, so that none of the
//! three is taken for another; whom they are for is said by a digest, since a grant travels in
//! addresses that are logged.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain_attachment::Attachment;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xietong_timers::MachineTime;

use super::{Issuer, SignError, Signer, Verifier};

/// How long a receipt is good: as long as the answer to a request is kept.
pub const RECEIPT_LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// How long a grant is good.
pub const GRANT_LIFETIME: Duration = Duration::from_secs(300);

/// How far the clocks of two machines may differ.
const LEEWAY: Duration = Duration::from_secs(2);

/// Longer ones are refused unread, in bytes: four times what the longest name makes.
const LONGEST: usize = 4 * 1024;

/// What is signed about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It was uploaded.
    Receipt,
    /// It may be read.
    Grant,
}

/// Why a receipt or a grant is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentRefusal {
    /// It is none, or of the other kind.
    #[error("it cannot be read")]
    Malformed,
    /// Nobody who may has signed it.
    #[error("it is not signed by who may sign it")]
    NotTrusted,
    /// It is too old.
    #[error("it has expired")]
    Expired,
    /// It was given to somebody else.
    #[error("it was given to somebody else")]
    OfAnother,
}

/// What a receipt or a grant says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// Digest of the subject.
    sub: String,
    /// Seconds since the epoch.
    exp: i64,
    #[serde(flatten)]
    attachment: Attachment,
}

impl Purpose {
    fn audience(self) -> &'static str {
        match self {
            Self::Receipt => "xietong-receipt",
            Self::Grant => "xietong-grant",
        }
    }

    fn lifetime(self) -> Duration {
        match self {
            Self::Receipt => RECEIPT_LIFETIME,
            Self::Grant => GRANT_LIFETIME,
        }
    }

    /// Who may sign. The gateway has seen what is uploaded; grants are given by whoever shows a
    /// record.
    fn may_be_signed(self, issuer: Issuer) -> bool {
        match (self, issuer) {
            (Self::Receipt, Issuer::Gateway) | (Self::Grant, Issuer::System(_)) => true,
            (Self::Receipt, Issuer::System(_)) | (Self::Grant, Issuer::Gateway) => false,
        }
    }
}

impl Signer {
    /// A receipt or a grant of a file for a subject, good for [`RECEIPT_LIFETIME`] or
    /// [`GRANT_LIFETIME`] from now.
    ///
    /// # Errors
    /// When this issuer may not sign it.
    pub fn sign_attachment(
        &self,
        purpose: Purpose,
        subject: &str,
        attachment: &Attachment,
    ) -> Result<String, SignError> {
        if !purpose.may_be_signed(self.issuer) {
            return Err(SignError::NotEntitled { issuer: self.issuer, subject: subject.to_owned() });
        }
        let claims = Claims {
            iss: self.issuer.as_str().to_owned(),
            aud: purpose.audience().to_owned(),
            sub: digest(subject),
            exp: self.clock.now().plus(purpose.lifetime()).as_seconds(),
            attachment: attachment.clone(),
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, self.key.as_encoding_key())?)
    }
}

impl Verifier {
    /// The file of a receipt or a grant that was given to a subject.
    ///
    /// # Errors
    /// [`AttachmentRefusal`].
    pub fn verify_attachment(
        &self,
        purpose: Purpose,
        token: &str,
        subject: &str,
    ) -> Result<Attachment, AttachmentRefusal> {
        let unverified = read(token)?;
        let issuer: Issuer = unverified.iss.parse().map_err(|_| AttachmentRefusal::NotTrusted)?;
        let keys = self.trusted.get(&issuer).ok_or(AttachmentRefusal::NotTrusted)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer.as_str()]);
        validation.set_audience(&[purpose.audience()]);
        // The library reads the system's clock; ours is read below.
        validation.validate_exp = false;
        let mut refusal = AttachmentRefusal::NotTrusted;
        for key in keys {
            match jsonwebtoken::decode::<Claims>(token, key.as_decoding_key(), &validation) {
                Ok(data) => return self.accept(purpose, issuer, data.claims, subject),
                Err(error) => refusal = library_refusal(&error),
            }
        }
        Err(refusal)
    }

    fn accept(
        &self,
        purpose: Purpose,
        issuer: Issuer,
        claims: Claims,
        subject: &str,
    ) -> Result<Attachment, AttachmentRefusal> {
        if !purpose.may_be_signed(issuer) {
            return Err(AttachmentRefusal::NotTrusted);
        }
        if claims.sub != digest(subject) {
            return Err(AttachmentRefusal::OfAnother);
        }
        let expires = claims.exp.checked_mul(1_000_000).map(MachineTime::from_micros);
        let expires = expires.ok_or(AttachmentRefusal::Malformed)?;
        if self.clock.now() >= expires.plus(LEEWAY) {
            return Err(AttachmentRefusal::Expired);
        }
        Ok(claims.attachment)
    }
}

/// The file that a token speaks of, whoever made it: it proves nothing yet.
///
/// # Errors
/// [`AttachmentRefusal::Malformed`].
pub(crate) fn claimed(token: &str) -> Result<Attachment, AttachmentRefusal> {
    read(token).map(|claims| claims.attachment)
}

fn read(token: &str) -> Result<Claims, AttachmentRefusal> {
    if token.len() > LONGEST {
        return Err(AttachmentRefusal::Malformed);
    }
    jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| AttachmentRefusal::Malformed)
}

/// As much of a subject's digest as nobody finds another subject for.
fn digest(subject: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(subject.as_bytes())[..16])
}

fn library_refusal(error: &jsonwebtoken::errors::Error) -> AttachmentRefusal {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidIssuer => {
            AttachmentRefusal::NotTrusted
        }
        // A foreign, non-exhaustive enum: whatever else it says, the token is of no use here.
        _ => AttachmentRefusal::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use xietong_timers::MachineClock;

    use super::*;
    use crate::principal::{Grant, Principal, Role};
    use crate::service_name::ServiceName;
    use crate::token::{KeyPair, SigningKey, VerifyingKey, generate_keypair};

    const CLOCK: MachineClock = MachineClock::system();
    const SUPERVISION: Issuer = Issuer::System(ServiceName::Supervision);

    struct Mesh {
        keys: BTreeMap<Issuer, KeyPair>,
        verifier: Verifier,
    }

    fn mesh() -> Mesh {
        let issuers = [Issuer::Gateway, SUPERVISION];
        let keys = BTreeMap::from(issuers.map(|issuer| (issuer, generate_keypair().unwrap())));
        let trusted = keys
            .iter()
            .map(|(issuer, pair)| (*issuer, VerifyingKey::all_from_pem(&pair.public_pem).unwrap()))
            .collect();
        Mesh { keys, verifier: Verifier::new(trusted, CLOCK) }
    }

    impl Mesh {
        fn signer(&self, issuer: Issuer) -> Signer {
            Signer::new(issuer, SigningKey::from_pem(&self.keys[&issuer].private_pem).unwrap(), CLOCK)
        }

        fn sign(&self, issuer: Issuer, purpose: Purpose, subject: &str) -> String {
            self.signer(issuer).sign_attachment(purpose, subject, &file()).unwrap()
        }

        /// Whatever claims, signed as an issuer.
        fn forge(&self, issuer: Issuer, claims: &Claims) -> String {
            let key = SigningKey::from_pem(&self.keys[&issuer].private_pem).unwrap();
            jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, key.as_encoding_key()).unwrap()
        }
    }

    fn file() -> Attachment {
        Attachment {
            digest: domain_attachment::Digest::of_bytes([7; 32]),
            size: 3,
            media_type: "application/pdf".to_owned(),
            display_name: "验收报告.pdf".to_owned(),
        }
    }

    fn claims(issuer: Issuer, purpose: Purpose, subject: &str, exp: i64) -> Claims {
        Claims {
            iss: issuer.as_str().to_owned(),
            aud: purpose.audience().to_owned(),
            sub: digest(subject),
            exp,
            attachment: file(),
        }
    }

    #[test]
    fn what_was_signed_for_somebody_is_good_for_that_somebody_alone() {
        let mesh = mesh();
        for (issuer, purpose, subject) in
            [(Issuer::Gateway, Purpose::Receipt, "clerk"), (SUPERVISION, Purpose::Grant, "clerk")]
        {
            let token = mesh.sign(issuer, purpose, subject);
            assert_eq!(mesh.verifier.verify_attachment(purpose, &token, subject), Ok(file()));
            let other = mesh.verifier.verify_attachment(purpose, &token, "somebody");
            assert_eq!(other, Err(AttachmentRefusal::OfAnother));
            assert!(!token.contains(subject), "it is said by a digest");
        }
    }

    #[test]
    fn a_receipt_a_grant_and_a_principal_are_never_taken_for_one_another() {
        let mesh = mesh();
        let receipt = mesh.sign(Issuer::Gateway, Purpose::Receipt, "clerk");
        let grant = mesh.sign(SUPERVISION, Purpose::Grant, "clerk");
        let principal = Principal::account("clerk", None, vec![Grant::of(Role::Supervisor)]);
        let principal = mesh.signer(Issuer::Gateway).sign(&principal).unwrap();
        for (purpose, token) in [
            (Purpose::Grant, &receipt),
            (Purpose::Receipt, &grant),
            (Purpose::Receipt, &principal),
            (Purpose::Grant, &principal),
        ] {
            let refused = mesh.verifier.verify_attachment(purpose, token, "clerk");
            assert_eq!(refused, Err(AttachmentRefusal::Malformed), "{purpose:?}");
        }
        for token in [receipt, grant] {
            assert!(mesh.verifier.verify(&token).is_err());
        }
    }

    #[test]
    fn who_may_not_sign_does_not_and_is_not_believed() {
        let mesh = mesh();
        let later = CLOCK.now().as_seconds() + 60;
        for (issuer, purpose) in [(SUPERVISION, Purpose::Receipt), (Issuer::Gateway, Purpose::Grant)] {
            assert!(mesh.signer(issuer).sign_attachment(purpose, "clerk", &file()).is_err());
            let forged = mesh.forge(issuer, &claims(issuer, purpose, "clerk", later));
            let refused = mesh.verifier.verify_attachment(purpose, &forged, "clerk");
            assert_eq!(refused, Err(AttachmentRefusal::NotTrusted), "{issuer} {purpose:?}");
        }
        // In the name of another, with a key of one's own.
        let claims = claims(Issuer::Gateway, Purpose::Receipt, "clerk", later);
        let forged = mesh.forge(SUPERVISION, &claims);
        let refused = mesh.verifier.verify_attachment(Purpose::Receipt, &forged, "clerk");
        assert_eq!(refused, Err(AttachmentRefusal::NotTrusted));
    }

    #[test]
    fn what_is_too_old_is_refused() {
        let mesh = mesh();
        for (exp, expected) in [
            (CLOCK.now().as_seconds() + 60, Ok(file())),
            (CLOCK.now().as_seconds() - 3, Err(AttachmentRefusal::Expired)),
            (i64::MAX, Err(AttachmentRefusal::Malformed)),
        ] {
            let token = mesh.forge(SUPERVISION, &claims(SUPERVISION, Purpose::Grant, "clerk", exp));
            assert_eq!(mesh.verifier.verify_attachment(Purpose::Grant, &token, "clerk"), expected, "{exp}");
        }
    }

    #[test]
    fn nothing_of_it_can_be_changed() {
        let mesh = mesh();
        let token = mesh.sign(Issuer::Gateway, Purpose::Receipt, "clerk");
        let mut larger = claims(Issuer::Gateway, Purpose::Receipt, "clerk", CLOCK.now().as_seconds() + 60);
        larger.attachment.size = 4;
        let other = mesh.forge(SUPERVISION, &larger);
        let parts: Vec<&str> = token.split('.').collect();
        let payload = other.split('.').nth(1).unwrap();
        let forged = format!("{}.{payload}.{}", parts[0], parts[2]);
        let refused = mesh.verifier.verify_attachment(Purpose::Receipt, &forged, "clerk");
        assert_eq!(refused, Err(AttachmentRefusal::NotTrusted));
        // What it claims is read all the same: it decides nothing.
        assert_eq!(claimed(&forged).unwrap().size, 4);
    }

    proptest! {
        #[test]
        fn no_text_is_one_by_chance(token in "[A-Za-z0-9._-]{0,80}") {
            let mesh = mesh();
            for purpose in [Purpose::Receipt, Purpose::Grant] {
                prop_assert!(mesh.verifier.verify_attachment(purpose, &token, "clerk").is_err());
            }
        }
    }
}

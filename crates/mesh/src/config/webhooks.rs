//! Where webhooks may go, whom they trust, and how many at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain_webhook::AddressPolicy;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use super::{ConfigError, bad_file};

/// More requests at once than this are more files than a process may have open.
const MOST_AT_ONCE: u32 = 10_000;
/// An attempt may take no longer, in seconds.
const LONGEST_SECONDS: u64 = 300;

/// Where webhooks may go, whom they trust, and how many at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Networks beside the public addresses, such as `10.20.0.0/16`: the government intranet's,
    /// never the mesh's own. None unless set.
    pub allowed_networks: Vec<String>,
    /// Files with certificates in PEM of certificate authorities that are trusted beside the
    /// machine's: a government's own. None unless set. They are read when the service starts.
    pub certificate_authority_files: Vec<PathBuf>,
    /// Requests that a process has under way at once, to all endpoints.
    pub concurrency: u32,
    /// How long connecting may take, in seconds, TLS included.
    pub connect_seconds: u64,
    /// How long the head of an answer may take, in seconds from the beginning.
    pub answer_seconds: u64,
    /// How long an attempt may take in all, in seconds.
    pub whole_seconds: u64,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        WebhooksConfig {
            allowed_networks: Vec::new(),
            certificate_authority_files: Vec::new(),
            concurrency: 64,
            connect_seconds: 5,
            answer_seconds: 20,
            whole_seconds: 30,
        }
    }
}

impl WebhooksConfig {
    /// Which addresses may be connected to.
    ///
    /// # Errors
    /// At the first network that is none.
    pub fn policy(&self) -> Result<AddressPolicy, ConfigError> {
        AddressPolicy::new(&self.allowed_networks)
            .map_err(|error| ConfigError(format!("webhooks.allowed_networks: {error}")))
    }

    /// The certificate authorities that are trusted beside the machine's.
    ///
    /// # Errors
    /// At the first file that cannot be read, holds no certificate in PEM, or one that is none.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let mut authorities = Vec::new();
        for file in &self.certificate_authority_files {
            authorities.extend(certificates(file)?);
        }
        Ok(authorities)
    }

    /// How long connecting, an answer and an attempt may take.
    pub fn timeouts(&self) -> [Duration; 3] {
        [self.connect_seconds, self.answer_seconds, self.whole_seconds].map(Duration::from_secs)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError(what));
        self.policy()?;
        self.authorities()?;
        if !(4..=MOST_AT_ONCE).contains(&self.concurrency) {
            return wrong(format!("webhooks.concurrency: must be from 4 to {MOST_AT_ONCE}"));
        }
        for (name, seconds) in [
            ("connect_seconds", self.connect_seconds),
            ("answer_seconds", self.answer_seconds),
            ("whole_seconds", self.whole_seconds),
        ] {
            if !(1..=LONGEST_SECONDS).contains(&seconds) {
                return wrong(format!("webhooks.{name}: must be from 1 to {LONGEST_SECONDS}"));
            }
        }
        Ok(())
    }
}

/// The certificates in a file, at least one, each of which TLS can take as a trust anchor.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    const FIELD: &str = "webhooks.certificate_authority_files";
    let pem = fs::read(file).map_err(|error| bad_file(FIELD, file, &error))?;
    let wrong = |what: String| ConfigError(format!("{FIELD}: {}: {what}", file.display()));
    let mut found = Vec::new();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(&pem)) {
        let certificate = certificate.map_err(|error| wrong(format!("is not PEM: {error}")))?;
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|error| wrong(format!("certificate {number} cannot be trusted: {error}")))?;
        found.push(certificate);
    }
    if found.is_empty() { Err(wrong("holds no certificate in PEM".to_owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::WebhooksConfig;

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
    }

    fn authority() -> Vec<u8> {
        rcgen::generate_simple_self_signed([String::from("authority.example")]).unwrap().cert.der().to_vec()
    }

    fn trusting(files: &[&Path]) -> WebhooksConfig {
        let files = files.iter().map(|file| file.to_path_buf()).collect();
        WebhooksConfig { certificate_authority_files: files, ..WebhooksConfig::default() }
    }

    #[test]
    fn every_certificate_of_every_file_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.pem"), folder.path().join("two.pem"));
        let [first, second, third] = [authority(), authority(), authority()];
        std::fs::write(&one, pem(&first)).unwrap();
        std::fs::write(&two, format!("# the city's\n{}{}", pem(&second), pem(&third))).unwrap();
        let config = trusting(&[&one, &two]);
        config.check().unwrap();
        let read: Vec<Vec<u8>> = config.authorities().unwrap().iter().map(|one| one.to_vec()).collect();
        assert_eq!(read, [first, second, third]);
    }

    #[test]
    fn a_file_that_cannot_be_read_or_holds_no_certificate_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, content: Option<&str>| {
            let file = folder.path().join(name);
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            let error = trusting(&[&file]).check().unwrap_err().to_string();
            let named = format!("webhooks.certificate_authority_files: {}: ", file.display());
            error.strip_prefix(&named).unwrap_or_else(|| panic!("{error}")).to_owned()
        };
        assert!(refused("missing.pem", None).contains("No such file"));
        assert_eq!(refused("empty.pem", Some("")), "holds no certificate in PEM");
        assert_eq!(refused("words.pem", Some("not PEM")), "holds no certificate in PEM");
        assert!(refused("cut.pem", Some("-----BEGIN CERTIFICATE-----\nAAAA\n")).starts_with("is not PEM"));
        assert!(refused("other.pem", Some(&pem(b"no certificate"))).starts_with("certificate 1 cannot"));
    }

    fn refused(change: impl FnOnce(&mut WebhooksConfig)) -> String {
        let mut config = WebhooksConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn nothing_but_public_addresses_may_be_sent_to_unless_it_is_listed() {
        let config = WebhooksConfig::default();
        assert!(config.check().is_ok());
        assert!(!config.policy().unwrap().lists_any());
    }

    #[test]
    fn the_first_bad_value_is_named() {
        let networks = |network: &str| refused(|config| config.allowed_networks = vec![network.to_owned()]);
        for network in ["intranet", "10.20.0.1/16", "0.0.0.0/0"] {
            assert!(networks(network).starts_with("webhooks.allowed_networks: "), "{network}");
        }
        assert!(refused(|config| config.concurrency = 1).starts_with("webhooks.concurrency: "));
        assert!(refused(|config| config.answer_seconds = 0).starts_with("webhooks.answer_seconds: "));
    }
}

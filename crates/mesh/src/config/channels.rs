//! How officials are reached by e-mail and by SMS or government messaging.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use domain_webhook::AddressPolicy;
use serde::{Deserialize, Serialize};

use super::{ConfigError, read};

/// An attempt may take no longer, in seconds.
const LONGEST_SECONDS: u64 = 300;
/// More messages in a minute than this are no notices.
const MOST_PER_MINUTE: u32 = 100_000;
/// More attempts at once than this no server takes from one client.
const MOST_AT_ONCE: u32 = 256;

/// How officials are reached outside the inbox. Nothing is sent by a channel that is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelsConfig {
    /// E-mail by SMTP.
    pub email: Option<EmailConfig>,
    /// SMS or government messaging by HTTP.
    pub message: Option<MessageConfig>,
}

/// How much goes out on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowConfig {
    /// The kinds of notices that go out, for example `urging`; what is urgent does in any case. When
    /// none is named: by e-mail all, by message those that oblige whoever gets them.
    pub kinds: Vec<String>,
    /// Messages in a minute, over all replicas.
    pub per_minute: u32,
    /// Messages at once, after a pause.
    pub burst: u32,
    /// Attempts that a process has under way.
    pub concurrency: u32,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncryptionConfig {
    /// From its first byte, usually at port 465.
    Implicit,
    /// By STARTTLS, without which nothing is sent; usually at port 587.
    StartTls,
    /// Not at all: only to this machine itself.
    None,
}

/// E-mail by SMTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// Name or address of the server.
    pub server: String,
    /// Where it listens; 465.
    #[serde(default = "smtp_port")]
    pub port: u16,
    /// How the connection is encrypted.
    #[serde(default = "implicit")]
    pub encryption: EncryptionConfig,
    /// Who signs in; nobody unless set.
    #[serde(default)]
    pub user: Option<String>,
    /// The file of his password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Who sends: an address, or a name with an address in angle brackets. The part after the `@` also
    /// ends every `Message-ID`: whoever changes it makes repetitions look new.
    pub from: String,
    /// How long connecting may take, in seconds.
    #[serde(default = "ten")]
    pub connect_seconds: u64,
    /// How long an attempt may take in all, in seconds.
    #[serde(default = "sixty")]
    pub whole_seconds: u64,
    /// How much goes out.
    #[serde(default)]
    pub flow: FlowConfig,
}

/// What a signature is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// HMAC-SHA256.
    #[serde(rename = "hmac-sha256")]
    Sha256,
    /// HMAC-SM3.
    #[serde(rename = "hmac-sm3")]
    Sm3,
}

/// How requests are signed: over the time, a full stop and the body, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureConfig {
    /// What the signature is made by.
    pub algorithm: SignatureAlgorithm,
    /// The file of the key, whose bytes are the key but for the end of its line.
    pub key_file: PathBuf,
    /// The header of the signature.
    #[serde(default = "signature_header")]
    pub header: String,
    /// The header of the time, in seconds since 1970.
    #[serde(default = "timestamp_header")]
    pub timestamp_header: String,
}

/// SMS or government messaging by HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageConfig {
    /// Where each message is posted.
    pub url: String,
    /// Where the to-do that the other system made of a message is closed, if it makes any.
    #[serde(default)]
    pub close_url: Option<String>,
    /// Networks beside the public addresses, such as `10.20.0.0/16`.
    #[serde(default)]
    pub allowed_networks: Vec<String>,
    /// The file of the template that writes a body.
    pub template_file: PathBuf,
    /// Of the body: `application/json`, `application/xml`, `text/xml` or
    /// `application/x-www-form-urlencoded`.
    #[serde(default = "json")]
    pub media_type: String,
    /// Sent with every request. A value that begins with `file:` is read from that file.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The header of the key by which the other system tells a repetition.
    #[serde(default = "key_header")]
    pub key_header: String,
    /// How requests are signed; not at all unless set.
    #[serde(default)]
    pub signature: Option<SignatureConfig>,
    /// The statuses by which the other system says that it has a message; 2xx unless set.
    #[serde(default)]
    pub sent_statuses: Vec<u16>,
    /// How long connecting may take, in seconds.
    #[serde(default = "five")]
    pub connect_seconds: u64,
    /// How long an attempt may take in all, in seconds.
    #[serde(default = "thirty")]
    pub whole_seconds: u64,
    /// How much goes out.
    #[serde(default)]
    pub flow: FlowConfig,
}

impl Default for FlowConfig {
    fn default() -> Self {
        FlowConfig { kinds: Vec::new(), per_minute: 120, burst: 20, concurrency: 4 }
    }
}

fn smtp_port() -> u16 {
    465
}

fn implicit() -> EncryptionConfig {
    EncryptionConfig::Implicit
}

fn five() -> u64 {
    5
}

fn ten() -> u64 {
    10
}

fn thirty() -> u64 {
    30
}

fn sixty() -> u64 {
    60
}

fn json() -> String {
    "application/json".to_owned()
}

fn key_header() -> String {
    "Idempotency-Key".to_owned()
}

fn signature_header() -> String {
    "X-Signature".to_owned()
}

fn timestamp_header() -> String {
    "X-Timestamp".to_owned()
}

impl ChannelsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(email) = &self.email {
            email.check()?;
        }
        if let Some(message) = &self.message {
            message.check()?;
        }
        Ok(())
    }
}

impl EmailConfig {
    /// Who signs in, with his password; nobody where nobody is to.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sign_in(&self) -> Result<Option<(String, String)>, ConfigError> {
        let Some((user, file)) = self.user.as_ref().zip(self.password_file.as_ref()) else { return Ok(None) };
        let password = read("channels.email.password_file", file)?;
        Ok(Some((user.clone(), password.trim_end_matches(['\r', '\n']).to_owned())))
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.server.is_empty() {
            return wrong("channels.email.server: must name a server");
        }
        if self.port == 0 {
            return wrong("channels.email.port: must not be 0");
        }
        if self.encryption == EncryptionConfig::None && !is_this_machine(&self.server) {
            return wrong("channels.email.encryption: none only where server is this machine itself");
        }
        if self.user.is_some() != self.password_file.is_some() {
            return wrong("channels.email: user and password_file are set together or not at all");
        }
        seconds("channels.email", self.connect_seconds, self.whole_seconds)?;
        self.flow.check("channels.email.flow")
    }
}

impl MessageConfig {
    /// Which addresses may be connected to.
    ///
    /// # Errors
    /// At the first network that is none.
    pub fn policy(&self) -> Result<AddressPolicy, ConfigError> {
        AddressPolicy::new(&self.allowed_networks)
            .map_err(|error| ConfigError(format!("channels.message.allowed_networks: {error}")))
    }

    /// The template.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn template(&self) -> Result<String, ConfigError> {
        read("channels.message.template_file", &self.template_file)
    }

    /// The headers of every request.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn headers(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let value = |(name, value): (&String, &String)| {
            let value = match value.strip_prefix("file:") {
                Some(file) => {
                    let text = read(&format!("channels.message.headers.{name}"), &PathBuf::from(file))?;
                    text.trim_end_matches(['\r', '\n']).to_owned()
                }
                None => value.clone(),
            };
            Ok((name.clone(), value))
        };
        self.headers.iter().map(value).collect()
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.policy()?;
        seconds("channels.message", self.connect_seconds, self.whole_seconds)?;
        self.flow.check("channels.message.flow")
    }
}

impl SignatureConfig {
    /// The key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn key(&self) -> Result<String, ConfigError> {
        let key = read("channels.message.signature.key_file", &self.key_file)?;
        Ok(key.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl FlowConfig {
    fn check(&self, name: &str) -> Result<(), ConfigError> {
        if !(1..=MOST_PER_MINUTE).contains(&self.per_minute) {
            return wrong(format!("{name}.per_minute: must be from 1 to {MOST_PER_MINUTE}"));
        }
        if !(1..=MOST_PER_MINUTE).contains(&self.burst) {
            return wrong(format!("{name}.burst: must be from 1 to {MOST_PER_MINUTE}"));
        }
        if !(1..=MOST_AT_ONCE).contains(&self.concurrency) {
            return wrong(format!("{name}.concurrency: must be from 1 to {MOST_AT_ONCE}"));
        }
        Ok(())
    }
}

fn seconds(name: &str, connect: u64, whole: u64) -> Result<(), ConfigError> {
    for (field, value) in [("connect_seconds", connect), ("whole_seconds", whole)] {
        if !(1..=LONGEST_SECONDS).contains(&value) {
            return wrong(format!("{name}.{field}: must be from 1 to {LONGEST_SECONDS}"));
        }
    }
    Ok(())
}

fn is_this_machine(server: &str) -> bool {
    server == "localhost" || server.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn wrong(what: impl Into<String>) -> Result<(), ConfigError> {
    Err(ConfigError(what.into()))
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::{ChannelsConfig, EncryptionConfig};

    const EMAIL: &str = "[email]\nserver = \"mail.example.gov.cn\"\nfrom = \"xietong@example.gov.cn\"\n";
    const MESSAGE: &str = "[message]\nurl = \"https://sms.example/send\"\ntemplate_file = \"sms.json\"\n";

    fn config(text: &str) -> ChannelsConfig {
        Figment::from(Toml::string(text)).extract().unwrap()
    }

    fn refused(text: &str) -> String {
        config(text).check().unwrap_err().to_string()
    }

    #[test]
    fn nothing_is_sent_unless_it_is_set_and_little_need_be_set() {
        assert_eq!(config(""), ChannelsConfig::default());
        let config = config(&format!("{EMAIL}{MESSAGE}"));
        assert!(config.check().is_ok());
        let (email, message) = (config.email.unwrap(), config.message.unwrap());
        assert_eq!((email.port, email.encryption), (465, EncryptionConfig::Implicit));
        assert_eq!(email.sign_in().unwrap(), None);
        assert_eq!(
            (message.media_type.as_str(), message.key_header.as_str()),
            ("application/json", "Idempotency-Key")
        );
    }

    #[test]
    fn the_first_bad_value_is_named() {
        for (text, name) in [
            (format!("{EMAIL}encryption = \"none\"\n"), "channels.email.encryption: "),
            (format!("{EMAIL}user = \"xietong\"\n"), "channels.email: user and password_file"),
            (format!("{EMAIL}port = 0\n"), "channels.email.port: "),
            (format!("{EMAIL}whole_seconds = 0\n"), "channels.email.whole_seconds: "),
            (format!("{EMAIL}[email.flow]\nper_minute = 0\n"), "channels.email.flow.per_minute: "),
            (format!("{MESSAGE}allowed_networks = [\"intranet\"]\n"), "channels.message.allowed_networks: "),
            (format!("{MESSAGE}[message.flow]\nconcurrency = 0\n"), "channels.message.flow.concurrency: "),
        ] {
            let error = refused(&text);
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn a_password_is_read_from_its_file_without_the_end_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "secret\n").unwrap();
        let text = format!("{EMAIL}user = \"xietong\"\npassword_file = \"{}\"\n", file.display());
        let read = config(&text).email.unwrap().sign_in().unwrap();
        assert_eq!(read, Some(("xietong".to_owned(), "secret".to_owned())));
    }
}

//! [`MailerSettings`]: which server, how it is reached and who signs in.

use std::fmt;
use std::time::Duration;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From its first byte (RFC 8314), usually at port 465.
    Implicit,
    /// By STARTTLS; without it nothing is sent.
    StartTls,
    /// Not at all: only to this machine itself.
    None,
}

/// Who signs in at the server. Debugged without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// As the server knows him.
    pub user: String,
    /// His password.
    pub password: String,
}

/// What a mailer goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailerSettings {
    /// Name or address of the server.
    pub server: String,
    /// Where it listens.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Who signs in; nobody where the server asks nobody to.
    pub sign_in: Option<SignIn>,
    /// Who sends: an address, or a name with an address in angle brackets.
    pub from: String,
    /// How long connecting may take, TLS and signing in included.
    pub connect: Duration,
    /// How long an attempt may take in all.
    pub whole: Duration,
    /// Connections that are kept when nothing is sent.
    pub kept: usize,
    /// Certificates, in DER, that are trusted beside this machine's authorities: a city's own.
    pub trusted: Vec<Vec<u8>>,
}

/// Settings that no mailer can go by.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The sender is no address.
    #[error("from: {0}")]
    From(lettre::address::AddressError),
    /// There is no TLS with them.
    #[error("TLS: {0}")]
    Tls(lettre::transport::smtp::Error),
    /// A server elsewhere would be sent to in clear text.
    #[error("without encryption e-mail is sent to this machine itself alone")]
    ClearText,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignIn({}, …)", self.user)
    }
}

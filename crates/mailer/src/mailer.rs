//! [`Mailer`]: makes one attempt.

use std::net::IpAddr;

use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;
use xietong_timers::MachineClock;

use crate::handed::{Handed, Step};
use crate::letter::Letter;
use crate::pool::Pool;
use crate::settings::{Encryption, MailerError, MailerSettings};

/// The server closes the connection (RFC 5321, 4.2.3).
const CLOSING: u16 = 421;
/// The server wants somebody to sign in, or not him (RFC 4954, 4 and 6).
const SIGN_IN: [u16; 4] = [530, 534, 535, 538];
/// Longest part of a reply that is kept, in characters.
const REPLY: usize = 200;

/// Hands letters to one server; one for a whole service, since it keeps connections.
pub struct Mailer {
    settings: MailerSettings,
    from: Mailbox,
    hello: ClientId,
    tls: Option<TlsParameters>,
    pool: Pool,
    clock: MachineClock,
}

/// A failure with what it means for the letter.
struct Stopped {
    handed: Handed,
    /// Nothing can be sent on the connection any more.
    ends_connection: bool,
}

impl Mailer {
    /// Ready to send. Nothing is connected to before the first letter.
    ///
    /// # Errors
    /// When the settings do not fit together.
    pub fn new(settings: MailerSettings, clock: MachineClock) -> Result<Self, MailerError> {
        let from: Mailbox = settings.from.parse().map_err(MailerError::From)?;
        let tls = match settings.encryption {
            Encryption::Implicit | Encryption::StartTls => Some(tls(&settings).map_err(MailerError::Tls)?),
            Encryption::None if is_this_machine(&settings.server) => None,
            Encryption::None => return Err(MailerError::ClearText),
        };
        // Not the machine's name, which is nobody's business outside.
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let pool = Pool::new(settings.kept);
        Ok(Mailer { settings, from, hello, tls, pool, clock })
    }

    /// Makes one attempt. It ends within [`MailerSettings::whole`], whatever the server does.
    pub async fn send(&self, letter: Letter<'_>) -> Handed {
        let message = match letter.written(&self.from, self.clock.now()) {
            Ok(message) => message,
            // No attempt writes it otherwise: it is refused by us.
            Err(reply) => return Handed::Refused { code: 0, reply },
        };
        let Some(to) = message.envelope().to().first().cloned() else {
            return Handed::Refused { code: 0, reply: "no recipient".to_owned() };
        };
        let bytes = message.formatted();
        // Read when the time is over: how far it had come decides what is known of the letter.
        let mut step = Step::Connecting;
        match timeout(self.settings.whole, self.hand(to, &bytes, &mut step)).await {
            Ok(handed) => handed,
            Err(_) => Handed::Failed { step, detail: "it took too long".to_owned() },
        }
    }

    async fn hand(&self, to: Address, bytes: &[u8], step: &mut Step) -> Handed {
        if let Some(mut connection) = self.pool.take(self.clock.now()) {
            // One that the server has ended meanwhile is no failure: nothing was sent on it.
            if connection.test_connected().await {
                return self.hand_by(connection, to, bytes, step).await;
            }
        }
        match self.connect(step).await {
            Ok(connection) => self.hand_by(connection, to, bytes, step).await,
            Err(error) => Handed::Failed { step: *step, detail: detail(&error) },
        }
    }

    async fn connect(&self, step: &mut Step) -> Result<AsyncSmtpConnection, Error> {
        let MailerSettings { server, port, encryption, sign_in, connect, .. } = &self.settings;
        let at_once = match encryption {
            Encryption::Implicit => self.tls.clone(),
            Encryption::StartTls | Encryption::None => None,
        };
        let address = (server.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(*connect), &self.hello, at_once, None).await?;
        if let (Encryption::StartTls, Some(tls)) = (encryption, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(who) = sign_in {
            *step = Step::SigningIn;
            let credentials = Credentials::new(who.user.clone(), who.password.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }

    async fn hand_by(
        &self,
        mut connection: AsyncSmtpConnection,
        to: Address,
        bytes: &[u8],
        step: &mut Step,
    ) -> Handed {
        match self.give(&mut connection, to, bytes, step).await {
            Ok(()) => {
                self.pool.keep(connection, self.clock.now());
                Handed::Accepted
            }
            Err(Stopped { handed, ends_connection: true }) => handed,
            Err(Stopped { handed, ends_connection: false }) => {
                if connection.command(Rset).await.is_ok() {
                    self.pool.keep(connection, self.clock.now());
                }
                handed
            }
        }
    }

    async fn give(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: Address,
        bytes: &[u8],
        step: &mut Step,
    ) -> Result<(), Stopped> {
        *step = Step::Addressing;
        let from = Mail::new(Some(self.from.email.clone()), Vec::new());
        // Whether the sender is taken says nothing of this letter, but of all.
        connection.command(from).await.map_err(|error| Stopped::failed(*step, &error))?;
        let judged = |step, error: Error| Stopped::judged(step, &error);
        connection.command(Rcpt::new(to, Vec::new())).await.map_err(|error| judged(*step, error))?;
        connection.command(Data).await.map_err(|error| judged(*step, error))?;
        *step = Step::Giving;
        connection.message(bytes).await.map_err(|error| judged(*step, error))?;
        Ok(())
    }
}

impl Stopped {
    fn failed(step: Step, error: &Error) -> Self {
        let ends_connection = code(error).is_none_or(|code| code == CLOSING);
        Stopped { handed: Handed::Failed { step, detail: detail(error) }, ends_connection }
    }

    /// A reply to what was said of this letter.
    fn judged(step: Step, error: &Error) -> Self {
        let reply = || detail(error).chars().take(REPLY).collect();
        let handed = match code(error) {
            None => return Self::failed(step, error),
            // It said that it has not got the letter.
            Some(CLOSING) => return Self::failed(Step::Addressing, error),
            Some(code) if SIGN_IN.contains(&code) => return Self::failed(Step::SigningIn, error),
            Some(code) if error.is_permanent() => Handed::Refused { code, reply: reply() },
            Some(code) => Handed::Postponed { code, reply: reply() },
        };
        Stopped { handed, ends_connection: false }
    }
}

fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// What the server said, or what went wrong, in one line. Servers like to repeat the address, in what
/// case they please, which is nobody's business who reads of it later: none is kept.
fn detail(error: &Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    let said: String =
        error.to_string().chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    without_addresses(&said)
}

fn without_addresses(said: &str) -> String {
    let ends = |one: char| one.is_whitespace() || "<>()[]\"',;:".contains(one);
    let words = said.split_inclusive(ends).map(|word| {
        let end = word.chars().next_back().filter(|last| ends(*last));
        match end {
            _ if !word.contains('@') => word.to_owned(),
            Some(end) => format!("…{end}"),
            None => "…".to_owned(),
        }
    });
    words.collect()
}

fn tls(settings: &MailerSettings) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(settings.server.clone());
    for certificate in &settings.trusted {
        builder = builder.add_root_certificate(Certificate::from_der(certificate.clone())?);
    }
    builder.build_rustls()
}

fn is_this_machine(server: &str) -> bool {
    server == "localhost" || server.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn no_address_is_kept_of_what_a_server_says() {
        for (said, kept) in [
            ("550 <Liaison@Water.example.GOV.cn>: not here", "550 <…>: not here"),
            ("mailbox a.b+c@d unknown", "mailbox … unknown"),
            ("'a@b'", "'…'"),
            ("a@b", "…"),
            ("rcpt to:a@b,c@d refused", "rcpt to:…,… refused"),
            ("550 5.1.1 nobody of that name", "550 5.1.1 nobody of that name"),
        ] {
            assert_eq!(without_addresses(said), kept, "{said}");
        }
    }
}

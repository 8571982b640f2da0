//! One connection to a mail server, as far as RFC 5321 is needed.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{MailBehaviour, MailTls, ReceivedLetter, Shared};

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<Stream: AsyncRead + AsyncWrite + Unpin + Send> Wire for Stream {}

struct Session {
    wire: BufReader<Box<dyn Wire>>,
    shared: Arc<Shared>,
    from: String,
    to: String,
    behaviour: MailBehaviour,
    signed_in: bool,
}

/// Serves until it is aborted, and its connections with it.
pub(super) async fn accept(
    listener: TcpListener,
    tls: MailTls,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, acceptor) = (shared.clone(), acceptor.clone());
        let mut hung_up = shared.hung_up.subscribe();
        connections.spawn(async move {
            // That the other end goes away is what some of the tests are about.
            tokio::select! {
                _ = serve(stream, tls, acceptor, shared) => {}
                _ = hung_up.changed() => {}
            }
        });
    }
}

async fn serve(
    stream: TcpStream,
    tls: MailTls,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let behaviour = shared.connected();
    let wire: Box<dyn Wire> = match (tls, &acceptor) {
        (MailTls::Implicit, Some(acceptor)) => Box::new(acceptor.accept(stream).await?),
        (MailTls::Implicit | MailTls::StartTls | MailTls::None, _) => Box::new(stream),
    };
    let signed_in = shared.password.is_none();
    let mut session = Session {
        wire: BufReader::new(wire),
        shared,
        from: String::new(),
        to: String::new(),
        behaviour: MailBehaviour::Take,
        signed_in,
    };
    match behaviour {
        Some(MailBehaviour::NoGreeting) => std::future::pending::<()>().await,
        Some(MailBehaviour::Close) => return Ok(()),
        Some(MailBehaviour::Greet { code }) => return session.reply(code, "not now").await,
        Some(_) | None => session.reply(220, "localhost ESMTP").await?,
    }
    let offers_tls = tls == MailTls::StartTls;
    if offers_tls {
        match session.until_tls().await? {
            ControlFlow::Break(()) => return Ok(()),
            ControlFlow::Continue(()) => {}
        }
        let Some(acceptor) = acceptor else { return Ok(()) };
        let encrypted = acceptor.accept(session.wire.into_inner()).await?;
        session.wire = BufReader::new(Box::new(encrypted));
    }
    while session.command().await?.is_continue() {}
    Ok(())
}

impl Session {
    async fn reply(&mut self, code: u16, text: &str) -> io::Result<()> {
        if let MailBehaviour::Slow { wait } = self.behaviour {
            tokio::time::sleep(wait).await;
        }
        self.say(&format!("{code} {text}\r\n")).await
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.wire.get_mut().write_all(text.as_bytes()).await?;
        self.wire.get_mut().flush().await
    }

    /// The next line without its end; `None` at the end of the connection.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.wire.read_line(&mut line).await?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Takes nothing before the connection is encrypted.
    async fn until_tls(&mut self) -> io::Result<ControlFlow<()>> {
        while let Some(line) = self.line().await? {
            match verb(&line).as_str() {
                "EHLO" => self.say("250-localhost\r\n250 STARTTLS\r\n").await?,
                "STARTTLS" => {
                    self.reply(220, "go ahead").await?;
                    return Ok(ControlFlow::Continue(()));
                }
                "QUIT" => break,
                _ => self.reply(530, "must issue a STARTTLS command first").await?,
            }
        }
        Ok(ControlFlow::Break(()))
    }

    /// Whether the connection goes on after the next command.
    async fn command(&mut self) -> io::Result<ControlFlow<()>> {
        let Some(line) = self.line().await? else { return Ok(ControlFlow::Break(())) };
        match verb(&line).as_str() {
            "EHLO" => self.say("250-localhost\r\n250 AUTH PLAIN\r\n").await?,
            "NOOP" | "RSET" => self.reply(250, "OK").await?,
            "QUIT" => {
                self.reply(221, "bye").await?;
                return Ok(ControlFlow::Break(()));
            }
            "AUTH" => self.sign_in(&line).await?,
            "MAIL" if !self.signed_in => self.reply(530, "authentication required").await?,
            "MAIL" => return self.sender(&line).await,
            "RCPT" => self.recipient(&line).await?,
            "DATA" => return self.text().await,
            _ => self.reply(502, "unknown").await?,
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn sign_in(&mut self, line: &str) -> io::Result<()> {
        let given = line.split_whitespace().nth(2).unwrap_or_default().to_owned();
        let expected = self.shared.password.clone().map(|(user, password)| plain(&user, &password));
        self.signed_in = expected.as_ref() == Some(&given);
        if self.signed_in { self.reply(235, "welcome").await } else { self.reply(535, "unknown").await }
    }

    async fn sender(&mut self, line: &str) -> io::Result<ControlFlow<()>> {
        self.behaviour = self.shared.begin();
        self.from = in_brackets(line);
        match self.behaviour {
            MailBehaviour::ReplyToSender { code } => self.reply(code, "not from you").await?,
            MailBehaviour::Hang => std::future::pending::<()>().await,
            _ => self.reply(250, "OK").await?,
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn recipient(&mut self, line: &str) -> io::Result<()> {
        self.to = in_brackets(line);
        match self.behaviour {
            MailBehaviour::ReplyToRecipient { code } => {
                let text = format!("<{}>: not here", self.to);
                self.reply(code, &text).await
            }
            MailBehaviour::Greylist if self.shared.greylists(&self.to) => {
                self.reply(450, "greylisted, come again").await
            }
            _ => self.reply(250, "OK").await,
        }
    }

    async fn text(&mut self) -> io::Result<ControlFlow<()>> {
        self.reply(354, "go ahead").await?;
        let mut text = String::new();
        while let Some(line) = self.line().await? {
            if self.behaviour == MailBehaviour::CloseInText {
                return Ok(ControlFlow::Break(()));
            }
            if line == "." {
                return self.whole(text).await;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        Ok(ControlFlow::Break(()))
    }

    async fn whole(&mut self, text: String) -> io::Result<ControlFlow<()>> {
        let mut letter =
            ReceivedLetter { from: self.from.clone(), to: self.to.clone(), text, answered: false };
        match self.behaviour {
            MailBehaviour::ReplyToText { code } => self.reply(code, "not this text").await?,
            MailBehaviour::TakeAndClose => {
                self.shared.record(letter);
                return Ok(ControlFlow::Break(()));
            }
            MailBehaviour::TakeAndHang => {
                self.shared.record(letter);
                // A test that ends takes the connection with it.
                tokio::time::sleep(Duration::from_secs(3_600)).await;
                return Ok(ControlFlow::Break(()));
            }
            _ => {
                letter.answered = true;
                self.shared.record(letter);
                self.reply(250, "OK").await?;
            }
        }
        self.behaviour = MailBehaviour::Take;
        Ok(ControlFlow::Continue(()))
    }
}

fn verb(line: &str) -> String {
    line.split(' ').next().unwrap_or_default().to_ascii_uppercase()
}

fn in_brackets(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

/// What AUTH PLAIN sends (RFC 4616).
fn plain(user: &str, password: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"))
}

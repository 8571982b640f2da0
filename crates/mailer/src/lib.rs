//! Hands one e-mail to the city's mail server by SMTP, and says what the server made of it.
//!
//! [`Mailer::send`] makes one attempt and says what came of it as a [`Handed`]. It neither retries nor
//! stores: when to try again is `domain/channel`'s to say and the service's to keep. Connections are
//! kept and used again.

mod handed;
mod letter;
mod mailer;
mod pool;
mod settings;

pub use handed::{Handed, Step};
pub use letter::Letter;
pub use mailer::Mailer;
pub use settings::{Encryption, MailerError, MailerSettings, SignIn};

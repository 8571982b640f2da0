//! [`Letter`]: one e-mail, written by RFC 5322.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use xietong_timers::MachineTime;

/// One e-mail of plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter<'a> {
    /// Who gets it.
    pub to: &'a str,
    /// Names it, before the `@`: the same at every attempt, so that a receiver can tell a repetition.
    pub id: &'a str,
    /// Of the letter that it follows up.
    pub follows: Option<&'a str>,
    /// One line.
    pub subject: &'a str,
    /// Lines of plain text.
    pub body: &'a str,
}

impl Letter<'_> {
    /// As bytes, all of them ASCII; the reason in English when it cannot be written.
    pub(crate) fn written(&self, from: &Mailbox, now: MachineTime) -> Result<Message, String> {
        let to: Mailbox = self.to.parse().map_err(|error| format!("the recipient: {error}"))?;
        let named = |id: &str| format!("<{id}@{}>", from.email.domain());
        let date = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.as_micros()).unwrap_or(0));
        // No server answers it, and no absence notice either (RFC 3834).
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let mut builder = Message::builder()
            .from(from.clone())
            .to(to)
            .date(date)
            .message_id(Some(named(self.id)))
            .subject(self.subject)
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN);
        if let Some(first) = self.follows {
            builder = builder.in_reply_to(named(first)).references(named(first));
        }
        builder.body(self.body.to_owned()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use lettre::message::Mailbox;
    use xietong_timers::MachineTime;

    use super::Letter;

    fn from() -> Mailbox {
        "协同系统 <xietong@example.gov.cn>".parse().unwrap()
    }

    fn letter() -> Letter<'static> {
        Letter {
            to: "liaison@water.example.gov.cn",
            id: "one",
            follows: None,
            subject: "【催办】第148号《整治城区积水点》",
            body: "请抓紧办理。\n.\n以上。\n",
        }
    }

    fn text(letter: &Letter<'_>) -> String {
        let bytes = letter.written(&from(), MachineTime::from_micros(0)).unwrap().formatted();
        assert!(bytes.is_ascii());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_letter_is_ascii_with_a_stable_name_and_says_that_nobody_wrote_it() {
        let text = text(&letter());
        for line in [
            "Message-ID: <one@example.gov.cn>",
            "Auto-Submitted: auto-generated",
            "To: liaison@water.example.gov.cn",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
        }
        assert!(!text.contains("In-Reply-To"));
    }

    #[test]
    fn what_follows_up_is_shown_under_what_it_follows() {
        let text = text(&Letter { id: "two", follows: Some("one"), ..letter() });
        for line in ["Message-ID: <two@", "In-Reply-To: <one@", "References: <one@"] {
            assert!(text.contains(&format!("{line}example.gov.cn>\r\n")), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_letter_becomes_a_header() {
        let text = text(&Letter { subject: "题目\r\nBcc: other@example.gov.cn", ..letter() });
        assert!(text.lines().all(|line| !line.starts_with("Bcc")), "{text}");
        let to = "liaison@example.gov.cn>\r\nBcc: <other@example.gov.cn";
        assert!(Letter { to, ..letter() }.written(&from(), MachineTime::from_micros(0)).is_err());
    }
}

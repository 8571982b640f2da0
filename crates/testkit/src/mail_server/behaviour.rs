//! [`MailBehaviour`]: what a mail server does with a letter, or with a connection.

use std::time::Duration;

/// What a mail server does with a letter, or with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailBehaviour {
    /// Takes it.
    Take,
    /// Takes it, and says each word only after a while.
    Slow {
        /// Before each reply.
        wait: Duration,
    },
    /// Replies so to whoever it is from.
    ReplyToSender {
        /// 4yz or 5yz.
        code: u16,
    },
    /// Replies so to whom it is for, the address included.
    ReplyToRecipient {
        /// 4yz or 5yz.
        code: u16,
    },
    /// Asks each recipient to come again, once, and then takes it.
    Greylist,
    /// Replies so to the whole text.
    ReplyToText {
        /// 4yz or 5yz.
        code: u16,
    },
    /// Ends the connection when it has the beginning of the text.
    CloseInText,
    /// Takes it and ends the connection before it says so.
    TakeAndClose,
    /// Takes it and never says so.
    TakeAndHang,
    /// Says nothing more, from the sender on.
    Hang,
    /// Says nothing at all: of a connection.
    NoGreeting,
    /// Greets so and ends the connection: of a connection.
    Greet {
        /// For example 421 or 554.
        code: u16,
    },
    /// Ends the connection without a word: of a connection.
    Close,
}

impl MailBehaviour {
    /// Whether it begins before there is a letter.
    pub(super) fn is_of_connections(&self) -> bool {
        match self {
            Self::NoGreeting | Self::Greet { .. } | Self::Close => true,
            Self::Take
            | Self::Slow { .. }
            | Self::ReplyToSender { .. }
            | Self::ReplyToRecipient { .. }
            | Self::Greylist
            | Self::ReplyToText { .. }
            | Self::CloseInText
            | Self::TakeAndClose
            | Self::TakeAndHang
            | Self::Hang => false,
        }
    }
}

//! [`Receipt`]: the life of a message in an inbox.

use domain_calendar::Timestamp;

/// Whether a message was read and signed for, and when first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// It must be signed for.
    pub requires_acknowledgement: bool,
    /// When first read.
    pub read_at: Option<Timestamp>,
    /// When signed for.
    pub acknowledged_at: Option<Timestamp>,
    /// When put away; none while it is not.
    pub archived_at: Option<Timestamp>,
    /// When recalled: what it asked was done, or was no longer wanted.
    pub recalled_at: Option<Timestamp>,
}

/// What cannot be done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is only to be read.
    #[error("the message is not one that is signed for")]
    NothingToSign,
    /// It must be signed for before it is put out of sight.
    #[error("the message must be signed for before it is archived")]
    NotSigned,
    /// What it asked is over.
    #[error("the message was recalled: there is nothing to sign for any more")]
    Recalled,
}

impl Receipt {
    /// The receipt after reading; the first reading counts, so reading again changes nothing.
    #[must_use]
    pub fn read(self, now: Timestamp) -> Self {
        Receipt { read_at: self.read_at.or(Some(now)), ..self }
    }

    /// The receipt after signing: read as well, and signed once.
    pub fn acknowledge(self, now: Timestamp) -> Result<Self, ReceiptError> {
        if !self.requires_acknowledgement {
            return Err(ReceiptError::NothingToSign);
        }
        if self.awaits_nothing_any_more() {
            return Err(ReceiptError::Recalled);
        }
        Ok(Receipt { acknowledged_at: self.acknowledged_at.or(Some(now)), ..self.read(now) })
    }
}

impl Receipt {
    /// Whether it must be signed for and is not.
    pub fn awaits_signature(self) -> bool {
        self.requires_acknowledgement && self.acknowledged_at.is_none() && self.recalled_at.is_none()
    }

    /// Whether it was recalled before it was signed for.
    fn awaits_nothing_any_more(self) -> bool {
        self.acknowledged_at.is_none() && self.recalled_at.is_some()
    }

    /// The receipt after what it asked came to its end, once. What was signed for stays as it is.
    #[must_use]
    pub fn recall(self, now: Timestamp) -> Self {
        if self.acknowledged_at.is_some() {
            return self;
        }
        Receipt { recalled_at: self.recalled_at.or(Some(now)), ..self }
    }

    /// The receipt after it was put away, once; whether it was read stays as it is.
    ///
    /// # Errors
    /// [`ReceiptError::NotSigned`] while it must still be signed for.
    pub fn archive(self, now: Timestamp) -> Result<Self, ReceiptError> {
        if self.awaits_signature() {
            return Err(ReceiptError::NotSigned);
        }
        Ok(Receipt { archived_at: self.archived_at.or(Some(now)), ..self })
    }

    /// The receipt after it was taken back out.
    #[must_use]
    pub fn unarchive(self) -> Self {
        Receipt { archived_at: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{Receipt, ReceiptError};
    use crate::fixture::at;

    const FRESH: Receipt = Receipt {
        requires_acknowledgement: true,
        read_at: None,
        acknowledged_at: None,
        archived_at: None,
        recalled_at: None,
    };

    #[test]
    fn what_was_recalled_cannot_be_signed_for_but_read_and_put_away() {
        let (early, late) = (at("2023-06-01T09:00+08:00"), at("2023-06-02T09:00+08:00"));
        let recalled = FRESH.recall(early);
        assert_eq!(recalled, Receipt { recalled_at: Some(early), ..FRESH });
        assert_eq!(recalled.recall(late), recalled, "once");
        assert!(!recalled.awaits_signature());
        assert_eq!(recalled.acknowledge(late), Err(ReceiptError::Recalled));
        assert_eq!(recalled.read(late).read_at, Some(late));
        assert!(recalled.archive(late).is_ok());
        let signed = FRESH.acknowledge(early).unwrap();
        assert_eq!(signed.recall(late), signed, "what was signed for is not touched");
    }

    #[test]
    fn what_must_be_signed_for_is_not_put_away_before_it_is() {
        let (early, late) = (at("2023-06-01T09:00+08:00"), at("2023-06-02T09:00+08:00"));
        assert_eq!(FRESH.archive(early), Err(ReceiptError::NotSigned));
        assert_eq!(FRESH.read(early).archive(early), Err(ReceiptError::NotSigned));
        let signed = FRESH.acknowledge(early).unwrap();
        let archived = signed.archive(early).unwrap();
        assert_eq!(archived, Receipt { archived_at: Some(early), ..signed });
        assert_eq!(archived.archive(late), Ok(archived));
        assert_eq!(archived.unarchive(), signed);
        let only_read = Receipt { requires_acknowledgement: false, ..FRESH };
        assert_eq!(only_read.archive(early).unwrap().read_at, None, "putting away is not reading");
    }

    #[test]
    fn the_first_reading_and_the_first_signature_count() {
        let (early, late) = (at("2023-06-01T09:00+08:00"), at("2023-06-02T09:00+08:00"));
        assert_eq!(FRESH.read(early).read(late), Receipt { read_at: Some(early), ..FRESH });
        let signed = FRESH.acknowledge(early).unwrap();
        assert_eq!(signed, Receipt { read_at: Some(early), acknowledged_at: Some(early), ..FRESH });
        assert_eq!(signed.acknowledge(late), Ok(signed));
        assert_eq!(FRESH.read(early).acknowledge(late).unwrap().read_at, Some(early));
    }

    #[test]
    fn what_is_only_read_cannot_be_signed_for() {
        let only_read = Receipt { requires_acknowledgement: false, ..FRESH };
        assert_eq!(only_read.acknowledge(at("2023-06-01T09:00+08:00")), Err(ReceiptError::NothingToSign));
    }
}

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
        Ok(Receipt { acknowledged_at: self.acknowledged_at.or(Some(now)), ..self.read(now) })
    }
}

impl Receipt {
    /// Whether it must be signed for and is not.
    pub fn awaits_signature(self) -> bool {
        self.requires_acknowledgement && self.acknowledged_at.is_none()
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

    const FRESH: Receipt =
        Receipt { requires_acknowledgement: true, read_at: None, acknowledged_at: None, archived_at: None };

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

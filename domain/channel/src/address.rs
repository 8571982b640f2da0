//! [`EmailAddress`] and [`MobileNumber`]: what is accepted as an address, and how others see it.

use std::fmt;

use email_address::{EmailAddress as Checked, Options};

/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3, as corrected by erratum 1690).
const LONGEST_EMAIL: usize = 254;
/// Digits of a mobile number of the mainland (YD/T 3389).
const MOBILE_DIGITS: usize = 11;

/// An e-mail address: in ASCII, with a domain that has a dot. Debugged without most of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// A mobile number of the mainland, eleven digits. Debugged without most of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MobileNumber(String);

/// Why something is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No e-mail can be sent to it.
    #[error("must be an e-mail address such as name@example.gov.cn, of at most 254 ASCII characters")]
    Email,
    /// It is no mobile number.
    #[error("must be a mobile number of eleven digits")]
    Mobile,
}

impl AddressError {
    /// The reason as an official reads it.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Email => "电子邮箱格式不正确，应为“名称@域名”的形式，最长254个英文字符",
            Self::Mobile => "手机号码应为11位数字，以13至19开头",
        }
    }
}

impl EmailAddress {
    /// Reads an address. The domain is kept in lower case.
    ///
    /// # Errors
    /// When it is none, or one that not every server takes.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        let text = text.trim();
        let plain = text.is_ascii() && text.len() <= LONGEST_EMAIL && !text.contains(['"', ' ']);
        if !plain || Checked::parse_with_options(text, options).is_err() {
            return Err(AddressError::Email);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Email)?;
        Ok(EmailAddress(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The whole address, for whoever sends to it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As others see it, for example `z***@example.gov.cn`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or_default();
        let first: String = local.chars().take(1).collect();
        format!("{first}***@{domain}")
    }
}

impl MobileNumber {
    /// Reads a number, with or without `+86`, spaces and hyphens.
    ///
    /// # Errors
    /// When it is none of the mainland.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let kept: String = text.chars().filter(|one| !matches!(one, ' ' | '-')).collect();
        let digits = kept.strip_prefix("+86").unwrap_or(&kept);
        let begins = digits.starts_with('1') && !digits.starts_with("10") && !digits.starts_with("11");
        let begins = begins && !digits.starts_with("12");
        if digits.len() != MOBILE_DIGITS || !begins || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AddressError::Mobile);
        }
        Ok(MobileNumber(digits.to_owned()))
    }

    /// The whole number, for whoever sends to it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As others see it, for example `138****0000`.
    pub fn masked(&self) -> String {
        let (first, last) = (self.0.get(..3).unwrap_or_default(), self.0.get(7..).unwrap_or_default());
        format!("{first}****{last}")
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MobileNumber({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AddressError, EmailAddress, MobileNumber};

    #[test]
    fn addresses_are_read_and_shown_to_others_without_most_of_them() {
        let email = EmailAddress::parse(" zhang.san@Water.Example.GOV.cn ").unwrap();
        assert_eq!(email.expose(), "zhang.san@water.example.gov.cn");
        assert_eq!(email.masked(), "z***@water.example.gov.cn");
        assert_eq!(format!("{email:?}"), "EmailAddress(z***@water.example.gov.cn)");
        for text in ["13800000000", "+86 138-0000-0000", "138 0000 0000"] {
            let mobile = MobileNumber::parse(text).unwrap();
            assert_eq!((mobile.expose(), mobile.masked()), ("13800000000", "138****0000".to_owned()));
            assert_eq!(format!("{mobile:?}"), "MobileNumber(138****0000)");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.gov.cn", "a".repeat(245));
        for text in [
            "",
            "name",
            "@example.gov.cn",
            "name@",
            "name@localhost",
            "name@[127.0.0.1]",
            "<name@example.gov.cn>",
            "somebody <name@example.gov.cn>",
            "\"a b\"@example.gov.cn",
            "张三@example.gov.cn",
            "name@example.gov.cn\r\nBcc: other@example.gov.cn",
            "one@example.gov.cn,two@example.gov.cn",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), Err(AddressError::Email), "{text:?}");
        }
        for text in
            ["", "1380000000", "138000000000", "12800000000", "23800000000", "１3800000000", "+8513800000000"]
        {
            assert_eq!(MobileNumber::parse(text), Err(AddressError::Mobile), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_reading_panic_and_what_is_read_is_read_again(text in "\\PC{0,40}") {
            if let Ok(email) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(email.expose()), Ok(email.clone()));
                prop_assert!(!email.expose().contains(['\r', '\n', '<', '>', ' ']));
            }
            if let Ok(mobile) = MobileNumber::parse(&text) {
                prop_assert_eq!(MobileNumber::parse(mobile.expose()), Ok(mobile.clone()));
            }
        }
    }
}

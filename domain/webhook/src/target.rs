//! [`Target`]: the URL that an endpoint's requests are sent to.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use crate::address::{AddressPolicy, AddressRefusal, Scheme};

/// As many bytes a URL has at most.
const LONGEST: usize = 2_048;

/// A URL that may be sent to, as far as it can be told from the URL: where its host is a name,
/// what it resolves to is judged at each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    scheme: Scheme,
}

/// Why a URL is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is too long.
    #[error("the URL is longer than 2048 bytes")]
    TooLong,
    /// It is not one.
    #[error("the URL is not a complete one")]
    Malformed,
    /// It has spaces or control characters.
    #[error("the URL has spaces or control characters")]
    Whitespace,
    /// It is of another kind.
    #[error("the URL begins with neither https:// nor http://")]
    Scheme,
    /// It would be sent in clear text, which no network is listed for.
    #[error("the URL must begin with https://")]
    ClearText,
    /// It has a user's name or a password, which would be kept and shown.
    #[error("the URL must not contain credentials")]
    Credentials,
    /// It has a fragment, which no request sends.
    #[error("the URL must not contain a fragment")]
    Fragment,
    /// It has a port that nothing listens at.
    #[error("the URL must not name port 0")]
    Port,
    /// Its host is an address that may not be connected to.
    #[error(transparent)]
    Address(#[from] AddressRefusal),
}

impl Target {
    /// Reads a URL: https, or http where the policy lists networks; without credentials and
    /// fragment, 2048 bytes at most.
    ///
    /// # Errors
    /// The first reason why it is not accepted.
    pub fn parse(text: &str, policy: &AddressPolicy) -> Result<Self, TargetError> {
        if text.len() > LONGEST {
            return Err(TargetError::TooLong);
        }
        // The parser would quietly drop them, and the URL would not be the one that was read.
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(TargetError::Whitespace);
        }
        let url = Url::parse(text).map_err(|_| TargetError::Malformed)?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(TargetError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        let port = url.port_or_known_default().ok_or(TargetError::Malformed)?;
        if port == 0 {
            return Err(TargetError::Port);
        }
        if scheme == Scheme::Http && !policy.lists_any() {
            return Err(TargetError::ClearText);
        }
        // Characters beyond ASCII are encoded by now, which makes it longer.
        if url.as_str().len() > LONGEST {
            return Err(TargetError::TooLong);
        }
        let target = Target { url, scheme };
        if let Some(address) = target.address() {
            policy.judge(scheme, SocketAddr::new(address, port))?;
        }
        Ok(target)
    }

    /// As it is requested.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// How it is requested.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its host, where that is an address: in whichever way it is written, `127.1`,
    /// `0x7f000001` and `2130706433` included.
    pub fn address(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        }
    }
}

impl TargetError {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::TooLong => "地址过长，最多2048字节".to_owned(),
            Self::Malformed => "地址不完整或格式不正确".to_owned(),
            Self::Whitespace => "地址不能包含空格或控制字符".to_owned(),
            Self::Scheme => "地址应以https://或http://开头".to_owned(),
            Self::ClearText => "地址应以https://开头".to_owned(),
            Self::Credentials => "地址不能包含用户名或密码".to_owned(),
            Self::Fragment => "地址不能包含“#”及其后的内容".to_owned(),
            Self::Port => "端口不能为0".to_owned(),
            Self::Address(refusal) => refusal.chinese(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Target, TargetError};
    use crate::address::{AddressKind, AddressPolicy, AddressRefusal};

    fn refused(text: &str) -> TargetError {
        Target::parse(text, &AddressPolicy::default()).unwrap_err()
    }

    #[test]
    fn a_url_is_taken_as_it_is_requested() {
        let policy = AddressPolicy::new(["10.20.0.0/16"]).unwrap();
        for (text, requested) in [
            ("https://oa.example.gov.cn/hooks?a=1", "https://oa.example.gov.cn/hooks?a=1"),
            ("https://OA.example.gov.cn:443", "https://oa.example.gov.cn/"),
            ("https://临汾.example/", "https://xn--miq515e.example/"),
            ("http://oa.example.gov.cn:88/", "http://oa.example.gov.cn:88/"),
            ("http://10.20.1.1:25/", "http://10.20.1.1:25/"),
            ("https://1.1.1.1:8443/", "https://1.1.1.1:8443/"),
            ("https://[2400:3200::1]/", "https://[2400:3200::1]/"),
        ] {
            assert_eq!(Target::parse(text, &policy).unwrap().as_str(), requested);
        }
    }

    #[test]
    fn what_is_no_url_to_send_to_is_refused_with_its_reason() {
        let long = format!("https://example.com/{}", "a".repeat(2_048));
        let longer_when_encoded = format!("https://example.com/{}", "长".repeat(600));
        for (text, error) in [
            (long.as_str(), TargetError::TooLong),
            (&longer_when_encoded, TargetError::TooLong),
            ("", TargetError::Malformed),
            ("example.com/hooks", TargetError::Malformed),
            ("https://", TargetError::Malformed),
            ("https://example.com:99999/", TargetError::Malformed),
            ("ht\ntps://example.com/", TargetError::Whitespace),
            ("https://example.com/a b", TargetError::Whitespace),
            ("https://example.com/\u{3000}", TargetError::Whitespace),
            ("ftp://example.com/", TargetError::Scheme),
            ("file:///etc/passwd", TargetError::Scheme),
            ("http://example.com/", TargetError::ClearText),
            ("https://user@example.com/", TargetError::Credentials),
            ("https://:secret@example.com/", TargetError::Credentials),
            ("https://example.com/#top", TargetError::Fragment),
            ("https://example.com:0/", TargetError::Port),
            ("https://1.1.1.1:25/", TargetError::Address(AddressRefusal::Port { port: 25 })),
        ] {
            assert_eq!(refused(text), error, "{text}");
        }
    }

    #[test]
    fn this_machine_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "１２７.0.0.1",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::127.0.0.1]",
        ] {
            let error = refused(&format!("https://{host}/"));
            let loopback = matches!(
                error,
                TargetError::Address(AddressRefusal::Kind { kind: AddressKind::Loopback, .. })
            );
            assert!(loopback, "{host}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_accepted_reads_the_same_again(text in "(https?://)?[ -~]{0,40}") {
            let policy = AddressPolicy::new(["10.0.0.0/8"]).unwrap();
            if let Ok(target) = Target::parse(&text, &policy) {
                prop_assert_eq!(Target::parse(target.as_str(), &policy), Ok(target));
            }
        }
    }
}

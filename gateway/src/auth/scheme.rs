//! In which forms a request may bring its token.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use xietong_mesh::Error;

/// The forms in which a token is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schemes {
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// That, or as the password of HTTP Basic (RFC 7617), whatever the user name: calendar
    /// programs that subscribe to a feed can say nothing else.
    BearerOrBasic,
}

impl Schemes {
    /// The forms in which a request is answered: only the reading of a calendar takes both.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let reads = *method == Method::GET || *method == Method::HEAD;
        if reads && path.ends_with(".ics") { Schemes::BearerOrBasic } else { Schemes::Bearer }
    }

    /// What is asked for with a refusal, beside the bearer token.
    pub(crate) fn challenge(self) -> Option<HeaderValue> {
        match self {
            Schemes::Bearer => None,
            Schemes::BearerOrBasic => {
                Some(HeaderValue::from_static(r#"Basic realm="xietong", charset="UTF-8""#))
            }
        }
    }

    /// The one token that a request brings, else UNAUTHENTICATED.
    pub(super) fn token(self, headers: &HeaderMap) -> Result<Cow<'_, str>, Error> {
        let missing = || Error::unauthenticated("TOKEN_MISSING", "a bearer token is required");
        let malformed =
            || Error::unauthenticated("TOKEN_MALFORMED", "the authorization header cannot be read");
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or_else(missing)?;
        if values.next().is_some() {
            return Err(malformed());
        }
        let value = value.to_str().map_err(|_| malformed())?;
        let (scheme, credentials) = value.split_once(' ').ok_or_else(malformed)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Cow::Borrowed(credentials.trim()));
        }
        if self == Schemes::BearerOrBasic && scheme.eq_ignore_ascii_case("basic") {
            return password(credentials.trim()).map(Cow::Owned).ok_or_else(malformed);
        }
        Err(malformed())
    }
}

/// The password of the user and password that Basic has: all behind the first colon.
fn password(credentials: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    fn reason(schemes: Schemes, values: &[&'static str]) -> String {
        schemes.token(&with(values)).unwrap_err().reason().to_owned()
    }

    #[test]
    fn exactly_one_token_is_read() {
        for schemes in [Schemes::Bearer, Schemes::BearerOrBasic] {
            assert_eq!(schemes.token(&with(&["Bearer abc"])).unwrap(), "abc");
            assert_eq!(schemes.token(&with(&["bearer abc"])).unwrap(), "abc");
            assert_eq!(reason(schemes, &[]), "TOKEN_MISSING");
            for values in [&["abc"][..], &["Digest abc"], &["Bearer a", "Bearer b"], &[""]] {
                assert_eq!(reason(schemes, values), "TOKEN_MALFORMED", "{values:?}");
            }
        }
    }

    #[test]
    fn a_password_is_a_token_only_where_it_is_accepted() {
        // `name:a:b`, `:abc` without a name, and neither colon, base64 nor UTF-8.
        for (value, token) in [("Basic bmFtZTphOmI=", "a:b"), ("basic OmFiYw==", "abc")] {
            assert_eq!(Schemes::BearerOrBasic.token(&with(&[value])).unwrap(), token);
            assert_eq!(reason(Schemes::Bearer, &[value]), "TOKEN_MALFORMED");
        }
        for value in ["Basic YWJj", "Basic ***", "Basic Ov8="] {
            assert_eq!(reason(Schemes::BearerOrBasic, &[value]), "TOKEN_MALFORMED", "{value}");
        }
    }

    #[test]
    fn only_the_reading_of_a_calendar_takes_a_password() {
        for (method, path, schemes) in [
            (Method::GET, "/v1/roster/calendar.ics", Schemes::BearerOrBasic),
            (Method::HEAD, "/v1/roster/calendar.ics", Schemes::BearerOrBasic),
            (Method::POST, "/v1/roster/calendar.ics", Schemes::Bearer),
            (Method::GET, "/v1/units", Schemes::Bearer),
        ] {
            assert_eq!(Schemes::of(&method, path), schemes, "{method} {path}");
        }
    }
}

//! URLs with passwords in them.

use std::fmt;

/// What stands where a password was.
const HIDDEN: &str = "***";

/// Query parameters that hold passwords.
const SECRET_PARAMETERS: [&str; 2] = ["password", "sslpassword"];

/// A URL that may hold a password. Shown and debugged without it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Any URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The whole URL, for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it begins with one of the schemes.
    pub(super) fn has_scheme(&self, schemes: &[&str]) -> bool {
        self.0.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme))
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return formatter.write_str(HIDDEN);
        };
        write!(formatter, "{scheme}://")?;
        // A password may hold a stray `/`, `?` or `@`: whatever stands before the last `@`
        // is taken for who signs in.
        let rest = match rest.rsplit_once('@') {
            Some((who, rest)) => {
                match who.split_once(':') {
                    Some((user, _)) => write!(formatter, "{user}:{HIDDEN}@")?,
                    None => write!(formatter, "{who}@")?,
                }
                rest
            }
            None => rest,
        };
        let (address, query) = match rest.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (rest, None),
        };
        formatter.write_str(address)?;
        for (index, parameter) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
            formatter.write_str(if index == 0 { "?" } else { "&" })?;
            match parameter.split_once('=') {
                Some((name, _)) if SECRET_PARAMETERS.contains(&name) => {
                    write!(formatter, "{name}={HIDDEN}")?;
                }
                Some(_) | None => formatter.write_str(parameter)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_is_hidden() {
        for (url, shown) in [
            ("postgres://u:p@h:5432/d?sslmode=require", "postgres://u:***@h:5432/d?sslmode=require"),
            ("postgres://h/d?user=u&password=p", "postgres://h/d?user=u&password=***"),
            ("postgres://u:p@/@h/d", "postgres://u:***@h/d"),
            ("postgres://u:p?p@h/d?a=b", "postgres://u:***@h/d?a=b"),
            ("redis://:p@h", "redis://:***@h"),
            ("sqlite://data/roster.db", "sqlite://data/roster.db"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("no url: p", "***"),
        ] {
            assert_eq!(SecretUrl::new(url).to_string(), shown);
        }
    }
}

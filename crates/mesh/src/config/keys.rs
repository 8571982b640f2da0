//! Keys in files: what a service signs with, and whom it trusts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, bad_file, read};
use crate::token::{Issuer, SigningKey, VerifyingKey};

/// Keys for signed principals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// PEM file of the private key that this service signs with.
    pub signing_key_file: Option<PathBuf>,
    /// PEM file of public keys by issuer: `gateway` or `system/<service>`.
    pub trusted: BTreeMap<String, PathBuf>,
}

/// The keys of an [`IdentityConfig`], read.
#[derive(Debug)]
pub struct Identity {
    /// What this service signs with.
    pub signing_key: SigningKey,
    /// Whom it trusts.
    pub trusted: BTreeMap<Issuer, Vec<VerifyingKey>>,
}

impl IdentityConfig {
    /// Reads the keys.
    ///
    /// # Errors
    /// When a file is missing or holds no key, or an issuer is unknown.
    pub fn load(&self) -> Result<Identity, ConfigError> {
        let Some(file) = &self.signing_key_file else {
            return Err(ConfigError("identity.signing_key_file is required".to_owned()));
        };
        let signing_key = SigningKey::from_pem(&read("identity.signing_key_file", file)?)
            .map_err(|error| bad_file("identity.signing_key_file", file, &error))?;
        let mut trusted = BTreeMap::new();
        for (name, file) in &self.trusted {
            let field = format!("identity.trusted.\"{name}\"");
            let issuer: Issuer = name
                .parse()
                .map_err(|_| ConfigError(format!("{field}: an issuer is `gateway` or `system/<service>`")))?;
            let keys = VerifyingKey::all_from_pem(&read(&field, file)?)
                .map_err(|error| bad_file(&field, file, &error))?;
            trusted.insert(issuer, keys);
        }
        Ok(Identity { signing_key, trusted })
    }
}

/// Whose bearer tokens the gateway accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// What their `iss` must be.
    pub issuer: String,
    /// What their `aud` must hold.
    pub audience: String,
    /// PEM file of the Ed25519 public key that they are signed with.
    pub public_key_file: PathBuf,
}

impl TokensConfig {
    /// Reads the key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn public_key(&self) -> Result<String, ConfigError> {
        read("tokens.public_key_file", &self.public_key_file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::token::generate_keypair;

    #[test]
    fn keys_are_read_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let keys = generate_keypair().unwrap();
        let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
        fs::write(&private, &keys.private_pem).unwrap();
        fs::write(&public, &keys.public_pem).unwrap();
        let mut identity = IdentityConfig {
            signing_key_file: Some(private.clone()),
            trusted: BTreeMap::from([("system/roster".to_owned(), public.clone())]),
        };
        assert!(identity.load().is_ok());
        identity.trusted.insert("rooster".to_owned(), public);
        assert!(identity.load().unwrap_err().to_string().starts_with("identity.trusted.\"rooster\": "));
        identity.trusted.clear();
        identity.trusted.insert("gateway".to_owned(), private);
        assert!(identity.load().unwrap_err().to_string().ends_with("not an Ed25519 public key in PEM form"));
        identity.signing_key_file = None;
        assert_eq!(identity.load().unwrap_err().to_string(), "identity.signing_key_file is required");
    }
}

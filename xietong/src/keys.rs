//! Keys: the local issuer's, kept in the data folder, and the mesh's own, which live as
//! long as the process.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use xietong_mesh::ServiceName;
use xietong_mesh::token::{Issuer, KeyPair, Signer, SigningKey, Verifier, VerifyingKey, generate_keypair};
use xietong_timers::MachineClock;

/// Name of the local issuer, in its tokens' `iss`.
pub const LOCAL_ISSUER: &str = "xietong-local";
/// Whom its tokens are for, in their `aud`.
pub const AUDIENCE: &str = "xietong";

const ISSUER_KEY: &str = "issuer-key.pem";
const ISSUER_PUBLIC_KEY: &str = "issuer-public-key.pem";

/// The local issuer's key pair in a data folder; made when there is none.
pub fn issuer_keys(data: &Path) -> anyhow::Result<KeyPair> {
    let (private, public) = (data.join(ISSUER_KEY), data.join(ISSUER_PUBLIC_KEY));
    if private.exists() && public.exists() {
        return stored_issuer_keys(data);
    }
    let keys = generate_keypair()?;
    write_private(&public, &keys.public_pem)?;
    write_private(&private, &keys.private_pem)?;
    Ok(keys)
}

/// The local issuer's key pair in a data folder that has one.
pub fn stored_issuer_keys(data: &Path) -> anyhow::Result<KeyPair> {
    let read = |name: &str| {
        let path = data.join(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    Ok(KeyPair { private_pem: read(ISSUER_KEY)?, public_pem: read(ISSUER_PUBLIC_KEY)? })
}

/// Writes a file that only its owner may read, replacing it whole.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        // A draft left by a crash would keep its own mode.
        if draft.exists() {
            fs::remove_file(&draft)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// The keys of a whole mesh: one pair for each issuer.
pub struct MeshKeys(BTreeMap<Issuer, KeyPair>);

impl MeshKeys {
    /// Fresh keys for everybody.
    pub fn generate() -> anyhow::Result<Self> {
        let issuers = ServiceName::ALL.into_iter().map(Issuer::System).chain([Issuer::Gateway]);
        let keys = issuers.map(|issuer| Ok((issuer, generate_keypair()?))).collect::<anyhow::Result<_>>()?;
        Ok(MeshKeys(keys))
    }

    /// The pair of an issuer.
    pub fn pair(&self, issuer: Issuer) -> anyhow::Result<&KeyPair> {
        self.0.get(&issuer).with_context(|| format!("no key for {}", issuer.as_str()))
    }

    /// Signs as an issuer.
    pub fn signer(&self, issuer: Issuer) -> anyhow::Result<Signer> {
        let key = SigningKey::from_pem(&self.pair(issuer)?.private_pem)?;
        Ok(Signer::new(issuer, key, MachineClock::system()))
    }

    /// Trusts every issuer.
    pub fn verifier(&self) -> anyhow::Result<Verifier> {
        let trusted = self
            .0
            .iter()
            .map(|(issuer, pair)| Ok((*issuer, VerifyingKey::all_from_pem(&pair.public_pem)?)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Verifier::new(trusted, MachineClock::system()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{issuer_keys, write_private};

    #[test]
    fn the_issuers_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = issuer_keys(folder.path()).unwrap();
        let read = issuer_keys(folder.path()).unwrap();
        assert_eq!(made.private_pem, read.private_pem);
        let mode = std::fs::metadata(folder.path().join("issuer-key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_private_file_replaces_a_public_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev-token");
        std::fs::write(&path, "old").unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! Keys: the local issuer's, kept in the data folder, and the mesh's own, which live as
//! long as the process, or in files where the services run apart.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
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

/// Writes the keys of services that run apart, each a pair of its own, into a folder:
/// `SERVICE-private.pem` and `SERVICE-public.pem`, and the local issuer's pair as
/// `xietong token --data` finds it. The gateway signs with its one key for itself and for the
/// accounts it has authenticated. Says which files it wrote.
///
/// # Errors
/// When one of the files exists: nothing is written then, for keys in use must not be lost.
pub fn write_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let of_service = |service| (format!("{service}-private.pem"), format!("{service}-public.pem"));
    let issuer = (ISSUER_KEY.to_owned(), ISSUER_PUBLIC_KEY.to_owned());
    let pairs: Vec<(PathBuf, PathBuf)> = ServiceName::ALL
        .into_iter()
        .map(of_service)
        .chain([issuer])
        .map(|(private, public)| (folder.join(private), folder.join(public)))
        .collect();
    let files = || pairs.iter().flat_map(|(private, public)| [private, public]);
    if let Some(file) = files().find(|file| file.exists()) {
        bail!("{} exists already: keys are never overwritten", file.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for (private, public) in &pairs {
        let keys = generate_keypair()?;
        write_new(private, &keys.private_pem, 0o600)?;
        write_new(public, &keys.public_pem, 0o644)?;
    }
    Ok(files().cloned().collect())
}

/// Writes a file that does not exist yet.
fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("writing {}", path.display()))
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
    use std::path::Path;

    use xietong_mesh::ServiceName;
    use xietong_mesh::token::{SigningKey, VerifyingKey};

    use super::{issuer_keys, stored_issuer_keys, write_files, write_private};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn every_service_and_the_issuer_get_a_pair_and_the_private_keys_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        assert_eq!(write_files(&keys).unwrap().len(), 2 * (ServiceName::ALL.len() + 1));
        let mut public_keys = vec![stored_issuer_keys(&keys).unwrap().public_pem];
        for service in ServiceName::ALL {
            let private = keys.join(format!("{service}-private.pem"));
            SigningKey::from_pem(&std::fs::read_to_string(&private).unwrap()).unwrap();
            assert_eq!(mode(&private), 0o600);
            public_keys.push(std::fs::read_to_string(keys.join(format!("{service}-public.pem"))).unwrap());
        }
        assert_eq!(mode(&keys.join("issuer-key.pem")), 0o600);
        for key in &public_keys {
            VerifyingKey::all_from_pem(key).unwrap();
        }
        public_keys.sort();
        public_keys.dedup();
        assert_eq!(public_keys.len(), ServiceName::ALL.len() + 1, "no two share a key");
    }

    #[test]
    fn keys_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let existing = folder.path().join("gateway-public.pem");
        std::fs::write(&existing, "in use").unwrap();
        let refusal = write_files(folder.path()).unwrap_err().to_string();
        assert!(refusal.contains("gateway-public.pem exists already"), "{refusal}");
        assert_eq!(std::fs::read_to_string(&existing).unwrap(), "in use");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
    }

    #[test]
    fn the_issuers_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = issuer_keys(folder.path()).unwrap();
        let read = issuer_keys(folder.path()).unwrap();
        assert_eq!(made.private_pem, read.private_pem);
        assert_eq!(mode(&folder.path().join("issuer-key.pem")), 0o600);
    }

    #[test]
    fn a_private_file_replaces_a_public_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev-token");
        std::fs::write(&path, "old").unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(mode(&path), 0o600);
    }
}

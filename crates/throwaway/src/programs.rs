//! Finding installed programs, and the user to run PostgreSQL as.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// Where Debian keeps PostgreSQL, a folder a major version.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres`: Debian's newest version, else the
/// one on `PATH`.
pub(crate) fn postgres_folder() -> Result<PathBuf, Error> {
    newest_debian_postgres()
        .or_else(|| {
            on_path("initdb").and_then(|found| Some(found.canonicalize().ok()?.parent()?.to_path_buf()))
        })
        .filter(|folder| folder.join("postgres").exists())
        .ok_or(Error::Missing { program: "postgres", package: "postgresql" })
}

/// `redis-server` on `PATH`.
pub(crate) fn redis_server() -> Result<PathBuf, Error> {
    on_path("redis-server").ok_or(Error::Missing { program: "redis-server", package: "redis-server" })
}

fn newest_debian_postgres() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN_POSTGRES).ok()?;
    versions
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let folder = path.join("bin");
            folder.join("initdb").exists().then_some((version, folder))
        })
        .max()
        .map(|(_, folder)| folder)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A user and group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The user to run PostgreSQL as: nobody special when this process is not root,
/// else `postgres` (the package makes it) or `nobody`.
pub(crate) fn unprivileged_user(own_folder: &Path) -> Result<Option<User>, Error> {
    // Who owns a folder this process has just made is who this process runs as.
    let own = fs::metadata(own_folder).map_err(Error::io("reading the scratch directory"))?;
    if own.uid() != 0 {
        return Ok(None);
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some(User { uid: number_of(name, "-u")?, gid: number_of(name, "-g")? }));
    user.map(Some).ok_or(Error::NoUnprivilegedUser)
}

fn number_of(user: &str, flag: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, user]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

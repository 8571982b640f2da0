//! Bearer tokens of the local issuer.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use xietong_gateway::LocalIssuer;
use xietong_timers::MachineClock;

use crate::keys::{AUDIENCE, LOCAL_ISSUER, stored_issuer_keys};

/// A token for a subject, signed with the local issuer's key in a folder.
pub fn local(data: &Path, subject: &str, lifetime: Duration) -> anyhow::Result<String> {
    let keys = stored_issuer_keys(data).with_context(|| {
        format!("{} has no issuer's key of `xietong up` or `xietong keys`", data.display())
    })?;
    issue(&keys.private_pem, subject, lifetime)
}

/// A token for a subject, signed with this key.
pub fn issue(private_pem: &str, subject: &str, lifetime: Duration) -> anyhow::Result<String> {
    let issuer = LocalIssuer::new(LOCAL_ISSUER, AUDIENCE, private_pem)?;
    Ok(issuer.issue(subject, MachineClock::system().now(), lifetime)?)
}

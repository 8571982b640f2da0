//! What the processes of a cluster are configured with.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use xietong_mesh::ServiceName;
use xietong_mesh::token::{Issuer, SigningKey, generate_keypair};

use super::{ADMINISTRATOR, Crash};

/// The name and the audience that `xietong token` puts into its tokens.
const TOKEN_ISSUER: &str = "xietong-local";
const TOKEN_AUDIENCE: &str = "xietong";

/// The names `xietong token` looks for.
const ISSUER_KEY: &str = "issuer-key.pem";
const ISSUER_PUBLIC_KEY: &str = "issuer-public-key.pem";

/// Key files: a pair for each service, and one for bearer tokens.
pub(super) struct Keys(PathBuf);

impl Keys {
    /// Makes all of them in a folder.
    pub(super) fn write(folder: &Path) -> anyhow::Result<Self> {
        let keys = Keys(folder.to_path_buf());
        let pairs = ServiceName::ALL.into_iter().map(|service| (keys.private(service), keys.public(service)));
        let bearer = (folder.join(ISSUER_KEY), folder.join(ISSUER_PUBLIC_KEY));
        for (private, public) in pairs.chain([bearer]) {
            let pair = generate_keypair()?;
            fs::write(&private, pair.private_pem)
                .with_context(|| format!("writing {}", private.display()))?;
            fs::write(&public, pair.public_pem).with_context(|| format!("writing {}", public.display()))?;
        }
        Ok(keys)
    }

    /// Where `xietong token` finds its key.
    pub(super) fn issuer_folder(&self) -> &Path {
        &self.0
    }

    /// What a service signs with.
    pub(super) fn signing_key(&self, service: ServiceName) -> anyhow::Result<SigningKey> {
        let file = self.private(service);
        let pem = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Ok(SigningKey::from_pem(&pem)?)
    }

    fn private(&self, service: ServiceName) -> PathBuf {
        self.0.join(format!("{service}-private.pem"))
    }

    fn public(&self, service: ServiceName) -> PathBuf {
        self.0.join(format!("{service}-public.pem"))
    }

    /// The public key of everybody who may vouch for a principal. The gateway signs for
    /// itself and for accounts with one key.
    fn trusted(&self) -> Vec<(String, String)> {
        let services = ServiceName::ALL.into_iter().map(|service| (Issuer::System(service), service));
        services
            .chain([(Issuer::Gateway, ServiceName::Gateway)])
            .map(|(issuer, service)| (issuer.as_str().to_owned(), shown(&self.public(service))))
            .collect()
    }
}

/// The configuration of one process.
pub(super) struct Settings<'a> {
    pub(super) service: ServiceName,
    pub(super) listen: String,
    pub(super) admin_listen: String,
    pub(super) database_url: Option<&'a str>,
    pub(super) redis: &'a str,
    pub(super) peers: &'a BTreeMap<ServiceName, String>,
    pub(super) keys: &'a Keys,
    pub(super) crash: Option<Crash>,
    pub(super) clock_ahead_seconds: i64,
    pub(super) webhook_seconds: Option<u64>,
}

impl Settings<'_> {
    /// As the file has it. None of the values holds a quotation mark.
    pub(super) fn to_toml(&self) -> String {
        let mut top = vec![
            ("listen", self.listen.clone()),
            ("admin_listen", self.admin_listen.clone()),
            ("bus", self.redis.to_owned()),
        ];
        top.extend(self.database_url.map(|url| ("database_url", url.to_owned())));
        if self.service == ServiceName::Roster {
            top.push(("administrator", ADMINISTRATOR.to_owned()));
        }
        top.extend(self.crash.map(|crash| ("crash_point", format!("{}:{}", crash.point, crash.passes))));
        let own_key = shown(&self.keys.private(self.service));
        let mut toml = format!("clock_ahead_seconds = {}\n", self.clock_ahead_seconds);
        let mut table = |heading: &str, pairs: Vec<(String, String)>| {
            // Writing to a String cannot fail.
            let _written = writeln!(toml, "{heading}");
            for (name, value) in pairs {
                let _written = writeln!(toml, "\"{name}\" = \"{value}\"");
            }
        };
        table("", top.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        table("[peers]", self.peers.iter().map(|(peer, url)| (peer.to_string(), url.clone())).collect());
        table("[identity]", vec![("signing_key_file".to_owned(), own_key)]);
        table("[identity.trusted]", self.keys.trusted());
        if self.service == ServiceName::Gateway {
            let folder = shown(&self.keys.issuer_folder().join("attachments"));
            table("[attachments]", vec![("folder".to_owned(), folder)]);
            let key = shown(&self.keys.issuer_folder().join(ISSUER_PUBLIC_KEY));
            let tokens = [("issuer", TOKEN_ISSUER), ("audience", TOKEN_AUDIENCE), ("public_key_file", &key)];
            table(
                "[tokens]",
                tokens.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            );
        }
        if self.service == ServiceName::Notification {
            // Receivers of tests are on this machine.
            toml.push_str("[webhooks]\nallowed_networks = [\"127.0.0.0/8\"]\n");
            if let Some(seconds) = self.webhook_seconds {
                for name in ["connect_seconds", "answer_seconds", "whole_seconds"] {
                    let _written = writeln!(toml, "{name} = {seconds}");
                }
            }
        }
        toml
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

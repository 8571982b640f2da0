//! What a service is configured with.
//!
//! Defaults, then a TOML file, then the environment: `XIETONG_LISTEN`,
//! `XIETONG_TELEMETRY__LOG` (two underscores go one level down). Everything is parsed and
//! checked before anything is bound; the first bad value is one clear line.

mod attachments;
mod channels;
mod keys;
mod secret;
mod webhooks;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use xietong_store::CrashPoints;

use crate::service_name::ServiceName;
use crate::telemetry::{TelemetryConfig, log_filter};

pub use attachments::{AttachmentsConfig, S3Config};
pub use channels::{
    ChannelsConfig, EmailConfig, EncryptionConfig, FlowConfig, MessageConfig, SignatureAlgorithm,
    SignatureConfig,
};
pub use keys::{Identity, IdentityConfig, TokensConfig};
pub use secret::SecretUrl;
pub use webhooks::WebhooksConfig;

/// Every variable of ours begins with this.
const ENVIRONMENT_PREFIX: &str = "XIETONG_";

/// What says that no Redis is used.
const EMBEDDED: &str = "embedded";

/// How far the admin port is from the port of the service.
const ADMIN_PORT_DISTANCE: u16 = 100;

/// Business time is at most so far from the machine's: a hundred years.
const MOST_SECONDS_AHEAD: i64 = 100 * 366 * 86_400;

/// The configuration is wrong: one line that names the value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Where events travel fast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusConfig {
    /// Within the process.
    Embedded,
    /// Through Redis Streams.
    Redis(SecretUrl),
}

/// The values as they are written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    listen: SocketAddr,
    admin_listen: Option<SocketAddr>,
    database_url: Option<String>,
    database_url_file: Option<PathBuf>,
    database_connections: u32,
    bus: Option<String>,
    redis_url_file: Option<PathBuf>,
    peers: BTreeMap<ServiceName, String>,
    identity: IdentityConfig,
    telemetry: TelemetryConfig,
    drain_seconds: u64,
    clock_ahead_seconds: i64,
    administrator: Option<String>,
    tokens: Option<TokensConfig>,
    crash_point: String,
    attachments: Option<AttachmentsConfig>,
    webhooks: Option<WebhooksConfig>,
    channels: Option<ChannelsConfig>,
}

impl Settings {
    /// Names of the values at the top. In a cluster the environment is full of variables
    /// that begin like ours (`XIETONG_ROSTER_SERVICE_HOST`); all others are left alone.
    const NAMES: [&str; 18] = [
        "listen",
        "admin_listen",
        "database_url",
        "database_url_file",
        "database_connections",
        "bus",
        "redis_url_file",
        "peers",
        "identity",
        "telemetry",
        "drain_seconds",
        "clock_ahead_seconds",
        "administrator",
        "tokens",
        "crash_point",
        "attachments",
        "webhooks",
        "channels",
    ];

    fn defaults(service: ServiceName) -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let peers = ServiceName::ALL
            .into_iter()
            .filter(|peer| *peer != service && *peer != ServiceName::Gateway)
            .map(|peer| (peer, format!("http://{loopback}:{}", peer.default_port())))
            .collect();
        Self {
            listen: SocketAddr::new(loopback, service.default_port()),
            admin_listen: None,
            database_url: None,
            database_url_file: None,
            database_connections: 10,
            bus: None,
            redis_url_file: None,
            peers,
            identity: IdentityConfig::default(),
            telemetry: TelemetryConfig::default(),
            drain_seconds: 14,
            clock_ahead_seconds: 0,
            administrator: None,
            tokens: None,
            crash_point: String::new(),
            attachments: (service == ServiceName::Gateway).then(AttachmentsConfig::default),
            webhooks: (service == ServiceName::Notification).then(WebhooksConfig::default),
            channels: (service == ServiceName::Notification).then(ChannelsConfig::default),
        }
    }
}

/// What a service is configured with, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Which service it is for.
    pub service: ServiceName,
    /// Where it serves.
    pub listen: SocketAddr,
    /// Where operators and probes ask; 100 above `listen` unless set.
    pub admin_listen: SocketAddr,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: SecretUrl,
    /// At most so many connections to a PostgreSQL database.
    pub database_connections: u32,
    /// Where events travel fast.
    pub bus: BusConfig,
    /// URLs of the other services.
    pub peers: BTreeMap<ServiceName, String>,
    /// Keys for signed principals; [`IdentityConfig::load`] reads them.
    pub identity: IdentityConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// How long calls may take to end once the service is told to end. Severing them, the
    /// workers' last turns, leases and telemetry take up to ten seconds more, and a cluster
    /// kills after thirty.
    pub grace: Duration,
    /// Business time is so many seconds ahead of the machine's clock, behind when negative: for
    /// training and tests, the same for every service of a mesh. Zero in production.
    pub clock_ahead_seconds: i64,
    /// Roster only: the subject that is given an administrator's account if it has none.
    pub administrator: Option<String>,
    /// Gateway only: whose bearer tokens are accepted.
    pub tokens: Option<TokensConfig>,
    /// For failure tests: where the process dies, as `NAME` or `NAME:PASSES`; else empty.
    pub crash_point: String,
    /// Gateway only: where files are that records refer to, and which are taken in.
    pub attachments: Option<AttachmentsConfig>,
    /// Notification only: where webhooks may go, and how many at once.
    pub webhooks: Option<WebhooksConfig>,
    /// Notification only: how officials are reached by e-mail and by message.
    pub channels: Option<ChannelsConfig>,
}

impl ServiceConfig {
    /// Defaults, then the file, if any, then the environment of this process.
    ///
    /// # Errors
    /// The first bad value, in one line.
    pub fn load(service: ServiceName, file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment =
            Env::prefixed(ENVIRONMENT_PREFIX).filter(|name| is_setting(name.as_str())).split("__");
        let mut sources = Figment::from(Serialized::defaults(Settings::defaults(service)));
        if let Some(file) = file {
            // Figment takes a missing file for an empty one.
            if !file.is_file() {
                return Err(ConfigError(format!("{}: no such file", file.display())));
            }
            sources = sources.merge(Toml::file_exact(file));
        }
        Self::from_sources(service, sources.merge(environment))
    }

    fn from_sources(service: ServiceName, sources: Figment) -> Result<Self, ConfigError> {
        let settings: Settings = sources.extract().map_err(|error| one_line(&error))?;
        Self::check(service, settings)
    }

    fn check(service: ServiceName, settings: Settings) -> Result<Self, ConfigError> {
        let database_url = match (settings.database_url, settings.database_url_file) {
            (Some(_), Some(_)) => return Err(one_of_two("database_url", "database_url_file")),
            (Some(url), None) => url,
            (None, Some(file)) => read("database_url_file", &file)?,
            (None, None) => format!("sqlite://xietong-data/{service}.db"),
        };
        let database_url = SecretUrl::new(database_url.trim());
        if !database_url.has_scheme(&["sqlite", "postgres", "postgresql"]) {
            return Err(ConfigError(
                "database_url: must begin with sqlite://, postgres:// or postgresql://".to_owned(),
            ));
        }
        let redis = match (settings.bus.as_deref(), settings.redis_url_file) {
            (Some(_), Some(_)) => return Err(one_of_two("bus", "redis_url_file")),
            (None | Some(EMBEDDED), None) => None,
            (Some(url), None) => Some(url.to_owned()),
            (None, Some(file)) => Some(read("redis_url_file", &file)?),
        };
        let bus = match redis.map(|url| SecretUrl::new(url.trim())) {
            None => BusConfig::Embedded,
            Some(url) if url.has_scheme(&["redis", "rediss"]) => BusConfig::Redis(url),
            Some(_) => {
                return Err(ConfigError(
                    "bus: must be `embedded` or begin with redis:// or rediss://".to_owned(),
                ));
            }
        };
        // A migration works on one connection while another holds the lock.
        if settings.database_connections < 2 {
            return Err(ConfigError("database_connections: must be at least 2".to_owned()));
        }
        if !(1..=600).contains(&settings.drain_seconds) {
            return Err(ConfigError("drain_seconds: must be from 1 to 600".to_owned()));
        }
        if !(-MOST_SECONDS_AHEAD..=MOST_SECONDS_AHEAD).contains(&settings.clock_ahead_seconds) {
            return Err(ConfigError("clock_ahead_seconds: must be within a hundred years".to_owned()));
        }
        settings
            .crash_point
            .parse::<CrashPoints>()
            .map_err(|error| ConfigError(format!("crash_point: {error}")))?;
        if let Some(attachments) = &settings.attachments {
            attachments.check()?;
        }
        if let Some(webhooks) = &settings.webhooks {
            webhooks.check()?;
        }
        if let Some(channels) = &settings.channels {
            channels.check()?;
        }
        log_filter(&settings.telemetry.log).map_err(|error| ConfigError(error.to_string()))?;
        Ok(Self {
            service,
            listen: settings.listen,
            admin_listen: match settings.admin_listen {
                Some(address) => address,
                None => admin_address(settings.listen)?,
            },
            database_url,
            database_connections: settings.database_connections,
            bus,
            peers: settings.peers,
            identity: settings.identity,
            telemetry: settings.telemetry,
            grace: Duration::from_secs(settings.drain_seconds),
            clock_ahead_seconds: settings.clock_ahead_seconds,
            administrator: settings.administrator,
            tokens: settings.tokens,
            crash_point: settings.crash_point,
            attachments: settings.attachments,
            webhooks: settings.webhooks,
            channels: settings.channels,
        })
    }

    /// The effective configuration as a TOML file would give it, passwords left out.
    ///
    /// # Errors
    /// When TOML cannot hold a value, for example a path that is not UTF-8.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        let bus = match &self.bus {
            BusConfig::Embedded => EMBEDDED.to_owned(),
            BusConfig::Redis(url) => url.to_string(),
        };
        let settings = Settings {
            listen: self.listen,
            admin_listen: Some(self.admin_listen),
            database_url: Some(self.database_url.to_string()),
            database_url_file: None,
            database_connections: self.database_connections,
            bus: Some(bus),
            redis_url_file: None,
            peers: self.peers.iter().map(|(peer, url)| (*peer, shown(url))).collect(),
            identity: self.identity.clone(),
            telemetry: TelemetryConfig {
                otlp_endpoint: self.telemetry.otlp_endpoint.as_deref().map(shown),
                ..self.telemetry.clone()
            },
            drain_seconds: self.grace.as_secs(),
            clock_ahead_seconds: self.clock_ahead_seconds,
            administrator: self.administrator.clone(),
            tokens: self.tokens.clone(),
            crash_point: self.crash_point.clone(),
            attachments: self.attachments.clone(),
            webhooks: self.webhooks.clone(),
            channels: self.channels.clone(),
        };
        toml::to_string(&settings).map_err(|error| ConfigError(error.to_string()))
    }
}

/// A URL without a password that it may hold.
fn shown(url: &str) -> String {
    SecretUrl::new(url).to_string()
}

/// Whether a variable, without its prefix, sets something of ours.
fn is_setting(variable: &str) -> bool {
    let name = variable.to_ascii_lowercase();
    let top = name.split("__").next().unwrap_or(&name);
    Settings::NAMES.contains(&top)
}

fn admin_address(listen: SocketAddr) -> Result<SocketAddr, ConfigError> {
    // Port 0 asks for any free port; so does its admin listener.
    let port = match listen.port() {
        0 => 0,
        port => port.checked_add(ADMIN_PORT_DISTANCE).ok_or_else(|| {
            ConfigError(format!("admin_listen: must be set when the port of listen is {port}"))
        })?,
    };
    Ok(SocketAddr::new(listen.ip(), port))
}

fn read(field: &str, file: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(file).map_err(|error| bad_file(field, file, &error))
}

fn bad_file(field: &str, file: &Path, error: &dyn std::error::Error) -> ConfigError {
    ConfigError(format!("{field}: {}: {error}", file.display()))
}

fn one_of_two(one: &str, other: &str) -> ConfigError {
    ConfigError(format!("{one} and {other} are both set; set one"))
}

/// The first of figment's errors as `key: what is wrong (where)`. The value itself may be a
/// secret; figment shows it only where it has the wrong type.
fn one_line(error: &figment::Error) -> ConfigError {
    let first = error.clone().into_iter().next().unwrap_or_else(|| error.clone());
    let key = first.path.join(".");
    let place = first
        .metadata
        .as_ref()
        .map(|metadata| match &metadata.source {
            Some(source) => format!(" ({source})"),
            None => format!(" ({})", metadata.name),
        })
        .unwrap_or_default();
    let what = first.kind.to_string().replace('\n', " ");
    ConfigError(if key.is_empty() { format!("{what}{place}") } else { format!("{key}: {what}{place}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(toml: &str) -> Result<ServiceConfig, ConfigError> {
        let service = ServiceName::Roster;
        let sources = Figment::from(Serialized::defaults(Settings::defaults(service)));
        ServiceConfig::from_sources(service, sources.merge(Toml::string(toml)))
    }

    fn refusal(toml: &str) -> String {
        let line = parse(toml).unwrap_err().to_string();
        assert_eq!(line.lines().count(), 1, "{line}");
        line
    }

    #[test]
    fn the_defaults_run_on_a_laptop() {
        let config = parse("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:7101");
        assert_eq!(config.admin_listen.to_string(), "127.0.0.1:7201");
        assert_eq!(config.database_url.expose(), "sqlite://xietong-data/roster.db");
        assert_eq!(config.bus, BusConfig::Embedded);
        assert_eq!(config.peers[&ServiceName::Supervision], "http://127.0.0.1:7102");
        assert!(!config.peers.contains_key(&ServiceName::Roster));
        assert_eq!(config.grace, Duration::from_secs(14));
        assert_eq!(config.clock_ahead_seconds, 0);
    }

    #[test]
    fn every_setting_can_be_set_by_the_environment() {
        let settings = serde_json::to_value(Settings::defaults(ServiceName::Roster)).unwrap();
        let names: Vec<&str> = settings.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = Settings::NAMES;
        known.sort_unstable();
        assert_eq!(names, known);
    }

    #[test]
    fn variables_of_the_cluster_are_left_alone() {
        for ours in ["LISTEN", "DATABASE_URL", "TELEMETRY__LOG", "PEERS__ROSTER"] {
            assert!(is_setting(ours), "{ours}");
        }
        for foreign in ["ROSTER_SERVICE_HOST", "ROSTER_PORT_7101_TCP", "ROSTER_PORT", "PEERS_"] {
            assert!(!is_setting(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_first_bad_value_is_one_line_that_names_it() {
        assert!(refusal("listen = 'nowhere'").starts_with("listen: "));
        assert!(refusal("drain_seconds = 'soon'").starts_with("drain_seconds: "));
        assert!(refusal("drain_seconds = 0").starts_with("drain_seconds: "));
        assert!(refusal("clock_ahead_seconds = 9000000000").starts_with("clock_ahead_seconds: "));
        assert!(refusal("database_connections = 1").starts_with("database_connections: "));
        assert!(refusal("database_url = 'mysql://x'").starts_with("database_url: "));
        assert!(refusal("bus = 'kafka://x'").starts_with("bus: "));
        assert!(refusal("[telemetry]\nlog = 'xietong=loud'").starts_with("telemetry.log: "));
        assert!(refusal("[telemetry]\nformat = 'xml'").starts_with("telemetry.format: "));
        assert!(refusal("[peers]\nrooster = 'http://x'").contains("rooster"));
        assert!(refusal("lisen = '127.0.0.1:1'").contains("lisen"));
        assert!(refusal("not toml").lines().count() == 1);
        assert!(refusal("listen = '127.0.0.1:65500'").starts_with("admin_listen: "));
    }

    #[test]
    fn a_refused_url_is_not_repeated() {
        for toml in ["database_url = 'mysql://u:hunter2@h/d'", "bus = 'kafka://u:hunter2@h'"] {
            assert!(!refusal(toml).contains("hunter2"));
        }
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("database_url");
        fs::write(&file, "postgres://xietong:hunter2@db/roster\n").unwrap();
        let config = parse(&format!("database_url_file = '{}'", file.display())).unwrap();
        assert_eq!(config.database_url.expose(), "postgres://xietong:hunter2@db/roster");
        let both = format!("database_url = 'sqlite://x'\ndatabase_url_file = '{}'", file.display());
        assert!(refusal(&both).starts_with("database_url and database_url_file"));
        assert!(refusal("redis_url_file = '/nowhere'").starts_with("redis_url_file: /nowhere: "));
    }

    #[test]
    fn printed_configuration_hides_passwords_and_is_read_back() {
        let config = parse(
            "database_url = 'postgres://xietong:hunter2@db/roster'\n\
             bus = 'redis://:hunter2@cache:6379'\n\
             [identity]\nsigning_key_file = '/keys/a\"b.pem'\n\
             [identity.trusted]\n'system/supervision' = '/keys/s.pem'\n\
             [peers]\nsupervision = 'http://u:hunter2@h:1'\n\
             [telemetry]\notlp_endpoint = 'http://u:hunter2@127.0.0.1:4317'\nformat = 'json'",
        )
        .unwrap();
        let printed = config.to_toml().unwrap();
        let debugged = format!("{:?}{:?}", config.database_url, config.bus);
        assert!(!format!("{printed}{debugged}").contains("hunter2"), "{printed}");
        let again = parse(&printed).unwrap();
        assert_eq!(again.to_toml().unwrap(), printed);
        assert_eq!(again.identity, config.identity);
        assert_eq!(again.telemetry.format, config.telemetry.format);
    }
}

//! The services of the mesh by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A service of the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// Units, officials, accounts, and who answers.
    Roster,
    /// Tasks and their clocks.
    Supervision,
    /// Groups, meetings, decisions.
    Workgroup,
    /// Inboxes.
    Notification,
    /// The way in.
    Gateway,
}

impl ServiceName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Roster, Self::Supervision, Self::Workgroup, Self::Notification, Self::Gateway];

    /// As configuration, events and metrics name it, for example `roster`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Roster => "roster",
            Self::Supervision => "supervision",
            Self::Workgroup => "workgroup",
            Self::Notification => "notification",
            Self::Gateway => "gateway",
        }
    }

    /// The subject it acts as from its own jobs, for example `system/roster`.
    pub fn system_subject(self) -> &'static str {
        match self {
            Self::Roster => "system/roster",
            Self::Supervision => "system/supervision",
            Self::Workgroup => "system/workgroup",
            Self::Notification => "system/notification",
            Self::Gateway => "system/gateway",
        }
    }

    /// The port it listens on unless configured otherwise.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Roster => 7101,
            Self::Supervision => 7102,
            Self::Workgroup => 7103,
            Self::Notification => 7104,
            Self::Gateway => 8080,
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Not the name of a service of the mesh.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no service; the services are roster, supervision, workgroup, notification and gateway")]
pub struct UnknownService(pub String);

impl FromStr for ServiceName {
    type Err = UnknownService;

    fn from_str(text: &str) -> Result<Self, UnknownService> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| UnknownService(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for name in ServiceName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(name.system_subject(), format!("system/{name}"));
        }
        assert!("Roster ".parse::<ServiceName>().is_err());
    }
}

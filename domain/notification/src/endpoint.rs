//! What the log says of endpoints of webhooks. Secrets are never in it.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};

/// An endpoint as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointFacts {
    /// `endpoints/{id}`.
    pub endpoint: String,
    /// Subject of the account whose it is.
    pub owner: String,
    /// Where requests go, without a query, which may hold a key of the receiver's.
    pub url: String,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Types of events; none: all.
    pub event_filters: Vec<String>,
    /// Events of one subject are sent in their order.
    pub ordered: bool,
    /// Requests under way at once, at most.
    pub concurrency: u32,
    /// Requests are signed by HMAC-SM3 as well.
    pub sm3_signature: bool,
}

/// An endpoint has a new secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRotated {
    /// `endpoints/{id}`.
    pub endpoint: String,
    /// The one before signs as well for so many seconds.
    pub overlap_seconds: u64,
    /// When; business time.
    pub at: Timestamp,
}

/// Nothing is sent to an endpoint any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDisabled {
    /// `endpoints/{id}`.
    pub endpoint: String,
    /// Why.
    pub reason: DisabledReason,
    /// When; business time.
    pub at: Timestamp,
}

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Whoever keeps it wants nothing sent.
    Owner,
    /// It answered 410.
    Gone,
    /// It has taken nothing for days.
    Failing,
}

/// Something happened to an endpoint that needs no more words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointMarked {
    /// `endpoints/{id}`.
    pub endpoint: String,
    /// When; business time.
    pub at: Timestamp,
}

/// What is told when an endpoint was disabled without anybody asking for it: nobody else would
/// notice that another system hears nothing any more. `administrators` are officials.
pub fn endpoint_notice(
    facts: &EndpointFacts,
    reason: DisabledReason,
    administrators: impl IntoIterator<Item = String>,
) -> Option<Notice> {
    let why = match reason {
        DisabledReason::Owner => return None,
        DisabledReason::Gone => "对方系统已答复不再接收（状态码410）",
        DisabledReason::Failing => "对方系统已连续多日未能接收",
    };
    let name = &facts.display_name;
    let audiences = std::iter::once(Audience::Account(facts.owner.clone()))
        .chain(administrators.into_iter().map(Audience::InPerson))
        .collect();
    let title = format!("系统对接已停用：“{name}”");
    let body = format!(
        "“{name}”（{}）{why}，系统已停止推送。停用期间的事件全部保留，对方恢复后请重新启用，将自动补推。",
        facts.url
    );
    Some(Notice::new(NoticeKind::Reminder, &facts.endpoint, title, body, audiences))
}

#[cfg(test)]
mod tests {
    use super::{DisabledReason, EndpointFacts, endpoint_notice};
    use crate::audience::Audience;

    #[test]
    fn whoever_keeps_an_endpoint_hears_when_it_was_disabled_by_itself() {
        let facts = EndpointFacts {
            endpoint: "endpoints/1".into(),
            owner: "machine".into(),
            url: "https://oa.example/hook".into(),
            display_name: "办公系统".into(),
            description: String::new(),
            event_filters: vec![],
            ordered: false,
            concurrency: 4,
            sm3_signature: false,
        };
        let administrators = || vec!["officials/one".to_owned()];
        assert_eq!(endpoint_notice(&facts, DisabledReason::Owner, administrators()), None);
        for reason in [DisabledReason::Gone, DisabledReason::Failing] {
            let notice = endpoint_notice(&facts, reason, administrators()).unwrap();
            let expected = [Audience::Account("machine".into()), Audience::InPerson("officials/one".into())];
            assert_eq!(notice.audiences, expected);
            assert!(notice.body.contains("办公系统") && !notice.requires_acknowledgement());
        }
    }
}

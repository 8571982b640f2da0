//! From the configuration of channels to what notification sends by.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use domain_channel::{Rate, Seal, SealAlgorithm, Template};
use domain_notification::NoticeKind;
use xietong_mailer::{Encryption, MailerSettings, SignIn};
use xietong_mesh::config::{
    ChannelsConfig, EmailConfig, EncryptionConfig, FlowConfig, MessageConfig, SignatureAlgorithm,
};
use xietong_notification::{
    ChannelRules, ChannelSettings, EmailSettings, MessageSettings, SealHeaders, Timeouts,
};

/// By message goes what obliges whoever gets it, unless something else is set: a telephone that rings
/// for all and everything is turned off.
const BY_MESSAGE: [NoticeKind; 4] =
    [NoticeKind::Assignment, NoticeKind::Urging, NoticeKind::Instruction, NoticeKind::Climbed];

/// What notification sends by.
pub(crate) fn settings(config: Option<&ChannelsConfig>) -> anyhow::Result<ChannelSettings> {
    let Some(config) = config else { return Ok(ChannelSettings::default()) };
    Ok(ChannelSettings {
        email: config.email.as_ref().map(email).transpose().context("channels.email")?,
        message: config.message.as_ref().map(message).transpose().context("channels.message")?,
    })
}

fn email(config: &EmailConfig) -> anyhow::Result<EmailSettings> {
    let whole = Duration::from_secs(config.whole_seconds);
    let encryption = match config.encryption {
        EncryptionConfig::Implicit => Encryption::Implicit,
        EncryptionConfig::StartTls => Encryption::StartTls,
        EncryptionConfig::None => Encryption::None,
    };
    let sign_in = config.sign_in()?.map(|(user, password)| SignIn { user, password });
    let rules = rules(&config.flow, &NoticeKind::ALL, whole)?;
    let mailer = MailerSettings {
        server: config.server.clone(),
        port: config.port,
        encryption,
        sign_in,
        from: config.from.clone(),
        connect: Duration::from_secs(config.connect_seconds),
        whole,
        kept: rules.concurrency,
        trusted: Vec::new(),
    };
    Ok(EmailSettings { mailer, rules })
}

fn message(config: &MessageConfig) -> anyhow::Result<MessageSettings> {
    let whole = Duration::from_secs(config.whole_seconds);
    let connect = Duration::from_secs(config.connect_seconds);
    let template = Template::parse(&config.template()?, &config.media_type).context("template_file")?;
    let seal = match &config.signature {
        None => None,
        Some(signature) => {
            let algorithm = match signature.algorithm {
                SignatureAlgorithm::Sha256 => SealAlgorithm::Sha256,
                SignatureAlgorithm::Sm3 => SealAlgorithm::Sm3,
            };
            let seal = Seal::new(algorithm, signature.key()?).context("signature.key_file")?;
            let (header, timestamp_header) = (signature.header.clone(), signature.timestamp_header.clone());
            Some(SealHeaders { seal, header, timestamp_header })
        }
    };
    Ok(MessageSettings {
        url: config.url.clone(),
        close_url: config.close_url.clone(),
        policy: config.policy()?,
        timeouts: Timeouts { connect, answer: whole, whole },
        template,
        headers: config.headers()?,
        key_header: config.key_header.clone(),
        seal,
        sent: config.sent_statuses.clone(),
        rules: rules(&config.flow, &BY_MESSAGE, whole)?,
    })
}

fn rules(flow: &FlowConfig, unless_set: &[NoticeKind], whole: Duration) -> anyhow::Result<ChannelRules> {
    let named: BTreeSet<NoticeKind> =
        flow.kinds.iter().map(|kind| kind.parse()).collect::<Result<_, _>>().context("flow.kinds")?;
    let kinds = if named.is_empty() { unless_set.iter().copied().collect() } else { named };
    let rate = Rate { per_minute: flow.per_minute, burst: flow.burst };
    let concurrency = usize::try_from(flow.concurrency)?;
    Ok(ChannelRules { concurrency, ..ChannelRules::new(kinds, rate, whole) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain_notification::NoticeKind;
    use xietong_mesh::config::{ChannelsConfig, FlowConfig, MessageConfig};

    use super::settings;

    fn message(template: &str, kinds: &[&str]) -> anyhow::Result<xietong_notification::ChannelSettings> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("sms.json");
        fs::write(&file, template)?;
        let config = serde_json::json!({
            "url": "https://sms.example/send",
            "template_file": file,
        });
        let mut message: MessageConfig = serde_json::from_value(config)?;
        message.flow =
            FlowConfig { kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), ..message.flow };
        settings(Some(&ChannelsConfig { email: None, message: Some(message) }))
    }

    #[test]
    fn by_message_goes_what_obliges_unless_something_else_is_set() {
        let kinds = |named: &[&str]| message("{{ text }}", named).unwrap().message.unwrap().rules.kinds;
        let obliging =
            [NoticeKind::Assignment, NoticeKind::Urging, NoticeKind::Instruction, NoticeKind::Climbed];
        assert_eq!(kinds(&[]), obliging.into());
        assert_eq!(kinds(&["light"]), [NoticeKind::Light].into());
    }

    #[test]
    fn what_cannot_be_sent_by_is_refused_with_its_name() {
        let error = format!("{:#}", message("{{ password }}", &[]).unwrap_err());
        assert!(error.starts_with("channels.message: template_file: "), "{error}");
        let error = format!("{:#}", message("{{ text }}", &["teatime"]).unwrap_err());
        assert!(error.starts_with("channels.message: flow.kinds: "), "{error}");
    }
}

//! How the domain's refusals look to a caller. The one place where they are mapped.

use domain_channel::AddressError;
use domain_notification::{PreferenceError, ReceiptError, TemplateError};
use domain_webhook::{EventFilterError, KeyringError, TargetError};
use xietong_mesh::Error;

/// What a caller is told of a refusal.
pub(crate) fn refusal(error: ReceiptError) -> Error {
    match error {
        ReceiptError::NothingToSign => {
            Error::failed_precondition("NOTHING_TO_SIGN", error.to_string(), "该通知无需签收，阅读即可")
        }
        ReceiptError::NotSigned => {
            Error::failed_precondition("NOT_SIGNED", error.to_string(), "该通知须先签收，才能归档")
        }
        ReceiptError::Recalled => {
            Error::failed_precondition("RECALLED", error.to_string(), "该通知已撤回，无需签收")
        }
    }
}

/// What a caller is told of preferences that the rules do not allow.
pub(crate) fn preference_refusal(error: PreferenceError) -> Error {
    let english = error.to_string();
    match error {
        PreferenceError::MustArrive(kind) => {
            Error::invalid("muted", english, format!("{}类通知须送达本人，不能关闭", kind.chinese()))
        }
        PreferenceError::MustNotWait(kind) => {
            let chinese = format!("{}类通知须即时送达，不能并入每日汇总", kind.chinese());
            Error::invalid("daily_digest.kinds", english, chinese)
        }
        PreferenceError::NeverTold => {
            Error::invalid("quiet_hours", english, "免打扰时段占满了全部工作时间，请留出可以接收通知的时间")
        }
        PreferenceError::EmptyDigest => {
            Error::invalid("daily_digest.kinds", english, "请至少选择一类需要汇总的通知")
        }
    }
}

/// What a caller is told of words that nobody can be told in.
pub(crate) fn template_refusal(error: &TemplateError) -> Error {
    Error::invalid(error.part.as_str(), error.to_string(), error.chinese())
}

/// What a caller is told when earlier words do not fit any more.
pub(crate) fn revert_refusal(error: &TemplateError) -> Error {
    let chinese = format!("该版本已不适用：{}", error.chinese());
    Error::failed_precondition("TEMPLATE_NO_LONGER_FITS", error.to_string(), chinese)
}

/// What a caller is told of a URL that nothing is sent to.
pub(crate) fn target_refusal(error: TargetError) -> Error {
    Error::invalid("url", error.to_string(), error.chinese())
}

/// What a caller is told of types that are none.
pub(crate) fn event_filter_refusal(error: EventFilterError) -> Error {
    Error::invalid("event_filters", error.to_string(), error.chinese())
}

/// What a caller is told when a secret is not replaced.
pub(crate) fn keyring_refusal(error: KeyringError) -> Error {
    let reason = match error {
        KeyringError::TooMany => "TOO_MANY_SECRETS",
        KeyringError::SameAgain => "SECRET_IN_USE",
    };
    Error::failed_precondition(reason, error.to_string(), error.chinese())
}

/// What a caller is told of an address that nothing can be sent to.
pub(crate) fn address_refusal(error: AddressError) -> Error {
    let field = match error {
        AddressError::Email => "email",
        AddressError::Mobile => "mobile",
    };
    Error::invalid(field, error.to_string(), error.chinese())
}

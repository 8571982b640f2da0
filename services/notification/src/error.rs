//! How the domain's refusals look to a caller. The one place where they are mapped.

use domain_notification::ReceiptError;
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
    }
}

//! What the service does on its own account.

pub(crate) mod escalation;
pub(crate) mod supervision_log;

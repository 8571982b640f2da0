//! Background jobs.

mod burden_meter;
mod feed_pulse;
mod make_out;
mod send;
mod wake_up;
mod webhook_meter;

pub(crate) use burden_meter::BurdenMeter;
pub(crate) use feed_pulse::{FeedListening, FeedPulse, Pulse};
pub(crate) use make_out::MakeOut;
pub(crate) use send::Send as SendWebhooks;
pub(crate) use wake_up::{Calls, Listening, WakeUp};
pub(crate) use webhook_meter::WebhookMeter;

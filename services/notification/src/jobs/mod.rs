//! Background jobs.

mod burden_meter;
mod channel_watch;
mod feed_pulse;
mod make_out;
mod send;
mod send_channel;
mod wake_up;
mod webhook_meter;

pub(crate) use burden_meter::BurdenMeter;
pub(crate) use channel_watch::ChannelWatch;
pub(crate) use feed_pulse::{FeedListening, FeedPulse, Pulse};
pub(crate) use make_out::MakeOut;
pub(crate) use send::Send as SendWebhooks;
pub(crate) use send_channel::SendByChannel;
pub(crate) use wake_up::{Calls, Listening, WakeUp};
pub(crate) use webhook_meter::WebhookMeter;

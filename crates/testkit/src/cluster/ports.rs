//! Ports that stay free while the process that owns them is down.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Context;

/// Below the range that Linux gives to outgoing connections, so that no client takes the
/// port of a process that was killed; and below that of the private servers.
const FIRST: u16 = 10_000;
const COUNT: u16 = 10_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on.
pub(super) fn free_port() -> anyhow::Result<u16> {
    // Test processes begin at different places, so they seldom meet.
    let place = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|_| FIRST + (place + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("no free port")
}

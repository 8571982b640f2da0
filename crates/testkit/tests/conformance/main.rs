//! ONE suite for the seams over both back ends: SQLite with the in-process bus, and
//! PostgreSQL with Redis Streams.
#![cfg(test)]

mod bed;
mod consumer;
mod idempotency;
mod log;
mod timers;

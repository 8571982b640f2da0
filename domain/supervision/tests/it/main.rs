//! Whole lives of tasks: decisions, events, clocks and timers together.

#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions, not in what they share")]

mod backfill;
mod delegation;
mod document;
mod explain;
mod extension;
mod handover;
mod instruction;
mod instrument;
mod ledger;
mod life;
mod months;
mod properties;
mod revise;
mod side_road;
mod sub_task;

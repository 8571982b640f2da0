//! Whole lives of tasks: decisions, events, clocks and timers together.

#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions, not in what they share")]

mod attachment;
mod backfill;
mod bulletin;
mod circumstance;
mod delegation;
mod document;
mod explain;
mod extension;
mod figure;
mod handover;
mod instruction;
mod instrument;
mod joint_matter;
mod ledger;
mod life;
mod milestone;
mod months;
mod naive;
mod properties;
mod rejudged;
mod resemblance;
mod revise;
mod rule;
mod side_road;
mod sub_task;

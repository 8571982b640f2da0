//! The roster service behind the mesh's layer, over SQLite and over PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acting;
mod acts;
mod batch;
mod calendar;
mod change;
mod city;
mod collective;
mod coverage;
mod delegation;
mod directory;
mod duty;
mod exchange;
mod input;
mod keeping;
mod lifetime;
mod log;
mod mandate;
mod permission;
mod race;
mod roster;
mod snapshot;
mod standing_in;
mod time;
mod year_calendar;

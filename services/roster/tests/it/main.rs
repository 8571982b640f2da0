//! The roster service behind the mesh's layer, over SQLite and over PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod city;
mod collective;
mod directory;
mod input;
mod permission;
mod roster;
mod time;

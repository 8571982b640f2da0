//! The roster service behind the mesh's layer, over SQLite and over PostgreSQL.

mod city;
mod directory;
mod input;
mod permission;
mod roster;
mod time;

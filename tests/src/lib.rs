//! What the programs `bench` and `chaos` share: they drive a mesh of real processes.

pub mod caller;
pub mod city;
pub mod import;
pub mod notice;
pub mod process;
pub mod random;
pub mod roster;

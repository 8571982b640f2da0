//! The Xietong binary as a library, so that tests run the very same thing.
//!
//! [`up`] is the whole mesh in one process; [`serve`] is one service of it; [`import`] reads
//! government notices; [`simulate`] lives through a year of the sample city.

mod channels;
pub mod cli;
pub mod import;
mod json;
pub mod keys;
pub mod run;
pub mod sample;
pub mod serve;
pub mod simulate;
pub mod token;
pub mod up;

//! A courier and real receivers, some of which behave badly.

mod addresses;
mod answers;
mod bed;
mod encryption;
mod misbehaviour;
mod python;

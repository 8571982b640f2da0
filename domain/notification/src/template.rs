//! Templates: the words of notices as data, which a city may replace.
//!
//! What is told is composed as [`NoticeData`]: named fields, already cut down to what a notice may
//! repeat. A [`TemplateKind`] is one text that is told; it documents its [`Field`]s, has a built-in
//! version ([`TemplateKind::built_in`], a file of `templates/`) and samples
//! ([`NoticeData::samples`]). A [`CompiledTemplate`] turns data into [`Words`] by a text of the
//! city's; [`NoticeData::built_in_words`] is what is told otherwise. The two built-in forms, the file
//! and the function, give the same bytes, which is tested: the function cannot fail, so that no notice
//! is lost for its words, and sending in the built-in words costs no engine.
//!
//! A template sees the fields of its kind and nothing else: no functions, no other templates, no
//! files. What it may spend is bounded ([`FUEL`]).

mod built_in;
mod compiled;
mod data;
mod error;
mod field;
mod kind;
mod sample;
#[cfg(test)]
mod tests;

pub use compiled::{
    CompiledTemplate, FUEL, LONGEST_BODY, LONGEST_BODY_SOURCE, LONGEST_TITLE, LONGEST_TITLE_SOURCE, Words,
};
pub use data::{Limit, ListedItem, Milestone, NoticeData, TaskWords};
pub use error::{Fault, Part, TemplateError};
pub use field::Field;
pub use kind::{TemplateKind, TemplateText};
pub use sample::Sample;

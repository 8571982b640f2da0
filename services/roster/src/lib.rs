//! The roster service.

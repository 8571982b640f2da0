//! The workgroup service.

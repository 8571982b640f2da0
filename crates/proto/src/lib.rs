//! Generated protobuf code and the descriptor set, nothing else.
//!
//! The protos in `proto/` are the single source of truth for the API; their comments are
//! its documentation.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    reason = "generated: the protos carry the documentation"
)]

/// The encoded `FileDescriptorSet` of every proto, with extensions and comments.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// `google.api` and `google.rpc`.
pub mod google {
    pub mod api {
        include!(concat!(env!("OUT_DIR"), "/google.api.rs"));
    }
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
    }
}

/// Xietong's own packages.
pub mod xietong {
    pub mod common {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/xietong.common.v1.rs"));
        }
    }
    pub mod roster {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/xietong.roster.v1.rs"));
        }
    }
    pub mod supervision {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/xietong.supervision.v1.rs"));
        }
    }
    pub mod workgroup {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/xietong.workgroup.v1.rs"));
        }
    }
    pub mod notification {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/xietong.notification.v1.rs"));
        }
    }
    pub mod gateway {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/xietong.gateway.v1.rs"));
        }
    }
}

pub use xietong::{
    common::v1 as common, gateway::v1 as gateway, notification::v1 as notification, roster::v1 as roster,
    supervision::v1 as supervision, workgroup::v1 as workgroup,
};

//! The whole mesh, end to end: the same promise over REST and gRPC, in one process and in
//! five, and what is left of it when processes, Redis or clients fail.
#![cfg(test)]

mod acting;
mod attachments;
mod city;
mod clock;
mod crashes;
mod division;
mod feed;
mod filling;
mod import;
mod load;
mod normal;
mod once;
mod pause;
mod program;
mod readme;
mod redis_loss;
mod shutdown;
mod slice;
mod templates;
mod told;
mod trace;
mod webhook_crashes;
mod world;

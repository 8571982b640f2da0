//! The `xietong` command: parse, then hand over.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Databases and Redis may be reached over TLS; a provider that is there already is this one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    match xietong::cli::run(xietong::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one line an operator needs; causes follow after a colon.
            eprintln!("xietong: {error:#}");
            ExitCode::FAILURE
        }
    }
}

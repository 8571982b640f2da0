//! The `xietong` command: parse, then hand over.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match xietong::cli::run(xietong::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one line an operator needs; causes follow after a colon.
            eprintln!("xietong: {error:#}");
            ExitCode::FAILURE
        }
    }
}

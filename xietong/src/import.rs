//! `xietong import`: notices in, proposals out.
//!
//! The reader is `domain-notice`; here are the files, the directory of units and what is
//! printed.

mod directory;
mod show;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use domain_notice::{LARGEST, Notice, NoticeError, Reader, resolve};

use crate::cli::ImportArgs;
use crate::sample;

use directory::KnownUnits;

/// Reads the files and prints what they say. Nothing is printed unless all of them are read.
///
/// # Errors
/// One line each: a file that cannot be read, or is no whole notice.
pub fn run(arguments: &ImportArgs) -> anyhow::Result<()> {
    let units = known_units(arguments.directory.as_deref())?;
    let reader = Reader::new()?;
    let mut notices = Vec::new();
    for file in &arguments.files {
        notices.extend(read(&reader, file, &units)?);
    }
    for notice in &notices {
        if arguments.json {
            println!("{}", serde_json::to_string(notice)?);
        } else {
            print!("{}", show::plain(notice));
        }
    }
    Ok(())
}

fn known_units(file: Option<&Path>) -> anyhow::Result<KnownUnits> {
    let directory = match file {
        None => sample::directory()?,
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?
        }
    };
    KnownUnits::of(&directory)
}

fn read(reader: &Reader, file: &Path, units: &KnownUnits) -> anyhow::Result<Vec<Notice>> {
    let shown = file.display();
    let size = fs::metadata(file).with_context(|| format!("reading {shown}"))?.len();
    if usize::try_from(size).map_or(true, |size| size > LARGEST) {
        return Err(refused(file, NoticeError::TooLong));
    }
    let bytes = fs::read(file).with_context(|| format!("reading {shown}"))?;
    let Ok(text) = String::from_utf8(bytes) else { bail!("{shown}: not UTF-8 / 不是UTF-8文本") };
    let mut notices = reader.read(&text).map_err(|error| refused(file, error))?;
    for notice in &mut notices {
        resolve(notice, units);
    }
    Ok(notices)
}

fn refused(file: &Path, error: NoticeError) -> anyhow::Error {
    anyhow::anyhow!("{}: {error} / {}", file.display(), error.chinese())
}

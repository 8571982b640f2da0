//! Compiles the protos without protoc and keeps the descriptor set with its extensions
//! (`google.api.http`, our action option) for everyone who reads it at run time.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root.join("xietong"), &mut files)?;
    collect(&root.join("google/rpc"), &mut files)?;
    files.push(root.join("google/api/httpbody.proto"));
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    // protox keeps extensions in the encoded set; decoding with prost-types drops them,
    // so code is generated from a decoded copy and the bytes are what is shipped.
    let encoded = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.binpb"), &encoded)?;

    let descriptors = prost_types::FileDescriptorSet::decode(encoded.as_slice())?;
    let mut names = prost_build::Config::new();
    // A request's full name is part of its idempotency key.
    names.enable_type_names();
    tonic_prost_build::configure().btree_map(".").compile_fds_with_config(descriptors, names)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

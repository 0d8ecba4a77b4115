//! Compiles the contract with `protox`, so that nobody needs `protoc`.
//! Only with feature `grpc`: the packet view and the splices need no generated code.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

const ROOT: &str = "proto";
const FILES: [&str; 2] = [
    "proto/transport/v1/transport.proto",
    "proto/transport/v1/hub.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ROOT}");
    if std::env::var_os("CARGO_FEATURE_GRPC").is_none() {
        return Ok(());
    }
    let descriptors = protox::compile(FILES, [ROOT])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("transport.v1.descriptors.bin"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".")
        .compile_fds(descriptors)?;
    Ok(())
}

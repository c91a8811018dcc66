//! Generates the messages and clients of `arkitect.v1` from the proto files, without protoc.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In the repository the contract lies beside the SDKs; a published crate carries a copy.
    let root = ["../../proto", "proto"]
        .into_iter()
        .find(|root| Path::new(root).join("arkitect/v1/worker_service.proto").exists())
        .ok_or("no proto files: neither in ../../proto nor in proto")?;
    println!("cargo:rerun-if-changed={root}");

    let files = protox::compile(
        ["arkitect/v1/task_service.proto", "arkitect/v1/worker_service.proto"],
        [root],
    )?;
    tonic_prost_build::configure()
        .build_server(false)
        .btree_map(".")
        // Free JSON goes from and to the wire as serde_json's own values; src/json/mod.rs says why.
        .extern_path(".google.protobuf.Struct", "crate::json::Object")
        .extern_path(".google.protobuf.Value", "crate::json::Json")
        .compile_fds(files)?;
    Ok(())
}

//! An image of one layer in skopeo's `dir:` form: `version`, `manifest.json`, and a file for each blob by its digest.

use std::fs;
use std::path::{Path, PathBuf};

use hublease_protocol::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Makes it below a directory. The layer is another one each time, so that no cache knows it.
pub fn make(directory: &Path) -> PathBuf {
    let path = directory.join("image");
    fs::create_dir(&path).unwrap();
    let blob = |bytes: &[u8]| {
        let digest = hex::lower(&Sha256::digest(bytes));
        fs::write(path.join(&digest), bytes).unwrap();
        (format!("sha256:{digest}"), bytes.len())
    };
    let (layer, layer_size) = blob(format!("a layer of {}", directory.display()).as_bytes());
    let rootfs = json!({"type": "layers", "diff_ids": [&layer]});
    let config = json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs});
    let (config, config_size) = blob(config.to_string().as_bytes());
    let part = |kind: &str, digest: &str, size: usize| {
        let media_type = format!("application/vnd.docker.{kind}");
        json!({"mediaType": media_type, "digest": digest, "size": size})
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": part("container.image.v1+json", &config, config_size),
        "layers": [part("image.rootfs.diff.tar", &layer, layer_size)],
    });
    fs::write(path.join("manifest.json"), manifest.to_string()).unwrap();
    fs::write(path.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    path
}

/// The digest of an image's configuration, which names it: skopeo packs the layers of a push anew.
pub fn id(image: &Path) -> String {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(image.join("manifest.json")).unwrap()).unwrap();
    manifest["config"]["digest"].as_str().unwrap().to_owned()
}

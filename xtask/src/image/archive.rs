//! An image out of an archive, in the forms that builders write: Docker's (`manifest.json`) and OCI's (`index.json`, OCI image
//! specification 1.1).
//!
//! GNU tar lists the layers, packed or not; the lines that it prints hold everything that is asked here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::Call;

/// Manifests and configurations are a few kilobytes; what is larger is no image of ours.
const LARGEST_JSON: u64 = 1 << 20;
/// An index may name another one, as BuildKit's does; a third is no form that anybody writes.
const DEEPEST: usize = 2;
/// What BuildKit adds beside an image, such as its provenance.
const REFERENCE: &str = "vnd.docker.reference.type";

/// What an image holds when all of its layers are applied.
pub(crate) struct Image {
    /// Mode and owner (`drwxr-xr-x 0:0`) by name, without a slash at either end. The root is in it only if it is not as usual.
    entries: BTreeMap<String, String>,
    /// As whom it starts, as the configuration says it.
    user: String,
}

impl Image {
    /// Reads an archive.
    ///
    /// # Errors
    /// A sentence: it is no archive of an image, or not of one alone.
    pub(crate) fn read(archive: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("a directory for the image: {error}"))?;
        let folder = folder.path();
        Call::new("tar")
            .argument("--extract")
            .argument("--file")
            .argument(archive)
            .argument("-C")
            .argument(folder)
            .text()?;
        let (configuration, layers) =
            if folder.join("manifest.json").is_file() { dockers(folder)? } else { ocis(folder)? };
        let configuration = json(&configuration)?;
        let user = configuration["config"]["User"].as_str().unwrap_or_default().to_owned();
        let mut entries = BTreeMap::new();
        for layer in layers {
            let list = Call::new("tar").arguments(["--list", "--verbose", "--numeric-owner", "--file"]).argument(layer);
            for line in list.set("LC_ALL", "C").text()?.lines() {
                let (name, entry) = entry(line)?;
                entries.insert(name, entry);
            }
        }
        if entries.get("").is_some_and(|root| root == "drwxr-xr-x 0:0") {
            entries.remove("");
        }
        Ok(Self { entries, user })
    }

    /// One line for each entry, and one for the user.
    pub(crate) fn lines(&self) -> Vec<String> {
        let entries = self.entries.iter().map(|(name, entry)| format!("{entry} {name}"));
        entries.chain([format!("user {}", self.user)]).collect()
    }
}

/// Name, and mode with owner, of a line such as `drwxr-xr-x 0/0    0 2026-01-01 00:00 etc/`.
fn entry(line: &str) -> Result<(String, String), String> {
    let mut words = line.split_whitespace();
    let (Some(mode), Some(owner), Some(_), Some(_), Some(_)) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Err(format!("tar lists `{line}`"));
    };
    let name = words.collect::<Vec<_>>().join(" ");
    let name =
        name.strip_prefix('.').filter(|rest| rest.starts_with('/')).unwrap_or(&name).trim_matches('/').to_owned();
    Ok((name, format!("{mode} {}", owner.replace('/', ":"))))
}

/// Configuration and layers of Docker's form.
fn dockers(folder: &Path) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let manifest = json(&folder.join("manifest.json"))?;
    let [image] = manifest.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err("manifest.json does not describe one image".to_owned());
    };
    let path = |value: &Value| value.as_str().map(|path| folder.join(path));
    let layers = image["Layers"].as_array().into_iter().flatten().map(path).collect::<Option<Vec<_>>>();
    path(&image["Config"]).zip(layers).ok_or_else(|| "manifest.json names no configuration or no layers".to_owned())
}

/// Configuration and layers of OCI's form.
fn ocis(folder: &Path) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let mut manifest = json(&folder.join("index.json"))?;
    for _ in 0..DEEPEST {
        let Some(manifests) = manifest["manifests"].as_array() else { break };
        let mut images = manifests.iter().filter(|manifest| manifest["annotations"][REFERENCE].is_null());
        let (Some(image), None) = (images.next(), images.next()) else {
            return Err("the index does not describe one image".to_owned());
        };
        manifest = json(&blob(folder, image)?)?;
    }
    let layers = manifest["layers"].as_array().ok_or("the manifest names no layers")?;
    let layers = layers.iter().map(|layer| blob(folder, layer)).collect::<Result<_, _>>()?;
    Ok((blob(folder, &manifest["config"])?, layers))
}

/// The file of a descriptor.
fn blob(folder: &Path, descriptor: &Value) -> Result<PathBuf, String> {
    let digest = descriptor["digest"].as_str().and_then(|digest| digest.split_once(':'));
    let (algorithm, digest) = digest.ok_or("a descriptor has no digest")?;
    Ok(folder.join("blobs").join(algorithm).join(digest))
}

fn json(path: &Path) -> Result<Value, String> {
    let failed = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let size = fs::metadata(path).map_err(|error| failed(&error))?.len();
    if size > LARGEST_JSON {
        return Err(failed(&format!("{size} bytes are more than {LARGEST_JSON}")));
    }
    let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

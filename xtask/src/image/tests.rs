//! Archives of each form, as podman, the engine and BuildKit write them, with something planted in them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::check;
use crate::process::Call;

/// The tree of the table, and what is planted in it.
fn layer(folder: &Path, packed: bool, plant: &dyn Fn(&Path)) -> PathBuf {
    let root = folder.join("root");
    for (path, mode) in [
        ("etc/hublease", 0o755),
        ("etc/ssl/certs", 0o755),
        ("licenses", 0o755),
        ("var/lib/hublease", 0o770),
        ("etc/ssl", 0o755),
        ("etc", 0o755),
        ("var/lib", 0o755),
        ("var", 0o755),
    ] {
        fs::create_dir_all(root.join(path)).unwrap();
        set_mode(&root.join(path), mode);
    }
    let licenses = ["LICENSE-APACHE", "LICENSE-MIT", "hublease-broker.txt"].map(|name| format!("licenses/{name}"));
    for (path, mode) in [("hublease-broker", 0o555), ("etc/ssl/certs/ca-certificates.crt", 0o444)]
        .into_iter()
        .chain(licenses.iter().map(|path| (path.as_str(), 0o444)))
    {
        fs::write(root.join(path), "x").unwrap();
        set_mode(&root.join(path), mode);
    }
    plant(&root);
    let layer = folder.join("layer");
    tar(&root, &layer, if packed { &["--gzip", "--owner=0", "--group=0"] } else { &["--owner=0", "--group=0"] });
    fs::remove_dir_all(root).unwrap();
    layer
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn tar(folder: &Path, file: &Path, options: &[&str]) {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let call = Call::new("tar").arguments(["--create", "--file"]).argument(file).arguments(options);
    call.arguments(["--directory"]).argument(folder).arguments(names).text().unwrap();
}

fn descriptor(name: &str) -> serde_json::Value {
    json!({ "digest": format!("sha256:{name}") })
}

/// As podman and BuildKit write it: the second with an index in the index, and its provenance beside the image.
fn oci(folder: &Path, nested: bool, user: &str, plant: &dyn Fn(&Path)) -> PathBuf {
    let archive = folder.join("archive");
    let blobs = archive.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let write = |name: &str, value: serde_json::Value| fs::write(blobs.join(name), value.to_string()).unwrap();
    fs::rename(layer(folder, true, plant), blobs.join("a")).unwrap();
    write("c", json!({ "config": { "User": user } }));
    write("d", json!({ "config": descriptor("c"), "layers": [descriptor("a")] }));
    let provenance =
        json!({ "digest": "sha256:e", "annotations": { "vnd.docker.reference.type": "attestation-manifest" } });
    write("f", json!({ "manifests": [descriptor("d"), provenance] }));
    let index = json!({ "manifests": [descriptor(if nested { "f" } else { "d" })] });
    fs::write(archive.join("index.json"), index.to_string()).unwrap();
    let file = folder.join("oci.tar");
    tar(&archive, &file, &[]);
    file
}

/// As `docker save` and podman's older form write it.
fn docker(folder: &Path, user: &str, plant: &dyn Fn(&Path)) -> PathBuf {
    let archive = folder.join("archive");
    fs::create_dir_all(&archive).unwrap();
    fs::rename(layer(folder, false, plant), archive.join("layer.tar")).unwrap();
    fs::write(archive.join("c.json"), json!({ "config": { "User": user } }).to_string()).unwrap();
    let manifest = json!([{ "Config": "c.json", "Layers": ["layer.tar"] }]);
    fs::write(archive.join("manifest.json"), manifest.to_string()).unwrap();
    let file = folder.join("docker.tar");
    tar(&archive, &file, &[]);
    file
}

#[test]
fn every_form_of_archive_is_compared_with_the_table() {
    let make = |form: usize, user: &str, plant: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        let archive = match form {
            0 => docker(folder.path(), user, plant),
            form => oci(folder.path(), form == 2, user, plant),
        };
        check(&archive)
    };
    for form in 0..3 {
        assert_eq!(make(form, "65532:0", &|_| ()), Ok(()));
        let says = |user: &str, plant: &dyn Fn(&Path), what: &str| {
            let why = make(form, user, plant).unwrap_err();
            assert!(why.ends_with(what), "{why}");
        };
        says("", &|_| (), "promised: - user 65532:0; + user ");
        // What BuildKit made of `COPY --chmod=0444 … /etc/…`.
        let closed = |root: &Path| set_mode(&root.join("etc"), 0o544);
        says("65532:0", &closed, "promised: - drwxr-xr-x 0:0 etc; + dr-xr--r-- 0:0 etc");
        let another = |root: &Path| fs::write(root.join("sh"), "x").unwrap();
        let why = make(form, "65532:0", &another).unwrap_err();
        assert!(why.contains("+ -r") && why.ends_with(" 0:0 sh"), "{why}");
        let without = |root: &Path| fs::remove_dir(root.join("var/lib/hublease")).unwrap();
        says("65532:0", &without, "promised: - drwxrwx--- 0:0 var/lib/hublease");
    }
}

#[test]
fn what_is_no_archive_of_one_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    fs::create_dir(&archive).unwrap();
    for (name, text, says) in [
        ("manifest.json", "[]", "does not describe one image"),
        ("manifest.json", "[{},{}]", "does not describe one image"),
        ("manifest.json", "[{}]", "names no configuration or no layers"),
        ("index.json", "{\"manifests\":[]}", "does not describe one image"),
        ("index.json", "{}", "names no layers"),
        ("index.json", "x", "expected value"),
    ] {
        let file = folder.path().join("file.tar");
        fs::write(archive.join(name), text).unwrap();
        tar(&archive, &file, &[]);
        fs::remove_file(archive.join(name)).unwrap();
        let why = check(&file).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    assert!(check(&folder.path().join("none.tar")).unwrap_err().starts_with("`tar "));
}

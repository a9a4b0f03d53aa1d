//! The plugin for Docker Hub, which the real server starts as it starts anybody's: the program of `peers/plugin`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hublease_peers::openbao::OpenBao;
use hublease_sandbox::{ACCOUNT, PASSWORD, Sandbox};
use serde_json::json;

/// The name of the published one's program, which the documentation has.
pub const NAME: &str = "vault-plugin-secrets-dockerhub";
/// The path of a token that may push.
pub const PATH: &str = "dockerhub/token/acmebot/write";

/// What it takes for a deletion at Docker Hub that was done; `peers/plugin/engine.rs` has what each means.
#[derive(Clone, Copy)]
pub enum Deletes {
    AsPublished,
    Mended,
    Hopeless,
}

/// What the plugin has to know, by name and value, for the server's environment.
pub fn environment(sandbox: &Sandbox) -> [(String, String); 2] {
    fs::create_dir_all(folder(sandbox)).unwrap();
    let of = |name: &str, value: String| (format!("DOCKERHUB_PLUGIN_{name}"), value);
    [of("HUB", sandbox.hub_url()), of("FOLDER", folder(sandbox).display().to_string())]
}

/// Where the plugin keeps what it is told.
pub fn folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.ca_file().with_file_name("dockerhub-plugin")
}

/// From now on it takes deletions so.
pub fn set(sandbox: &Sandbox, deletes: Deletes) {
    let word = match deletes {
        Deletes::AsPublished => "as-published",
        Deletes::Mended => "mended",
        Deletes::Hopeless => "hopeless",
    };
    fs::write(folder(sandbox).join("deletes"), word).unwrap();
}

/// The built program, which lies beside the tests.
pub fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples/dockerhub-plugin");
    assert!(path.is_file(), "{} is not built", path.display());
    path
}

/// Registers it, mounts it at `dockerhub/`, and writes the account.
pub fn mount(sandbox: &Sandbox, bao: &OpenBao, deletes: Deletes) {
    set(sandbox, deletes);
    let copy = bao.plugins().join(NAME);
    fs::copy(program(), &copy).unwrap();
    let sums = Command::new("sha256sum").arg(&copy).output().unwrap();
    let sum = String::from_utf8(sums.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    bao.write(&format!("sys/plugins/catalog/secret/{NAME}"), &json!({ "sha256": sum, "command": NAME }));
    bao.write("sys/mounts/dockerhub", &json!({ "type": NAME }));
    write_account(bao, PASSWORD);
}

/// Writes the account with this password.
pub fn write_account(bao: &OpenBao, password: &str) {
    let account = json!({ "Scope": "read,write,public_read", "password": password });
    bao.write(&format!("dockerhub/config/{ACCOUNT}"), &account);
}

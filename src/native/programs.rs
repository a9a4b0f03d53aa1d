//! Which programs are run, and what of the environment they see.
//!
//! A name is resolved once, to an absolute path, from the PATH of the snapshot. Empty and relative entries are
//! skipped, and in CI everything inside the workspace as well: what was checked out must not decide who receives a
//! credential. The environment is an allow-list; it never carries the CI system's identity or a Vault token.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::environment::Environment;

/// The variables that helper programs need. `DOCKER_AUTH_CONFIG` is left out: it holds credentials, and docker would
/// warn about it; so are the many `DOCKER_…` names under which projects keep passwords.
const NAMES: &[&str] = &[
    "ALL_PROXY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTENT_TRUST",
    "DOCKER_CONTENT_TRUST_SERVER",
    "DOCKER_CONTEXT",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "GNUPGHOME",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LOGNAME",
    "NO_PROXY",
    "PASSWORD_STORE_DIR",
    "PATH",
    "REGISTRY_AUTH_FILE",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "USER",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Families of variables that helper programs need.
const PREFIXES: &[&str] = &["CONTAINERS_", "LC_", "XDG_"];

/// Identity tokens that begin like an allowed family; CircleCI's program makes new ones and needs none of them.
const IDENTITIES: &[&str] = &["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"];

/// The environment of one program.
pub(super) type Variables = Vec<(String, Zeroizing<String>)>;

/// Looks programs up and remembers the answer.
#[derive(Debug)]
pub(super) struct Programs {
    environment: Arc<Environment>,
    workspace: Option<PathBuf>,
    found: BTreeMap<String, Option<PathBuf>>,
}

impl Programs {
    /// `workspace` is where the job's checkout lies; it counts in CI only.
    pub(super) fn new(environment: impl Into<Arc<Environment>>, workspace: &Path) -> Self {
        let environment = environment.into();
        let in_ci = environment.value("CI").is_some_and(|value| value != "false");
        // A job that works in `/` has its whole system there, and no program would be left.
        let workspace = fs::canonicalize(workspace).ok().filter(|path| in_ci && path.parent().is_some());
        Self { environment, workspace, found: BTreeMap::new() }
    }

    /// The absolute path of a program; none if there is none that may be run.
    pub(super) fn find(&mut self, name: &str) -> Option<PathBuf> {
        if let Some(found) = self.found.get(name) {
            return found.clone();
        }
        let found = self.search(name);
        self.found.insert(name.to_owned(), found.clone());
        found
    }

    /// The allow-listed environment, with `more` variables of this family (`CIRCLE`), and these set or, if empty, unset.
    pub(super) fn variables(&self, more: Option<&str>, changes: &[(&str, &str)]) -> Variables {
        let allowed = |name: &str| {
            !IDENTITIES.contains(&name)
                && (NAMES.contains(&name)
                    || PREFIXES.iter().copied().chain(more).any(|prefix| name.starts_with(prefix)))
        };
        let changed = |name: &str| changes.iter().any(|(change, _)| *change == name);
        self.environment
            .iter()
            .filter(|(name, _)| allowed(name) && !changed(name))
            .chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()))
            .map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned())))
            .collect()
    }

    fn search(&self, name: &str) -> Option<PathBuf> {
        if name.is_empty() || name.contains(['/', '\0']) {
            return None;
        }
        let path = self.environment.value("PATH")?;
        path.split(':').map(Path::new).filter(|entry| entry.is_absolute()).map(|entry| entry.join(name)).find(|path| {
            let executable =
                fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
            executable && !self.is_in_workspace(path)
        })
    }

    /// Whether the entry of PATH, or the file that a link there leads to, lies inside the workspace.
    fn is_in_workspace(&self, path: &Path) -> bool {
        let Some(workspace) = &self.workspace else { return false };
        // What cannot be resolved counts as inside.
        let inside = |path: &Path| fs::canonicalize(path).map_or(true, |path| path.starts_with(workspace));
        inside(path) || path.parent().is_none_or(inside)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    use super::Programs;
    use crate::environment::Environment;

    fn plant(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn programs(path: &str, workspace: &Path, ci: &str) -> Programs {
        Programs::new(Environment::new([("PATH".into(), path.into()), ("CI".into(), ci.into())]), workspace)
    }

    #[test]
    fn nothing_planted_is_found() {
        let root = tempfile::tempdir().unwrap();
        let (workspace, tools) = (root.path().join("workspace"), root.path().join("tools"));
        plant(&workspace.join("bin/docker"), 0o755);
        plant(&tools.join("docker"), 0o755);
        plant(&tools.join("other/podman"), 0o644);
        fs::create_dir_all(tools.join("directory/docker")).unwrap();
        std::os::unix::fs::symlink(workspace.join("bin"), root.path().join("link")).unwrap();
        fs::create_dir_all(root.path().join("links")).unwrap();
        std::os::unix::fs::symlink(workspace.join("bin/docker"), root.path().join("links/docker")).unwrap();
        let at = |name: &str| root.path().join(name).display().to_string();
        let path = format!(
            ":.:bin:{}:{}:{}:{}:{}",
            at("workspace/bin"),
            at("link"),
            at("links"),
            at("tools/directory"),
            at("tools")
        );
        assert_eq!(programs(&path, &workspace, "true").find("docker"), Some(tools.join("docker")));
        // On one's own machine the workspace is one's own.
        assert_eq!(programs(&path, &workspace, "").find("docker"), Some(workspace.join("bin/docker")));
        assert_eq!(programs(&at("tools/other"), &workspace, "").find("podman"), None);
        for name in ["", "../tools/docker", "/bin/sh"] {
            assert_eq!(programs(&path, &workspace, "").find(name), None);
        }
    }

    #[test]
    fn a_job_that_works_in_the_root_directory_still_finds_programs() {
        assert!(programs("/usr/bin:/bin", Path::new("/"), "true").find("sh").is_some());
    }

    #[test]
    fn the_environment_is_an_allow_list() {
        let kept =
            ["PATH", "HOME", "DOCKER_HOST", "https_proxy", "XDG_RUNTIME_DIR", "CONTAINERS_CONF", "SSL_CERT_FILE"];
        let dropped = [
            "DOCKER_AUTH_CONFIG",
            "DOCKER_PASSWORD",
            "VAULT_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "CIRCLE_OIDC_TOKEN_V2",
            "GITHUB_TOKEN",
            "HUBLEASE_SECRET",
            "LD_PRELOAD",
        ];
        let all = kept.iter().chain(&dropped).map(|name| ((*name).to_owned(), "x".to_owned()));
        let programs = Programs::new(Environment::new(all), Path::new("/"));
        let names = |more, changes: &[(&str, &str)]| -> Vec<String> {
            programs.variables(more, changes).into_iter().map(|(name, _)| name).collect()
        };
        let mut expected = kept.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(names(None, &[]), expected);
        assert_eq!(names(Some("CIRCLE"), &[]), expected);
        assert!(names(Some("GITHUB_"), &[]).contains(&"GITHUB_TOKEN".to_owned()));
        let changed = programs.variables(None, &[("HOME", ""), ("DOCKER_CONFIG", "/private")]);
        assert!(changed.iter().all(|(name, _)| name != "HOME"));
        assert!(changed.iter().any(|(name, value)| name == "DOCKER_CONFIG" && value.as_str() == "/private"));
    }
}

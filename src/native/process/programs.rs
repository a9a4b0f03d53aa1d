//! Which programs are run, and what of the environment they see.
//!
//! A name is resolved once, to an absolute path, from the PATH of the snapshot. Empty and relative entries are
//! skipped, and in CI everything inside the workspace as well: what was checked out must not decide who receives a
//! credential. The environment is an allow-list; it never carries the CI system's identity or a Vault token.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hublease_protocol::ci::{Ci, TokenSource};
use hublease_protocol::printable::printable;
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

/// The environment of one program.
pub(in crate::native) type Variables = Vec<(String, Zeroizing<String>)>;

/// Looks programs up and remembers the answer.
#[derive(Debug)]
pub(in crate::native) struct Programs {
    environment: Arc<Environment>,
    workspaces: Vec<PathBuf>,
    found: BTreeMap<String, Option<PathBuf>>,
}

impl Programs {
    /// `workspace` is where the job is; it and the checkout that the CI system names count in CI only.
    pub(in crate::native) fn new(environment: impl Into<Arc<Environment>>, workspace: &Path) -> Self {
        let environment = environment.into();
        let in_ci = environment.is_ci();
        // A job that works in `/` has its whole system there, and no program would be left.
        let named =
            workspace_variables().filter_map(|name| environment.value(name)).map(|path| at_home(&environment, path));
        let workspaces = named.chain([workspace.to_owned()]).filter(|_| in_ci);
        // A root directory as workspace would leave no program to run.
        let known = workspaces.filter_map(|path| fs::canonicalize(path).ok()).filter(|path| path.parent().is_some());
        Self { workspaces: known.collect(), environment, found: BTreeMap::new() }
    }

    /// The absolute path of a program; none if there is none that may be run.
    pub(in crate::native) fn find(&mut self, name: &str) -> Option<PathBuf> {
        if let Some(found) = self.found.get(name) {
            return found.clone();
        }
        let found = self.search(name);
        self.found.insert(name.to_owned(), found.clone());
        found
    }

    /// The allow-listed environment, with these set or, if empty, unset. A CI system's own program sees `more`: the variables
    /// of its family (`CIRCLE`), and `CI`, without which it takes a job for a person and looks for updates of itself.
    /// What a program looks up by itself, such as docker its credential helpers, it finds where we would find it.
    pub(in crate::native) fn variables(&self, more: Option<&str>, changes: &[(&str, &str)]) -> Variables {
        let allowed = |name: &str| {
            !identity_variables().any(|identity| identity == name)
                && (NAMES.contains(&name)
                    || (more.is_some() && name == "CI")
                    || PREFIXES.iter().copied().chain(more).any(|prefix| name.starts_with(prefix)))
        };
        let changed = |name: &str| changes.iter().any(|(change, _)| *change == name);
        self.environment
            .iter()
            .filter(|(name, _)| allowed(name) && !changed(name))
            .chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()))
            .map(|(name, value)| {
                let value = if name == "PATH" { self.path(value) } else { value.to_owned() };
                (name.to_owned(), Zeroizing::new(value))
            })
            .collect()
    }

    /// A PATH without the entries that are skipped here.
    fn path(&self, path: &str) -> String {
        let kept = entries(path).filter(|entry| !self.is_in_workspace(Path::new(entry)));
        kept.collect::<Vec<_>>().join(":")
    }

    /// The program that would have been found if it did not lie in the workspace; printable.
    pub(in crate::native) fn skipped(&self, name: &str) -> Option<String> {
        self.candidates(name).find(|path| self.is_in_workspace(path)).map(|path| printable(&path.display().to_string()))
    }

    fn search(&self, name: &str) -> Option<PathBuf> {
        self.candidates(name).find(|path| !self.is_in_workspace(path))
    }

    /// Every program of this name on PATH.
    fn candidates(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let is_name = !name.is_empty() && !name.contains(['/', '\0']);
        let path = self.environment.value("PATH").filter(|_| is_name).unwrap_or_default();
        entries(path).map(move |entry| Path::new(entry).join(name)).filter(|path| {
            fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        })
    }

    /// Whether the entry of PATH, or the file that a link there leads to, lies inside the workspace.
    fn is_in_workspace(&self, path: &Path) -> bool {
        if self.workspaces.is_empty() {
            return false;
        }
        // What cannot be resolved counts as inside.
        let inside = |path: &Path| {
            fs::canonicalize(path)
                .map_or(true, |path| self.workspaces.iter().any(|workspace| path.starts_with(workspace)))
        };
        inside(path) || path.parent().is_none_or(inside)
    }
}

/// Where CI systems say that the checkout lies; a step may have gone elsewhere.
fn workspace_variables() -> impl Iterator<Item = &'static str> {
    Ci::ALL.into_iter().filter_map(|ci| ci.job().workspace)
}

/// Variables with an identity token, which may begin like an allowed family. No program that we start needs them:
/// CircleCI's makes new ones.
fn identity_variables() -> impl Iterator<Item = &'static str> {
    let names = |ci: Ci| match ci.job().source {
        TokenSource::Variables(names) | TokenSource::VariablesOrProgram(names) => names,
        TokenSource::Endpoint { .. } | TokenSource::Named => &[],
    };
    Ci::ALL.into_iter().flat_map(names).copied()
}

/// The absolute entries of a PATH.
fn entries(path: &str) -> impl Iterator<Item = &str> {
    path.split(':').filter(|entry| Path::new(entry).is_absolute())
}

/// A path that may begin with `~/`, as CircleCI writes its own.
fn at_home(environment: &Environment, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), environment.value("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

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
        let passed_on = programs(&path, &workspace, "true").variables(None, &[]);
        let passed_on = passed_on.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
        let expected = ["links", "tools/directory", "tools"].map(at).join(":");
        assert_eq!(passed_on, Some(expected.as_str()));
        // The checkout counts wherever the step has gone.
        let elsewhere = [("PATH", path.as_str()), ("CI", "true"), ("HOME", root.path().to_str().unwrap_or_default())];
        for named in ["GITHUB_WORKSPACE", "CIRCLE_WORKING_DIRECTORY"] {
            let checkout = if named.starts_with("CIRCLE") { "~/workspace".to_owned() } else { at("workspace") };
            let variables = elsewhere.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter();
            let environment = Environment::new(variables.chain([(named.to_owned(), checkout)]));
            assert_eq!(Programs::new(environment, &tools.join("nowhere")).find("docker"), Some(tools.join("docker")));
        }
        // It is no secret that one was there.
        let mut only_planted = programs(&at("workspace/bin"), &workspace, "true");
        assert_eq!(
            (only_planted.find("docker"), only_planted.skipped("docker")),
            (None, Some(at("workspace/bin/docker")))
        );
        assert_eq!(only_planted.skipped("podman"), None);
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
            "CI",
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
        let of_a_ci_program = [vec!["CI".to_owned()], expected].concat();
        assert_eq!(names(Some("CIRCLE"), &[]), of_a_ci_program);
        assert!(names(Some("GITHUB_"), &[]).contains(&"GITHUB_TOKEN".to_owned()));
        let changed = programs.variables(None, &[("HOME", ""), ("DOCKER_CONFIG", "/private")]);
        assert!(changed.iter().all(|(name, _)| name != "HOME"));
        assert!(changed.iter().any(|(name, value)| name == "DOCKER_CONFIG" && value.as_str() == "/private"));
    }
}

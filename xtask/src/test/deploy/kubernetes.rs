//! The manifests, compared with Kubernetes' own schemas of its oldest and newest version that are known here, and the
//! configuration in one of them, read by the broker itself.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::linters::Linters;
use super::super::{Context, Trouble};
use super::same_version;
use crate::files::every_file;
use crate::orb::read;
use crate::process::Call;

/// The first is the oldest that is promised; the schemas are bundled, so nothing is asked of a cluster.
const VERSIONS: [&str; 2] = ["1.29", "1.37"];
/// Where the configuration is.
const CONFIGURATION: &str = "config.yaml";

pub(super) fn check(context: &Context<'_>, broker: &Path) -> Result<String, Trouble> {
    let linters = Linters::install(context)?;
    let folder = context.workspace.root.join("deploy/kubernetes");
    let manifests = every_file(&folder)?;
    let mut objects = 0;
    for path in &manifests {
        let text = read_file(path)?;
        objects += 1 + text.lines().filter(|line| *line == "---").count();
        if path.ends_with("broker.yaml") {
            same_version("deploy/kubernetes/broker.yaml", &text)?;
        }
    }
    let log = context.workspace.log("deploy-kubernetes")?;
    linters.yamllint().argument(&folder).directory(&context.workspace.root).run(&context.log, context.terminal)?;
    let validated = linters.kubernetes_validate(&VERSIONS).arguments(&manifests).run(&log, context.terminal);
    let said = read_file(&log)?;
    validated.map_err(|why| format!("{why}: {}", said.lines().find(|line| line.starts_with("ERROR")).unwrap_or("")))?;
    // A kind without a schema is passed over with a warning.
    let passed = said.lines().filter(|line| line.contains(" passed for resource ")).count();
    if objects == 0 || passed != objects * VERSIONS.len() {
        return Err(format!("{passed} of {objects} objects were compared with {} versions", VERSIONS.len()).into());
    }
    let configuration = context.workspace.target.join("xtask/deploy-broker.toml");
    fs::write(&configuration, embedded(&read_file(&folder.join(CONFIGURATION))?)?)
        .map_err(|error| format!("{}: {error}", configuration.display()))?;
    let said = Call::new(broker).arguments(["check", "--config"]).argument(&configuration).text()?;
    only_placeholders(&said)?;
    Ok(format!("{objects} objects of Kubernetes {} to {}", VERSIONS[0], VERSIONS[1]))
}

/// The broker's configuration in the manifest.
pub(super) fn embedded(manifest: &str) -> Result<String, String> {
    let manifest = read(CONFIGURATION, manifest)?;
    let data = manifest.as_mapping_get("data").and_then(|data| data.as_mapping_get("broker.toml"));
    data.and_then(|text| text.as_str())
        .map(str::to_owned)
        .ok_or_else(|| format!("{CONFIGURATION}: no broker.toml in it"))
}

/// What is to be filled in is all that there may be to warn of.
fn only_placeholders(said: &str) -> Result<(), String> {
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning: ")).collect();
    match warnings.iter().find(|line| !line.ends_with(" (placeholder)")) {
        Some(line) => Err(format!("{CONFIGURATION}: {line}")),
        None if warnings.is_empty() => Err(format!("{CONFIGURATION}: nothing in it is to be filled in")),
        None => Ok(()),
    }
}

pub(super) fn read_file(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The manifest with the configuration.
pub(super) fn configuration(root: &Path) -> PathBuf {
    root.join("deploy/kubernetes").join(CONFIGURATION)
}

#[cfg(test)]
mod tests {
    use super::{embedded, only_placeholders};

    #[test]
    fn the_configuration_is_taken_out_of_its_manifest() {
        let manifest = "kind: ConfigMap\ndata:\n  broker.toml: |\n    listen = \"a\"\n\n    [journal]\n";
        assert_eq!(embedded(manifest).unwrap(), "listen = \"a\"\n\n[journal]\n");
        assert_eq!(embedded("kind: ConfigMap\n").unwrap_err(), "config.yaml: no broker.toml in it");
    }

    #[test]
    fn placeholders_are_all_that_may_be_warned_of() {
        let placeholder = "warning: public_url: `https://replace-with-broker-host` is a placeholder (placeholder)\n";
        let hole = "warning: rule `main`: is open to forks and strangers (open_to_forks)\n";
        assert_eq!(only_placeholders(&format!("address: x\n{placeholder}")), Ok(()));
        assert!(only_placeholders(&format!("{placeholder}{hole}")).is_err());
        assert!(only_placeholders("no warnings\n").is_err());
    }
}

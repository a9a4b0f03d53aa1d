//! The linters of workflows, of the orb and of manifests: check-jsonschema, kubernetes-validate, zizmor and yamllint.

use super::python::Packages;
use super::{Context, Trouble};
use crate::process::Call;

/// The linters, installed.
pub(super) struct Linters(Packages);

impl Linters {
    /// Installs them, unless they are there.
    ///
    /// # Errors
    /// A sentence: they are not to be had on this machine.
    pub(super) fn install(context: &Context<'_>) -> Result<Self, Trouble> {
        let what = "check-jsonschema, kubernetes-validate, zizmor and yamllint";
        Packages::install(context, "python", what).map(Self)
    }

    /// Compares files with one of the schemas that it carries.
    pub(super) fn check_jsonschema(&self, schema: &str) -> Call {
        self.0.module("check_jsonschema").arguments(["--color", "never", "--builtin-schema", schema])
    }

    /// Compares manifests with the schemas of Kubernetes that it carries; what a schema does not know is an error.
    pub(super) fn kubernetes_validate(&self, versions: &[&str]) -> Call {
        let call = self.0.module("kubernetes_validate").argument("--strict");
        versions.iter().fold(call, |call, version| call.arguments(["--kubernetes-version", version]))
    }

    /// Finds what reads badly in YAML, by the rules in `.yamllint`; a warning is a failure.
    pub(super) fn yamllint(&self) -> Call {
        self.0.module("yamllint").arguments(["--strict", "--format", "parsable"])
    }

    /// Looks for what is dangerous in workflows and actions, and asks nobody about it.
    pub(super) fn zizmor(&self) -> Call {
        Call::new(self.0.program("zizmor")).arguments(["--pedantic", "--offline", "--no-progress", "--color=never"])
    }
}

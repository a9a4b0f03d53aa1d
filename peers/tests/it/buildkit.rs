//! BuildKit with the login of buildx's user: it is handed over while a build runs.

use hublease_sandbox::{Sandbox, Service};

use crate::support::builder::Builder;
use crate::support::lease::{hub_with_a_registry, login, logout, refused};

const BASE: &str = "FROM scratch\nCOPY program /program\n";
const BASE_IMAGE: &str = "acme/base:by-buildkit";

#[test]
fn a_build_on_a_private_image_is_refused_after_logout() {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    let push_base = || builder.build(BASE, &["--tag", BASE_IMAGE, "--push"]);
    // Nothing of one build serves another.
    let derived = |note: &str| {
        let dockerfile = format!("FROM {BASE_IMAGE}\nRUN [\"/program\", \"--version\"]\nLABEL note={note}\n");
        builder.build(&dockerfile, &["--no-cache", "--tag", "acme/app:by-buildkit", "--push"])
    };
    refused(&push_base());
    login(&builder.job, &sandbox, "read", "none");
    refused(&push_base());
    logout(&builder.job, &sandbox);

    login(&builder.job, &sandbox, "write", "none");
    push_base().code(0).says("pushing manifest");
    derived("one").code(0).says("tini version").says("pushing manifest");
    logout(&builder.job, &sandbox);
    refused(&derived("two"));
    assert!(pushes(&sandbox) > 0);
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

fn pushes(sandbox: &Sandbox) -> usize {
    let registry = sandbox.requests(Service::Registry).into_iter();
    registry.filter(|request| request.method == "PUT" && request.status == Some(201)).count()
}

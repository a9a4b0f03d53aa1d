//! What `deploy/` holds for whoever runs the broker: a container file, manifests of Kubernetes, a unit of systemd. Each is
//! held to what reads it in the end: the schemas, `hublease-broker check`, systemd, and podman.

mod image;
mod kubernetes;
pub(super) mod start;
mod unit;

use super::{Context, Outcome, statically};

/// What stands before a version in files of `deploy/`.
const BEFORE_A_VERSION: [&str; 2] = ["hublease-broker:", "hublease-broker-v"];

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let broker = statically::broker_path(context);
    let manifests = kubernetes::check(context, &broker)?;
    let exposure = unit::check(context, &broker)?;
    let image = image::check(context, &broker)?;
    Ok(format!("{manifests}; unit: {exposure}; image: {image}"))
}

/// What is copied from a file must fetch and start the broker that the file came with.
fn same_version(name: &str, text: &str) -> Result<(), String> {
    let mut found = 0;
    for before in BEFORE_A_VERSION {
        for (at, _) in text.match_indices(before) {
            let rest = text.get(at + before.len()..).unwrap_or_default();
            if !rest.starts_with(env!("CARGO_PKG_VERSION")) {
                let line = text.get(..at).unwrap_or_default().lines().count();
                return Err(format!("{name}:{line}: it must name version {}", env!("CARGO_PKG_VERSION")));
            }
            found += 1;
        }
    }
    if found == 0 { Err(format!("{name} names no version of the broker")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::same_version;

    #[test]
    fn a_file_names_this_version_everywhere() {
        let ours = concat!("x\n image: a/hublease-broker:", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(same_version("f", ours), Ok(()));
        let also = format!("{ours}name=hublease-broker-v0.0.9-x\n");
        let wrong = concat!("f:3: it must name version ", env!("CARGO_PKG_VERSION"));
        assert_eq!(same_version("f", &also), Err(wrong.to_owned()));
        assert_eq!(same_version("f", "hublease-broker"), Err("f names no version of the broker".to_owned()));
    }
}

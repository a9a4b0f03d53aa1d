//! The directory that the image is built from, by the commands in the header of `deploy/Containerfile`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::process::Call;

/// The first and the last of the header's commands that lay it out.
const LAY_OUT: [&str; 2] = ["umask ", "install -m 0444 LICENSE"];

/// Makes `image` in the folder.
///
/// # Errors
/// A sentence: a command failed, or the header has none.
pub(crate) fn lay_out(root: &Path, folder: &Path, broker: &Path) -> Result<(), String> {
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-NOTICES"] {
        symlink(root.join(name), folder.join(name)).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let file = root.join("deploy/Containerfile");
    let header = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let script = commands(&header).ok_or("deploy/Containerfile does not say how to lay out the image")?;
    let broker = fs::canonicalize(broker).map_err(|error| format!("{}: {error}", broker.display()))?;
    Call::new("sh").arguments(["-euc", &script]).directory(folder).set("name", broker).text().map(drop)
}

/// The commands of the header from the first to the last of [`LAY_OUT`].
fn commands(header: &str) -> Option<String> {
    let lines: Vec<&str> = header.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    let [first, last] = LAY_OUT.map(|begin| lines.iter().position(|line| line.starts_with(begin)));
    Some(lines.get(first?..=last?)?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn the_commands_are_those_between_the_first_and_the_last() {
        let header =
            "# Text.\n#\n#   name=x\n#   umask 022\n#   mkdir -p a\n#   install -m 0444 LICENSE-MIT a\n#   podman\n";
        assert_eq!(commands(header).unwrap(), "umask 022\nmkdir -p a\ninstall -m 0444 LICENSE-MIT a");
        assert_eq!(commands("#   umask 022\n"), None);
    }
}

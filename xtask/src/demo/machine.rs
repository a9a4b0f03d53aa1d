//! The machine of `cargo xtask demo --real`: a Docker Engine and a registry of its own, ended with the demo, and what a job does there.
//!
//! The engine is the `dockerd` of the machine, or Debian's, unpacked beside the system. It has its own socket, state, containerd and
//! network (none); an engine that runs already is neither asked nor touched. An interrupt ends the demo before its next command, and
//! so the engine with it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hublease_peers::Peer;
use hublease_peers::docker_engine::{self, DockerEngine, Door, command_line_of};
use hublease_peers::docker_registry::{self, DockerRegistry};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::paper::Paper;
use super::story::expect;
use crate::process::Call;
use crate::terminal::Terminal;
use crate::test::{is_root, peers};
use crate::workspace::{Workspace, program};
use crate::world::{Said, World, said};

/// The private image that the job pushes, pulls and runs.
pub(super) const IMAGE: &str = "acme/app:real";
/// What its program says.
const HELLO: &str = "hello from a private image";
/// The program's source. It is linked statically, because there is nothing else in the image.
const SOURCE: &str = "fn main() { println!(\"hello from a private image\"); }\n";

/// What is started, and what starts it.
pub(super) struct Programs {
    pub(super) engine: PathBuf,
    registry: PathBuf,
    docker: PathBuf,
}

impl Programs {
    /// Finds them, or fetches them.
    ///
    /// # Errors
    /// One sentence: what is missing.
    pub(super) fn find(workspace: &Workspace, terminal: &Terminal) -> Result<Self, String> {
        if let Some(why) = impossible(cfg!(target_os = "linux"), is_root()) {
            return Err(why.to_owned());
        }
        let missing =
            |why: String| format!("`cargo xtask demo --real` has no Docker Engine and registry to start: {why}");
        let fetch = |peer: &Peer| {
            terminal.begin(&format!("looking for {} ... ", peer.name));
            let found = peers::program(peer, workspace, terminal).map_err(missing);
            terminal.say(&found.as_ref().map_or(String::new(), |path| path.display().to_string()));
            found
        };
        // The tests name one, whatever the machine has.
        let own = program("dockerd").filter(|_| env::var_os(docker_engine::PEER.variable()).is_none());
        let engine = own.map_or_else(|| fetch(&docker_engine::PEER), Ok)?;
        let docker = program("docker").or_else(|| Some(command_line_of(&engine)).filter(|path| path.is_file()));
        let docker = docker.ok_or_else(|| missing("there is no docker CLI on PATH".to_owned()))?;
        Ok(Self { engine, registry: fetch(&docker_registry::PEER)?, docker })
    }
}

/// Why no engine can be started here.
fn impossible(is_linux: bool, is_root: bool) -> Option<&'static str> {
    match (is_linux, is_root) {
        (false, _) => Some("`cargo xtask demo --real` starts a Docker Engine, which runs on Linux only"),
        (true, false) => Some("`cargo xtask demo --real` starts a Docker Engine, which only root can do"),
        (true, true) => None,
    }
}

/// An engine and a registry that run. Dropping it ends both.
pub(super) struct Machine {
    engine: DockerEngine,
    _registry: DockerRegistry,
    docker: PathBuf,
    /// A file of tar with the program of the image.
    layer: PathBuf,
    interrupted: Arc<AtomicBool>,
}

impl Machine {
    /// Starts the registry behind Docker Hub's names, and the engine on the way to them.
    ///
    /// # Errors
    /// A sentence: what does not come up.
    pub(super) fn start(programs: &Programs, world: &World) -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            let registered = signal_hook::flag::register(signal, Arc::clone(&interrupted));
            registered.map_err(|error| format!("signals: {error}"))?;
        }
        let layer = layer(world.folder())?;
        let registry =
            DockerRegistry::of(&docker_registry::PEER, &programs.registry, world.sandbox.registry_certificate())?;
        world.sandbox.set_registry(registry.address());
        let engine = DockerEngine::of(&programs.engine, &world.sandbox.environment(), Door::Socket)?;
        Ok(Self { engine, _registry: registry, docker: programs.docker.clone(), layer, interrupted })
    }

    /// How jobs reach the engine: its socket, and its command line first on PATH.
    pub(super) fn variables(&self) -> [(String, String); 2] {
        let beside = self.docker.parent().unwrap_or(Path::new("/")).display();
        let path = env::var("PATH").unwrap_or_default();
        let own = |name: &str, value: String| (name.to_owned(), value);
        [own("DOCKER_HOST", self.engine.host().to_owned()), own("PATH", format!("{beside}:{path}"))]
    }

    /// Which versions speak to each other: the command line on PATH may be none of this engine.
    pub(super) fn versions(&self, world: &World) -> Result<String, String> {
        let home = world.home()?;
        let said =
            self.docker(world, &home, None, &["version", "--format", "{{.Client.Version}}, {{.Server.Version}}"])?;
        expect(said.code == 0, &said)?;
        Ok(said.text.trim().to_owned())
    }

    /// The job makes an image and pushes it with its login.
    pub(super) fn push(&self, world: &World, paper: &Paper<'_>, home: &Path) -> Result<(), String> {
        let layer = self.layer.display().to_string();
        let entry = "ENTRYPOINT [\"/program\"]";
        let import = ["import", "--change", entry, &layer, IMAGE];
        let typed = format!("docker import --change '{entry}' layer.tar {IMAGE}");
        let made = paper.command(&typed, || self.docker(world, home, None, &import))?;
        expect(made.code == 0, &made)?;
        let push = || self.docker(world, home, None, &["push", IMAGE]);
        let pushed = paper.command(&format!("docker push {IMAGE}"), push)?;
        expect(pushed.code == 0 && pushed.text.contains("digest: sha256:"), &pushed)
    }

    /// Pulls with the credential in `configuration`, after the engine has forgotten what it has.
    pub(super) fn pull_anew(&self, world: &World, home: &Path, configuration: &Path) -> Result<Said, String> {
        // Not there at the second time.
        self.docker(world, home, None, &["image", "rm", "--force", IMAGE])?;
        let left = self.docker(world, home, None, &["image", "ls", "--quiet", IMAGE])?;
        if left.code != 0 || !left.text.trim().is_empty() {
            return Err(format!("the engine still has the image: {}", left.text.trim()));
        }
        self.docker(world, home, Some(configuration), &["pull", IMAGE])
    }

    /// Runs what was pulled.
    pub(super) fn run(&self, world: &World, paper: &Paper<'_>, home: &Path) -> Result<(), String> {
        let words = ["run", "--rm", "--network", "none", IMAGE];
        let ran = paper.command(&format!("docker {}", words.join(" ")), || self.docker(world, home, None, &words))?;
        paper.output(&ran.text)?;
        expect(ran.code == 0 && ran.text.contains(HELLO), &ran)
    }

    fn docker(&self, world: &World, home: &Path, configuration: Option<&Path>, words: &[&str]) -> Result<Said, String> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err("interrupted".to_owned());
        }
        let mut command = Command::new(&self.docker);
        command.args(words).env_clear().envs(world.variables(home)).current_dir(home);
        command.envs(configuration.map(|path| ("DOCKER_CONFIG", path)));
        said(&mut command)
    }
}

/// Builds the image's program, and packs it for `docker import`.
fn layer(folder: &Path) -> Result<PathBuf, String> {
    let (source, layer) = (folder.join("program.rs"), folder.join("layer.tar"));
    std::fs::write(&source, SOURCE).map_err(|error| format!("{}: {error}", source.display()))?;
    let rustc = Call::new("rustc").arguments(["-C", "target-feature=+crt-static", "-C", "strip=symbols", "-o"]);
    let built = rustc.argument(folder.join("program")).argument(&source).text();
    built.map_err(|why| {
        format!("the program of the image cannot be built (is the C library's static part there?): {why}")
    })?;
    Call::new("tar")
        .argument("--create")
        .argument("--file")
        .argument(&layer)
        .argument("-C")
        .argument(folder)
        .argument("program")
        .text()?;
    Ok(layer)
}

#[cfg(test)]
mod tests {
    use super::{HELLO, SOURCE, impossible};

    #[test]
    fn where_no_engine_can_be_started_it_is_said_in_a_sentence() {
        for (is_linux, is_root, said) in [
            (false, true, Some("Linux only")),
            (false, false, Some("Linux only")),
            (true, false, Some("only root")),
            (true, true, None),
        ] {
            let why = impossible(is_linux, is_root);
            assert_eq!(why.is_some(), said.is_some(), "{is_linux} {is_root}");
            assert!(why.unwrap_or_default().contains(said.unwrap_or_default()), "{why:?}");
        }
    }

    #[test]
    fn the_program_says_what_is_looked_for() {
        assert!(SOURCE.contains(HELLO));
    }
}

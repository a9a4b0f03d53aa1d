//! A home with a file of logins, in which a client or hublease logs in and out.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD};
use base64::{Engine, alphabet};
use hublease_sandbox::{ACCOUNT, PASSWORD, Sandbox};
use serde_json::Value;

use super::super::client::{Job, Outcome};
use super::super::lease::AUDIENCE;
use super::witness::Witness;
use super::{Helper, Reader, Row, With};

pub const ALICES_PASSWORD: &str = "a-password-of-alice";

pub struct Ground<'s> {
    pub job: Job<'s>,
    reader: &'s Reader,
    witness: Witness,
}

/// A login by hublease.
pub struct Login {
    outcome: Outcome,
    /// What the client's variable has to be, if the login is in a private place.
    pub place: String,
}

impl<'s> Ground<'s> {
    pub fn new(sandbox: &'s Sandbox, reader: &'s Reader, row: &Row) -> Self {
        let mut job = Job::new(sandbox, AUDIENCE);
        let home = job.home();
        let socket = home.join("engine");
        let witness = Witness::start(&socket);
        fs::create_dir_all(home.join("run")).unwrap();
        job.set("XDG_RUNTIME_DIR", home.join("run").to_str().unwrap());
        job.set("TOKEN_OF_THE_TEST", PASSWORD);
        match reader {
            Reader::Docker { program, engine } => {
                job.bring("docker", program);
                if let Some(engine) = engine {
                    job.set("DOCKER_HOST", engine);
                }
            }
            Reader::Containers { podman, .. } => job.bring("podman", podman),
        }
        let ground = Self { job, reader, witness };
        ground.arrange(row)
    }

    fn arrange(mut self, row: &Row) -> Self {
        let (home, file) = (self.job.home(), self.file());
        let folder = file.parent().unwrap().to_owned();
        fs::create_dir_all(&folder).unwrap();
        let mut text = self.text(row.text);
        let mut target = Some(file.clone());
        let mut mode = 0o600;
        for with in row.with {
            match *with {
                With::Mode(bits) => mode = bits,
                With::Link(path) | With::Dangling(path) => {
                    let path = path.replace("HOME", home.to_str().unwrap());
                    symlink(&path, &file).unwrap();
                    target = matches!(with, With::Link(_)).then(|| folder.join(path));
                }
                With::NoFile => target = None,
                With::Folder => {
                    fs::create_dir(&file).unwrap();
                    target = None;
                }
                With::Long(bytes) => text.resize(bytes, b' '),
                With::Helper(name, does) => self.bring_helper(name, does),
                With::File(path, text) => {
                    let path = home.join(path);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(&path, self.text(text.as_bytes())).unwrap();
                    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
                }
                With::Variable(name, value) => self.job.set(name, &value.replace("HOME", home.to_str().unwrap())),
                With::Without(name) => self.job.unset(name),
            }
        }
        if let Some(path) = target {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
        self
    }

    fn text(&self, text: &[u8]) -> Vec<u8> {
        let alice = STANDARD.encode(format!("alice:{ALICES_PASSWORD}"));
        let with = |text: Vec<u8>, word: &[u8], value: &str| {
            let mut parts = Vec::new();
            let mut rest = &text[..];
            while let Some(at) = rest.windows(word.len()).position(|window| window == word) {
                parts.extend_from_slice(&rest[..at]);
                parts.extend_from_slice(value.as_bytes());
                rest = &rest[at + word.len()..];
            }
            parts.extend_from_slice(rest);
            parts
        };
        with(with(text.to_vec(), b"KEY", self.reader.key()), b"ALICE", &alice)
    }

    /// A helper of one login, in a file of the home: what is stored is what is given.
    fn bring_helper(&self, name: &str, does: Helper) {
        let kept = self.job.home().join(format!("kept-by-{name}"));
        let body = does.script(&kept);
        let program = self.job.home().join(format!("docker-credential-{name}"));
        fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
        self.job.bring(&format!("docker-credential-{name}"), &program);
        if does == Helper::Alice {
            let login = format!(
                "{{\"ServerURL\":\"{}\",\"Username\":\"alice\",\"Secret\":\"{ALICES_PASSWORD}\"}}\n",
                self.reader.key()
            );
            fs::write(kept, login).unwrap();
        }
    }

    fn file(&self) -> PathBuf {
        self.job.home().join(self.reader.file())
    }

    /// Whom the client finds.
    pub fn finds(&self) -> String {
        self.found(|_| {})
    }

    /// Whom it finds at a private place.
    pub fn finds_at(&self, place: &str) -> String {
        self.found(|command| {
            command.env(self.reader.variable(), place);
        })
    }

    fn found(&self, change: impl Fn(&mut Command)) -> String {
        let ask = |words: &[&str], more: &[(&str, &str)]| {
            let mut command = self.job.command(self.reader.program(), words);
            command.envs(more.iter().copied());
            change(&mut command);
            Outcome::of(&command.output().unwrap())
        };
        let Reader::Docker { .. } = self.reader else {
            let outcome = ask(&["login", "--get-login", "docker.io"], &[]);
            return match outcome.code {
                0 => outcome.stdout.trim_end().to_owned(),
                _ if outcome.said("not logged into docker.io") => "nobody".to_owned(),
                _ => "refuses".to_owned(),
            };
        };
        let host = format!("unix://{}", self.job.home().join("engine").display());
        let outcome = ask(&["pull", "acme/app"], &[("DOCKER_HOST", &host), ("DOCKER_TLS_VERIFY", "")]);
        let Some(login) = self.witness.login() else { return format!("refuses: {}", outcome.stderr) };
        let text = |name: &str| login[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let name = text("username").or_else(|| text("identitytoken").map(|_| "a token".to_owned()));
        let name = name.unwrap_or_else(|| "nobody".to_owned());
        if outcome.stderr.contains("config file") { format!("{name}, and warns") } else { name }
    }

    /// The client logs in and out by itself, and back in if somebody was logged in.
    pub fn logs_in_and_out(&self, before: &str) -> String {
        let words: &[&str] = match self.reader {
            Reader::Docker { .. } => &["logout"],
            Reader::Containers { .. } => &["logout", "docker.io"],
        };
        let log_out = || Outcome::of(&self.job.command(self.reader.program(), words).output().unwrap());
        let mut outcomes = vec![self.log_in(ACCOUNT, PASSWORD), log_out()];
        if before.starts_with("alice") && self.finds().starts_with("nobody") {
            outcomes.push(self.log_in("alice", ALICES_PASSWORD));
        }
        let failed = outcomes.into_iter().find(|outcome| outcome.code != 0);
        failed.map_or_else(
            || "code 0".to_owned(),
            |outcome| format!("code {}: {}", outcome.code, outcome.stderr.escape_debug()),
        )
    }

    fn log_in(&self, username: &str, password: &str) -> Outcome {
        let words = ["login", "--username", username, "--password-stdin", "docker.io"];
        let mut command = self.job.command(self.reader.program(), &words);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        // One that has given up does not read.
        child.stdin.take().unwrap().write_all(password.as_bytes()).ok();
        Outcome::of(&child.wait_with_output().unwrap())
    }

    /// Whom `check` finds, which is docker's alone.
    pub fn hublease_finds(&self) -> Option<String> {
        let Reader::Docker { .. } = self.reader else { return None };
        let outcome = self.job.run(&["check", "--output", "json"]);
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        Some(match (report["login"].as_str(), report["username"].as_str()) {
            (None, _) => format!("refuses: {}", outcome.stderr),
            (Some("none"), _) => "nobody".to_owned(),
            (Some(_), None) => "a token".to_owned(),
            (Some(_), Some(name)) => name.to_owned(),
        })
    }

    /// Whom a login found, by its record.
    pub fn earlier(&self) -> String {
        // With a runtime directory podman's records are there.
        let files = ["run/hublease", "../tmp"].map(|path| fs::read_dir(self.job.home().join(path)));
        let files = files.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
        let texts =
            files.filter(|path| path.extension().is_some_and(|end| end == "json")).map(|path| fs::read(path).unwrap());
        let records: Vec<Value> = texts.map(|text| serde_json::from_slice(&text).unwrap()).collect();
        let entry = records.iter().flat_map(|record| record["earlier"].as_array().into_iter().flatten()).next();
        let Some(entry) = entry else { return "nobody".to_owned() };
        let entry =
            entry["entry"].as_str().map_or_else(|| entry["entry"].clone(), |text| serde_json::from_str(text).unwrap());
        // As Go reads it.
        let go = GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));
        let auth = entry["auth"].as_str().unwrap_or_default().replace(['\r', '\n'], "");
        let pair = String::from_utf8_lossy(&go.decode(auth).unwrap_or_default()).into_owned();
        let name = pair.split_once(':').map(|(name, _)| name.to_owned()).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| "nobody".to_owned())
    }

    pub fn hublease_logs_in(&self) -> Login {
        let words = ["login", "--client", self.reader.client(), "--provider", "static", "--username", ACCOUNT];
        let words = [&words[..], &["--secret-env", "TOKEN_OF_THE_TEST"]].concat();
        let outcome = self.job.run(&words);
        let place = outcome.stdout.lines().find_map(|line| line.strip_prefix("export ")?.split_once('='));
        let place = place.map(|(_, value)| value.trim_matches('\'').to_owned()).unwrap_or_default();
        Login { outcome, place }
    }

    pub fn hublease_logs_out(&self) -> String {
        let outcome = self.job.run(&["logout"]);
        if outcome.code == 0 { "code 0".to_owned() } else { format!("code {}: {}", outcome.code, outcome.stderr) }
    }

    /// The file as it is: its kind, its mode and its text; and what helpers keep.
    pub fn left(&self) -> String {
        self.shown(fs::read(self.file()).ok().as_deref())
    }

    /// The same with another text.
    pub fn left_with(&self, text: &[u8]) -> String {
        self.shown(Some(&self.text(text)))
    }

    fn shown(&self, text: Option<&[u8]>) -> String {
        let file = self.file();
        let link = fs::read_link(&file).map(|path| path.display().to_string()).unwrap_or_default();
        let link = link.replace(self.job.home().to_str().unwrap(), "HOME");
        let mode = fs::metadata(&file).map(|data| format!("{:o}", data.permissions().mode())).unwrap_or_default();
        let mut kept: Vec<String> = fs::read_dir(self.job.home())
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                let text = fs::read_to_string(entry.path()).ok()?;
                name.starts_with("kept-by-").then(|| format!(" {name}={}", text.trim_end()))
            })
            .collect();
        kept.sort();
        let text = text.map(|text| text.trim_ascii_end().escape_ascii().to_string());
        let text = text.map(|text| if text.len() > 2000 { format!("{}…{}", &text[..100], text.len()) } else { text });
        format!("{link}({mode}) {}{}", text.unwrap_or_default(), kept.concat())
    }
}

impl Login {
    pub fn said(&self) -> String {
        let Outcome { code, stderr, .. } = &self.outcome;
        let line = |mark: &str| stderr.lines().find(|line| line.contains(mark)).unwrap_or_default().to_owned();
        match (code, self.place.is_empty()) {
            (0, true) => "code 0, in the client's own place".to_owned(),
            (0, false) => {
                let because = line("because ");
                format!("code 0, in a private place: {}", because.split_once("because ").map_or("", |(_, why)| why))
            }
            _ => format!("refused: {}", stderr.replace('\n', " | ")),
        }
    }
}

//! The broker as a child: its configuration, its start, and what it takes of the machine.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::hub::Hub;
use super::journal::{Filling, fill};
use super::machine::{Processor, memory};
use super::tokens::{AUDIENCE, ISSUER_HOST};
use super::{ACCOUNTS, Fallible};

/// See the module. Ended when dropped.
pub(super) struct Program {
    command: Command,
    folder: PathBuf,
    running: Option<(Child, String)>,
}

impl Program {
    pub(super) fn configured(broker: &Path, folder: &Path, name: &str, hub: &Hub) -> Fallible<Self> {
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        fs::write(folder.join("broker.toml"), configuration(&folder)?)?;
        let mut command = Command::new(broker);
        command
            .args(["serve", "--config"])
            .arg(folder.join("broker.toml"))
            .env_clear()
            .env("HUB_PASSWORD", "hunter2")
            .env("HTTPS_PROXY", &hub.proxy)
            .env("SSL_CERT_FILE", &hub.roots)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("audit.jsonl"))?)
            .stderr(Stdio::piped());
        Ok(Self { command, folder, running: None })
    }

    pub(super) fn fill(&self, filling: &Filling) -> Fallible<()> {
        fill(&self.folder.join("journal.db"), filling)
    }

    pub(super) fn start(&mut self) -> Fallible<()> {
        let mut child = self.command.spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
        let mut said = Vec::new();
        while let Some(line) = lines.next().transpose()? {
            if let Some(address) = line.strip_prefix("listening on ") {
                self.running = Some((child, address.to_owned()));
                // Somebody has to read what it says later.
                std::thread::spawn(move || lines.count());
                return Ok(());
            }
            said.push(line);
        }
        Err(format!("the broker did not start: {}", said.join("; ")).into())
    }

    pub(super) fn wait_until_ready(&self) -> Fallible<()> {
        let url = format!("http://{}/readyz", self.address()?);
        let begun = Instant::now();
        while !ureq::get(&url).call().is_ok_and(|answer| answer.status() == 200) {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err("the broker is not ready after a minute".into());
            }
        }
        Ok(())
    }

    pub(super) fn address(&self) -> Fallible<String> {
        Ok(self.running.as_ref().ok_or("the broker is not running")?.1.clone())
    }

    pub(super) fn processor(&self) -> Fallible<Processor> {
        Processor::of(self.process()?)
    }

    pub(super) fn memory(&self, field: &str) -> Fallible<f64> {
        memory(self.process()?, field)
    }

    fn process(&self) -> Fallible<u32> {
        Ok(self.running.as_ref().ok_or("the broker is not running")?.0.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// An account and a rule for each organization.
fn configuration(folder: &Path) -> Fallible<String> {
    let journal = folder.join("journal.db");
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\npublic_url = \"{AUDIENCE}\"\ninstance = \"load\"\njournal = {{ path = \"{}\" }}\n\
         limits = {{ requests_per_minute = 10000000, exchanges_per_minute_per_project = 10000000, \
         exchanges_per_minute_per_rule = 10000000 }}\n\
         [[issuer]]\nname = \"ci\"\nkind = \"circleci\"\nurl = \"https://{ISSUER_HOST}/org/o\"\n\
         jwks_uri = \"https://{ISSUER_HOST}/keys\"\nmax_live_leases_per_identity = 1000\nmax_mints_per_identity = 1000\n",
        journal.display()
    );
    for number in 0..ACCOUNTS {
        write!(
            config,
            "[[account]]\nname = \"a{number}\"\nkind = \"oat\"\norganization = \"org{number}\"\nusername = \"owner\"\n\
             quota = 1000\npassword_env = \"HUB_PASSWORD\"\n\
             [[rule]]\nname = \"r{number}\"\nissuer = \"ci\"\naccount = \"a{number}\"\nrepositories = [\"org{number}/app\"]\n\
             actions = [\"pull\", \"push\"]\nmax_life_seconds = 3600\n\
             claims = {{ \"oidc.circleci.com/project-id\" = \"p{number}\" }}\n"
        )?;
    }
    Ok(config)
}

//! One story: log in, use the credential, log out, be refused; and the same step in a job that nothing was granted to.
//!
//! Before the logout the credential is copied, as any other step of the job could have done. What counts is that the copy is
//! refused afterwards, not that docker's own store is empty.

use std::fs;
use std::path::{Path, PathBuf};

use hublease_sandbox::Identity;

use super::paper::{Paper, hidden};
use super::use_it::{Use, stored};
use crate::world::{Provider, Said, Shape, World};

/// The exit code of a refusal by the provider.
const REFUSED: i32 = 4;
/// Seconds after which the longest lease of the demo is over: 900, and the leeway of a registry.
const AFTER_THE_LEASE: u64 = 900 + 120;

/// How a story ended.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) logins: usize,
    /// Refused after the logout.
    pub(super) refused: usize,
    /// And the logout said that it is revoked and confirmed.
    pub(super) confirmed: usize,
}

/// The cast of one story.
pub(super) struct Story<'a> {
    pub(super) world: &'a World,
    pub(super) paper: &'a Paper<'a>,
    pub(super) using: Use<'a>,
    pub(super) shape: Shape,
    pub(super) provider: Provider,
    /// Whether Vault's plugin for Docker Hub is the published one, which confirms nothing.
    pub(super) is_as_published: bool,
}

/// What Vault says of a revocation with the published plugin.
const TAKEN_FOR_A_FAILURE: &str = "failed to delete auth token 204";

impl Story<'_> {
    /// Tells it.
    ///
    /// # Errors
    /// A sentence: what was not as it should be.
    pub(super) fn tell(&self) -> Result<Ended, String> {
        let mut ended = Ended::default();
        if !self.is_granted() {
            self.paper.remark("Docker's exchange takes tokens of GitHub Actions only, so this job is the denied one:");
            self.denied()?;
            return Ok(ended);
        }
        let home = self.world.home()?;
        let job = self.world.job(self.shape, self.provider.audience());

        self.login(&home, &job)?;
        ended.logins += 1;
        let copy = self.copy(&home)?;
        self.works(&home, &copy)?;
        self.logout(&home, &job)?;
        if self.provider == Provider::Docker {
            self.denied()?;
            self.dies_by_itself(&home, &copy)?;
        } else {
            self.refused(&home, &copy)?;
            ended.refused += 1;
            if self.is_unconfirmed() {
                self.paper.remark("Docker Hub has deleted the token, and its answer to that is 204. The plugin as published waits for");
                self.paper
                    .remark("202 and calls it a failure, so Vault keeps the lease, and logout says what Vault says.");
            } else {
                ended.confirmed += 1;
            }
            self.denied()?;
        }
        Ok(ended)
    }

    fn is_unconfirmed(&self) -> bool {
        self.provider == Provider::Vault && self.is_as_published
    }

    /// Docker's exchange knows one issuer.
    fn is_granted(&self) -> bool {
        self.provider != Provider::Docker || self.shape == Shape::GitHub
    }

    fn login(&self, home: &Path, job: &[(String, String)]) -> Result<(), String> {
        let said = self.client("login", &self.provider.login(self.shape), home, job)?;
        expect(said.code == 0, &said)?;
        let (username, secret) = stored(&home.join(".docker")).ok_or("docker's file holds no login afterwards")?;
        self.paper.good(&format!("docker's file now holds {username}, {}", hidden(&secret)));
        Ok(())
    }

    /// Copies docker's configuration, as another step of the job could.
    fn copy(&self, home: &Path) -> Result<PathBuf, String> {
        let copy = home.join("copy");
        fs::create_dir(&copy)
            .and_then(|()| fs::copy(home.join(".docker/config.json"), copy.join("config.json")))
            .map_err(|error| format!("{}: {error}", copy.display()))?;
        Ok(copy)
    }

    fn works(&self, home: &Path, copy: &Path) -> Result<(), String> {
        if let Use::Engine(machine) = self.using {
            machine.push(self.world, self.paper, home)?;
        }
        let said = self.request(home, copy, "")?;
        expect(said.code == 0, &said)?;
        self.paper.good(&format!("works: {}", self.using.what()));
        match self.using {
            Use::Engine(machine) => machine.run(self.world, self.paper, home),
            Use::Ourselves | Use::CommandLine(_) => Ok(()),
        }
    }

    fn refused(&self, home: &Path, copy: &Path) -> Result<(), String> {
        let said = self.request(home, copy, "   # with a copy of the credential")?;
        expect(said.code != 0 && said.text.contains("unauthorized"), &said)?;
        self.paper.good(&format!("refused: {}", last_line(&said)));
        Ok(())
    }

    fn logout(&self, home: &Path, job: &[(String, String)]) -> Result<(), String> {
        let said = self.client("logout", &self.provider.logout(), home, job)?;
        let verdict = match self.provider {
            Provider::Docker => "cannot be revoked, dies at",
            Provider::Vault if self.is_as_published => TAKEN_FOR_A_FAILURE,
            Provider::Vault | Provider::Broker => "revoked and confirmed",
        };
        expect(said.code == 0 && said.text.contains(verdict), &said)?;
        match stored(&home.join(".docker")) {
            None => Ok(()),
            Some(_) => Err("docker's file still holds the login".to_owned()),
        }
    }

    /// What nobody can revoke is shown to end. The clock of the sandbox goes ahead of everybody's, so this comes last.
    fn dies_by_itself(&self, home: &Path, copy: &Path) -> Result<(), String> {
        let said = self.request(home, copy, "   # with a copy of the credential")?;
        expect(said.code == 0, &said)?;
        self.paper.good("still works, as logout said");
        self.world.sandbox.advance(AFTER_THE_LEASE);
        self.paper.remark(&format!("{} minutes later, by the sandbox's clock:", AFTER_THE_LEASE / 60));
        self.refused(home, copy)
    }

    /// The same step in a job of another project.
    fn denied(&self) -> Result<(), String> {
        let stranger = |identity: &mut Identity| {
            identity.project_id = "9f0e1d2c-0000-4000-8000-00000000beef".to_owned();
            identity.repository = "stranger/fork".to_owned();
            identity.repository_id = "999000999".to_owned();
        };
        let issuer = self.world.sandbox.issuer();
        let before = issuer.identity();
        if self.is_granted() {
            self.paper.remark("The same step in a job of another project:");
            issuer.set_identity(stranger);
        }
        let denied = self.try_denied();
        issuer.set_identity(|identity| *identity = before);
        denied
    }

    fn try_denied(&self) -> Result<(), String> {
        let home = self.world.home()?;
        let job = self.world.job(self.shape, self.provider.audience());
        let said = self.client("login", &self.provider.login(self.shape), &home, &job)?;
        expect(said.code == REFUSED && said.text.contains("hint: "), &said)?;
        match stored(&home.join(".docker")) {
            None => Ok(()),
            Some(_) => Err("docker's file holds a login after a refusal".to_owned()),
        }
    }

    /// Runs the client and prints what was typed and said.
    fn client(&self, verb: &str, flags: &[String], home: &Path, job: &[(String, String)]) -> Result<Said, String> {
        let mut words = vec![verb.to_owned()];
        words.extend_from_slice(flags);
        if matches!(self.using, Use::Ourselves) && verb == "login" {
            words.extend(["--client".to_owned(), "none".to_owned()]);
        }
        let typed: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let run = || self.world.run(&words, home, job);
        let said = self.paper.command(&format!("hublease {}", typed.join(" ")), run)?;
        self.paper.output(&said.text)?;
        Ok(said)
    }

    fn request(&self, home: &Path, configuration: &Path, remark: &str) -> Result<Said, String> {
        let typed = format!("{}{remark}", self.using.command());
        self.paper.command(&typed, || self.using.make(self.world, home, configuration))
    }
}

/// A sentence, unless a command came out as it should.
pub(super) fn expect(as_it_should_be: bool, said: &Said) -> Result<(), String> {
    if as_it_should_be {
        return Ok(());
    }
    Err(format!("that ended with {} and said: {}", said.code, last_line(said)))
}

fn last_line(said: &Said) -> &str {
    said.text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("nothing")
}

/// A word as a shell wants it.
fn quoted(word: &str) -> String {
    if word.contains([' ', '\'', '$', '*']) { format!("'{word}'") } else { word.to_owned() }
}

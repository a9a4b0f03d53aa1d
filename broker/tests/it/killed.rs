//! The real program is killed (SIGKILL) under load, over and over: by itself at things that its journal does, and from outside
//! while Docker Hub has a request of it. The one that comes after the last kill must find the way to one state: Docker Hub holds
//! exactly the tokens of the journal's live leases.
//!
//! The program is `stepped-broker`, beside this one in the build directory. Docker Hub is the sandbox's, behind TLS and a proxy.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::Mutex;
use std::time::Instant;
use std::{fs, thread};

use hublease_broker::journal::sqlite::Sqlite;
use hublease_broker::journal::{Journal as _, LeaseState, Selection};
use hublease_broker::limits::{RECONCILE_SECONDS, UNCLEAR_SECONDS};
use hublease_protocol::oauth::{ExchangeResponse, Revocation, RevocationResponse};
use hublease_sandbox::{BrokerLimits, Hold, ORGANIZATION, PASSWORD, Sandbox, Service};
use serde_json::json;

use crate::stepped::{PATIENCE, TOKENS, URL, command, pass, post};

/// Kills in each of the two tests.
const KILLS: usize = 100;
/// Jobs at one time.
const JOBS: usize = 4;

/// What jobs were told, by lease.
#[derive(Default)]
struct Told {
    issued: BTreeSet<String>,
    revoked: BTreeSet<String>,
    /// Asked for, whether or not it was answered.
    given_up: BTreeSet<String>,
}

struct House {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    told: Mutex<Told>,
}

impl House {
    fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        sandbox.hub().set_quota(ORGANIZATION, 100_000);
        sandbox.hub().set_rate_limit(1_000_000_000);
        let folder = tempfile::tempdir().unwrap();
        let limits = BrokerLimits { leases: 1000, quota: 1000 };
        let config = sandbox.broker_configuration(URL, folder.path(), limits);
        // Nothing ends by itself while the test runs, however far it sets the clock.
        fs::write(folder.path().join("broker.toml"), config.replace("_seconds = 900", "_seconds = 7200")).unwrap();
        Self { sandbox, folder, told: Mutex::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A broker that kills itself there.
    fn broker(&self, kill: &str) -> Program {
        let mut command = command(&self.sandbox, self.folder.path());
        command.env("ACMEBOT_PASSWORD", PASSWORD).env("HUBLEASE_TEST_KILL", kill).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Program { child, stderr: Some(stderr) }
    }

    /// Jobs log in and out until the broker is gone. The seed decides what they do.
    fn load(&self, address: &str, seed: usize) {
        thread::scope(|scope| {
            for job in 0..JOBS {
                scope.spawn(move || {
                    (0..).take_while(|turn| self.job(address, seed * JOBS + job, *turn).is_ok()).count()
                });
            }
        });
    }

    /// One login, and sometimes the same again, and sometimes the logout.
    fn job(&self, address: &str, job: usize, turn: usize) -> Result<(), Gone> {
        let claims = self.sandbox.issuer().circleci().audience(URL);
        let token = claims.claim("oidc.circleci.com/job-id", json!(format!("job {job} {turn}"))).sign();
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
             &subject_token_type=urn:ietf:params:oauth:token-type:id_token&request_id=r1"
        );
        let mut lease = self.login(address, &form)?;
        if (job + turn).is_multiple_of(3) {
            self.told.lock().unwrap().given_up.extend(lease.map(|(first, _)| first));
            lease = self.login(address, &form)?;
        }
        if let Some((lease, handle)) = lease.filter(|_| (job + turn).is_multiple_of(2)) {
            self.told.lock().unwrap().given_up.insert(lease.clone());
            self.logout(address, lease, &handle)?;
        }
        Ok(())
    }

    /// Lease and handle; nothing when it is refused.
    fn login(&self, address: &str, form: &str) -> Result<Option<(String, String)>, Gone> {
        let body = answered(address, "/oauth/token", form)?;
        let Ok(answer) = ExchangeResponse::decode(body.as_bytes()) else { return Ok(None) };
        let parts = answer.into_parts();
        let lease = parts.issued.lease_id.unwrap();
        self.told.lock().unwrap().issued.insert(lease.clone());
        Ok(parts.revocation_handle.map(|handle| (lease, handle)))
    }

    fn logout(&self, address: &str, lease: String, handle: &str) -> Result<(), Gone> {
        let body = answered(address, "/oauth/revoke", &format!("token={handle}"))?;
        let answer = RevocationResponse::decode(body.as_bytes());
        if answer.is_ok_and(|answer| answer.revocation == Revocation::Confirmed) {
            self.told.lock().unwrap().revoked.insert(lease);
        }
        Ok(())
    }

    /// The journal's leases in these states, with their tokens' ids at Docker Hub.
    fn leases(&self, states: &[LeaseState]) -> BTreeMap<String, Option<String>> {
        let journal = Sqlite::beside(&self.path("journal.db")).unwrap();
        let selection = Selection { states: states.to_vec(), ..Selection::default() };
        journal.select(&selection).unwrap().into_iter().map(|lease| (lease.id, lease.hub_id)).collect()
    }

    /// The last broker goes on in peace, and everything comes to its end.
    fn settle(&self, kills: usize) {
        let mut last = self.broker("");
        assert!(Program::address(last.stderr.take()).is_some());
        let mut total = 0;
        // Twice seen is removed; a listing begins when what the one before it has led to is done.
        for pause in [UNCLEAR_SECONDS + 1, RECONCILE_SECONDS, RECONCILE_SECONDS, RECONCILE_SECONDS] {
            let before = self.listings();
            pass(&self.sandbox, self.folder.path(), pause, &mut total);
            // Each turn is over when Docker Hub was listed for it and nothing waits to be removed.
            let begun = Instant::now();
            loop {
                let waiting = self.leases(&[LeaseState::Intent, LeaseState::Revoking]);
                if self.listings() > before && waiting.is_empty() {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "{} are still to be removed", waiting.len());
                thread::yield_now();
            }
        }
        drop(last);
        let told = self.told.lock().unwrap();
        let live: BTreeSet<String> = self.leases(&[LeaseState::Live]).into_keys().collect();
        let labels = self.sandbox.hub().labels();
        let held: BTreeSet<String> = labels.iter().map(|label| label.rsplit('/').next().unwrap().to_owned()).collect();
        assert_eq!(held, live, "Docker Hub has the live leases and nothing else");
        assert!(live.is_disjoint(&told.revoked), "nothing lives that a job was told is revoked");
        assert!(told.issued.len() > kills, "{} logins", told.issued.len());
        let kept: Vec<_> = told.issued.difference(&told.given_up).filter(|lease| !live.contains(*lease)).collect();
        assert!(kept.is_empty(), "{} are gone that nobody gave up", kept.len());
        self.check_deletions(&told);
    }

    /// No token is deleted again after its job was told that it is gone. Another is deleted again only if a kill came between
    /// its deletion and the note of it: of that there is less than one for each kill.
    fn check_deletions(&self, told: &Told) {
        let mut deletions = BTreeMap::<String, usize>::new();
        for request in self.sandbox.requests(Service::Hub).iter().filter(|request| request.method == "DELETE") {
            *deletions.entry(request.path.clone()).or_default() += 1;
        }
        let leases = self.leases(&[LeaseState::Revoked]);
        let path = |lease: &String| format!("{TOKENS}/{}", leases[lease].as_ref().unwrap());
        for lease in &told.revoked {
            assert_eq!(deletions[&path(lease)], 1, "deleted once, and never after the job was told so");
        }
        let again: usize = deletions.values().map(|count| count - 1).sum();
        assert!(again < KILLS, "{again} of {} were deleted again", deletions.len());
    }

    fn listings(&self) -> usize {
        let is_listing = |method: &str, path: &str| method == "GET" && path == TOKENS;
        self.sandbox.requests(Service::Hub).iter().filter(|request| is_listing(&request.method, &request.path)).count()
    }
}

/// A running broker, ended with the test.
struct Program {
    child: Child,
    stderr: Option<ChildStderr>,
}

impl Program {
    /// Where it listens; nothing when it is killed before.
    fn address(stderr: Option<ChildStderr>) -> Option<String> {
        let lines = BufReader::new(stderr?).lines().map_while(Result::ok);
        lines.filter_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).next()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The broker gave no whole answer.
struct Gone;

/// The body of whatever answer.
fn answered(address: &str, path: &str, form: &str) -> Result<String, Gone> {
    let answer = post(address, path, form);
    answer.and_then(|mut answer| answer.body_mut().read_to_string()).map_err(|_broken| Gone)
}

#[test]
fn killed_at_a_hundred_things_that_its_journal_does() {
    let house = House::new();
    for kill in 0..KILLS {
        let side = if kill.is_multiple_of(2) { "before" } else { "after" };
        // From the first thing after the start to the middle of the load.
        let mut program = house.broker(&format!("{side} {}", 3 + kill * 37 % 150));
        if let Some(address) = Program::address(program.stderr.take()) {
            house.load(&address, kill);
        }
        let status = program.child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{kill}: {status}");
    }
    house.settle(KILLS);
}

#[test]
fn killed_while_docker_hub_has_its_request() {
    let house = House::new();
    let holds = [("POST", 0), ("DELETE", 0), ("POST", 3), ("DELETE", 2), ("GET", 0), ("GET", 1)];
    for kill in 0..KILLS {
        let (method, skip) = holds[kill / 2 % holds.len()];
        let hold = if kill.is_multiple_of(2) { Hold::before } else { Hold::after };
        let latch = house.sandbox.latch(hold(Service::Hub, TOKENS).method(method).skip(skip));
        let mut program = house.broker("");
        let stderr = program.stderr.take();
        thread::scope(|scope| {
            scope.spawn(|| Program::address(stderr).map(|address| house.load(&address, kill)));
            latch.reached().unwrap();
            program.child.kill().unwrap();
            latch.release();
        });
    }
    house.settle(KILLS);
}

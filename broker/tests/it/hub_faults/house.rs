//! A broker behind the sandbox: the real program with a clock that tests set (`stepped-broker`), its password in a file, and
//! jobs that log in and out over plain HTTP.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::Instant;
use std::{fs, thread};

use hublease_broker::limits::READINESS_SECONDS;
use hublease_sandbox::{BrokerLimits, Logged, PASSWORD, Sandbox, Service};
use serde_json::{Value, json};

use crate::stepped::{PATIENCE, TOKENS, URL, command, pass, post, write};
use crate::stub::{client, header, text};

/// Where the account logs in.
pub(crate) const LOGIN: &str = "/v2/auth/token";

pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    folder: tempfile::TempDir,
    passed: u64,
    jobs: usize,
    /// The program and where it listens.
    running: Mutex<Option<(Child, String)>>,
}

/// What a job was told.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Value,
}

impl Answer {
    /// The code at the start of `error_description`; empty for a success.
    pub(crate) fn code(&self) -> &str {
        self.body["error_description"].as_str().and_then(|text| text.split(':').next()).unwrap_or_default()
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

impl House {
    /// With room for so many tokens of the organization.
    pub(crate) fn new(quota: usize) -> Self {
        let sandbox = Sandbox::start().unwrap();
        sandbox.hub().set_quota("acme", quota);
        // The program sweeps all the time, and asks each time while there is trouble.
        sandbox.hub().set_rate_limit(1_000_000_000);
        let folder = tempfile::tempdir().unwrap();
        let house = Self { sandbox, folder, passed: 0, jobs: 0, running: Mutex::default() };
        house.write("password", PASSWORD);
        let limits = BrokerLimits { leases: 1000, quota };
        let config = house.sandbox.broker_configuration(URL, house.folder.path(), limits);
        let password = format!("password_file = {:?}", house.path("password"));
        house.write("broker.toml", &config.replace("password_env = \"ACMEBOT_PASSWORD\"", &password));
        house
    }

    /// Changes the configuration, of which `from` is a part.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let config = fs::read_to_string(self.path("broker.toml")).unwrap();
        assert!(config.contains(from), "{from} is not in {config}");
        self.write("broker.toml", &config.replace(from, to));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file whole, or not at all.
    pub(crate) fn write(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    fn command(&self) -> Command {
        let mut command = command(&self.sandbox, self.folder.path());
        command.stdout(fs::File::create(self.path("audit.jsonl")).unwrap());
        command
    }

    /// Starts the broker; gives what it said before it listened.
    pub(crate) fn start(&self) -> Vec<String> {
        let mut child = self.command().spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut running = self.running.lock().unwrap();
        let (child, address) = running.insert((child, String::new()));
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut said = Vec::new();
        for line in lines.by_ref() {
            if let Some(listening) = line.strip_prefix("listening on ") {
                listening.clone_into(address);
                // Somebody has to read what it says later.
                thread::spawn(move || lines.count());
                return said;
            }
            said.push(line);
        }
        panic!("the broker did not start: {:?} {said:?}", child.wait());
    }

    /// Starts the broker and waits until its sweeper has compared the account, so that it asks for nothing by itself.
    pub(crate) fn settle(&self) {
        self.start();
        let is_comparison = |request: &Logged| request.query.ends_with("page_size=100") && request.status.is_some();
        self.until("the comparison", |house| house.asked("GET", TOKENS).iter().any(is_comparison));
    }

    /// What a broker says that does not start; it ends with code 2.
    pub(crate) fn refused(&self) -> String {
        let output = self.command().output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        said.replace(self.folder.path().to_str().unwrap(), "PLACE")
    }

    /// A login of another job each time.
    pub(crate) fn login(&mut self) -> Answer {
        self.jobs += 1;
        let form = self.form(self.jobs);
        self.post("/oauth/token", &form)
    }

    /// So many logins at one time.
    pub(crate) fn logins_at_once(&mut self, count: usize) -> Vec<Answer> {
        let forms: Vec<_> = (1..=count).map(|job| self.form(self.jobs + job)).collect();
        self.jobs += count;
        thread::scope(|scope| {
            let posts: Vec<_> = forms.iter().map(|form| scope.spawn(|| self.post("/oauth/token", form))).collect();
            posts.into_iter().map(|post| post.join().unwrap()).collect()
        })
    }

    fn form(&self, job: usize) -> String {
        let claims = self.sandbox.issuer().circleci().audience(URL);
        let token = claims.claim("oidc.circleci.com/job-id", json!(format!("job {job}"))).sign();
        format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
             &subject_token_type=urn:ietf:params:oauth:token-type:id_token"
        )
    }

    pub(crate) fn logout(&self, login: &Answer) -> Answer {
        self.post("/oauth/revoke", &format!("token={}", login.text("revocation_handle")))
    }

    /// Asks for a logout until it is confirmed: the sweeper may be at it at the same time.
    pub(crate) fn confirm(&self, login: &Answer) {
        self.until("the confirmation", |house| house.logout(login).text("revocation") == "confirmed");
    }

    fn post(&self, path: &str, form: &str) -> Answer {
        let answer = post(&self.address(), path, form).unwrap();
        let (status, retry_after) = (answer.status().as_u16(), header(&answer, "retry-after").parse().ok());
        Answer { status, retry_after, body: serde_json::from_str(&text(answer)).unwrap() }
    }

    fn address(&self) -> String {
        self.running.lock().unwrap().as_ref().unwrap().1.clone()
    }

    /// Status and body of `/readyz`; an answer is repeated for `READINESS_SECONDS` by the broker's clock.
    pub(crate) fn ready(&self) -> (u16, String) {
        let answer = client().get(format!("http://{}/readyz", self.address())).call().unwrap();
        (answer.status().as_u16(), text(answer))
    }

    /// What `/readyz` answers for this trouble of the account.
    pub(crate) fn not_ready(trouble: &str) -> (u16, String) {
        (503, format!(r#"{{"ready":false,"reasons":["account `acme`: {trouble}"]}}"#))
    }

    /// Waits until `/readyz` says that all is well. The sweeper, which asks Docker Hub all the time while it is not, may have the
    /// last word about a trouble that is just over; it takes it back the next time.
    pub(crate) fn until_ready(&mut self) {
        self.pass(READINESS_SECONDS);
        self.until("readiness", |house| house.ready() == (200, r#"{"ready":true}"#.to_owned()));
    }

    /// Time goes on, for the broker and for everybody else.
    pub(crate) fn pass(&mut self, seconds: u64) {
        pass(&self.sandbox, self.folder.path(), seconds, &mut self.passed);
    }

    /// The requests to Docker Hub so far; an empty method is any.
    pub(crate) fn asked(&self, method: &str, path: &str) -> Vec<Logged> {
        let mut requests = self.sandbox.requests(Service::Hub);
        requests.retain(|request| (method.is_empty() || request.method == method) && request.path.starts_with(path));
        requests
    }

    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        self.asked(method, path).len()
    }

    /// Waits for what the broker's sweeper will do.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "{what} has not come");
            thread::yield_now();
        }
    }

    /// The audit log, once this stands in it.
    pub(crate) fn audit_with(&self, text: &str) -> String {
        self.until("the line of the audit log", |house| house.audit().contains(text));
        self.audit()
    }

    pub(crate) fn audit(&self) -> String {
        fs::read_to_string(self.path("audit.jsonl")).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.running.get_mut().ok().and_then(Option::take) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

//! Docker Identity's dialect: our broker in its place, under its name, and the client's `docker` provider unchanged.
//!
//! The proxy of the sandbox leads `identity.docker.com` to the broker; the emulation of Docker Identity gets nothing.

use hublease_sandbox::{BrokerLimits, CONNECTION_ID, Service, TokenBuilder};

use crate::support::World;
use crate::support::broker::Broker;
use crate::support::driven::leased;
use crate::support::job::{Outcome, Provider, Shape};

const HOST: &str = "identity.docker.com";
const URL: &str = "https://identity.docker.com";

/// A broker under Docker Identity's name. Its rule for GitHub is a connection, and grants the lives that Docker grants.
fn in_its_place(world: &World) -> Broker {
    let config = world.sandbox.broker_configuration(URL, &world.path(""), BrokerLimits::default());
    let rule = "name = \"github-app\"\n";
    assert_eq!(config.matches(rule).count(), 1);
    let config = config.replace(rule, &format!("{rule}connection_id = \"{CONNECTION_ID}\"\n"));
    let config = config.replace("max_life_seconds = 900", "max_life_seconds = 21600");
    Broker::at(world, HOST, &config)
}

/// What was sent to the exchange, as fields of the form.
fn exchanged(outcome: &Outcome) -> Vec<(String, String)> {
    let requests = outcome.requests.iter().filter(|request| request.host.starts_with(HOST));
    let requests: Vec<_> = requests.collect();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.service, request.path.as_str()), (Service::Forwarded, "/oauth/token"));
    request.form()
}

#[test]
fn the_docker_provider_logs_in_uses_and_logs_out_at_a_broker() {
    for (words, life) in [(&[][..], "900"), (&["--expires-in=300"][..], "300"), (&["--expires-in=21600"][..], "21600")]
    {
        let world = World::new();
        let broker = in_its_place(&world);
        let outcome = world.job("login").shape(Shape::Github, Provider::Docker).args(words).run().code(0);
        let form = exchanged(&outcome);
        let names: Vec<_> = form.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["grant_type", "subject_token_type", "subject_token", "connection_id", "expires_in"]);
        assert_eq!(form[4].1, life);
        // Docker itself has asked its token server with the credential.
        assert!(world.asked(Service::RegistryAuth).iter().any(|request| request.ends_with("/token")));
        assert_eq!((leased(&world).len(), world.has_login()), (1, true));
        let logout = world.job("logout").shape(Shape::Github, Provider::Docker).run().code(0);
        logout.says("the credential of acme: cannot be revoked, dies at");
        assert_eq!((world.has_login(), world.record_files().len()), (false, 0));
        assert_eq!(world.asked(Service::DockerIdentity), [""; 0]);
        drop(broker);
    }
}

/// A token that is changed, and flags that come with it.
type Case = (&'static str, fn(TokenBuilder) -> TokenBuilder, &'static [&'static str]);

const REFUSED: [Case; 5] = [
    ("another audience", |token| token.audience("https://elsewhere.example.com"), &[]),
    ("another issuer", |token| token.claim("iss", "https://idp.example.com".into()), &[]),
    ("another key", TokenBuilder::with_another_key, &[]),
    (
        "another repository",
        |token| token.claim("repository_id", "1".into()).claim("sub", "repo:evil/app:ref:refs/heads/main".into()),
        &[],
    ),
    ("another connection", |token| token, &["--connection-id=c0ffee00-5a1d-4b0c-9e1e-000000000000"]),
];

/// The sentence, its hint, and the exit code; what the server says about it differs.
fn problem(world: &World, (_, change, words): &Case) -> (i32, Vec<String>) {
    let token = change(world.sandbox.issuer().github().audience(URL)).sign();
    let job = world.job("token").env("MY_TOKEN", token).args(&["--identity-token-env=MY_TOKEN", "--username=acme"]);
    let named = words.iter().any(|word| word.starts_with("--connection-id"));
    let job = if named { job } else { job.arg(format!("--connection-id={CONNECTION_ID}")) };
    let outcome = job.args(words).run().code(4);
    let lines = outcome.stderr.lines().filter(|line| !line.starts_with("  because: "));
    (outcome.code, lines.map(str::to_owned).collect())
}

#[test]
fn a_refusal_of_the_broker_is_the_same_problem_as_one_of_docker_identity() {
    let (theirs, ours) = (World::new(), World::new());
    let broker = in_its_place(&ours);
    let mut seen = Vec::new();
    for case in &REFUSED {
        let expected = problem(&theirs, case);
        assert_eq!(problem(&ours, case), expected, "{}", case.0);
        seen.push(expected);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), REFUSED.len(), "every case is a problem of its own: {seen:#?}");
    assert_eq!(ours.asked(Service::DockerIdentity), [""; 0]);
    assert_eq!((leased(&theirs), leased(&ours)), (Vec::new(), Vec::new()));
    drop(broker);
}

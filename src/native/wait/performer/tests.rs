//! Effects as the story asks for them, with stand-ins for programs, and signals put into the channel by hand.

mod exec;
mod world;

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use hublease_protocol::endpoint::Origin;
use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Directory, Ended, Registry, Run, Verb};
use crate::effect::http::{Failure, Repeat};
use crate::effect::{Effect, Outcome, Output, Perform, Stop};
use crate::native::wait::performer::Performer;
use crate::native::wait::performer::tests::world::{World, docker, forward, login, request, signal, undo};

/// Long before any limit of an effect, and long after anything that happens at once.
const SOON: Duration = Duration::from_secs(5);

/// A server that, once asked, has these signals arrive, and then answers or keeps silent.
fn server(world: &mut World, signals: &'static [u8], answers: bool) -> Performer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    world.origin = Some(Origin::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
    let performer = world.performer();
    let events = performer.workers.sender();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut head = [0; 4096];
        assert!(stream.read(&mut head).unwrap() > 0);
        for number in signals {
            events.send(signal(*number)).unwrap();
        }
        if answers {
            stream.write_all(b"HTTP/1.1 204 X\r\n\r\n").unwrap();
        }
        let _ = stream.read(&mut head);
    });
    performer
}

#[test]
fn docker_gets_the_secret_over_standard_input_and_an_absolute_directory() {
    let world = World::new();
    let seen = world.path("seen");
    let record = format!(
        r#"{{ echo "$*|$DOCKER_CONFIG|$VAULT_TOKEN|$PWD"; cat; }} > '{}'; echo oops >&2; exit 5"#,
        seen.display()
    );
    world.script("docker", &record);
    let outcome = world.performer().perform(&forward(login()));
    assert_eq!(outcome, Outcome::Docker(Ended::Exit { code: 5, message: Secret::new("oops\n") }));
    let user = fs::canonicalize(world.path("user")).unwrap();
    let expected = format!("login --username acme --password-stdin docker.io|{}||/\ns3cret", user.display());
    assert_eq!(fs::read_to_string(seen).unwrap(), expected);
}

#[test]
fn a_missing_client_is_told_apart_and_a_slow_one_is_killed() {
    let mut world = World::new();
    world.script("docker", "exec sleep 600");
    world.limit = Some(Duration::from_millis(300));
    let podman = Effect::Docker(Run { client: Client::Podman, verb: Verb::Version, directory: Directory::User });
    let mut performer = world.performer();
    if !["/usr/bin/podman", "/bin/podman"].iter().any(|path| Path::new(path).exists()) {
        assert_eq!(performer.perform(&forward(podman)), Outcome::Docker(Ended::NotFound));
    }
    assert_eq!(performer.perform(&forward(login())), Outcome::Docker(Ended::Slow));
    assert_eq!(performer.stop(), Some(Stop::Deadline));
}

#[test]
fn a_signal_ends_a_forward_effect_at_once_and_undoing_goes_on() {
    let world = World::new();
    let fifo = world.path("ready");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    world.script("docker", &format!(r#"test "$1" = logout && exit 0; echo > '{}'; exec sleep 600"#, fifo.display()));
    let mut performer = world.performer();
    let events = performer.workers.sender();
    let thread = thread::spawn(move || {
        fs::read(fifo).unwrap();
        events.send(signal(15)).unwrap();
    });
    let start = Instant::now();
    assert_eq!(performer.perform(&forward(login())), Outcome::Stopped(Stop::Signal(15)));
    thread.join().unwrap();
    assert_eq!(performer.stop(), Some(Stop::Signal(15)));
    let outcome = performer.perform(&undo(docker(Verb::Logout { registry: Registry::Hub })));
    assert_eq!(outcome, Outcome::Docker(Ended::Exit { code: 0, message: Secret::default() }));
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_request_that_mints_nothing_is_given_up_and_a_mint_is_waited_for() {
    let mut world = World::new();
    let mut performer = server(&mut world, &[2], false);
    let start = Instant::now();
    assert_eq!(performer.perform(&forward(request(Repeat::Safe))), Outcome::Stopped(Stop::Signal(2)));
    for repeat in [Repeat::Never, Repeat::WithRequestId] {
        let mut performer = server(&mut world, &[15], true);
        let outcome = performer.perform(&forward(request(repeat)));
        assert!(matches!(outcome, Outcome::Http(Ok(answer)) if answer.status == 204));
        assert_eq!(performer.stop(), Some(Stop::Signal(15)));
    }
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_second_signal_ends_every_wait_and_says_so() {
    let mut world = World::new();
    let start = Instant::now();
    for asked in [forward(request(Repeat::Never)), undo(request(Repeat::Safe))] {
        let mut performer = server(&mut world, &[2, 2], false);
        assert_eq!(performer.perform(&asked), Outcome::Http(Err(Failure::Slow)));
        assert_eq!(performer.stop(), Some(Stop::Signal(2)));
        // Nothing is even tried any more.
        let logout = docker(Verb::Logout { registry: Registry::Hub });
        world.script("docker", "exit 0");
        assert_eq!(performer.perform(&undo(logout)), Outcome::Docker(Ended::Slow));
        assert_eq!(performer.perform(&undo(request(Repeat::Safe))), Outcome::Http(Err(Failure::Slow)));
    }
    assert!(start.elapsed() < SOON);
    let warning = "warning: interrupted again: what was not undone yet is left as it is\n";
    assert_eq!(world.said(), warning.repeat(2));
}

#[test]
fn an_undo_request_outlives_the_first_signal() {
    let mut world = World::new();
    let mut performer = server(&mut world, &[15], true);
    let outcome = performer.perform(&undo(request(Repeat::Safe)));
    assert!(matches!(outcome, Outcome::Http(Ok(_))), "{outcome:?}");
    assert_eq!(performer.stop(), Some(Stop::Signal(15)));
}

#[test]
fn sleep_ends_with_a_signal_or_the_deadline() {
    let mut world = World::new();
    let sleep = |milliseconds| forward(Effect::Sleep { milliseconds });
    let mut performer = world.performer();
    assert_eq!(performer.perform(&sleep(1)), Outcome::Done);
    performer.workers.sender().send(signal(1)).unwrap();
    assert_eq!(performer.perform(&sleep(600_000)), Outcome::Stopped(Stop::Signal(1)));
    world.limit = Some(Duration::from_millis(50));
    let mut performer = world.performer();
    assert_eq!(performer.perform(&sleep(600_000)), Outcome::Done);
    assert_eq!(performer.stop(), Some(Stop::Deadline));
}

#[test]
fn a_token_file_that_nobody_writes_does_not_hold_us_up() {
    let mut world = World::new();
    let fifo = world.path("token");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    world.identity_file = Some(fifo);
    let mut performer = world.performer();
    performer.workers.sender().send(signal(15)).unwrap();
    assert_eq!(performer.perform(&forward(Effect::IdentityFile)), Outcome::Stopped(Stop::Signal(15)));
}

#[test]
fn an_output_that_is_lost_stops_the_story() {
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut performer = World::new().performer_with(Box::new(Closed));
    let report = Effect::Output(Output::Report("x".to_owned()));
    assert_eq!(performer.perform(&forward(report.clone())), Outcome::Stopped(Stop::Output));
    assert_eq!(performer.stop(), Some(Stop::Output));
    assert_eq!(performer.perform(&undo(report)), Outcome::Done);
}

#[test]
fn chance_and_time() {
    let mut performer = World::new().performer();
    let mut random = || match performer.perform(&forward(Effect::Random { bytes: 16 })) {
        Outcome::Text(text) => text,
        other => panic!("{other:?}"),
    };
    let (one, two) = (random(), random());
    assert!(one.len() == 32 && one != two && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(matches!(performer.perform(&forward(Effect::Now)), Outcome::Now(now) if now > 1_700_000_000));
}

//! The command of `exec`.

use hublease_protocol::secret::Secret;

use crate::effect::child::{Act, Seen};
use crate::effect::docker::{Client, Config, Found, Sharing};
use crate::effect::{Effect, Outcome, Perform, Stop};
use crate::native::wait::performer::tests::{SOON, World, forward, signal};

const ID: &str = "0123456789abcdef0123456789abcdef";

fn make() -> Config {
    let (content, sharing) =
        (Secret::new("{}"), Sharing { linked: false, apart: Vec::new(), seeds: Vec::new(), made: Vec::new() });
    Config::Make { id: ID.to_owned(), client: Client::Docker, content, sharing }
}

#[test]
fn the_command_of_exec_has_the_signals_to_itself() {
    let mut world = World::new();
    world.limit = Some(SOON);
    let mut performer = world.performer();
    let make = make();
    let Outcome::Config(Ok(Found::Made(directory))) = performer.perform(&forward(Effect::Config(make))) else {
        panic!("no private directory");
    };
    let directory = directory.path;
    let mut child = |act| match performer.perform(&forward(Effect::Child(act))) {
        Outcome::Child(seen) => (seen, performer.stop(), performer.workers.sender()),
        other => panic!("{other:?}"),
    };
    let script = format!("test \"$DOCKER_CONFIG\" = '{directory}' && exec sleep 600");
    let command = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
    let (seen, _, events) = child(Act::Start { command, directory: ID.to_owned(), client: Client::Docker });
    assert_eq!(seen, Seen::Running);
    assert_eq!(child(Act::Wait { seconds: Some(0) }).0, Seen::Deadline);
    events.send(signal(15)).unwrap();
    let (seen, stop, _) = child(Act::Wait { seconds: None });
    assert_eq!((seen, stop), (Seen::Signal(15), None));
    child(Act::Forward { signal: 15 });
    assert_eq!(child(Act::Wait { seconds: None }).0, Seen::Ended(128 + 15));
    // From here on a signal is ours again.
    events.send(signal(1)).unwrap();
    assert_eq!(child(Act::Wait { seconds: None }).1, Some(Stop::Signal(1)));
}

#[test]
fn a_signal_between_two_waits_reaches_the_command_and_stops_nothing() {
    let world = World::new();
    let mut performer = world.performer();
    let make = make();
    performer.perform(&forward(Effect::Config(make)));
    let command = ["sleep", "600"].map(str::to_owned).to_vec();
    performer.perform(&forward(Effect::Child(Act::Start {
        command,
        directory: ID.to_owned(),
        client: Client::Docker,
    })));
    performer.workers.sender().send(signal(15)).unwrap();
    assert_eq!(performer.stop(), None);
    let wait = forward(Effect::Child(Act::Wait { seconds: None }));
    assert_eq!(performer.perform(&wait), Outcome::Child(Seen::Signal(15)));
    performer.perform(&forward(Effect::Child(Act::Forward { signal: 15 })));
    assert_eq!(performer.perform(&wait), Outcome::Child(Seen::Ended(128 + 15)));
}

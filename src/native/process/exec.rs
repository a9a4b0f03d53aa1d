//! The command of `exec`: the user's own, with the user's own streams and environment.
//!
//! It stays in our process group, so that it can use the terminal. While it runs, signals are its business: they are
//! kept until `ExecCommand::wait` hands them to the story, which decides what to pass on.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::{io, process, thread};

use hublease_protocol::printable::printable;
use rustix::process::Signal as Number;

use crate::effect::child::Seen;
use crate::effect::docker::Client;
use crate::native::process::supervised::{Running, code};
use crate::native::wait::signals::INTERRUPT;
use crate::native::wait::worker::{Event, Signal};

/// The command, before, while and after it runs.
#[derive(Debug, Default)]
pub(in crate::native) struct ExecCommand {
    running: Option<Running>,
    pending: VecDeque<Signal>,
    ended: Option<u8>,
    last: Option<Signal>,
}

impl ExecCommand {
    /// Starts it with the client's own variable at `directory`; its end comes as an event.
    pub(in crate::native) fn start(
        &mut self,
        command: &[String],
        directory: &Path,
        client: Client,
        events: Sender<Event>,
    ) -> Seen {
        let Some((program, arguments)) = command.split_first() else {
            return Seen::NotFound;
        };
        let running = Running::default();
        let mut command = process::Command::new(program);
        command.args(arguments).env(client.variable(), client.place(directory));
        match running.start(|| command.spawn()).and_then(|_| report(running.clone(), events)) {
            Ok(()) => {
                *self = Self { running: Some(running), ..Self::default() };
                Seen::Running
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::NotFound,
            Err(error) => Seen::Unusable(printable(&error.to_string())),
        }
    }

    /// Whether it runs and its end was not told yet.
    pub(in crate::native) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Keeps a signal for the next wait.
    pub(in crate::native) fn keep(&mut self, signal: Signal) {
        self.pending.push_back(signal);
    }

    /// Notes its end.
    pub(in crate::native) fn ended(&mut self, code: u8) {
        self.ended = Some(code);
    }

    /// What has happened and was not told yet, in the order in which it happened.
    pub(in crate::native) fn news(&mut self) -> Option<Seen> {
        if let Some(signal) = self.pending.pop_front() {
            self.last = Some(signal);
            return Some(Seen::Signal(signal.number));
        }
        let code = self.ended.take()?;
        self.running = None;
        Some(Seen::Ended(code))
    }

    /// Passes a signal on, unless it is an interrupt that the terminal has delivered to the command as well.
    pub(in crate::native) fn forward(&self, number: u8) {
        let delivered =
            number == INTERRUPT && self.last.is_some_and(|last| last.number == number && last.from_terminal);
        let number = match number {
            1 => Number::HUP,
            2 => Number::INT,
            _ => Number::TERM,
        };
        if let Some(running) = self.running.as_ref().filter(|_| !delivered) {
            running.signal(number);
        }
    }
}

/// Has a thread wait for the end and report it.
fn report(running: Running, events: Sender<Event>) -> io::Result<()> {
    thread::Builder::new().name("command".to_owned()).spawn(move || {
        let code = running.wait().map_or(1, code);
        // A receiver that is gone means that the process ends anyway.
        let _ = events.send(Event::CommandEnded(u8::try_from(code).unwrap_or(1)));
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use super::ExecCommand;
    use crate::effect::child::Seen;
    use crate::effect::docker::Client;
    use crate::native::wait::worker::{Event, Signal};

    fn started(script: &str) -> (ExecCommand, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel();
        let mut command = ExecCommand::default();
        let line = ["/bin/sh", "-c", script].map(str::to_owned);
        assert_eq!(command.start(&line, Path::new("/private"), Client::Docker, sender), Seen::Running);
        (command, receiver)
    }

    fn end(command: &mut ExecCommand, events: &mpsc::Receiver<Event>) -> Option<Seen> {
        match events.recv().unwrap() {
            Event::CommandEnded(code) => command.ended(code),
            other => panic!("{other:?}"),
        }
        command.news()
    }

    #[test]
    fn it_sees_the_private_directory_and_its_code_is_told() {
        let (mut command, events) = started(r#"test "$DOCKER_CONFIG" = /private && exit 7"#);
        assert!(command.is_running());
        assert_eq!(end(&mut command, &events), Some(Seen::Ended(7)));
        assert!(!command.is_running());
        assert_eq!(command.news(), None);
    }

    #[test]
    fn signals_are_told_before_the_end_and_passed_on() {
        let (mut command, events) = started("exec sleep 600");
        command.keep(Signal { number: 15, from_terminal: false });
        assert_eq!(command.news(), Some(Seen::Signal(15)));
        command.forward(15);
        assert_eq!(end(&mut command, &events), Some(Seen::Ended(128 + 15)));
        command.forward(15);
    }

    #[test]
    fn an_interrupt_of_the_terminal_is_not_delivered_twice() {
        // Both signals may arrive before the traps are set, so only the interrupt's code would be a fault.
        let (mut command, events) = started("trap 'exit 3' INT; trap 'exit 4' TERM; while :; do sleep 0.01; done");
        command.keep(Signal { number: 2, from_terminal: true });
        assert_eq!(command.news(), Some(Seen::Signal(2)));
        command.forward(2);
        command.forward(15);
        let Some(Seen::Ended(code)) = end(&mut command, &events) else { panic!("it has not ended") };
        assert!(code == 4 || code == 128 + 15, "{code}");
    }

    #[test]
    fn what_cannot_be_started_is_told_apart() {
        let (sender, _receiver) = mpsc::channel();
        let start = |line: &str| {
            ExecCommand::default().start(&[line.to_owned()], Path::new("/"), Client::Docker, sender.clone())
        };
        assert_eq!(start("/nonexistent/program"), Seen::NotFound);
        assert!(matches!(start("/etc/hostname"), Seen::Unusable(_)), "{:?}", start("/etc/hostname"));
    }
}

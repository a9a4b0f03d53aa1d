//! The built module of the GitHub Action, in both of its forms, under a host that lends it nothing.
//!
//! A guest has strings in, strings out, and three limits, so that whatever it is told it comes back: fuel bounds what a
//! call may compute, the same on every machine; a time ends a call that fuel has not; and its memory is capped. A trap
//! ends the instance, because what it left behind is in no state to go on.

mod beside;
mod component;
mod core;
mod told;

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use wasmtime::{Config, Engine, Result, Store, StoreLimits, StoreLimitsBuilder};

pub use self::beside::Beside;
use self::component::Component;
pub use self::core::Core;
pub use self::told::{Answer, Given, Setup};
use super::binary;

/// The interface that a guest exports; its functions are `begin` and `advance`.
const SESSION: &str = "hublease:action/session@0.1.0";

/// The most text of a panic that is kept, in bytes; a place has a tenth of it.
const MOST_TEXT: usize = 4096;

/// The form in which the module comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The very bytes that the Action's host runs.
    Core,
    /// The same, wrapped for hosts of WASI 0.2.
    Component,
}

impl Form {
    pub const ALL: [Self; 2] = [Self::Core, Self::Component];
}

/// What a guest may use up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of each call, in wasmtime's units: about one per instruction.
    pub fuel: u64,
    /// Of each call. None at all has passed before the call begins.
    pub time: Duration,
    /// Of the instance, in bytes. Memory that a guest has taken it keeps.
    pub memory: usize,
}

impl Default for Limits {
    /// Room for the largest message that is read (8 MiB) and several copies of it.
    fn default() -> Self {
        Self { fuel: 4_000_000_000, time: Duration::from_secs(60), memory: 64 * 1024 * 1024 }
    }
}

/// The module in one form, compiled.
pub enum Code {
    Core(wasmtime::Module),
    Component(wasmtime::component::Component),
}

impl Code {
    /// Compiles what `cargo xtask test` built.
    pub fn compile(form: Form) -> Self {
        let mut config = Config::new();
        config.consume_fuel(true).epoch_interruption(true);
        config
            .cranelift_opt_level(wasmtime::OptLevel::None)
            .cranelift_regalloc_algorithm(wasmtime::RegallocAlgorithm::SinglePass);
        let engine = Engine::new(&config).unwrap();
        match form {
            Form::Core => {
                let bytes = fs::read(binary("HUBLEASE_MODULE")).unwrap();
                Self::Core(wasmtime::Module::new(&engine, bytes).unwrap())
            }
            Form::Component => {
                let bytes = fs::read(binary("HUBLEASE_COMPONENT")).unwrap();
                Self::Component(wasmtime::component::Component::new(&engine, bytes).unwrap())
            }
        }
    }

    /// Both forms.
    pub fn both() -> [Self; 2] {
        Form::ALL.map(Self::compile)
    }

    pub fn form(&self) -> Form {
        match self {
            Self::Core(_) => Form::Core,
            Self::Component(_) => Form::Component,
        }
    }

    /// What it asks its host for, in the order of the file.
    pub fn imports(&self) -> Vec<String> {
        match self {
            Self::Core(module) => {
                module.imports().map(|import| format!("{} {}", import.module(), import.name())).collect()
            }
            Self::Component(component) => {
                component.component_type().imports(component.engine()).map(|(name, _)| name.to_owned()).collect()
            }
        }
    }

    /// What it has for its host.
    pub fn exports(&self) -> Vec<String> {
        match self {
            Self::Core(module) => module.exports().map(|export| export.name().to_owned()).collect(),
            Self::Component(component) => {
                component.component_type().exports(component.engine()).map(|(name, _)| name.to_owned()).collect()
            }
        }
    }

    /// A new instance.
    pub fn start(&self, limits: Limits) -> Guest {
        let instance: Box<dyn Instance> = match self {
            Self::Core(module) => Box::new(Core::start(module, limits).unwrap()),
            Self::Component(component) => Box::new(Component::start(component, limits).unwrap()),
        };
        Guest { instance: Some(instance) }
    }
}

/// One instance, as long as it is whole.
pub trait Instance {
    fn begin(&mut self, stage: &str, inputs: &str) -> Result<String>;
    fn advance(&mut self, outcome: &str) -> Result<String>;
    /// What it wrote to standard error.
    fn printed(&self) -> String;
}

/// What ended an instance.
#[derive(Debug)]
pub struct Trapped {
    /// Wasmtime's words.
    pub why: String,
    /// The guest's, on standard error.
    pub printed: String,
}

/// An instance that is dropped when it traps.
pub struct Guest {
    instance: Option<Box<dyn Instance>>,
}

impl Guest {
    pub fn begin(&mut self, stage: &str, inputs: &str) -> std::result::Result<String, Trapped> {
        self.call(|instance| instance.begin(stage, inputs))
    }

    pub fn advance(&mut self, outcome: &str) -> std::result::Result<String, Trapped> {
        self.call(|instance| instance.advance(outcome))
    }

    /// What it wrote to standard error so far.
    pub fn printed(&self) -> String {
        self.instance.as_ref().map(|instance| instance.printed()).unwrap_or_default()
    }

    /// Whether it has trapped, and is gone.
    pub fn is_dropped(&self) -> bool {
        self.instance.is_none()
    }

    fn call(&mut self, call: impl FnOnce(&mut dyn Instance) -> Result<String>) -> std::result::Result<String, Trapped> {
        let Some(mut instance) = self.instance.take() else {
            return Err(Trapped { why: "the instance was dropped".to_owned(), printed: String::new() });
        };
        match call(instance.as_mut()) {
            Ok(answer) => {
                self.instance = Some(instance);
                Ok(answer)
            }
            Err(error) => Err(Trapped { why: format!("{error:?}"), printed: instance.printed() }),
        }
    }
}

/// What the host keeps beside the guest.
struct Host {
    limits: StoreLimits,
    printed: Vec<u8>,
}

fn store(engine: &Engine, limits: Limits) -> Store<Host> {
    let memory = StoreLimitsBuilder::new().memory_size(limits.memory).build();
    let mut store = Store::new(engine, Host { limits: memory, printed: Vec::new() });
    store.limiter(|host| &mut host.limits);
    // What an instance does while it is made is not part of a call.
    drop(arm(&mut store, Limits::default()));
    store
}

/// Ends the watch over a call when it is dropped.
struct Watch(#[expect(dead_code, reason = "its end is what the watching thread waits for")] Sender<()>);

/// Gives the next call its fuel and its time.
fn arm(store: &mut Store<Host>, limits: Limits) -> Watch {
    store.set_fuel(limits.fuel).unwrap();
    store.set_epoch_deadline(u64::from(!limits.time.is_zero()));
    let (sender, ended) = channel::<()>();
    let engine = store.engine().clone();
    std::thread::spawn(move || {
        if ended.recv_timeout(limits.time) == Err(RecvTimeoutError::Timeout) {
            engine.increment_epoch();
        }
    });
    Watch(sender)
}

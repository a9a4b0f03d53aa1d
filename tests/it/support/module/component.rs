//! The component: the host's types are checked against its interface, and every import traps.

use wasmtime::component::{Component as Code, Linker, TypedFunc};
use wasmtime::{Result, Store};

use super::{Host, Limits, SESSION, arm, store};

/// One instance of the component.
pub struct Component {
    store: Store<Host>,
    begin: TypedFunc<(String, String), (String,)>,
    advance: TypedFunc<(String,), (String,)>,
    limits: Limits,
}

impl Component {
    /// The one call of the linker says that nothing is there. Whatever runs then has no authority but to answer.
    pub fn start(code: &Code, limits: Limits) -> Result<Self> {
        let mut store = store(code.engine(), limits);
        let mut linker = Linker::new(code.engine());
        linker.define_unknown_imports_as_traps(code)?;
        let instance = linker.instantiate(&mut store, code)?;
        let session = instance.get_export_index(&mut store, None, SESSION).unwrap();
        let mut function = |name| instance.get_export_index(&mut store, Some(&session), name).unwrap();
        let (begin, advance) = (function("begin"), function("advance"));
        let begin = instance.get_typed_func(&mut store, begin)?;
        let advance = instance.get_typed_func(&mut store, advance)?;
        Ok(Self { store, begin, advance, limits })
    }
}

impl super::Instance for Component {
    fn begin(&mut self, stage: &str, inputs: &str) -> Result<String> {
        let _watch = arm(&mut self.store, self.limits);
        self.begin.call(&mut self.store, (stage.to_owned(), inputs.to_owned())).map(|(answer,)| answer)
    }

    fn advance(&mut self, outcome: &str) -> Result<String> {
        let _watch = arm(&mut self.store, self.limits);
        self.advance.call(&mut self.store, (outcome.to_owned(),)).map(|(answer,)| answer)
    }

    /// Nothing can be written: the import traps.
    fn printed(&self) -> String {
        String::new()
    }
}

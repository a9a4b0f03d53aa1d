//! The core module by hand: the canonical ABI of `string -> string`, and one stub that collects the text of a panic.

use wasmtime::{AsContextMut, Caller, Error, Extern, Instance, Linker, Memory, Module, Result, Store, TypedFunc};

use super::{Host, Limits, MOST_TEXT, SESSION, arm, store};

/// The file descriptor of standard error.
const STDERR: u32 = 2;

/// `errno` of preview1: no such file.
const BADF: u32 = 8;

/// One instance of the core module.
pub struct Core {
    store: Store<Host>,
    instance: Instance,
    memory: Memory,
    realloc: TypedFunc<(u32, u32, u32, u32), u32>,
    limits: Limits,
}

impl Core {
    /// Every import traps when it is called, but the one by which a panic says where it was.
    pub fn start(module: &Module, limits: Limits) -> Result<Self> {
        let mut store = store(module.engine(), limits);
        let mut linker = Linker::new(module.engine());
        linker.func_wrap("wasi_snapshot_preview1", "fd_write", write)?;
        linker.define_unknown_imports_as_traps(module)?;
        let instance = linker.instantiate(&mut store, module)?;
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let realloc = instance.get_typed_func(&mut store, "cabi_realloc")?;
        Ok(Self { store, instance, memory, realloc, limits })
    }

    /// How much fuel the last call used.
    pub fn used(&self) -> u64 {
        self.limits.fuel - self.store.get_fuel().unwrap()
    }

    /// Gives every later call no more than this.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.limits.fuel = fuel;
    }

    /// Copies a text into memory that the guest gives.
    fn lower(&mut self, text: &str) -> Result<(u32, u32)> {
        let length = u32::try_from(text.len())?;
        let pointer = self.realloc.call(&mut self.store, (0, 0, 1, length))?;
        self.memory.write(&mut self.store, usize::try_from(pointer)?, text.as_bytes())?;
        Ok((pointer, length))
    }

    /// Reads the text that `result` points to, and lets the guest free it.
    fn lift(&mut self, name: &str, result: u32) -> Result<String> {
        let text = String::from_utf8(text_at(self.memory.data(&self.store), result)?.to_vec())?;
        let free = self.instance.get_typed_func::<u32, ()>(&mut self.store, &format!("cabi_post_{SESSION}#{name}"))?;
        free.call(&mut self.store, result)?;
        Ok(text)
    }
}

impl super::Instance for Core {
    fn begin(&mut self, stage: &str, inputs: &str) -> Result<String> {
        let _watch = arm(&mut self.store, self.limits);
        let ((stage, stage_length), (inputs, inputs_length)) = (self.lower(stage)?, self.lower(inputs)?);
        let begin = self.instance.get_typed_func(&mut self.store, &format!("{SESSION}#begin"))?;
        let result = begin.call(&mut self.store, (stage, stage_length, inputs, inputs_length))?;
        self.lift("begin", result)
    }

    fn advance(&mut self, outcome: &str) -> Result<String> {
        let _watch = arm(&mut self.store, self.limits);
        let outcome = self.lower(outcome)?;
        let advance = self.instance.get_typed_func(&mut self.store, &format!("{SESSION}#advance"))?;
        let result = advance.call(&mut self.store, outcome)?;
        self.lift("advance", result)
    }

    fn printed(&self) -> String {
        String::from_utf8_lossy(&self.store.data().printed).into_owned()
    }
}

/// `fd_write` to standard error: a vector of pointer and length for each piece.
fn write(mut caller: Caller<'_, Host>, file: u32, pieces: u32, count: u32, written: u32) -> Result<u32> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { panic!("no memory") };
    if file != STDERR {
        return Ok(BADF);
    }
    let mut total: u32 = 0;
    for number in 0..count {
        let (data, host) = memory.data_and_store_mut(caller.as_context_mut());
        let piece = text_at(data, pieces + 8 * number)?;
        let room = MOST_TEXT.saturating_sub(host.printed.len());
        host.printed.extend(&piece[..piece.len().min(room)]);
        total += u32::try_from(piece.len())?;
    }
    memory.write(&mut caller, usize::try_from(written)?, &total.to_le_bytes())?;
    Ok(0)
}

/// The text whose pointer and length stand at `place`. A length that the memory does not have must not become an
/// allocation of ours.
fn text_at(memory: &[u8], place: u32) -> Result<&[u8]> {
    let outside = || Error::msg("a text outside of the memory");
    let slice = |from: usize, length: usize| memory.get(from..).and_then(|rest| rest.get(..length)).ok_or_else(outside);
    let place = usize::try_from(place)?;
    let word = |from: usize| -> Result<usize> { Ok(usize::try_from(u32::from_le_bytes(slice(from, 4)?.try_into()?))?) };
    slice(word(place)?, word(place + 4)?)
}

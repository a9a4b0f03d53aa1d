//! Runs a target on its corpus and on seeded changes of it, without any tool: the same inputs on every machine.
//!
//! Change number `k` of a target is made by a generator that is seeded with `k` alone, so a failure is repeated by its number.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hublease_protocol::hex;

/// Pieces that have a meaning to one of the readers.
const PIECES: [&[u8]; 32] = [
    b"\n",
    b"\r\n",
    b"\0",
    b"\x1b[",
    b"::",
    b"##[",
    b"\xe2\x80\xae",
    b"\xff",
    b"\"",
    b"\\",
    b"\\u0000",
    b"%",
    b"%0a",
    b"%zz",
    b"&",
    b"=",
    b"..",
    b"/",
    b"@",
    b"#",
    b"?",
    b"*",
    b"[",
    b"{",
    b"}",
    b"]",
    b"null",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"0",
    b" ",
];

/// The longest input; nothing that is read is refused for its length alone below this.
const LONGEST: usize = 40 * 1024;

/// Runs `target` on every file of `corpus`, and on `changes` inputs that are made from them.
///
/// # Panics
/// With the target's name, the number of the change and the input in hexadecimal, when one does not hold.
pub fn run(corpus: &Path, target: fn(&[u8]), changes: u64) {
    let name = corpus.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let inputs = read(corpus);
    for (file, input) in &inputs {
        check(&format!("{name}, corpus file {file}"), target, input);
    }
    for number in 1..=changes {
        check(&format!("{name}, change {number}"), target, &Generator::new(number).changed(&inputs));
    }
}

/// The files of a corpus by name, in a fixed order.
fn read(corpus: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())
        })
        .collect();
    assert!(!inputs.is_empty(), "{} is empty", corpus.display());
    inputs.sort();
    inputs
}

fn check(what: &str, target: fn(&[u8]), input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("{what}: does not hold for {}", hex::lower(input));
    }
}

/// xorshift64*: enough to choose with, and the same everywhere.
struct Generator(u64);

impl Generator {
    fn new(seed: u64) -> Self {
        // Neighbouring seeds shall not begin alike, and zero is the one state that xorshift cannot leave.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number under `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end
    }

    /// One of the inputs with one to six changes.
    fn changed(&mut self, inputs: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut input = inputs[self.below(inputs.len())].1.clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, inputs);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, inputs: &[(String, Vec<u8>)]) {
        let (from, to) = self.range(input.len(), 16);
        match self.below(8) {
            0 => drop(input.splice(from..from, PIECES[self.below(PIECES.len())].iter().copied())),
            1 => drop(input.splice(from..to, PIECES[self.below(PIECES.len())].iter().copied())),
            2 => drop(input.drain(from..to)),
            3 => {
                let copy = input[from..to].repeat(1 + self.below(4));
                input.splice(from..from, copy);
            }
            4 => {
                // Now and then very long.
                let copy = input[from..to].repeat(if self.below(16) == 0 { 2000 } else { 20 });
                input.splice(from..from, copy);
            }
            5 => {
                let other = &inputs[self.below(inputs.len())].1;
                let (start, end) = self.range(other.len(), 64);
                input.splice(from..to, other[start..end].iter().copied());
            }
            6 if from < input.len() => input[from] ^= 1 << self.below(8),
            _ if from < input.len() => input[from] = u8::try_from(self.below(256)).unwrap(),
            _ => input.push(u8::try_from(self.below(256)).unwrap()),
        }
    }

    /// A range within `length`, at most `longest` long.
    fn range(&mut self, length: usize, longest: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        (from, from + self.below((length - from).min(longest) + 1))
    }
}

//! Client and broker as they are released: one static file each, under 4 MB and under 10 MB.
//!
//! Static means that the ELF file names no interpreter: it starts on any Linux, whatever its C library.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rust::add_target;
use super::scrub::is_foreign;
use super::{Context, Outcome, Trouble, deploy};
use crate::binaries::{ARM, ARM_COMPILER, MUSL_COMPILER, Released, build_static, static_path, static_target};
use crate::orb;
use crate::process::Call;
use crate::workspace::program;

/// The client must stay under this, in bytes.
pub(crate) const LARGEST: u64 = 4_000_000;
/// The broker, which has SQLite and an asynchronous runtime in it.
const LARGEST_BROKER: u64 = 10_000_000;
/// Runs programs of that processor.
const EMULATOR: &str = "qemu-aarch64";
/// Program header type of an interpreter (ELF specification, `PT_INTERP`).
const INTERPRETER: u32 = 3;

/// How long the emulated program may take; it starts in a fraction of a second.
const EMULATED: Duration = Duration::from_secs(60);

pub(super) fn build(context: &Context<'_>) -> Outcome {
    let (_, size) = built(context, Released::Client, &static_target(), LARGEST)?;
    Ok(format!("{size} bytes"))
}

/// The broker, for the processor of this machine; it has to start, because it brings C of its own.
pub(super) fn broker(context: &Context<'_>) -> Outcome {
    if program(MUSL_COMPILER).is_none() {
        return Err(context.missing(format!("{MUSL_COMPILER} is not installed")));
    }
    let (path, size) = built(context, Released::Broker, &static_target(), LARGEST_BROKER)?;
    let version = Call::new(&path).argument("--version").text()?;
    deploy::start::listens(&path, &context.log)?;
    Ok(format!("{size} bytes, {} listens", version.trim()))
}

/// Where the static broker is, once its step has built it.
pub(super) fn broker_path(context: &Context<'_>) -> PathBuf {
    static_path(context.workspace, Released::Broker, &static_target())
}

/// For the processor of arm executors: built by another compiler, and started under an emulator.
pub(super) fn arm(context: &Context<'_>) -> Outcome {
    for needed in [ARM_COMPILER, EMULATOR] {
        if program(needed).is_none() {
            return Err(context.missing(format!("{needed} is not installed")));
        }
    }
    let (path, size) = built(context, Released::Client, ARM, LARGEST)?;
    let call = |words: &[&str]| Call::new(EMULATOR).argument(&path).arguments(words).limit(EMULATED);
    let version = call(&["--version"]).text()?;
    // The plan of a login walks through everything but sockets and files.
    let plan = ["login", "--dry-run", "--as", "circleci", "--broker-url", "https://broker.example.com"];
    let plan = call(&plan).without(is_foreign).text()?;
    if !plan.contains("address: https://broker.example.com") {
        return Err(format!("under {EMULATOR} the plan of a login reads: {}", plan.trim()).into());
    }
    Ok(format!("{size} bytes, {} under {EMULATOR}", version.trim()))
}

fn built(context: &Context<'_>, program: Released, target: &str, largest: u64) -> Result<(PathBuf, u64), Trouble> {
    if !cfg!(target_os = "linux") {
        return Err(context.missing("the static build is made on Linux"));
    }
    add_target(context, target)?;
    let path = build_static(context.workspace, program, target, &context.log, context.terminal)?;
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    match needs_interpreter(&bytes) {
        Some(false) => {}
        Some(true) => return Err(format!("{} is not linked statically", path.display()).into()),
        None => return Err(format!("{} is no 64-bit little-endian ELF file", path.display()).into()),
    }
    let size = bytes.len() as u64;
    if size >= largest {
        return Err(format!("{size} bytes; it must be under {largest}").into());
    }
    Ok((path, size))
}

/// Where the client is, if it has been built.
pub(super) fn path(context: &Context<'_>) -> PathBuf {
    static_path(context.workspace, Released::Client, &static_target())
}

/// Packs the orb with the checksum of the client that was built here, as a release does with its own.
pub(super) fn pack_orb(context: &Context<'_>, client: &Path) -> Result<PathBuf, String> {
    let folder = context.workspace.target.join("orb");
    let (sums, packed) = (folder.join("SHA256SUMS"), folder.join("with-local-client.yml"));
    let line = Call::new("sha256sum").argument(client).text()?;
    let sum = line.split_whitespace().next().unwrap_or_default();
    let name = format!("hublease-v{}-{}", env!("CARGO_PKG_VERSION"), static_target());
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    write(&sums, &format!("{sum}  {name}\n"))?;
    write(&packed, &orb::pack(context.workspace, Some(&sums))?.text)?;
    Ok(packed)
}

/// Whether a program header asks for a dynamic linker; none if this is not a 64-bit little-endian ELF file.
fn needs_interpreter(file: &[u8]) -> Option<bool> {
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = file.get(at..at.checked_add(size)?)?;
        bytes.iter().rev().try_fold(0_usize, |number, byte| number.checked_mul(256)?.checked_add(usize::from(*byte)))
    };
    // ELF64: class 2, little-endian 1; offset, size and count of the program headers at 32, 54 and 56.
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        if number(offset.checked_add(index.checked_mul(size)?)?, 4)? == INTERPRETER as usize {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::needs_interpreter;

    /// An ELF file with one program header of this type.
    fn elf(kind: u8) -> Vec<u8> {
        let mut file = vec![0; 64 + 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (file[32], file[54], file[56], file[64]) = (64, 56, 1, kind);
        file
    }

    #[test]
    fn an_interpreter_is_seen() {
        assert_eq!(needs_interpreter(&elf(3)), Some(true));
        assert_eq!(needs_interpreter(&elf(1)), Some(false));
        assert_eq!(needs_interpreter(&elf(1)[..60]), None);
        assert_eq!(needs_interpreter(b"#!/bin/sh"), None);
    }

    #[test]
    fn this_very_test_program_is_linked_dynamically() {
        let itself = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let dynamic = !cfg!(target_feature = "crt-static");
        assert_eq!(needs_interpreter(&itself), Some(dynamic));
    }
}

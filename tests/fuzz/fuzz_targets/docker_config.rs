//! `docker_config` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hublease_fuzz::targets::docker_config(input));

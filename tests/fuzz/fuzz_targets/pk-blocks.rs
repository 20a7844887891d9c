//! Blocks of the PK protocol, received and answered.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pk_blocks::fuzz_receiver(bytes, std::time::Instant::now()));

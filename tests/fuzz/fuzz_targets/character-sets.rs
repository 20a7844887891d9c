//! Bytes to text by every character set.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    character_sets::fuzz::fuzz_decode(bytes);
});

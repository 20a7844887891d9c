//! Delimited exports; the first byte chooses the layout.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    delimited::fuzz_table(bytes);
});

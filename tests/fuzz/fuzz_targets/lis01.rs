//! The LIS01 link: two bytes of settings, then operations.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lis01::fuzz_link(bytes);
});

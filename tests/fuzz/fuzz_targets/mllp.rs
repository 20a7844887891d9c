//! MLLP blocks, received and answered.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    mllp::fuzz::fuzz_receiver(bytes);
    mllp::fuzz::fuzz_sender(bytes, std::time::Instant::now());
});

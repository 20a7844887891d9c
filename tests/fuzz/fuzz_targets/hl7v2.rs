//! HL7 v2 messages, their answers, escapes and paths.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hl7v2::fuzz::fuzz_read(bytes);
    hl7v2::fuzz::fuzz_acknowledge(bytes);
    hl7v2::fuzz::fuzz_escape(bytes);
    hl7v2::fuzz::fuzz_path(bytes);
});

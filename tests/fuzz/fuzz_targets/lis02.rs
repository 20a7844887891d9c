//! LIS02 records whole, and split while frames come in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    lis02::fuzz_records(bytes);
    lis02::fuzz_splitter(bytes);
    lis02::fuzz_unframed(bytes, std::time::Instant::now());
});

//! The benchmarks, with the floors and peers they are held against.

//! Keeps the house: crate arrows, file and function sizes, words, a named test for every law, and a row of data for
//! every worked case.
//!
//! A package of its own, so that it can be asked without building the house: `cargo test -p tidy`. It reads the
//! project's files as text and knows no room.

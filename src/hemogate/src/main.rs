//! hemogate.
fn main() {}

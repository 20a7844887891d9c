//! Hashes as people and signatures name them.

/// Small hexadecimal digits.
pub(crate) fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
}

//! The control bytes of the link (LIS01 §6) and the bytes a frame's text may not hold.

/// Start of a frame.
pub const STX: u8 = 0x02;
/// End of a frame that ends its record.
pub const ETX: u8 = 0x03;
/// End of transmission: the line is neutral again; as an answer to a frame, a request to interrupt.
pub const EOT: u8 = 0x04;
/// Enquiry: asks to send.
pub const ENQ: u8 = 0x05;
/// Positive answer.
pub const ACK: u8 = 0x06;
/// Line feed, the last byte of a frame.
pub const LF: u8 = 0x0A;
/// Carriage return: ends a record inside the text, and stands before the last byte of a frame.
pub const CR: u8 = 0x0D;
/// Negative answer.
pub const NAK: u8 = 0x15;
/// End of a frame whose record goes on in the next one.
pub const ETB: u8 = 0x17;

/// Whether the standard forbids `byte` in a frame's text (LIS01 §6.3.3): SOH STX ETX EOT ENQ ACK LF DLE DC1–DC4
/// NAK SYN ETB. CR is allowed: it ends a record.
#[must_use]
pub fn is_restricted(byte: u8) -> bool {
    matches!(byte, 0x01..=0x06 | LF | 0x10..=0x17)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_restricted_bytes_are_those_of_the_standard() {
        let listed = [1, 2, 3, 4, 5, 6, 10, 16, 17, 18, 19, 20, 21, 22, 23];
        let found: Vec<u8> = (0..=255).filter(|&byte| is_restricted(byte)).collect();
        assert_eq!(found, listed);
    }
}

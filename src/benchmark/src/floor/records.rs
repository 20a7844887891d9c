//! Split and store: every field boundary of a message into one reused list, then the wanted fields read from it.
//! No delimiters but the usual ones, no escapes, no defects, no repeats: a floor, not a parser.

use crate::Values;
use memchr::{memchr2, memchr2_iter};
use std::hint::black_box;

/// What ends a line and what ends a field in HL7 and LIS02.
const RECORDS: (u8, u8) = (b'\r', b'|');

/// Field starts of one message, in order, and which of them start a line.
#[derive(Debug, Default)]
pub(crate) struct Boundaries {
    fields: Vec<u32>,
    lines: Vec<u32>,
}

impl Boundaries {
    /// Finds the end of every field of `message`, by the byte that ends a line and the byte that ends a field.
    pub(crate) fn find(&mut self, message: &[u8], (line_end, separator): (u8, u8)) {
        self.fields.clear();
        self.lines.clear();
        self.fields.push(0);
        self.lines.push(0);
        for at in memchr2_iter(line_end, separator, message) {
            self.fields.push(narrow(at) + 1);
            if message.get(at) == Some(&line_end) {
                self.lines.push(narrow(self.fields.len()) - 1);
            }
        }
        self.fields.push(narrow(message.len()) + 1);
        black_box(&self.fields);
    }

    /// Visits field `nth` (the line's name is field 0) of every line named `name`.
    fn visit(&self, message: &[u8], name: &[u8], nth: usize, values: &mut Values) {
        for line in &self.lines {
            let line = wide(*line);
            let start = self.fields.get(line).map_or(usize::MAX, |start| wide(*start));
            if !message.get(start..).is_some_and(|rest| rest.starts_with(name)) {
                continue;
            }
            let (Some(from), Some(next)) = (self.fields.get(line + nth), self.fields.get(line + nth + 1))
            else {
                continue;
            };
            if let Some(value) = message.get(wide(*from)..wide(*next).saturating_sub(1)) {
                values.visit(value);
            }
        }
    }
}

/// Every OBX-5 of one HL7 message.
pub(crate) fn hl7_values(boundaries: &mut Boundaries, message: &[u8]) -> Values {
    let mut values = Values::default();
    boundaries.find(message, RECORDS);
    boundaries.visit(message, b"OBX|", 5, &mut values);
    values
}

/// Every R-4 of one transfer: frames checked (number, checksum) and joined, then split and stored.
/// `None` for a transfer with a bad frame.
pub(crate) fn transfer_values(
    boundaries: &mut Boundaries,
    text: &mut Vec<u8>,
    transfer: &[u8],
) -> Option<Values> {
    text.clear();
    let mut rest = transfer.strip_prefix(&[0x05])?;
    let mut number = b'1';
    while let Some(body) = rest.strip_prefix(&[0x02]) {
        rest = join_frame(body, number, text)?;
        number = if number == b'7' { b'0' } else { number + 1 };
    }
    let mut values = Values::default();
    boundaries.find(text, RECORDS);
    boundaries.visit(text, b"R|", 3, &mut values);
    (rest == [0x04]).then_some(values)
}

/// What follows the frame whose bytes after STX are `body`; its text is appended to `text`.
fn join_frame<'a>(body: &'a [u8], number: u8, text: &mut Vec<u8>) -> Option<&'a [u8]> {
    let end = memchr2(0x03, 0x17, body)?;
    let (summed, tail) = body.split_at_checked(end + 1)?;
    let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let [high, low, b'\r', b'\n', rest @ ..] = tail else { return None };
    let sent = hex(*high).wrapping_mul(16).wrapping_add(hex(*low));
    text.extend_from_slice(summed.get(1..end)?);
    (sum == sent && summed.first() == Some(&number)).then_some(rest)
}

fn hex(digit: u8) -> u8 {
    if digit <= b'9' { digit.wrapping_sub(b'0') } else { digit.wrapping_sub(b'A' - 10) }
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX - 1)
}

fn wide(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_obx_5_is_visited_whole_and_nothing_else() {
        let message = b"MSH|^~\\&|A\rOBX|1|NM|c||12~34|u\rNTE|1|x|||no\rOBX|2|ST|c||AB\r";
        let values = hl7_values(&mut Boundaries::default(), message);
        let sum = |text: &[u8]| text.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        assert_eq!(values, Values { count: 2, sum: sum(b"12~34") + sum(b"AB") });
    }

    #[test]
    fn a_transfer_with_one_flipped_bit_has_no_values() {
        let good = crate::corpus::transfers(1, 1).messages().next().unwrap().to_vec();
        let read = |bytes: &[u8]| transfer_values(&mut Boundaries::default(), &mut Vec::new(), bytes);
        assert!(read(&good).is_some_and(|values| values.count > 2));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert_eq!(read(&bad), None, "byte {at}");
        }
    }
}

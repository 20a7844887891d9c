//! LIS02 messages as immunoassay and grouping analysers send them, and the LIS01 frames that carry them.

use super::random::Random;
use std::fmt::Write as _;

const FRAME_TEXT_BYTES_MAX: usize = 240;

const TESTS: [(&str, &str, &str, &str); 8] = [
    ("118", "HBsAg Qual II", "S/CO", "0.00 to 1.00"),
    ("106", "Anti-HCV", "S/CO", "0.00 to 1.00"),
    ("722", "HIV Ag/Ab Combo", "S/CO", "0.00 to 1.00"),
    ("233", "Syphilis TP", "S/CO", "0.00 to 1.00"),
    ("133", "Anti-HBs 3", "mIU/mL", "0.00 to 10.00"),
    ("ALT", "ALT", "U/L", "7.00 to 50.00"),
    ("HTL", "rHTLV-I/II", "S/CO", "0.00 to 1.00"),
    ("COR", "Anti-HBc II", "S/CO", "0.00 to 1.00"),
];
const NOTES: [&str; 4] = ["LLS^level sense", "稀释 1:2", "see &F& worklist &S& 4", "clot suspected?"];
const LONG_NOTE: &str = "Aspiration pressure left the expected band during the second \
    replicate; the module repeated the pipetting with a new tip, and the result was calculated from replicates two \
    and three. Please review the reaction curve on the analyser before the result is used, and keep the tube.";

/// One message, `H` to `L`, every record ended by CR.
pub(super) fn message(random: &mut Random, number: u64) -> String {
    let mut text = String::with_capacity(6_000);
    let at = random.moment();
    let serial = random.between(10_000, 99_999);
    record(
        &mut text,
        format_args!("H|\\^&|{number}||ANALYSER^9.45^iSR{serial}^H1P1O1R1C1Q1L1|||||||P|1|{at}"),
    );
    let donor = random.between(1_000_000, 9_999_999);
    record(
        &mut text,
        format_args!(
            "P|1||{donor}|D{donor}|{}^{}||19850{}12|{}|||||{}^王芳|||||||||||BUS{}",
            random.pick(&["张", "Müller", "李"]),
            random.pick(&["伟", "Anna", "秀英"]),
            random.between(1, 9),
            random.pick(&["M", "F"]),
            random.between(1000, 9999),
            random.between(1, 9)
        ),
    );
    let results = random.between(1, 14);
    let din = format!("G123426{:06}", random.between(0, 999_999));
    let mut tests = String::new();
    for nth in 0..results.min(8) {
        let place = usize::try_from(nth).unwrap_or(0);
        let (code, name, ..) = TESTS.get(place).copied().unwrap_or_default();
        let repeat = if nth == 0 { "" } else { "\\" };
        // Writing to a String cannot fail.
        if write!(tests, "{repeat}^^^{code}^{name}^UNDILUTED^P").is_err() {
            break;
        }
    }
    let (carrier, position) = (random.between(100, 999), random.between(1, 5));
    record(
        &mut text,
        format_args!("O|1|{din}|{din}^A{carrier}^{position}|{tests}|R||{at}||||||||S||||||||||F"),
    );
    for nth in 1..=results {
        rows(&mut text, random, nth, &at, serial);
    }
    record(&mut text, format_args!("L|1|N"));
    text
}

/// The number, its interpretation and the primary signal: three rows a result, as the ARCHITECT family sends them.
fn rows(text: &mut String, random: &mut Random, nth: u64, at: &str, serial: u64) {
    let (code, name, unit, range) = random.pick(&TESTS);
    let lot = random.between(10_000, 99_999);
    let value = random.hundredths(3, 240);
    let word = random.pick(&["Nonreactive", "Nonreactive", "Reactive", "GRAYZONE"]);
    let signal = random.between(200, 999_999);
    let who = random.pick(&["ADMIN^ADMIN", "王芳^AUTO", "OP2"]);
    let first = nth * 3 - 2;
    let id = format!("^^^{code}^{name}^UNDILUTED^P^{lot}LI00^0{lot}^");
    let tail = format!("F||{who}|{at}|{at}|iSR{serial}");
    record(
        text,
        format_args!("R|{first}|{id}^F|{value}|{unit}|{range}|{}||{tail}", random.pick(&["", "", "H"])),
    );
    record(text, format_args!("R|{}|{id}^I|{word}||||{}|{tail}", first + 1, random.pick(&["", "N"])));
    record(text, format_args!("R|{}|{id}^P|{signal}|RLU||||{tail}", first + 2));
    if random.chance(8) {
        record(text, format_args!("C|1|I|{}|I", random.pick(&NOTES)));
    } else if random.chance(6) {
        record(text, format_args!("C|1|I|{LONG_NOTE}|G"));
    }
}

fn record(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    if text.write_fmt(content).is_ok() {
        text.push('\r');
    }
}

/// One LIS01 transfer: ENQ, the records in frames (a record a group of frames, the last ended by ETX), EOT.
pub(super) fn transfer(message: &[u8], line: &mut Vec<u8>) {
    let mut number = 1;
    line.push(0x05);
    for record in message.split_inclusive(|byte| *byte == b'\r') {
        let mut pieces = record.chunks(FRAME_TEXT_BYTES_MAX).peekable();
        while let Some(piece) = pieces.next() {
            let end = if pieces.peek().is_some() { 0x17 } else { 0x03 };
            frame(number, piece, end, line);
            number = (number + 1) % 8;
        }
    }
    line.push(0x04);
}

fn frame(number: u8, text: &[u8], end: u8, line: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let digit = b'0' + number;
    let sum = text.iter().fold(digit.wrapping_add(end), |sum, byte| sum.wrapping_add(*byte));
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    line.extend_from_slice(&[0x02, digit]);
    line.extend_from_slice(text);
    line.extend_from_slice(&[end, hex(sum >> 4), hex(sum & 15), b'\r', b'\n']);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_carry_the_checksums_of_protocol_examples() {
        for (number, text, checksum) in
            [(1, "Test", "D4"), (1, "H|\\^&||||||||||P||20210108143403\r", "C2"), (0, "L|1|N\r", "03")]
        {
            let mut line = Vec::new();
            frame(number, text.as_bytes(), 0x03, &mut line);
            let tail = &line[line.len() - 4..];
            assert_eq!(tail, format!("{checksum}\r\n").as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn every_message_ends_with_its_terminator_record() {
        let mut random = Random::new(9);
        for number in 1..200 {
            let message = message(&mut random, number);
            assert!(message.starts_with("H|\\^&|") && message.ends_with("\rL|1|N\r"), "{message}");
            assert!(message.contains("\rR|3|"), "{message}");
        }
    }
}

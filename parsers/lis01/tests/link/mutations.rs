//! A million scripts, grown from good ones by seeded mutation: no panic, no hang, no more memory than allowed, no byte
//! while a frame is with the caller (all watched by the fuzz entry point itself).

use lis01::fuzz_link;

const INPUTS: u32 = 1_000_000;
const SCRIPT_BYTES_MAX: usize = 200;

/// Scripts that reach every state: see the operations of `fuzz_link`.
fn seeds() -> Vec<Vec<u8>> {
    const ENQ: u8 = 0xB0;
    const EOT: u8 = 0xB1;
    const ACK: u8 = 0xB2;
    const NAK: u8 = 0xB3;
    const ACCEPT: u8 = 0xD0;
    const REFUSE: u8 = 0xE8;
    const LOSE: u8 = 0xEC;
    const LATE: u8 = 0xC7;
    let end =
        |number: u8, text: &[u8]| [&[0x80 | number, u8::try_from(text.len()).unwrap()][..], text].concat();
    let raw = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()][..], bytes].concat();
    let send = |records: &[u8]| [&[0xF0, u8::try_from(records.len()).unwrap()][..], records].concat();
    let receive = [&[0, 0, ENQ][..], &end(1, b"H|\r"), &[ACCEPT], &end(2, b"L|1\r"), &[ACCEPT, EOT]].concat();
    let parts = [&[0, 2, ENQ][..], &end(9, b"long "), &[ACCEPT], &end(2, b"er\r"), &[REFUSE]].concat();
    let late =
        [&[0, 0, ENQ][..], &end(1, b"A\r"), &[LATE], &end(1, b"A\r"), &[ACCEPT], &end(1, b"A\r")].concat();
    let lost = [&[0, 4, ENQ][..], &end(1, b"A\r"), &[LOSE], &end(2, b"B\r"), &[LATE, LATE, 0xC9]].concat();
    let damaged =
        [&[0, 0, ENQ][..], &raw(b"\x021A\x03"), &raw(b"75\r\n"), &raw(b"\x04\x05"), &[LATE]].concat();
    let sends = [&[0x20, 2][..], &send(b"H|1\rL\r"), &[ACK, ACK, NAK, ACK, EOT, ACK, ACK, LATE]].concat();
    let contends =
        [&[1, 0][..], &send(b"A\r"), &[ENQ, 0xC4, ACK, NAK, NAK, NAK, NAK, NAK, NAK, LATE]].concat();
    let busy = [&[0, 0, 0xF9, ENQ, 0xF8][..], &send(b"A\r"), &[NAK, LATE, 0xC8, ACK, 0xFE, ENQ]].concat();
    let loose = [&[0x0A, 1, ENQ][..], &end(5, b"A"), &[ACCEPT], &end(5, b"B"), &[0xFC, ACCEPT, EOT]].concat();
    let bare =
        [&[0x14, 0, ENQ][..], &raw(b"\x02A\x03\r\n"), &[ACCEPT], &raw(b"noise\x02A\x03xx\r\n")].concat();
    vec![receive, parts, late, lost, damaged, sends, contends, busy, loose, bare]
}

fn mutate(script: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut fastrand::Rng) {
    let at = rng.usize(0..=script.len());
    match rng.u8(0..7) {
        0 if at < script.len() => script[at] ^= 1 << rng.u8(0..8),
        1 if at < script.len() => script[at] = rng.u8(..),
        2 if at < script.len() => drop(script.remove(at)),
        3 => script
            .insert(at, *rng.choice([2, 3, 4, 5, 6, 0x15, 0x17, 0xB0, 0xB1, 0xC7, 0xD0]).as_ref().unwrap()),
        4 => {
            let from = rng.usize(0..=at);
            let copy = script[from..at].to_vec();
            script.splice(at..at, copy);
        }
        5 => {
            let other = rng.choice(seeds).unwrap();
            script.splice(at.., other[rng.usize(0..other.len())..].iter().copied());
        }
        _ => script.insert(at, rng.u8(..)),
    }
    script.truncate(SCRIPT_BYTES_MAX);
}

#[test]
fn a_million_mutated_scripts_break_no_promise() {
    let seeds = seeds();
    let mut rng = fastrand::Rng::with_seed(0x1381);
    let mut script = Vec::new();
    for input in 0..INPUTS {
        if input % 16 == 0 {
            script.clone_from(&seeds[rng.usize(0..seeds.len())]);
        }
        mutate(&mut script, &seeds, &mut rng);
        fuzz_link(&script);
    }
}

#[test]
fn the_seeds_themselves_and_the_empty_script_play() {
    for seed in seeds() {
        fuzz_link(&seed);
    }
    fuzz_link(b"");
}

//! From bytes to every value, on one thread, counted in CPU time.

use super::repeat;
use crate::contest::{Engine, FLOOR, Measurement, contest, number};
use crate::corpus::{self, Corpus};
use crate::floor::{self, Boundaries};
use crate::{BenchError, Options, Values};

const WANTED: f64 = 0.5;

/// Every OBX-5 of HL7 v2 messages.
pub(crate) fn hl7(options: &Options) -> Result<Measurement, BenchError> {
    let corpus = corpus::hl7(options.seed, options.corpus_bytes);
    let megabytes = number(corpus.len_bytes()) / 1e6;
    let mut boundaries = Boundaries::default();
    let engines = vec![Engine::new(FLOOR, || {
        repeat(options.slice, megabytes, || Ok(hl7_floor(&mut boundaries, &corpus)))
    })];
    contest("HL7 v2: every OBX-5", "MB/CPU-s", Some(WANTED), engines, options.rounds)
}

fn hl7_floor(boundaries: &mut Boundaries, corpus: &Corpus) -> Values {
    let mut values = Values::default();
    for message in corpus.messages() {
        values += floor::hl7_values(boundaries, message);
    }
    values
}

/// Every R-4 of LIS02 messages in LIS01 frames.
pub(crate) fn transfers(options: &Options) -> Result<Measurement, BenchError> {
    let corpus = corpus::transfers(options.seed, options.corpus_bytes);
    let megabytes = number(corpus.len_bytes()) / 1e6;
    let (mut boundaries, mut text) = (Boundaries::default(), Vec::new());
    let engines = vec![Engine::new(FLOOR, || {
        repeat(options.slice, megabytes, || transfers_floor(&mut boundaries, &mut text, &corpus))
    })];
    contest("LIS01 + LIS02: every R-4", "MB/CPU-s", Some(WANTED), engines, options.rounds)
}

fn transfers_floor(
    boundaries: &mut Boundaries,
    text: &mut Vec<u8>,
    corpus: &Corpus,
) -> Result<Values, BenchError> {
    let mut values = Values::default();
    for transfer in corpus.messages() {
        values += floor::transfer_values(boundaries, text, transfer).ok_or_else(|| BenchError::Part {
            what: "read a transfer of the corpus".to_owned(),
            why: "a frame is bad".to_owned(),
        })?;
    }
    Ok(values)
}

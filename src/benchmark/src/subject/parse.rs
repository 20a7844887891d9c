//! From bytes to every value, on one thread, counted in CPU time.

use super::repeat;
use crate::contest::{Engine, FLOOR, Measurement, OURS, Wanted, contest, number};
use crate::corpus::{self, Corpus};
use crate::floor::{self, Boundaries};
use crate::{BenchError, Options, Values};
use character_sets::{CharacterSet, Choice};
use lis01::{Event, FrameEnd, Link};
use std::time::Instant;

const WANTED: Wanted = Wanted::AtLeast(0.5);

/// Every OBX-5 of HL7 v2 messages.
pub(crate) fn hl7(options: &Options) -> Result<Measurement, BenchError> {
    let corpus = corpus::hl7(options.seed, options.corpus_bytes);
    let megabytes = number(corpus.len_bytes()) / 1e6;
    let (mut boundaries, mut index) = (Boundaries::default(), hl7v2::Index::new());
    let engines = vec![
        Engine::new(FLOOR, || {
            repeat(options.slice, megabytes, || Ok(Some(hl7_floor(&mut boundaries, &corpus))))
        }),
        Engine::new(OURS, || repeat(options.slice, megabytes, || Ok(Some(hl7_ours(&mut index, &corpus))))),
    ];
    contest("HL7 v2: every OBX-5", "MB/CPU-s", Some(WANTED), engines, options.rounds)
}

fn hl7_floor(boundaries: &mut Boundaries, corpus: &Corpus) -> Values {
    let mut values = Values::default();
    for message in corpus.messages() {
        values += floor::hl7_values(boundaries, message);
    }
    values
}

/// From bytes: the character set is found and the text decoded first, as for any message.
fn hl7_ours(index: &mut hl7v2::Index, corpus: &Corpus) -> Values {
    let mut values = Values::default();
    for message in corpus.messages() {
        let decoded = hl7v2::decode(message, None, CharacterSet::Gb18030);
        for segment in index.read(&decoded.text).named("OBX") {
            if let Some(field) = segment.field(5) {
                values.visit(field.raw().as_bytes());
            }
        }
    }
    values
}

/// Every R-4 of LIS02 messages in LIS01 frames.
pub(crate) fn transfers(options: &Options) -> Result<Measurement, BenchError> {
    let corpus = corpus::transfers(options.seed, options.corpus_bytes);
    let megabytes = number(corpus.len_bytes()) / 1e6;
    let (mut boundaries, mut text) = (Boundaries::default(), Vec::new());
    let mut reader = Reader::new();
    let engines = vec![
        Engine::new(FLOOR, || {
            repeat(options.slice, megabytes, || {
                transfers_floor(&mut boundaries, &mut text, &corpus).map(Some)
            })
        }),
        Engine::new(OURS, || repeat(options.slice, megabytes, || Ok(Some(reader.read(&corpus))))),
    ];
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

/// The link machine, the join of its frames and the index of the records, as a connection has them.
struct Reader {
    link: Link<()>,
    joined: Vec<u8>,
    index: lis02::Index,
    now: Instant,
}

impl Reader {
    fn new() -> Self {
        let link = Link::new(lis01::Config::default());
        Self { link, joined: Vec::new(), index: lis02::Index::new(), now: Instant::now() }
    }

    fn read(&mut self, corpus: &Corpus) -> Values {
        let mut values = Values::default();
        for transfer in corpus.messages() {
            let mut rest = transfer;
            while !rest.is_empty() {
                let taken = self.link.handle_input(rest, self.now);
                rest = rest.get(taken..).unwrap_or_default();
                self.take_events(&mut values);
            }
        }
        values
    }

    fn take_events(&mut self, values: &mut Values) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Frame(frame) => {
                    lis02::join_frame(&mut self.joined, &frame.text, frame.end == FrameEnd::End);
                    self.link.accept(frame.ticket, (), self.now);
                }
                Event::TransferEnded(_) => self.take_message(values),
                Event::TransferStarted
                | Event::Repeated { .. }
                | Event::InterruptRequested { .. }
                | Event::Sent(_)
                | Event::SendFailed { .. }
                | Event::Contention
                | Event::HangUp(_)
                | Event::Anomaly(_) => {}
            }
            while self.link.poll_transmit().is_some() {}
        }
    }

    fn take_message(&mut self, values: &mut Values) {
        let decoded = character_sets::decode(&self.joined, &Choice::default());
        for record in self.index.read(&decoded.text).records() {
            if record.kind() == lis02::RecordType::Result
                && let Some(field) = record.field(4)
            {
                values.visit(field.part().raw().as_bytes());
            }
        }
        self.joined.clear();
    }
}

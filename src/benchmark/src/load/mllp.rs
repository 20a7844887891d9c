//! MLLP load: C connections, each with D messages unanswered.

use super::{Seen, Slice};
use crate::corpus::Corpus;
use memchr::memmem;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages ready to be sent, each with the id its answer has to name.
#[derive(Debug)]
pub(crate) struct MllpLoad {
    messages: Vec<(Vec<u8>, Vec<u8>)>,
}

impl MllpLoad {
    pub(crate) fn new(corpus: &Corpus) -> Self {
        let framed = |message: &[u8]| [&[0x0b], message, &[0x1c, 0x0d]].concat();
        Self { messages: corpus.messages().map(|message| (framed(message), control_id(message))).collect() }
    }

    /// Loads the server at `address` until the slice is over.
    pub(crate) async fn run(
        self: &Arc<Self>,
        address: SocketAddr,
        connections: usize,
        outstanding: usize,
        slice: Slice,
    ) -> Seen {
        let mut tasks = tokio::task::JoinSet::new();
        for first in 0..connections {
            let load = Arc::clone(self);
            tasks.spawn(async move {
                let mut seen = Seen::default();
                let walk = Walk { next: first, step: connections, depth: outstanding };
                if let Err(fault) = load.converse(address, walk, slice, &mut seen).await {
                    seen.fault(|| fault.to_string());
                }
                seen
            });
        }
        let mut all = Seen::default();
        for seen in tasks.join_all().await {
            all.join(seen);
        }
        all
    }

    async fn converse(
        &self,
        address: SocketAddr,
        mut walk: Walk,
        slice: Slice,
        seen: &mut Seen,
    ) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut unanswered = Unanswered::default();
        let (mut batch, mut received) = (Vec::new(), Vec::with_capacity(64 * 1024));
        loop {
            batch.clear();
            while unanswered.len() < walk.depth && !slice.is_over(Instant::now()) {
                let Some((message, id)) = self.messages.get(walk.next % self.messages.len()) else { break };
                walk.next += walk.step;
                batch.extend_from_slice(message);
                unanswered.sent(id.clone(), Instant::now());
            }
            if unanswered.len() == 0 {
                return Ok(());
            }
            stream.write_all(&batch).await?;
            received.reserve(16 * 1024);
            let read = tokio::time::timeout(ANSWER_TIMEOUT, stream.read_buf(&mut received)).await;
            if !matches!(read, Ok(Ok(1..))) {
                seen.lost += u64::try_from(unanswered.len()).unwrap_or(u64::MAX);
                seen.fault(|| format!("no answer: {read:?}"));
                return Ok(());
            }
            let taken = settle_all(&received, &mut unanswered, slice, seen);
            received.drain(..taken);
        }
    }
}

/// Where a connection is in the corpus.
#[derive(Debug, Clone, Copy)]
struct Walk {
    next: usize,
    step: usize,
    depth: usize,
}

fn settle_all(received: &[u8], unanswered: &mut Unanswered, slice: Slice, seen: &mut Seen) -> usize {
    let mut taken = 0;
    while let Some(block) = received.get(taken..) {
        let Some(end) = memmem::find(block, b"\x1c\r") else { break };
        let now = Instant::now();
        match unanswered.settle(block.get(..end).unwrap_or_default(), now) {
            Ok(took) if slice.counts(now) => {
                seen.acknowledged += 1;
                seen.latencies.add(took);
            }
            Ok(_) => {}
            Err(wrong) => {
                seen.wrong += 1;
                seen.fault(|| wrong.to_string());
            }
        }
        taken += end + 2;
    }
    taken
}

/// What was sent and not answered yet, oldest first.
#[derive(Debug, Default)]
struct Unanswered(VecDeque<(Vec<u8>, Instant)>);

/// An answer that acknowledges nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum WrongAnswer {
    #[error("an answer came though every message had one")]
    Unasked,
    #[error("an answer without an MSA segment")]
    NoMsa,
    #[error("message {id} was answered with {code:?}")]
    Refused { id: String, code: String },
    #[error("the answer names {named:?}, but the oldest unanswered message is {oldest:?}")]
    OtherMessage { named: String, oldest: String },
}

impl Unanswered {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn sent(&mut self, id: Vec<u8>, at: Instant) {
        self.0.push_back((id, at));
    }

    /// The answer belongs to the oldest unanswered message or to none: answers come in the order of the messages.
    fn settle(&mut self, answer: &[u8], now: Instant) -> Result<Duration, WrongAnswer> {
        let (oldest, sent) = self.0.pop_front().ok_or(WrongAnswer::Unasked)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let msa =
            memmem::find(answer, b"\rMSA|").and_then(|at| answer.get(at + 5..)).ok_or(WrongAnswer::NoMsa)?;
        let mut fields = msa.split(|byte| matches!(byte, b'|' | b'\r'));
        let (code, named) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        if !matches!(code, b"AA" | b"CA") {
            return Err(WrongAnswer::Refused { id: text(&oldest), code: text(code) });
        }
        if named != oldest {
            return Err(WrongAnswer::OtherMessage { named: text(named), oldest: text(&oldest) });
        }
        Ok(now - sent)
    }
}

/// MSH-10, the field after the ninth separator.
fn control_id(message: &[u8]) -> Vec<u8> {
    message.split(|byte| *byte == b'|').nth(9).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, expect: &Result<(), WrongAnswer>) {
        let mut unanswered = Unanswered::default();
        let now = Instant::now();
        unanswered.sent(b"M1".to_vec(), now);
        unanswered.sent(b"M2".to_vec(), now);
        assert_eq!(&unanswered.settle(answer.as_bytes(), now).map(|_| ()), expect, "{answer:?}");
        assert_eq!(unanswered.len(), 1, "an answer, right or wrong, takes its place in the order");
    }

    #[test]
    fn only_an_accepting_answer_to_the_oldest_message_counts() {
        let refused = |code: &str| Err(WrongAnswer::Refused { id: "M1".into(), code: code.into() });
        let other = |named: &str| Err(WrongAnswer::OtherMessage { named: named.into(), oldest: "M1".into() });
        for (answer, expect) in [
            ("\x0bMSH|^~\\&|A\rMSA|AA|M1\r", Ok(())),
            ("\x0bMSH|^~\\&|A\rMSA|CA|M1|accepted|||0|\r", Ok(())),
            ("\x0bMSH|^~\\&|A\rMSA|AA|M1", Ok(())),
            ("\x0bMSH|^~\\&|A\rMSA|AE|M1\r", refused("AE")),
            ("\x0bMSH|^~\\&|A\rMSA|AR|M1\r", refused("AR")),
            ("\x0bMSH|^~\\&|A\rMSA||M1\r", refused("")),
            ("\x0bMSH|^~\\&|A\rMSA|AA|M2\r", other("M2")),
            ("\x0bMSH|^~\\&|A\rMSA|AA|M11\r", other("M11")),
            ("\x0bMSH|^~\\&|A\rMSA|AA|M\r", other("M")),
            ("\x0bMSH|^~\\&|A\rMSA|AA\r", other("")),
            ("\x0bMSH|^~\\&|MSA|AA|M1\r", Err(WrongAnswer::NoMsa)),
            ("", Err(WrongAnswer::NoMsa)),
        ] {
            check(answer, &expect);
        }
    }

    #[test]
    fn an_answer_to_nothing_is_wrong() {
        let answer = b"\x0bMSH|^~\\&|A\rMSA|AA|M1\r";
        assert_eq!(Unanswered::default().settle(answer, Instant::now()), Err(WrongAnswer::Unasked));
    }
}

//! One analyser at work, with a clock on every answer.

use super::{Histogram, Part, pace::Pace};
use crate::BenchError;
use lis01::{FrameEnd, FrameNumber, encode_frame};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vocabulary::Protocol;

const ENQ: u8 = 0x05;
const EOT: u8 = 0x04;
const ACK: u8 = 0x06;
/// The end of a block and of its answer.
const BLOCK_END: &[u8] = b"\x1c\r";
/// As long as the standard lets a sender wait (LIS01-A2 §6.5.2.2), and analysers with HL7 at least do.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// A frame is sent six times in all (LIS01-A2 §6.5.1.2).
const TRIES_MAX: u32 = 6;
/// Text in one frame.
const FRAME_TEXT_BYTES: usize = 240;
/// An answer in HL7 is longer than any real one.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A message of a connection, as the reckoning knows it.
pub(super) type MessageKey = (String, [u8; 16]);

/// What an analyser saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Frames and enquiries, or blocks, that were answered.
    pub(super) frames: u64,
    /// Messages acknowledged.
    pub(super) messages: u64,
    /// Negative answers.
    pub(super) refused: u64,
    /// Time from the last byte written to the answer's last.
    pub(super) answers: Histogram,
    /// How often each message was acknowledged.
    pub(super) acknowledged: HashMap<MessageKey, u64>,
    /// The first thing that went wrong, in words.
    pub(super) first_fault: Option<String>,
}

pub(super) struct Instrument {
    address: SocketAddr,
    part: Part,
    pace: Pace,
    until: Instant,
    next: usize,
    seen: Seen,
}

impl Instrument {
    pub(super) fn new(
        address: SocketAddr,
        part: Part,
        seed: u64,
        until: Instant,
    ) -> Result<Self, BenchError> {
        let what = || format!("let {} ({}) send", part.connection, part.profile);
        match part.protocol {
            Protocol::Lis02 | Protocol::Hl7v2 if part.messages.is_empty() => {
                Err(BenchError::Part { what: what(), why: "it has no messages".to_owned() })
            }
            Protocol::Lis02 | Protocol::Hl7v2 => {
                Ok(Self { address, part, pace: Pace::new(seed), until, next: 0, seen: Seen::default() })
            }
            Protocol::Delimited => Err(BenchError::Part {
                what: what(),
                why: "it writes files and waits for no answer".to_owned(),
            }),
            Protocol::PkBlocks => {
                Err(BenchError::Part { what: what(), why: "its blocks are not answered".to_owned() })
            }
        }
    }

    /// Works until the time is over, and ends between two transfers.
    pub(super) async fn work(mut self) -> Seen {
        if let Err(error) = self.day().await {
            let fault = format!("{}: {error}", self.part.connection);
            self.seen.first_fault.get_or_insert(fault);
        }
        self.seen
    }

    async fn day(&mut self) -> io::Result<()> {
        let mut line: Option<TcpStream> = None;
        loop {
            let stretch = self.pace.stretch();
            tokio::time::sleep_until((Instant::now() + stretch.pause).min(self.until).into()).await;
            if stretch.connect_anew {
                line = None;
            }
            for _ in 0..stretch.transfers {
                if Instant::now() >= self.until {
                    return Ok(());
                }
                let line = match &mut line {
                    Some(line) => line,
                    none => none.insert(connect(self.address).await?),
                };
                let count = self.pace.messages(self.part.per_transfer);
                match self.part.protocol {
                    Protocol::Lis02 => self.transfer(line, count).await?,
                    Protocol::Hl7v2 | Protocol::Delimited | Protocol::PkBlocks => self.block(line).await?,
                }
            }
        }
    }

    fn message(&mut self) -> Vec<u8> {
        let message = self.part.messages.get(self.next % self.part.messages.len().max(1));
        self.next += 1;
        message.cloned().unwrap_or_default()
    }

    fn acknowledged(&mut self, message: &[u8]) {
        self.seen.messages += 1;
        let key = (self.part.connection.clone(), digest(message));
        *self.seen.acknowledged.entry(key).or_default() += 1;
    }

    async fn transfer(&mut self, line: &mut TcpStream, count: usize) -> io::Result<()> {
        let messages: Vec<Vec<u8>> = (0..count).map(|_| self.message()).collect();
        self.byte_answer(line, &[ENQ]).await?;
        let mut number = FrameNumber::new(1);
        for message in &messages {
            for record in message.split_inclusive(|byte| *byte == b'\r') {
                let pieces = record.chunks(FRAME_TEXT_BYTES);
                let last = pieces.len().saturating_sub(1);
                for (nth, piece) in pieces.enumerate() {
                    let end = if nth == last { FrameEnd::End } else { FrameEnd::Intermediate };
                    self.byte_answer(line, &encode_frame(number, end, piece)).await?;
                    number = number.map(FrameNumber::next);
                }
            }
        }
        line.write_all(&[EOT]).await?;
        for message in &messages {
            self.acknowledged(message);
        }
        Ok(())
    }

    /// Sends an enquiry or a frame until it is acknowledged.
    async fn byte_answer(&mut self, line: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        for _ in 0..TRIES_MAX {
            line.write_all(bytes).await?;
            let sent = Instant::now();
            let answer = in_time(line.read_u8()).await?;
            self.answered(sent);
            if answer == ACK {
                return Ok(());
            }
            self.seen.refused += 1;
            self.seen.first_fault.get_or_insert_with(|| {
                format!("{}: {answer:#04x} answers {}", self.part.connection, bytes.escape_ascii())
            });
        }
        Err(io::Error::other("a frame was refused as often as it may be sent"))
    }

    fn answered(&mut self, sent: Instant) {
        self.seen.frames += 1;
        self.seen.answers.add(sent.elapsed());
    }

    /// Sends a message until it is accepted.
    async fn block(&mut self, line: &mut TcpStream) -> io::Result<()> {
        let message = self.message();
        let wanted = control_id(&message);
        for _ in 0..TRIES_MAX {
            line.write_all(&mllp::frame(&message)).await?;
            let sent = Instant::now();
            let answer = in_time(read_block(line)).await?;
            self.answered(sent);
            let (code, named) = acknowledgement(&answer);
            if named != wanted {
                return Err(io::Error::other(format!("message {wanted} is answered for {named:?}")));
            }
            if matches!(code.as_str(), "AA" | "CA") {
                self.acknowledged(&message);
                return Ok(());
            }
            self.seen.refused += 1;
            self.seen.first_fault.get_or_insert(format!("{}: {code} answers {wanted}", self.part.connection));
        }
        Err(io::Error::other("a message was refused as often as it may be sent"))
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let line = TcpStream::connect(address).await?;
    line.set_nodelay(true)?;
    Ok(line)
}

async fn in_time<T>(answer: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::other(format!("no answer within {ANSWER_TIMEOUT:?}"));
    tokio::time::timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| late())?
}

/// One answer; analysers here have one message under way, so that nothing follows it.
async fn read_block(line: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    while !answer.ends_with(BLOCK_END) {
        if line.read_buf(&mut answer).await? == 0 || answer.len() > ANSWER_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(answer)
}

/// MSA-1 and MSA-2.
fn acknowledgement(answer: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(answer);
    let msa = text.split('\r').find(|segment| segment.starts_with("MSA|")).unwrap_or_default();
    let field = |nth| msa.split('|').nth(nth).unwrap_or_default().to_owned();
    (field(1), field(2))
}

/// MSH-10.
fn control_id(message: &[u8]) -> String {
    String::from_utf8_lossy(message).split('|').nth(9).unwrap_or_default().to_owned()
}

/// Tells messages apart; nobody here wants to make two alike.
pub(super) fn digest(message: &[u8]) -> [u8; 16] {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    const OFFSET: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    // FNV-1a, 128 bits.
    let hash = message.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    hash.to_be_bytes()
}

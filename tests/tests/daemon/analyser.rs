//! Analysers as the tests need them: they remember byte for byte what they sent and what was acknowledged.

use lis01::{FrameEnd, FrameNumber, encode_frame};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    time::Duration,
};

pub(crate) const ENQ: u8 = 0x05;
pub(crate) const ACK: u8 = 0x06;
pub(crate) const EOT: u8 = 0x04;
pub(crate) const NAK: u8 = 0x15;

/// Silence beyond this is a fault: a LIS01 sender gives up after 15 s, and an answer needs some time to arrive.
pub(crate) const SILENCE_MAX: Duration = Duration::from_millis(15_500);
/// As often as the standard lets a sender repeat a frame.
const TRIES_MAX: usize = 6;

/// A transfer as it was sent, and how far it was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub(crate) connection: String,
    pub(crate) frames: Vec<(FrameEnd, Vec<u8>)>,
    /// Bytes of the joined text that are whole messages; what is behind them is none.
    pub(crate) messages: Vec<Range<usize>>,
    /// So many frames were acknowledged.
    pub(crate) acknowledged: usize,
}

impl Transfer {
    /// Of `messages` messages, then `records` records of one that has no end. Every record carries `tag`.
    pub(crate) fn new(connection: &str, tag: &str, messages: usize, unfinished: usize) -> Self {
        let mut frames = Vec::new();
        let mut ranges = Vec::new();
        let mut at = 0;
        for message in 0..=messages {
            let records = records(&format!("{tag}-{message}"));
            let whole = message < messages;
            let some = if whole { records.len() } else { unfinished.min(records.len() - 1) };
            let from = at;
            for (place, record) in records[..some].iter().enumerate() {
                at += record.len();
                if place == 3 {
                    // One record over two frames.
                    let (front, back) = record.split_at(record.len() / 2);
                    frames.push((FrameEnd::Intermediate, front.as_bytes().to_vec()));
                    frames.push((FrameEnd::End, back.as_bytes().to_vec()));
                } else {
                    frames.push((FrameEnd::End, record.as_bytes().to_vec()));
                }
            }
            if whole {
                ranges.push(from..at);
            }
        }
        Self { connection: connection.to_owned(), frames, messages: ranges, acknowledged: 0 }
    }

    /// The joined text of its first `frames` frames.
    pub(crate) fn text(&self, frames: usize) -> Vec<u8> {
        self.frames[..frames].iter().flat_map(|(_, text)| text.clone()).collect()
    }

    /// The bytes of a frame on the line.
    pub(crate) fn encoded(&self, frame: usize) -> Vec<u8> {
        let (end, text) = &self.frames[frame];
        encode_frame(FrameNumber::new(u8::try_from((frame + 1) % 8).unwrap()), *end, text)
    }

    /// Every byte of an undisturbed transfer.
    pub(crate) fn stream(&self) -> Vec<u8> {
        let frames = (0..self.frames.len()).flat_map(|frame| self.encoded(frame));
        std::iter::once(ENQ).chain(frames).chain([EOT]).collect()
    }
}

fn records(tag: &str) -> Vec<String> {
    let assay = "^^^728^HBsAgQ2^UNDILUTED^P^51104LI00^01127^";
    vec![
        format!("H|\\^&|{tag}||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500\r"),
        format!("P|1|{tag}\r"),
        format!("O|1|{tag}|{tag}^U265^1|^^^728^HBsAgQ2^UNDILUTED^P|R||||||||||||||||||||F\r"),
        format!("R|1|{assay}^F|0.12|S/CO||||F||{tag}||20260302090010|iSR03600\r"),
        format!("R|2|{assay}^I|Nonreactive|||||F||{tag}||20260302090010|iSR03600\r"),
        format!("L|1|N|{tag}\r"),
    ]
}

/// A message in a block, as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) connection: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) acknowledged: bool,
}

impl Block {
    /// An ALT result; MSH-10 is `tag`.
    pub(crate) fn new(connection: &str, tag: &str) -> Self {
        let text = format!(
            "MSH|^~\\&|Mindray|BS-600M|||20260302142000||ORU^R01|{tag}|P|2.3.1||||0||ASCII|||\r\
             PID|1||{tag}\rOBR|1|{tag}|5|Mindray^BS-600M|N||20260302141530||||||||serum\r\
             OBX|1|NM|3|ALT|23.000000|U/L|0-40|N|||F||23.000000|20260302141530\r"
        );
        Self { connection: connection.to_owned(), bytes: text.into_bytes(), acknowledged: false }
    }
}

/// A socket to the daemon.
pub(crate) struct Line<S = TcpStream> {
    pub(crate) socket: S,
    answers: Vec<u8>,
}

impl Line {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE_MAX))?;
        Ok(Self::over(socket))
    }
}

impl<S: Read + Write> Line<S> {
    /// Over anything that carries bytes.
    pub(crate) fn over(socket: S) -> Self {
        Self { socket, answers: Vec::new() }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// The next byte; a time-out is silence.
    pub(crate) fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.socket.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// Asks for the line; false when that is refused.
    pub(crate) fn establish(&mut self) -> io::Result<bool> {
        self.write(&[ENQ])?;
        match self.byte()? {
            ACK => Ok(true),
            NAK => Ok(false),
            other => Err(io::Error::other(format!("{other:#04x} answers ENQ"))),
        }
    }

    /// Sends a frame once; whether it was acknowledged.
    pub(crate) fn frame(&mut self, encoded: &[u8]) -> io::Result<bool> {
        self.write(encoded)?;
        match self.byte()? {
            ACK => Ok(true),
            NAK => Ok(false),
            other => Err(io::Error::other(format!("{other:#04x} answers a frame"))),
        }
    }

    /// Plays a transfer, noting each acknowledgement the moment it comes.
    pub(crate) fn transfer(&mut self, transfer: &mut Transfer, mut noted: impl FnMut()) -> io::Result<()> {
        if !self.establish()? {
            return Err(io::Error::other("the line was refused"));
        }
        for frame in 0..transfer.frames.len() {
            let encoded = transfer.encoded(frame);
            let mut tries = 0;
            while !self.frame(&encoded)? {
                tries += 1;
                if tries == TRIES_MAX {
                    self.write(&[EOT])?;
                    return Err(io::Error::other("a frame was refused too often"));
                }
            }
            transfer.acknowledged += 1;
            noted();
        }
        self.write(&[EOT])
    }

    /// The next answer block, without its block characters.
    pub(crate) fn answer(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.answers.windows(2).position(|w| w == [0x1C, 0x0D]) {
                let block: Vec<u8> = self.answers.drain(..end + 2).collect();
                assert_eq!(block[0], 0x0B, "an answer begins with a block character");
                return Ok(String::from_utf8_lossy(&block[1..end]).into_owned());
            }
            let mut bytes = [0; 4096];
            match self.socket.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.answers.extend_from_slice(&bytes[..count]),
            }
        }
    }

    /// Sends blocks one behind the other without waiting, then takes their answers, which come in order.
    pub(crate) fn blocks(&mut self, blocks: &mut [Block], mut noted: impl FnMut()) -> io::Result<()> {
        for block in blocks.iter() {
            self.write(&mllp::frame(&block.bytes))?;
        }
        for block in blocks {
            let answer = self.answer()?;
            block.acknowledged = accepted(&answer, &block.bytes);
            if block.acknowledged {
                noted();
            }
        }
        Ok(())
    }
}

/// MSH-10 of a message.
pub(crate) fn control_id(message: &[u8]) -> String {
    String::from_utf8_lossy(message).split('|').nth(9).unwrap_or_default().to_owned()
}

/// Whether `answer` accepts `message`; an answer to another message is a fault.
fn accepted(answer: &str, message: &[u8]) -> bool {
    let msa = answer.split('\r').find(|s| s.starts_with("MSA|")).expect("an answer has an MSA");
    let fields: Vec<&str> = msa.split('|').collect();
    assert_eq!(fields[2], control_id(message), "answers come in the order of the messages");
    fields[1] == "AA"
}

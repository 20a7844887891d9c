//! The worklist as a test sees it: orders placed over HTTP, and analysers that ask and are told.

use crate::{
    analyser::{ACK, ENQ, EOT, Line, NAK},
    house::{Daemon, until},
};
use lis01::{FrameEnd, FrameNumber, encode_frame};
use serde_json::{Value, json};
use std::time::Duration;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const LF: u8 = 0x0A;
pub(crate) const KNOWN_WITHIN: Duration = Duration::from_mins(1);

impl Daemon {
    /// Places one order; what became of it.
    pub(crate) fn place(&self, id: &str, specimen: &str, assays: &[&str]) -> String {
        let (status, body) =
            self.post("orders", &json!({ "id": id, "specimen": specimen, "assays": assays }));
        assert!((200..300).contains(&status), "{status} {body}");
        body["orders"][0]["outcome"].as_str().unwrap().to_owned()
    }

    /// Waits until an order is so far, and shows it.
    pub(crate) fn order_is(&self, id: &str, state: &str) -> Value {
        let mut order = Value::Null;
        until(&format!("order {id} is {state}"), KNOWN_WITHIN, || {
            order = serde_json::from_slice(&self.ask(&format!("/api/v1/orders/{id}")).1).unwrap_or_default();
            order["state"] == state
        });
        order
    }

    /// What was asked and answered, the oldest first, once there are `count` of it.
    pub(crate) fn asked(&self, count: usize) -> Vec<Value> {
        let mut queries = Vec::new();
        until(&format!("{count} questions are on record"), KNOWN_WITHIN, || {
            queries = self.list("queries");
            queries.len() >= count
        });
        queries.reverse();
        queries
    }

    /// Waits until something has been logged.
    pub(crate) fn logs(&mut self, what: &str) {
        until(&format!("the log says {what:?}"), KNOWN_WITHIN, || {
            self.hear(Duration::ZERO).iter().any(|line| line.contains(what))
        });
    }
}

/// How often an order was told to an analyser, by its history.
pub(crate) fn told(order: &Value) -> usize {
    order["history"].as_array().unwrap().iter().filter(|entry| entry["what"] == "order_sent").count()
}

/// Field `number` of the first segment `name`, MSH counted as the standard does.
pub(crate) fn field<'m>(message: &'m str, name: &str, number: usize) -> &'m str {
    let segment = message.split('\r').find(|s| s.starts_with(name)).unwrap_or_else(|| panic!("{message:?}"));
    let number = if name == "MSH" { number - 1 } else { number };
    segment.split('|').nth(number).unwrap_or_default()
}

/// The frames of a transfer, one record each.
pub(crate) fn frames(records: &[String]) -> Vec<Vec<u8>> {
    let frame = |(at, record): (usize, &String)| {
        let number = FrameNumber::new(u8::try_from((at + 1) % 8).unwrap());
        encode_frame(number, FrameEnd::End, format!("{record}\r").as_bytes())
    };
    records.iter().enumerate().map(frame).collect()
}

impl Line {
    /// Tells records in a transfer of our own.
    pub(crate) fn tell(&mut self, records: &[String]) {
        assert!(self.establish().unwrap(), "the line was refused");
        for frame in frames(records) {
            assert!(self.frame(&frame).unwrap(), "a frame was refused");
        }
        self.write(&[EOT]).unwrap();
    }

    /// Waits for the daemon's ENQ.
    pub(crate) fn called(&mut self) {
        assert_eq!(self.byte().unwrap(), ENQ, "the daemon asks for the line");
    }

    /// One frame of the daemon, as text without its control characters; `None` at the end of the transfer.
    pub(crate) fn hear_frame(&mut self) -> Option<String> {
        match self.byte().unwrap() {
            EOT => return None,
            first => assert_eq!(first, STX, "a frame begins"),
        }
        let mut frame = Vec::new();
        while frame.last() != Some(&LF) {
            frame.push(self.byte().unwrap());
        }
        let text = frame.len() - 5;
        assert_eq!(frame[text], ETX, "our messages fit into end frames: {frame:?}");
        let sum = frame[..=text].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        assert_eq!(format!("{sum:02X}").as_bytes(), &frame[text + 1..text + 3]);
        Some(String::from_utf8(frame[..text].to_vec()).unwrap())
    }

    /// The daemon's next transfer, once the line has been given to it: its records. The frame number `refuse_first`
    /// is refused once before it is accepted.
    pub(crate) fn listen(&mut self, refuse_first: Option<usize>) -> Vec<String> {
        self.write(&[ACK]).unwrap();
        let mut records = Vec::new();
        while let Some(frame) = self.hear_frame() {
            let expected = (records.len() + 1) % 8;
            let (number, record) = frame.split_at(1);
            assert_eq!(number.parse(), Ok(expected), "the number of {frame:?}");
            if refuse_first == Some(records.len() + 1) {
                self.write(&[NAK]).unwrap();
                assert_eq!(self.hear_frame().as_ref(), Some(&frame), "the same frame under its number");
            }
            self.write(&[ACK]).unwrap();
            records.push(record.trim_end_matches('\r').to_owned());
        }
        records
    }

    /// Sends one message.
    pub(crate) fn block(&mut self, message: &str) {
        self.write(&mllp::frame(message.as_bytes())).unwrap();
    }
}

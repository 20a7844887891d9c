//! One message and its answer over a connection that stays open.

use hl7v2::{Acknowledgement, Answer, Index};
use mllp::{Sender, SenderEvent};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

/// What came of sending a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// AA or CA with our control id: the receiver has it.
    Accepted(Vec<u8>),
    /// AE or CE: the message is wrong for it; sending it again unchanged will not help (HL7 2.x §2.9).
    Error(String),
    /// AR or CR: not now; it may be sent again.
    Rejected(String),
    /// No answer of ours in time.
    TimedOut,
}

/// An open connection to a receiver.
pub(crate) struct Exchange {
    socket: TcpStream,
    sender: Sender,
    index: Index,
    /// Answers that belonged to nothing.
    pub(crate) strays: u64,
}

impl Exchange {
    pub(crate) fn new(socket: TcpStream, config: mllp::Config) -> Self {
        Self { socket, sender: Sender::new(config), index: Index::new(), strays: 0 }
    }

    /// Whether the receiver has not closed the connection since its last answer, as many do after each message.
    /// What it sent meanwhile answers nothing.
    pub(crate) fn is_open(&mut self) -> bool {
        let mut buffer = [0; 1024];
        loop {
            match self.socket.try_read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => self.strays += 1,
                Err(e) => return e.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Sends a message and waits for the answer that carries its control id. Every other answer is a stray: it is
    /// counted and never taken for this message's.
    pub(crate) async fn exchange(&mut self, message: &str, control_id: &str) -> io::Result<Outcome> {
        let now = || Instant::now().into_std();
        let id = self.sender.send(message.as_bytes(), now()).map_err(io::Error::other)?;
        let mut buffer = [0; 8192];
        loop {
            while let Some(bytes) = self.sender.poll_transmit() {
                self.socket.write_all(&bytes).await?;
            }
            while let Some(event) = self.sender.poll_event() {
                match event {
                    SenderEvent::Answer { bytes, .. } | SenderEvent::Unasked { bytes } => {
                        if let Some(outcome) = self.judge(&bytes, control_id) {
                            self.sender.settle(id);
                            return Ok(outcome);
                        }
                        self.strays += 1;
                    }
                    SenderEvent::TimedOut { .. } => return Ok(Outcome::TimedOut),
                    SenderEvent::Disconnected { .. } => return Err(io::ErrorKind::ConnectionReset.into()),
                    SenderEvent::Commit { .. } | SenderEvent::Oversize { .. } | SenderEvent::Anomaly(_) => {
                        self.strays += 1;
                    }
                }
            }
            let Some(deadline) = self.sender.poll_timeout() else { return Ok(Outcome::TimedOut) };
            tokio::select! {
                read = self.socket.read(&mut buffer) => match read? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    count => self.take(buffer.get(..count).unwrap_or_default()),
                },
                () = tokio::time::sleep_until(deadline.into()) => self.sender.handle_timeout(now()),
            }
        }
    }

    /// Gives bytes to the machine; what does not fit into its bounded list of events is noise of a broken peer.
    fn take(&mut self, bytes: &[u8]) {
        let taken = self.sender.handle_input(bytes);
        if taken < bytes.len() {
            self.strays += 1;
        }
    }

    fn judge(&mut self, bytes: &[u8], control_id: &str) -> Option<Outcome> {
        let text = String::from_utf8_lossy(bytes);
        let message = self.index.read(&text);
        let answer = Acknowledgement::read(&message).ok()?;
        if answer.control_id != control_id {
            return None;
        }
        let said = || answer.text.to_string();
        Some(match answer.answer {
            Answer::AcceptAA | Answer::AcceptCA => Outcome::Accepted(bytes.to_vec()),
            Answer::ErrorAE | Answer::ErrorCE => Outcome::Error(said()),
            Answer::RejectAR | Answer::RejectCR => Outcome::Rejected(said()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// A receiver that accepts one message, says `more`, and closes or not.
    async fn after_one_message(more: &'static [u8], closes: bool) -> Exchange {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut far = listener.accept().await.unwrap().0;
        let answers = tokio::spawn(async move {
            let mut buffer = [0; 256];
            assert!(far.read(&mut buffer).await.unwrap() > 0);
            let answer = mllp::frame(b"MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|1\r");
            far.write_all(&answer).await.unwrap();
            far
        });
        let mut line = Exchange::new(near, mllp::Config::default());
        let outcome = line.exchange("MSH|^~\\&|||||||ORU^R01|1|P|2.5.1\r", "1").await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        let mut far = answers.await.unwrap();
        far.write_all(more).await.unwrap();
        if closes {
            drop(far);
        } else {
            // Open until the test ends.
            std::mem::forget(far.into_std().unwrap());
        }
        if closes || !more.is_empty() {
            line.socket.readable().await.unwrap();
        }
        line
    }

    #[tokio::test]
    async fn a_connection_is_open_until_the_receiver_closes_it() {
        for (more, closes, strays) in [(&b""[..], false, 0), (b"", true, 0), (b"late", false, 1)] {
            let mut line = after_one_message(more, closes).await;
            assert_eq!((line.is_open(), line.strays), (!closes, strays), "{more:?} {closes}");
        }
    }
}

//! LIS01 load: an instrument a connection, one transfer after another, one frame at a time.

use super::{Seen, Slice};
use crate::corpus::Corpus;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const TRIES_MAX: usize = 6;
const ACK: u8 = 0x06;

/// Transfers ready to be sent, cut into what is answered separately.
#[derive(Debug)]
pub(crate) struct Lis01Load {
    transfers: Vec<(Vec<u8>, Vec<Range<usize>>)>,
}

impl Lis01Load {
    pub(crate) fn new(corpus: &Corpus) -> Self {
        Self { transfers: corpus.messages().map(|transfer| (transfer.to_vec(), pieces(transfer))).collect() }
    }

    /// Loads the server at `address` until the slice is over. What is counted is frames.
    pub(crate) async fn run(self: &Arc<Self>, address: SocketAddr, connections: usize, slice: Slice) -> Seen {
        let mut tasks = tokio::task::JoinSet::new();
        for first in 0..connections {
            let load = Arc::clone(self);
            tasks.spawn(async move {
                let mut seen = Seen::default();
                if let Err(fault) = load.converse(address, first, connections, slice, &mut seen).await {
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
        first: usize,
        step: usize,
        slice: Slice,
        seen: &mut Seen,
    ) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut next = first;
        while let Some((bytes, pieces)) = self.transfers.get(next % self.transfers.len()) {
            next += step;
            for piece in pieces {
                if slice.is_over(Instant::now()) {
                    return Ok(());
                }
                if !deliver(&mut stream, bytes.get(piece.clone()).unwrap_or_default(), slice, seen).await? {
                    return Ok(());
                }
            }
            stream.write_all(&[0x04]).await?;
        }
        Ok(())
    }
}

/// Sends ENQ or a frame until it is acknowledged; false when it never was.
async fn deliver(
    stream: &mut TcpStream,
    bytes: &[u8],
    slice: Slice,
    seen: &mut Seen,
) -> std::io::Result<bool> {
    for _ in 0..TRIES_MAX {
        let sent = Instant::now();
        stream.write_all(bytes).await?;
        let Ok(answer) = tokio::time::timeout(ANSWER_TIMEOUT, stream.read_u8()).await else { break };
        let (answer, now) = (answer?, Instant::now());
        if answer == ACK {
            if bytes.len() > 1 && slice.counts(now) {
                seen.acknowledged += 1;
                seen.latencies.add(now - sent);
            }
            return Ok(true);
        }
        seen.wrong += 1;
        seen.fault(|| format!("answered {answer:#04x} to {}", bytes.escape_ascii()));
    }
    seen.lost += 1;
    seen.fault(|| format!("never acknowledged: {}", bytes.escape_ascii()));
    Ok(false)
}

/// ENQ and each frame; not the EOT, which nobody answers.
fn pieces(transfer: &[u8]) -> Vec<Range<usize>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for (at, byte) in transfer.iter().enumerate() {
        if at == 0 || *byte == b'\n' {
            pieces.push(start..at + 1);
            start = at + 1;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_cut_into_enq_and_frames() {
        assert_eq!(pieces(b"\x05\x021a\x03A1\r\n\x022b\x03A2\r\n\x04"), [0..1, 1..9, 9..17]);
    }

    #[test]
    fn a_frame_refused_six_times_is_lost_and_nothing_is_counted() {
        let seen = check(vec![ACK, 0x15, 0x15, 0x15, 0x15, 0x15, 0x15]);
        assert_eq!((seen.acknowledged, seen.wrong, seen.lost), (0, 6, 1));
        assert!(seen.first_fault.is_some_and(|fault| fault.starts_with("answered 0x15")));
    }

    #[test]
    fn a_frame_repeated_after_a_nak_counts_once() {
        let seen = check(vec![ACK, 0x15, ACK, ACK, ACK]);
        assert_eq!((seen.acknowledged, seen.wrong), (3, 1));
    }

    /// A server that gives these answers, one a read, and hangs up.
    fn check(answers: Vec<u8>) -> Seen {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = [0; 1024];
                for answer in answers {
                    assert!(stream.read(&mut bytes).await.unwrap() > 0);
                    stream.write_all(&[answer]).await.unwrap();
                }
            });
            let load = Arc::new(Lis01Load::new(&crate::corpus::transfers(1, 1)));
            load.run(address, 1, Slice::after(Duration::ZERO, Duration::from_mins(1))).await
        })
    }
}

//! The least a receiver can do: find the end of what was sent, make it durable, answer.

use super::commit::Appender;
use memchr::{memchr, memchr2};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const READ_BYTES: usize = 64 * 1024;

/// Serves MLLP until told to stop: whatever has come in is appended and synced in one go, then answered.
pub(crate) async fn mllp(listener: std::net::TcpListener, log: Appender, stop: CancellationToken) {
    accept(listener, stop, move |stream| mllp_connection(stream, log.clone())).await;
}

/// Serves LIS01 until told to stop: every frame is checked, appended, synced, then answered.
pub(crate) async fn lis01(listener: std::net::TcpListener, log: Appender, stop: CancellationToken) {
    accept(listener, stop, move |stream| lis01_connection(stream, log.clone())).await;
}

async fn accept<Work>(
    listener: std::net::TcpListener,
    stop: CancellationToken,
    serve: impl Fn(TcpStream) -> Work,
) where
    Work: Future<Output = ()> + Send + 'static,
{
    let Ok(listener) = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)) else {
        return;
    };
    let mut connections = tokio::task::JoinSet::new();
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        if stream.set_nodelay(true).is_ok() {
            connections.spawn(serve(stream));
        }
    }
    connections.shutdown().await;
}

async fn mllp_connection(mut stream: TcpStream, log: Appender) {
    let (mut received, mut answers, mut scanned) = (Vec::with_capacity(4 * READ_BYTES), Vec::new(), 0);
    loop {
        received.reserve(READ_BYTES);
        if !matches!(stream.read_buf(&mut received).await, Ok(1..)) {
            return;
        }
        let mut complete = 0;
        while let Some(found) = received.get(scanned..).and_then(|rest| memchr(0x1c, rest)) {
            let end = scanned + found;
            let Some(block) = received.get(complete + 1..end).filter(|_| end + 1 < received.len()) else {
                break;
            };
            answer(block, &mut answers);
            complete = end + 2;
            scanned = complete;
        }
        if complete > 0 {
            let group = received.drain(..complete).collect();
            if !log.append(group).await || stream.write_all(&answers).await.is_err() {
                return;
            }
            answers.clear();
        }
        scanned = received.len().saturating_sub(1);
    }
}

fn answer(message: &[u8], answers: &mut Vec<u8>) {
    let mut fields = message.split(|byte| *byte == b'|').skip(2);
    let (application, facility) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    let id = fields.nth(5).unwrap_or_default();
    for piece in [
        b"\x0bMSH|^~\\&|FLOOR|LAB|".as_slice(),
        application,
        b"|",
        facility,
        b"|20261101120000||ACK|",
        id,
        b"|P|2.5.1\rMSA|AA|",
        id,
        b"\r\x1c\r",
    ] {
        answers.extend_from_slice(piece);
    }
}

async fn lis01_connection(mut stream: TcpStream, log: Appender) {
    let (mut received, mut expected) = (Vec::with_capacity(READ_BYTES), b'1');
    loop {
        received.reserve(4096);
        if !matches!(stream.read_buf(&mut received).await, Ok(1..)) {
            return;
        }
        while let Some((taken, step)) = next_step(&received, expected) {
            let bytes: Vec<u8> = received.drain(..taken).collect();
            let reply = match step {
                Step::Skip => continue,
                Step::Establish => {
                    expected = b'1';
                    0x06
                }
                Step::Bad => 0x15,
                Step::Good => {
                    if !log.append(bytes).await {
                        return;
                    }
                    expected = if expected == b'7' { b'0' } else { expected + 1 };
                    0x06
                }
            };
            if stream.write_all(&[reply]).await.is_err() {
                return;
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Skip,
    Establish,
    Good,
    Bad,
}

/// How many bytes the next thing on the line takes, and what it is. `None`: not all of it has come.
fn next_step(received: &[u8], expected: u8) -> Option<(usize, Step)> {
    match received.first()? {
        0x05 => Some((1, Step::Establish)),
        0x02 => {
            let end = memchr2(0x03, 0x17, received)?;
            let summed = received.get(1..=end)?;
            let [high, low] = received.get(end + 1..end + 5)?.first_chunk()?;
            let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            let sent =
                std::str::from_utf8(&[*high, *low]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
            let good = sent == Some(sum) && summed.first() == Some(&expected);
            Some((end + 5, if good { Step::Good } else { Step::Bad }))
        }
        _ => Some((1, Step::Skip)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_good_only_with_its_checksum_and_the_expected_number() {
        for (received, expected, step) in [
            (b"\x021Test\x03D4\r\n".as_slice(), b'1', Some((11, Step::Good))),
            (b"\x021Test\x03D5\r\n", b'1', Some((11, Step::Bad))),
            (b"\x021Test\x03D4\r\n", b'2', Some((11, Step::Bad))),
            (b"\x021Test\x03D4\r", b'1', None),
            (b"\x021Te", b'1', None),
            (b"\x05\x02", b'1', Some((1, Step::Establish))),
            (b"\x04", b'1', Some((1, Step::Skip))),
            (b"", b'1', None),
        ] {
            assert_eq!(next_step(received, expected), step, "{received:?}");
        }
    }

    #[test]
    fn the_answer_names_the_message_it_answers() {
        let mut answers = Vec::new();
        answer(b"MSH|^~\\&|APP|FAC|X|Y|20260101||ORU^R01|ID7|P|2.5.1\rPID|1\r", &mut answers);
        let text = String::from_utf8(answers).unwrap();
        assert!(text.contains("|APP|FAC|") && text.ends_with("\rMSA|AA|ID7\r\x1c\r"), "{text}");
    }
}

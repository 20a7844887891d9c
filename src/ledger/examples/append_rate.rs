//! How many messages a second become durable, beside a bare loop that does nothing else.
//!
//! `cargo run --release -p ledger --example append_rate [FOLDER] [SECONDS] [BYTES]`
//!
//! The floor is one thread that appends what waits and syncs once a group, then answers; nothing is encoded,
//! hashed, chained, indexed or applied. Both take the same messages from the same number of senders, in turns in
//! the same run, since disks have moods.

use ledger::{Body, Draft, Ledger, Settings, StateStore, What};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

const OUTSTANDING: usize = 16;
const ROUNDS: usize = 3;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Waiting = (Vec<u8>, oneshot::Sender<()>);

fn floor(folder: &Path, senders: usize, seconds: f64, message: &[u8]) -> Result<f64, Failure> {
    let (to_writer, from_senders) = sync_channel::<Waiting>(4096);
    let mut file = std::fs::File::create(folder.join("floor.log"))?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut batch, mut buffer) = (Vec::new(), Vec::new());
        while let Ok((bytes, answer)) = from_senders.recv() {
            buffer.clear();
            buffer.extend_from_slice(&bytes);
            batch.push(answer);
            while let Ok((bytes, answer)) = from_senders.try_recv() {
                buffer.extend_from_slice(&bytes);
                batch.push(answer);
            }
            file.write_all(&buffer)?;
            file.sync_data()?;
            for answer in batch.drain(..) {
                drop(answer.send(()));
            }
        }
        Ok(())
    });
    let send = |to: &SyncSender<Waiting>, message: &[u8]| {
        let (answer, answered) = oneshot::channel();
        to.send((message.to_vec(), answer)).ok().map(|()| answered)
    };
    let rate = drive(senders, seconds, || {
        let (to, message) = (to_writer.clone(), message.to_vec());
        move || send(&to, &message).map(|answered| move || answered.recv().is_ok())
    });
    drop(to_writer);
    writer.join().map_err(|_| "the floor's writer panicked")??;
    Ok(rate)
}

fn ledger(
    folder: &Path,
    senders: usize,
    seconds: f64,
    message: &[u8],
    state: StateStore,
) -> Result<f64, Failure> {
    let (ledger, _) = Ledger::open(Settings { state, ..Settings::new(folder) }, &mut |_| {})?;
    let connection = ConnectionId::new("bench")?;
    let rate = drive(senders, seconds, || {
        let (ledger, message, connection) = (ledger.clone(), message.to_vec(), connection.clone());
        move || {
            let what = What::MessageReceived {
                connection: connection.clone(),
                mode: Mode::Simulation,
                profile: ProfileRef { id: "bench/bench".to_owned(), revision: "0".repeat(64) },
                protocol: Protocol::Hl7v2,
                body: Body::Whole(message.clone().into()),
            };
            loop {
                match ledger.append(vec![Draft::by_connection(&connection, what.clone())]) {
                    Ok(pending) => return Some(move || pending.wait().is_ok()),
                    Err(ledger::Refused::Busy(_)) => std::thread::sleep(Duration::from_micros(200)),
                    Err(_) => return None,
                }
            }
        }
    });
    let status = ledger.status();
    let before = Instant::now();
    println!("    behind by {} entries at the end", status.lag_entries);
    ledger.wait_applied(status.durable).wait()?;
    println!("    caught up in {:.2} s", before.elapsed().as_secs_f64());
    ledger.close();
    Ok(rate)
}

/// Runs `senders` threads that keep [`OUTSTANDING`] messages on the way; gives messages a second.
fn drive<S, W>(senders: usize, seconds: f64, make: impl Fn() -> S) -> f64
where
    S: FnMut() -> Option<W> + Send,
    W: FnOnce() -> bool,
{
    let (stop, done) = (AtomicBool::new(false), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..senders {
            let (mut send, stop, done) = (make(), &stop, Arc::clone(&done));
            scope.spawn(move || {
                let mut waiting = VecDeque::new();
                while !stop.load(Ordering::Relaxed) {
                    while waiting.len() < OUTSTANDING {
                        let Some(answer) = send() else { return };
                        waiting.push_back(answer);
                    }
                    if waiting.pop_front().is_some_and(|wait| wait()) {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_secs_f64(seconds));
        stop.store(true, Ordering::Relaxed);
    });
    #[expect(clippy::cast_precision_loss, reason = "a rate to print")]
    let count = done.load(Ordering::Relaxed) as f64;
    count / began.elapsed().as_secs_f64()
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "target/append-rate".to_owned());
    let seconds: f64 = arguments.next().map_or(Ok(2.0), |s| s.parse())?;
    let bytes: usize = arguments.next().map_or(Ok(1400), |s| s.parse())?;
    let message: Vec<u8> = b"MSH|^~\\&|OBX|1|NM|".iter().copied().cycle().take(bytes).collect();
    let folder = Path::new(&folder);
    let fresh = |name: &str| -> Result<std::path::PathBuf, Failure> {
        let path = folder.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(path)
    };
    for senders in [1, 8, 64] {
        for _ in 0..ROUNDS {
            let bare = floor(&fresh("floor")?, senders, seconds, &message)?;
            let memory = ledger(&fresh("memory")?, senders, seconds, &message, StateStore::Memory)?;
            let sled = ledger(&fresh("sled")?, senders, seconds, &message, StateStore::Sled)?;
            println!(
                "{senders:3} senders x {OUTSTANDING}: floor {bare:8.0}/s  ledger (state in memory) {memory:8.0}/s = {:.2}  ledger (sled) {sled:8.0}/s = {:.2}",
                memory / bare,
                sled / bare
            );
        }
    }
    Ok(())
}

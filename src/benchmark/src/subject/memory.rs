//! Resident memory under the heaviest load: what was seen, beside the bounds of the parts.

use super::clear;
use super::links::with_floor;
use crate::contest::{FLOOR, Figure, Measurement, OURS, Wanted, number};
use crate::floor;
use crate::load::{MllpLoad, Slice};
use crate::serve::{Served, load};
use crate::station::{self, Station};
use crate::{BenchError, Options, gauge};
use ledger::HashAlgorithm;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So often memory and queues are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The most that was seen of each part.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    resident: u64,
    queue: u64,
    handoff: u64,
}

impl Seen {
    fn join(&mut self, other: Self) {
        self.resident = self.resident.max(other.resident);
        self.queue = self.queue.max(other.queue);
        self.handoff = self.handoff.max(other.handoff);
    }
}

/// One measurement a part that has a bound, and one of them together.
pub(crate) fn resident(
    options: &Options,
    folder: &Path,
    client: &Arc<MllpLoad>,
) -> Result<Vec<Measurement>, BenchError> {
    let busiest = options.loads.iter().copied().max_by_key(|(connections, each)| connections * each);
    let (connections, each) = busiest.unwrap_or((1, 1));
    let run = |engine: &str, server: &Served| {
        load("memory", engine, options.slice, |slice: Slice| {
            client.run(server.address, connections, each, slice)
        })
    };
    // The client's buffers, and what the allocator keeps of them, are there before anything is compared.
    let mut plain = Seen::default();
    for _ in 0..2 {
        let before = gauge::resident_bytes()?;
        plain = Seen::default();
        let looked = |server: &Served| look(Seen::default, || run(FLOOR, server), &mut plain);
        with_floor(folder, floor::mllp_server, looked)?;
        plain.resident = plain.resident.saturating_sub(before);
    }
    let before = gauge::resident_bytes()?;
    let station = Station::open(&folder.join("ledger"), HashAlgorithm::Sm3)?;
    let connection = station::mllp()?;
    let sockets = connection.socket_bytes_max() * u64::try_from(connections).unwrap_or(u64::MAX);
    let server = station.serve(connection)?;
    let mut seen = Seen::default();
    let queues = || {
        let status = station.ledger.status();
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        Seen { resident: 0, queue: bytes(status.queue_bytes), handoff: bytes(status.handoff_bytes) }
    };
    look(queues, || run(OURS, &server), &mut seen)?;
    seen.resident = seen.resident.saturating_sub(before);
    let mut bounds: Vec<(&str, u64)> =
        station.ledger.memory_parts().iter().map(|part| (part.name, part.bytes_max)).collect();
    bounds.push(("sockets of analysers", sockets));
    server.finish()?;
    station.close();
    clear(folder)?;
    let name = format!("all, MLLP {connections} × {each}");
    Ok(measurements(&name, &bounds, plain, seen))
}

/// Looks at memory and `queues` while `work` is done, and joins what it saw to `seen`.
fn look<Done: Send>(
    queues: impl Fn() -> Seen + Sync,
    work: impl FnOnce() -> Result<Done, BenchError>,
    seen: &mut Seen,
) -> Result<Done, BenchError> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut most = Seen::default();
            while !over.load(Ordering::Acquire) {
                most.join(Seen { resident: gauge::resident_bytes()?, ..queues() });
                std::thread::sleep(LOOK_EVERY);
            }
            Ok::<_, BenchError>(most)
        });
        let done = work();
        over.store(true, Ordering::Release);
        let most = looking.join().map_err(|_| BenchError::Part {
            what: "look at memory".to_owned(),
            why: "the thread panicked".to_owned(),
        })??;
        seen.join(most);
        done
    })
}

fn measurements(name: &str, bounds: &[(&str, u64)], plain: Seen, seen: Seen) -> Vec<Measurement> {
    let mut all: Vec<Measurement> = bounds
        .iter()
        .map(|(part, bound)| {
            let seen = match *part {
                "entries that wait for the disk" => Some(seen.queue),
                "entries on their way to the state" => Some(seen.handoff),
                _ => None,
            };
            beside(part, *bound, seen, None)
        })
        .collect();
    let bound = bounds.iter().map(|(_, bound)| bound).sum();
    all.push(beside(name, bound, Some(seen.resident), Some(plain.resident)));
    all
}

/// What was seen, beside its bound; parts that cannot be told from others are in the sum.
fn beside(name: &str, bound: u64, seen: Option<u64>, plain: Option<u64>) -> Measurement {
    let figure = |engine: &str, bytes: u64, ratio: Option<f64>| Figure {
        engine: engine.to_owned(),
        rate: number(bytes) / 1_048_576.0,
        ratio,
        ratio_range: ratio.map(|ratio| (ratio, ratio)),
        further: Vec::new(),
    };
    let ratio = |bytes: u64| number(bytes) / number(bound).max(1.0);
    let mut figures = vec![figure("bound", bound, None)];
    figures.extend(plain.map(|bytes| figure(FLOOR, bytes, Some(ratio(bytes)))));
    figures.extend(seen.map(|bytes| figure(OURS, bytes, Some(ratio(bytes)))));
    let wanted = seen.map(|_| Wanted::AtMost(1.0));
    Measurement { name: name.to_owned(), unit: "MiB", wanted, figures }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_stands_beside_its_bound_and_all_of_it_beside_their_sum() {
        let bounds = [("entries that wait for the disk", 64 << 20), ("a cache", 36 << 20)];
        let plain = Seen { resident: 10 << 20, ..Seen::default() };
        let seen = Seen { resident: 120 << 20, queue: 16 << 20, handoff: 0 };
        let all = measurements("all", &bounds, plain, seen);
        let told: Vec<_> = all.iter().map(|m| (m.reached(), m.figures.len())).collect();
        assert_eq!(told, [(Some(true), 2), (None, 1), (Some(false), 3)]);
        assert_eq!(all[0].ours().and_then(|f| f.ratio), Some(0.25));
    }

    #[test]
    fn the_most_that_was_there_while_work_was_done_is_seen() {
        let mut seen = Seen::default();
        let queues = || Seen { queue: 7, ..Seen::default() };
        let filled =
            look(queues, || Ok(vec![1_u8; 8 << 20].iter().map(|b| u64::from(*b)).sum::<u64>()), &mut seen);
        assert_eq!((filled.unwrap(), seen.queue), (8 << 20, 7));
        assert!(seen.resident > 1 << 20, "{seen:?}");
    }
}

//! Who is in and who waits at the door: which socket of a connection leaves when another one comes.
//!
//! An analyser that was switched off in the middle of something connects anew while its old socket still looks
//! alive from here. The new one displaces the old one as soon as it *says* something. A socket that says nothing
//! displaces nobody: it waits at the door, where there is only so much room.

use super::ears::Ears;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A speaking newcomer from another address takes the place of a socket that was silent for so long. One that
/// spoke more recently keeps it: two analysers on one line would mix their results.
pub(crate) const TAKEOVER_SILENCE: Duration = Duration::from_secs(10);

/// A socket that is served.
#[derive(Debug)]
struct Place {
    number: u64,
    peer: IpAddr,
    ears: Arc<Ears>,
    leave: CancellationToken,
}

/// The sockets that are served, never more than `max`.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    next: u64,
    open: Vec<Place>,
}

/// A place, until it is given back.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) number: u64,
    pub(crate) ears: Arc<Ears>,
    /// Cancelled when the socket is to leave.
    pub(crate) leave: CancellationToken,
    pub(crate) displaced: Option<Displaced>,
}

/// Whose place it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Displaced {
    pub(crate) peer: IpAddr,
    /// Absent when it never said a word.
    pub(crate) silent: Option<Duration>,
}

/// Whether a newcomer has said anything yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newcomer {
    Speaks,
    Silent,
}

impl Places {
    pub(crate) fn new(max: usize) -> Self {
        Self { max: max.max(1), next: 0, open: Vec::new() }
    }

    /// Gives a newcomer a place if there is one for it, else the address that holds the line.
    pub(crate) fn admit(
        &mut self,
        peer: IpAddr,
        newcomer: Newcomer,
        stop: &CancellationToken,
        now: Instant,
    ) -> Result<Admitted, Option<IpAddr>> {
        let displaced = if self.open.len() < self.max {
            None
        } else {
            let place = match newcomer {
                Newcomer::Silent => None,
                Newcomer::Speaks => self.to_leave(peer, now),
            };
            let Some(place) = place else { return Err(self.open.first().map(|p| p.peer)) };
            let old = self.open.remove(place);
            old.leave.cancel();
            Some(Displaced { peer: old.peer, silent: old.ears.silence(now) })
        };
        let (number, ears, leave) = (self.next, Arc::new(Ears::new(now)), stop.child_token());
        self.next += 1;
        self.open.push(Place { number, peer, ears: Arc::clone(&ears), leave: leave.clone() });
        Ok(Admitted { number, ears, leave, displaced })
    }

    /// The place that a speaking newcomer takes: one of its own address, or one that has been silent for long.
    fn to_leave(&self, peer: IpAddr, now: Instant) -> Option<usize> {
        let silence = |place: &Place| place.ears.silence(now).unwrap_or(Duration::MAX);
        let longest = |allowed: &dyn Fn(&Place) -> bool| {
            // Of equals the last counts, so look from the back: the one that came first goes.
            let found = self.open.iter().enumerate().rev().filter(|(_, place)| allowed(place));
            found.max_by_key(|(_, place)| silence(place)).map(|(at, _)| at)
        };
        longest(&|place| place.peer == peer).or_else(|| longest(&|place| silence(place) >= TAKEOVER_SILENCE))
    }

    /// Gives a place back.
    pub(crate) fn leave(&mut self, number: u64) {
        self.open.retain(|place| place.number != number);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// The sockets that have not got a place yet: in a handshake, or without a word so far.
#[derive(Debug)]
pub(crate) struct Waiting {
    max: usize,
    next: u64,
    /// The one that has waited longest first.
    queue: Vec<(u64, IpAddr, CancellationToken)>,
}

impl Waiting {
    pub(crate) fn new(max: usize) -> Self {
        Self { max: max.max(1), next: 0, queue: Vec::new() }
    }

    /// Lets one more wait. When there is no room, the one that has waited longest goes, of the address that has the
    /// most waiting: a flood from one place pushes out itself.
    pub(crate) fn enter(&mut self, peer: IpAddr, stop: &CancellationToken) -> (u64, CancellationToken) {
        if self.queue.len() >= self.max {
            self.push_out();
        }
        let (number, leave) = (self.next, stop.child_token());
        self.next += 1;
        self.queue.push((number, peer, leave.clone()));
        (number, leave)
    }

    /// Sends away the one that has waited longest, of the address that has the most waiting; false when none waits.
    pub(crate) fn push_out(&mut self) -> bool {
        let of = |peer: &IpAddr| self.queue.iter().filter(|(_, p, _)| p == peer).count();
        // Of equals the last counts, so look from the back to find the longest waiting one.
        let longest = self.queue.iter().enumerate().rev().max_by_key(|(_, (_, p, _))| of(p));
        let Some(at) = longest.map(|(at, _)| at) else { return false };
        self.queue.remove(at).2.cancel();
        true
    }

    pub(crate) fn leave(&mut self, number: u64) {
        self.queue.retain(|(n, ..)| *n != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn at(seconds: u64, start: Instant) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_speaking_socket_of_the_same_peer_displaces_the_old_one_at_once() {
        let (start, stop) = (Instant::now(), CancellationToken::new());
        let mut places = Places::new(1);
        let old = places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        old.ears.hear(at(1, start));
        let new = places.admit(A, Newcomer::Speaks, &stop, at(1, start)).unwrap();
        assert!(old.leave.is_cancelled() && !new.leave.is_cancelled());
        assert_eq!(new.displaced, Some(Displaced { peer: A, silent: Some(Duration::ZERO) }));
        places.leave(old.number);
        assert!(!places.is_empty(), "the newcomer keeps the place");
    }

    #[test]
    fn a_socket_that_says_nothing_displaces_nobody() {
        let (start, stop) = (Instant::now(), CancellationToken::new());
        let mut places = Places::new(1);
        let old = places.admit(A, Newcomer::Silent, &stop, start).unwrap();
        assert_eq!(places.admit(A, Newcomer::Silent, &stop, at(99, start)).unwrap_err(), Some(A));
        assert!(!old.leave.is_cancelled());
    }

    #[test]
    fn another_address_takes_the_line_only_from_one_that_is_silent() {
        let (start, stop) = (Instant::now(), CancellationToken::new());
        let mut places = Places::new(1);
        let old = places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        old.ears.hear(at(5, start));
        assert_eq!(places.admit(B, Newcomer::Speaks, &stop, at(6, start)).unwrap_err(), Some(A));
        let new = places.admit(B, Newcomer::Speaks, &stop, at(15, start)).unwrap();
        assert_eq!(new.displaced.unwrap().peer, A);
        let never = Places::new(1).admit(A, Newcomer::Silent, &stop, start).unwrap();
        assert!(never.ears.silence(start).is_none());
    }

    #[test]
    fn where_several_are_allowed_only_one_too_many_displaces_and_the_most_silent_goes() {
        let (start, stop) = (Instant::now(), CancellationToken::new());
        let mut places = Places::new(2);
        let first = places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        let second = places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        first.ears.hear(at(2, start));
        second.ears.hear(at(1, start));
        let third = places.admit(A, Newcomer::Speaks, &stop, at(3, start)).unwrap();
        assert!(second.leave.is_cancelled() && !first.leave.is_cancelled());
        assert_eq!(third.displaced.unwrap().silent, Some(Duration::from_secs(2)));
    }

    #[test]
    fn of_two_that_are_equally_silent_the_older_one_goes() {
        let (start, stop) = (Instant::now(), CancellationToken::new());
        let mut places = Places::new(2);
        let first = places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        let second = places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        first.ears.hear(start);
        second.ears.hear(start);
        places.admit(A, Newcomer::Speaks, &stop, start).unwrap();
        assert!(first.leave.is_cancelled() && !second.leave.is_cancelled());
    }

    #[test]
    fn a_flood_from_one_address_pushes_out_itself() {
        let stop = CancellationToken::new();
        let mut waiting = Waiting::new(4);
        let (_, patient) = waiting.enter(A, &stop);
        let flood: Vec<_> = (0..10).map(|_| waiting.enter(B, &stop)).collect();
        assert!(!patient.is_cancelled());
        let gone: Vec<bool> = flood.iter().map(|(_, leave)| leave.is_cancelled()).collect();
        assert_eq!(gone, [true, true, true, true, true, true, true, false, false, false]);
        assert!((0..4).all(|_| waiting.push_out()) && !waiting.push_out() && patient.is_cancelled());
    }

    proptest! {
        #[test]
        fn there_are_never_more_places_than_allowed_and_who_is_gone_was_told(
            max in 1_usize..4,
            steps in proptest::collection::vec((0_u8..3, any::<bool>(), 0_u64..20), 0..60),
        ) {
            let (start, stop) = (Instant::now(), CancellationToken::new());
            let mut places = Places::new(max);
            let mut inside: Vec<Admitted> = Vec::new();
            let mut clock = 0;
            for (kind, speaks, wait) in steps {
                clock += wait;
                let peer = if kind == 0 { A } else { B };
                let newcomer = if speaks { Newcomer::Speaks } else { Newcomer::Silent };
                if kind == 2 && let Some(gone) = inside.pop() {
                    places.leave(gone.number);
                } else if let Ok(admitted) = places.admit(peer, newcomer, &stop, at(clock, start)) {
                    if speaks {
                        admitted.ears.hear(at(clock, start));
                    }
                    inside.push(admitted);
                }
                inside.retain(|one| !one.leave.is_cancelled());
                prop_assert!(inside.len() <= max);
                prop_assert_eq!(places.open.len(), inside.len());
            }
        }
    }
}

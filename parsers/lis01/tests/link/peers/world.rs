//! Two links and the line between them, in virtual time, from a seed.

use super::dialect::Dialect;
use super::line::{Fault, Line};
use super::side::{Seen, Side, Store, instant};
use lis01::{Config, Ending, Interrupts, Role, SendId};

/// How a world is made.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) dialect: Dialect,
    /// Faults that may happen, one in `fault_every` blocks; none after `faults_until_ms`.
    pub(super) faults: Vec<Fault>,
    pub(super) fault_every: u32,
    pub(super) faults_until_ms: u64,
    /// The one block, counted over both directions, that is lost besides.
    pub(super) lost: Option<u32>,
    pub(super) store: Store,
    pub(super) instrument_messages: usize,
    pub(super) computer_messages: usize,
}

#[derive(Debug)]
pub(super) struct World {
    plan: Plan,
    rng: fastrand::Rng,
    now_ms: u64,
    /// The instrument, then the computer.
    pub(super) sides: [Side; 2],
    /// From the instrument, then from the computer.
    lines: [Line; 2],
    /// What each side believed sent, to the end.
    believed: [Vec<SendId>; 2],
    pub(super) faults: u32,
    /// Blocks sent by both.
    pub(super) blocks: u32,
}

/// A world still busy so long after its last fault hangs.
const PATIENCE_MS: u64 = 4 * 3_600_000;
const STEPS_MAX: u32 = 1_000_000;

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        let interrupts = if rng.bool() { Interrupts::Honour } else { Interrupts::Ignore };
        let send_text_bytes_max = if rng.bool() { 240 } else { 11 };
        let packed = rng.u8(0..4) == 0;
        let config = |role| Config { role, interrupts, send_text_bytes_max, ..plan.dialect.config() };
        let mut messages = |count: usize, name: &str| -> Vec<(u64, String)> {
            // Often at the same moment on both sides: contention.
            (0..count).map(|n| (rng.u64(0..4) * 10_000, format!("{name}{n}"))).collect()
        };
        let instrument = messages(plan.instrument_messages, "I");
        let computer = messages(plan.computer_messages, "C");
        let sides = [
            Side::new(config(Role::Instrument), packed, instrument),
            Side::new(config(Role::Computer), packed, computer),
        ];
        let lines = [(); 2].map(|()| Line::new(plan.dialect.stall_ms_max()));
        Self { plan, rng, now_ms: 0, sides, lines, believed: [vec![], vec![]], faults: 0, blocks: 0 }
    }

    /// Plays to the end, checking every belief when it arises.
    pub(super) fn play(&mut self) {
        for _ in 0..STEPS_MAX {
            self.exchange();
            if self.sides.iter().all(Side::is_done) {
                self.check_sessions();
                return self.check_the_end();
            }
            let arrivals = self.lines.iter().filter_map(Line::next_arrival);
            let wakes = self.sides.iter().filter_map(|side| side.next_ms(self.now_ms));
            self.now_ms = arrivals.chain(wakes).min().expect("someone waits for something");
            let end_ms = self.plan.faults_until_ms + PATIENCE_MS;
            assert!(self.now_ms < end_ms, "the world hangs: {:?}", self.plan);
            for (side, peer) in [(0, 1), (1, 0)] {
                let bytes = self.lines[peer].arrived(self.now_ms);
                if !bytes.is_empty() {
                    let taken = self.sides[side].link.handle_input(&bytes, instant(self.now_ms));
                    assert_eq!(taken, bytes.len(), "the buffer is large enough here");
                }
            }
            self.exchange();
            self.sides.iter_mut().for_each(|side| side.wake(self.now_ms));
        }
        panic!("the world does not come to an end: {:?}", self.plan);
    }

    /// Fetches events and blocks of both sides.
    fn exchange(&mut self) {
        for side in 0..2 {
            self.sides[side].fetch_events(self.plan.store, self.now_ms, &mut self.rng);
            self.sides[side].watch(self.now_ms);
            while let Some(block) = self.sides[side].link.poll_transmit() {
                let fault = self.next_fault();
                self.lines[side].carry(block.into_owned(), fault, self.now_ms, &mut self.rng);
                if fault == Some(Fault::Cut) {
                    self.cut();
                }
            }
        }
        if self.sides.iter_mut().any(|side| std::mem::take(&mut side.hangs_up)) {
            self.cut();
        }
        for side in &mut self.sides {
            side.fetch_events(self.plan.store, self.now_ms, &mut self.rng);
            side.watch(self.now_ms);
        }
        self.check_beliefs();
    }

    fn next_fault(&mut self) -> Option<Fault> {
        self.blocks += 1;
        if self.plan.lost == Some(self.blocks - 1) {
            return Some(Fault::Drop);
        }
        let may = self.now_ms < self.plan.faults_until_ms && !self.plan.faults.is_empty();
        if !may || self.rng.u32(0..self.plan.fault_every) > 0 {
            return None;
        }
        self.faults += 1;
        Some(self.plan.faults[self.rng.usize(0..self.plan.faults.len())])
    }

    fn cut(&mut self) {
        self.lines.iter_mut().for_each(Line::clear);
        self.sides.iter_mut().for_each(|side| side.disconnect(self.now_ms));
    }

    /// A side that believes a transfer sent: the peer holds it whole, in one session, now.
    fn check_beliefs(&mut self) {
        for (side, peer) in [(0, 1), (1, 0)] {
            for id in std::mem::take(&mut self.sides[side].believed) {
                self.check_belief(side, peer, id);
                self.believed[side].push(id);
            }
        }
    }

    fn check_belief(&self, side: usize, peer: usize, id: SendId) {
        let text = self.sides[side].given[&id].concat();
        let holding = self.sides[peer].sessions.iter().filter(|session| session.text() == text).count();
        assert_eq!(holding, 1, "transfer {id:?} of side {side} is held {holding} times: {:?}", self.plan);
    }

    /// At the end everything that was believed is still held, each once, and everything there was to say was believed.
    fn check_the_end(&self) {
        let messages = [self.plan.instrument_messages, self.plan.computer_messages];
        for (side, peer) in [(0, 1), (1, 0)] {
            assert_eq!(self.believed[side].len(), messages[side], "{:?}", self.plan);
            for id in &self.believed[side] {
                self.check_belief(side, peer, *id);
            }
        }
    }

    /// What both sides have seen.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = self.sides[0].seen.clone();
        seen.add(&self.sides[1].seen);
        seen
    }

    /// Every session holds the beginning of one transfer of the peer's, each frame once and in order; and whole
    /// records of it where it ended by EOT.
    fn check_sessions(&self) {
        for (side, peer) in [(0, 1), (1, 0)] {
            for session in self.sides[side].sessions.iter().filter(|session| !session.accepted.is_empty()) {
                let text = session.text();
                let mut given = self.sides[peer].given.values();
                let Some(records) = given.find(|records| records.concat().starts_with(&text)) else {
                    panic!("side {side} holds what nobody sent: {:?}\n{}", self.plan, text.escape_ascii());
                };
                let mut ends = records.iter().scan(0, |end, record| {
                    *end += record.len();
                    Some(*end)
                });
                if session.ending == Some(Ending::Eot) {
                    assert!(ends.any(|end| end == text.len()), "EOT after half a record: {:?}", self.plan);
                }
            }
        }
    }
}

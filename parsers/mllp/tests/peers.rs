//! Two real peers on a simulated line, in virtual time: what the sender believes delivered is what the receiver holds.
//!
//! MLLP knows no checksum and no number, so the line keeps its bytes, as TCP does; what a broken peer or a serial
//! converter does to the block characters, between blocks and to whole blocks happens here all the same.

#[cfg(test)]
mod tests {
    use mllp::{BlockTicket, Commit, Config, Event, Receiver, SendId, Sender, SenderEvent};
    use std::collections::{HashMap, VecDeque};
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    const WORLDS: u64 = 100_000;
    const MESSAGES: usize = 4;
    const TIMEOUT_MS: u64 = 30_000;
    /// A world still busy so long after its last fault hangs.
    const PATIENCE_MS: u64 = 3_600_000;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fault {
        /// The block does not arrive.
        Drop,
        /// One of its block characters does not arrive.
        DropEdge,
        /// A second beginning comes before it.
        NestedStart,
        /// Heartbeats and stray bytes come before it.
        Noise,
        /// It arrives twice; only answers, for a message that comes twice is two messages.
        Duplicate,
        /// It arrives in pieces.
        Split,
        /// It arrives late, together with what comes next.
        Merge,
        /// It arrives later than its sender waits.
        Stall,
        /// Both directions close; what is on its way is lost.
        Cut,
    }

    const FAULTS: [Fault; 9] = [
        Fault::Drop,
        Fault::DropEdge,
        Fault::NestedStart,
        Fault::Noise,
        Fault::Duplicate,
        Fault::Split,
        Fault::Merge,
        Fault::Stall,
        Fault::Cut,
    ];

    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other origin; time is virtual from here on"
    )]
    fn instant(ms: u64) -> Instant {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        *EPOCH.get_or_init(Instant::now) + Duration::from_millis(ms)
    }

    #[derive(Debug, Clone)]
    struct Plan {
        seed: u64,
        faults: Vec<Fault>,
        fault_every: u32,
        faults_until_ms: u64,
        /// The one block, over both directions, that is lost besides.
        lost: Option<u32>,
        /// The one message whose first so many arrivals are refused.
        refused: Option<(usize, u32)>,
    }

    /// One direction: pieces with their arrival, never overtaking each other.
    #[derive(Debug, Default)]
    struct Line(VecDeque<(u64, Vec<u8>)>);

    impl Line {
        fn push(&mut self, at: u64, bytes: Vec<u8>) {
            let at = self.0.back().map_or(at, |(last, _)| at.max(*last));
            self.0.push_back((at, bytes));
        }

        fn arrived(&mut self, now_ms: u64) -> Vec<u8> {
            let count = self.0.iter().take_while(|(at, _)| *at <= now_ms).count();
            self.0.drain(..count).flat_map(|(_, bytes)| bytes).collect()
        }
    }

    struct World {
        plan: Plan,
        rng: fastrand::Rng,
        now_ms: u64,
        sender: Sender,
        receiver: Receiver<()>,
        /// To the receiver, and back.
        lines: [Line; 2],
        /// UTF-16, where block characters may be halves of characters.
        wide: bool,
        /// The message that is due, and how often it was sent.
        due: usize,
        attempts: u32,
        in_hand: Option<(SendId, String)>,
        believed: Vec<String>,
        /// What the receiver has made safe, and how often.
        held: HashMap<Vec<u8>, u32>,
        storing: Vec<(u64, BlockTicket, Vec<u8>, bool)>,
        arrivals: HashMap<usize, u32>,
        blocks: u32,
        faults: u32,
        timeouts: u32,
        commits: u32,
    }

    impl World {
        fn new(plan: Plan) -> Self {
            let mut rng = fastrand::Rng::with_seed(plan.seed);
            let config = Config {
                commit_blocks: rng.bool(),
                outstanding_max: rng.usize(1..4),
                answer_timeout: Duration::from_millis(TIMEOUT_MS),
                ..Config::default()
            };
            Self {
                wide: rng.u8(0..4) == 0,
                sender: Sender::new(config.clone()),
                receiver: Receiver::new(config),
                lines: [Line::default(), Line::default()],
                plan,
                rng,
                now_ms: 0,
                due: 0,
                attempts: 0,
                in_hand: None,
                believed: Vec::new(),
                held: HashMap::new(),
                storing: Vec::new(),
                arrivals: HashMap::new(),
                blocks: 0,
                faults: 0,
                timeouts: 0,
                commits: 0,
            }
        }

        fn written(&self, id: &str) -> Vec<u8> {
            // In UTF-16 these characters hold both block characters; written as bytes the sender would refuse them.
            let text = format!("MSH|^~\\&|{id}|\rOBX|1|\u{5F20}|\r");
            if self.wide {
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            } else {
                text.into_bytes()
            }
        }

        /// The id of the first message in a block, wherever it stands.
        fn id(&self, bytes: &[u8]) -> String {
            let text = if self.wide {
                let units =
                    bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
                char::decode_utf16(units).map(|c| c.unwrap_or('?')).collect()
            } else {
                String::from_utf8_lossy(bytes).into_owned()
            };
            text.split('|').nth(2).unwrap_or_default().to_owned()
        }

        fn play(mut self) -> Self {
            loop {
                self.act();
                if self.in_hand.is_none() && self.due < MESSAGES {
                    // The line was cut just now.
                    continue;
                }
                if self.due == MESSAGES && self.storing.is_empty() {
                    assert_eq!(self.believed.len(), MESSAGES);
                    self.believed.iter().for_each(|id| self.check_belief(id));
                    return self;
                }
                let arrivals = self.lines.iter().filter_map(|line| line.0.front().map(|(at, _)| *at));
                let due = self
                    .sender
                    .poll_timeout()
                    .map(|at| u64::try_from(at.saturating_duration_since(instant(0)).as_millis()).unwrap());
                let stored = self.storing.iter().map(|(at, ..)| *at);
                let next = arrivals.chain(due).chain(stored).min().expect("someone waits for something");
                self.now_ms = next.max(self.now_ms);
                let end_ms = self.plan.faults_until_ms + PATIENCE_MS;
                assert!(self.now_ms < end_ms, "the world hangs: {:?}", self.plan);
                self.sender.handle_timeout(instant(self.now_ms));
                let bytes = self.lines[1].arrived(self.now_ms);
                assert_eq!(self.sender.handle_input(&bytes), bytes.len());
                let mut bytes = self.lines[0].arrived(self.now_ms);
                let taken = self.receiver.handle_input(&bytes);
                if taken < bytes.len() {
                    // The rest waits in the socket until something is kept.
                    let kept = self.storing.iter().map(|(at, ..)| *at).min().unwrap_or(self.now_ms);
                    self.lines[0].0.push_front((kept.max(self.now_ms + 1), bytes.split_off(taken)));
                }
            }
        }

        fn act(&mut self) {
            self.store();
            self.hear();
            if self.in_hand.is_none() && self.due < MESSAGES {
                self.attempts += 1;
                let id = format!("{}-{}", self.due, self.attempts);
                let sent = self.sender.send(&self.written(&id), instant(self.now_ms)).unwrap();
                self.in_hand = Some((sent, id));
            }
            while let Some(block) = self.sender.poll_transmit() {
                self.carry(0, block);
            }
            while let Some(block) = self.receiver.poll_transmit() {
                self.carry(1, block);
            }
        }

        /// The receiver's caller: keeps blocks, in its own time and order, and answers.
        fn store(&mut self) {
            while let Some(event) = self.receiver.poll_event() {
                if let Event::Block(block) = event {
                    let moods = [0, 0, 0, 5, 300, 20_000, 40_000];
                    let delay = moods[self.rng.usize(0..moods.len())];
                    let mut fails = self.rng.u8(0..20) == 0 && self.now_ms < self.plan.faults_until_ms;
                    let number = self.id(&block.bytes).split('-').next().and_then(|n| n.parse().ok());
                    if let Some((message, times)) = self.plan.refused
                        && number == Some(message)
                    {
                        let seen = self.arrivals.entry(message).or_default();
                        *seen += 1;
                        fails = *seen <= times;
                    }
                    self.storing.push((self.now_ms + delay, block.ticket, block.bytes, fails));
                }
            }
            while let Some(at) = self.storing.iter().position(|(at, ..)| *at <= self.now_ms) {
                let (_, ticket, bytes, fails) = self.storing.remove(at);
                let answer =
                    self.written(&format!("{}|{}", self.id(&bytes), if fails { "AE" } else { "AA" }));
                if fails {
                    self.receiver.refuse(ticket, Some(&answer));
                } else {
                    *self.held.entry(bytes).or_default() += 1;
                    self.receiver.accept(ticket, (), &answer);
                }
            }
        }

        /// The sender's caller: an answer counts for the message whose id it carries.
        fn hear(&mut self) {
            while let Some(event) = self.sender.poll_event() {
                match event {
                    SenderEvent::Answer { id, bytes } => {
                        let waits = self
                            .in_hand
                            .as_ref()
                            .filter(|(sent, own)| *sent == id && *own == self.id(&bytes));
                        let Some((_, own)) = waits.cloned() else { continue };
                        self.sender.settle(id);
                        self.in_hand = None;
                        let accepted = String::from_utf8_lossy(&bytes).replace('\0', "").contains("|AA|");
                        if accepted {
                            self.check_belief(&own);
                            self.believed.push(own);
                            self.due += 1;
                        }
                    }
                    SenderEvent::TimedOut { .. } | SenderEvent::Disconnected { .. } => {
                        self.timeouts += 1;
                        self.in_hand = None;
                    }
                    SenderEvent::Commit { commit, .. } => self.commits += u32::from(commit == Commit::Ack),
                    SenderEvent::Unasked { .. } | SenderEvent::Anomaly(_) => {}
                    SenderEvent::Oversize { bytes } => panic!("nothing is so long: {bytes}"),
                }
            }
        }

        fn check_belief(&self, id: &str) {
            let held = self.held.get(&self.written(id)).copied().unwrap_or_default();
            assert_eq!(held, 1, "{id} is held {held} times: {:?}", self.plan);
        }

        fn carry(&mut self, line: usize, mut block: Vec<u8>) {
            let mut at = self.now_ms + self.rng.u64(1..20);
            let fault = self.next_fault();
            self.blocks += 1;
            match fault {
                Some(Fault::Drop) => return,
                Some(Fault::Cut) => return self.cut(),
                Some(Fault::DropEdge) => {
                    let edges = [0, block.len() - 2, block.len() - 1];
                    block.remove(edges[self.rng.usize(0..3)]);
                }
                Some(Fault::NestedStart) => drop(block.splice(0..0, *b"\x0BMSH|half")),
                Some(Fault::Noise) => drop(block.splice(0..0, *b"\x02\x02\r\njunk\x1C")),
                Some(Fault::Duplicate) if line == 1 => block.extend_from_within(..),
                None | Some(Fault::Duplicate) => {}
                Some(Fault::Split) => {
                    let behind = block.split_off(self.rng.usize(0..=block.len()));
                    self.lines[line].push(at, block);
                    at += self.rng.u64(0..200);
                    block = behind;
                }
                Some(Fault::Merge) => at += self.rng.u64(0..400),
                Some(Fault::Stall) => at += self.rng.u64(0..2 * TIMEOUT_MS),
            }
            self.lines[line].push(at, block);
        }

        fn next_fault(&mut self) -> Option<Fault> {
            if self.plan.lost == Some(self.blocks) {
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
            self.lines = [Line::default(), Line::default()];
            self.sender.handle_disconnect();
            self.receiver.handle_disconnect();
            self.hear();
        }
    }

    fn plan(seed: u64, faults: &[Fault]) -> Plan {
        let faults = faults.to_vec();
        Plan { seed, faults, fault_every: 4, faults_until_ms: 300_000, lost: None, refused: None }
    }

    /// No fault and no mood: everything is kept at once.
    fn quiet(seed: u64) -> Plan {
        Plan { faults_until_ms: 0, ..plan(seed, &[]) }
    }

    #[test]
    fn in_100_000_worlds_the_sender_believes_what_the_receiver_holds() {
        let (mut faults, mut timeouts, mut commits) = (0_u64, 0_u64, 0_u64);
        for seed in 0..WORLDS {
            let world = World::new(plan(seed, &FAULTS)).play();
            faults += u64::from(world.faults);
            timeouts += u64::from(world.timeouts);
            commits += u64::from(world.commits);
        }
        // The worlds are rich enough to mean something.
        assert!(faults > WORLDS && timeouts > WORLDS && commits > WORLDS, "{faults} {timeouts} {commits}");
    }

    #[test]
    fn under_each_fault_alone_beliefs_are_true() {
        for fault in FAULTS {
            let faults: u32 = (0..500).map(|seed| World::new(plan(seed, &[fault])).play().faults).sum();
            assert!(faults > 500, "{fault:?} happened {faults} times");
        }
    }

    #[test]
    fn each_block_lost_in_turn_costs_one_time_out() {
        for seed in 0..200 {
            let whole = World::new(quiet(seed)).play();
            for lost in 0..whole.blocks {
                let world = World::new(Plan { lost: Some(lost), ..quiet(seed) }).play();
                assert!(world.timeouts > 0 && world.attempts as usize > MESSAGES, "{seed}: {lost}");
            }
        }
    }

    #[test]
    fn each_message_refused_in_turn_is_sent_again_and_believed_once() {
        for (message, times) in (0..MESSAGES).flat_map(|message| (1..=6).map(move |times| (message, times))) {
            let world = World::new(Plan { refused: Some((message, times)), ..quiet(7) }).play();
            assert_eq!(world.believed.len(), MESSAGES);
            assert!(world.attempts as usize >= MESSAGES + times as usize, "{message} refused {times} times");
            let first = |n: usize| world.believed[n].split('-').next().unwrap().to_owned();
            assert!((0..MESSAGES).all(|n| first(n) == n.to_string()), "{:?}", world.believed);
        }
    }
}

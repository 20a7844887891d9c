//! What the tests share: settings, and a world that writes believable entries.

use crate::orders::{order, order_id};
use fastrand::Rng;
use ledger::storage::{Model, Storage};
use ledger::{
    Body, DeliveryId, Draft, Entry, HowEnded, Ledger, Measured, OpenReport, Page, PoolMade, PoolMember,
    Pools, Seq, Settings, StateStore, VerdictMade, What,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vocabulary::{
    Aspiration, ConnectionId, Consequence, DestinationId, DonationId, DonationRegistration,
    DonorRegistration, Finding, Marker, Mode, Observation, Order, OrderAction, PoolId, Priority, ProfileRef,
    Protocol, QueryOutcome, ResultStatus, RunId, Source, SpecimenKind, Value,
};

/// Settings without reserve, for a folder in a test.
pub(crate) fn settings(dir: &Path, state: StateStore) -> Settings {
    Settings { state, free_bytes_min: 0, ballast_bytes: 0, cache_bytes: 8 << 20, ..Settings::new(dir) }
}

/// Settings on a modelled disk, with the state in memory.
pub(crate) fn on_model(dir: &Path, disk: &Model) -> Settings {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let (seal_after, retry_after) = (Duration::from_millis(20), Duration::from_millis(5));
    Settings { storage, seal_after, retry_after, file_bytes_max: 20_000, ..settings(dir, StateStore::Memory) }
}

pub(crate) fn open(settings: &Settings) -> (Ledger, OpenReport) {
    Ledger::open(settings.clone(), &mut |_| {}).unwrap()
}

/// Appends and waits until the state knows it.
pub(crate) fn write(ledger: &Ledger, group: Vec<Draft>) -> Seq {
    let durable = ledger.append(group).unwrap().wait().unwrap();
    ledger.wait_applied(durable.last()).wait().unwrap();
    durable.first()
}

pub(crate) fn connection() -> ConnectionId {
    ConnectionId::new("arch-1").unwrap()
}

pub(crate) fn destination() -> DestinationId {
    DestinationId::new("bis").unwrap()
}

pub(crate) fn donation(number: u64) -> DonationId {
    DonationId::new(&format!("G{number:06}")).unwrap()
}

pub(crate) fn run(number: u64) -> RunId {
    RunId::new(&format!("E{number}")).unwrap()
}

pub(crate) fn profile() -> ProfileRef {
    ProfileRef { id: "abbott/architect".into(), revision: "00ff".into() }
}

pub(crate) fn frame(transfer: u64, text: &[u8]) -> Draft {
    let what = What::FrameReceived {
        connection: connection(),
        transfer,
        number: Some(1),
        end: true,
        text: text.into(),
        terms: None,
    };
    Draft::by_connection(&connection(), what)
}

pub(crate) fn ended(transfer: u64) -> Draft {
    Draft::by_system(What::TransferEnded { connection: connection(), transfer, how: HowEnded::Eot })
}

pub(crate) fn received(body: Body) -> Draft {
    let what = What::MessageReceived {
        connection: connection(),
        mode: Mode::Production,
        profile: profile(),
        protocol: Protocol::Lis02,
        body,
    };
    Draft::by_connection(&connection(), what)
}

pub(crate) fn observation(kind: SpecimenKind, in_run: Option<u64>) -> Observation {
    Observation {
        specimen: None,
        instrument: None,
        assay: "HBsAg".into(),
        marker: Marker::HBsAg,
        kind,
        value: Value { raw: "0.21".into(), ..Value::default() },
        flags: vec![],
        status: ResultStatus::Final,
        run: in_run.map(run),
        lots: vec![],
        completed_at: None,
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    }
}

pub(crate) fn finding(consequence: Consequence) -> Finding {
    Finding {
        finding: "unmapped_test".into(),
        place: "R|3".into(),
        what: "what".into(),
        consequence,
        specimen: None,
    }
}

pub(crate) fn interpreted(message: Seq, observations: Vec<Observation>, donations: &[(u32, u64)]) -> Draft {
    Draft::by_system(What::MessageInterpreted {
        message,
        profile: profile(),
        observations,
        findings: vec![],
        donations: donations.iter().map(|(i, d)| (*i, donation(*d))).collect(),
        holds: vec![],
        orders: vec![],
        measured: Vec::new(),
        continues: Vec::new(),
        pools: ledger::Pools::default(),
        part: 0,
        last: true,
    })
}

pub(crate) fn registered(number: u64) -> Draft {
    registered_as(donation(number).as_str())
}

pub(crate) fn registered_as(text: &str) -> Draft {
    let donor = DonorRegistration {
        id: format!("D{text}").into(),
        first_time: false,
        deferred: false,
        barred: None,
        sensitised: None,
        history: None,
        field_abo: None,
    };
    let collected_at = "2026-03-01T09:00:00+08:00".parse().unwrap();
    let registration = DonationRegistration {
        donation: DonationId::new(text).unwrap(),
        collected_at,
        centrifuged_at: None,
        session: None,
        donor,
    };
    Draft::by_system(What::DonationRegistered(registration))
}

pub(crate) fn verdict(number: u64, considered: Seq, deliver_to: &[DestinationId]) -> Draft {
    let pack = release::RulePack::built_in("cn-2019").unwrap();
    let made = release::explain(&release::Evidence::new(donation(number)), &pack);
    Draft::by_system(What::VerdictMade(VerdictMade::new(&made, considered, deliver_to.to_vec()).unwrap()))
}

/// A ledger in memory, written entry by entry.
pub(crate) struct Lab {
    pub(crate) ledger: Ledger,
    _dir: tempfile::TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { ledger: open(&settings(dir.path(), StateStore::Memory)).0, _dir: dir }
    }

    pub(crate) fn write(&self, draft: Draft) -> Seq {
        write(&self.ledger, vec![draft])
    }

    pub(crate) fn message(&self) -> Seq {
        self.write(received(Body::Whole(b"H|".as_slice().into())))
    }

    /// Donations to be decided, and since when.
    pub(crate) fn undecided(&self) -> Vec<(u64, u64)> {
        let items = self.ledger.state().to_decide(&Page::first(99)).unwrap().items;
        items
            .iter()
            .map(|i| (i.donation.as_str().trim_start_matches(['G', '0']).parse().unwrap(), i.since.get()))
            .collect()
    }

    pub(crate) fn misfits(&self) -> u64 {
        self.ledger.state().counters().unwrap().misfits
    }
}

/// Writes believable entries, and some that refer to nothing.
pub(crate) struct World {
    rng: Rng,
    next: u64,
    transfers: Vec<(u64, u32, u32)>,
    messages: Vec<Seq>,
    deliveries: Vec<DeliveryId>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self { rng, next: 1, transfers: vec![], messages: vec![], deliveries: vec![] }
    }

    /// The next group; it must be written next.
    pub(crate) fn group(&mut self) -> Vec<Draft> {
        let mut group = Vec::new();
        for _ in 0..self.rng.usize(1..4) {
            let draft = self.draft();
            let seq = Seq::new(self.next);
            self.next += 1;
            if let What::MessageReceived { .. } = &draft.what {
                self.messages.push(seq);
            }
            if let What::VerdictMade(made) = &draft.what {
                let to = made.deliver_to().iter().cloned();
                self.deliveries.extend(to.map(|destination| DeliveryId { verdict: seq, destination }));
            }
            group.push(draft);
        }
        group
    }

    fn message(&mut self) -> Seq {
        let known = self.messages.len();
        if known == 0 || self.rng.u8(0..20) == 0 {
            Seq::new(self.rng.u64(1..500))
        } else {
            self.messages[self.rng.usize(0..known)]
        }
    }

    fn delivery(&mut self) -> DeliveryId {
        let known = self.deliveries.len();
        if known == 0 || self.rng.u8(0..20) == 0 {
            return DeliveryId { verdict: Seq::new(self.rng.u64(1..500)), destination: destination() };
        }
        self.deliveries[self.rng.usize(0..known)].clone()
    }

    fn considered(&mut self) -> Seq {
        Seq::new(self.rng.u64(0..=self.next))
    }

    fn draft(&mut self) -> Draft {
        let number = self.rng.u64(1..12);
        let system = Draft::by_system;
        match self.rng.u8(0..20) {
            16.. => self.order(),
            0..3 => self.frame(),
            3 => match self.transfers.pop() {
                Some((transfer, _, _)) => ended(transfer),
                None => ended(77),
            },
            4..6 => self.message_in_frames(),
            6 => received(Body::Whole(vec![b'x'; self.rng.usize(0..3000)].into())),
            7..10 => self.interpretation(),
            10 if self.rng.bool() => registered(number),
            // Numbers that begin one another.
            10 => registered_as(&format!("G1234567{}", "8".repeat(self.rng.usize(0..9)))),
            11..13 => {
                let considered = self.considered();
                let other = DestinationId::new("lis").unwrap();
                verdict(number, considered, &[destination(), other][..self.rng.usize(0..3)])
            }
            13 => {
                system(What::VerdictUnchanged { donation: donation(number), considered: self.considered() })
            }
            14 => {
                let (delivery, outcome) = (self.delivery(), "refused".to_owned());
                system(What::DeliveryAttempted { delivery, outcome, next_at_ms: 7 })
            }
            _ => {
                let delivery = self.delivery();
                system(match self.rng.u8(0..3) {
                    0 => What::DeliveryDone { delivery, answer: b"MSA|AA".as_slice().into() },
                    1 => What::DeliveryDead { delivery, reason: "AR".into() },
                    _ => What::DeliveryRequeued { delivery },
                })
            }
        }
    }

    fn order(&mut self) -> Draft {
        let id = order_id(["L1", "L2", "L3", "L4"][self.rng.usize(0..4)]);
        let assays = [&[][..], &["HBsAg"], &["HCV"], &["HBsAg", "HCV"]][self.rng.usize(0..4)];
        let assays: Vec<String> = assays.iter().map(|a| (*a).to_owned()).collect();
        let to = ["x", "y"][self.rng.usize(0..2)];
        Draft::by_system(match self.rng.u8(0..10) {
            0..4 => {
                let specimen = ["G000001", "G000002"][self.rng.usize(0..2)];
                let priority = [Priority::Stat, Priority::Routine][self.rng.usize(0..2)];
                let order = Order { assays, priority, ..order(id.as_str(), specimen, &[]) };
                What::OrderPlaced { order, from: self.rng.bool().then(|| self.message()) }
            }
            4 => What::OrderCancelled { order: id, assays, reason: "asked".into(), from: None },
            5 => What::OrderExpired { order: id, reason: "old".into() },
            6..9 => What::OrderSent {
                order: id,
                connection: ConnectionId::new(to).unwrap(),
                assays,
                message: None,
                action: [OrderAction::Place, OrderAction::Cancel][self.rng.usize(0..2)],
                accepted: self.rng.bool(),
                answer: "OK".into(),
            },
            _ => What::QueryAnswered {
                message: self.message(),
                connection: ConnectionId::new(to).unwrap(),
                asked: vec!["G000001".into()],
                outcome: QueryOutcome::Found { orders: vec![id], nothing: vec![] },
            },
        })
    }

    fn frame(&mut self) -> Draft {
        if self.transfers.is_empty() || self.rng.u8(0..5) == 0 {
            self.transfers.push((self.rng.u64(..), 0, 0));
        }
        let text = vec![b'a'; self.rng.usize(0..300)];
        let at = self.rng.usize(0..self.transfers.len());
        let transfer = &mut self.transfers[at];
        transfer.1 += u32::try_from(text.len()).unwrap();
        frame(transfer.0, &text)
    }

    fn message_in_frames(&mut self) -> Draft {
        let Some((transfer, bytes, used)) = self.transfers.last_mut() else {
            return received(Body::Frames { transfer: 5, from: 0, to: 9 });
        };
        let from = *used;
        let to = self.rng.u32(from..=*bytes) + u32::from(self.rng.u8(0..9) == 0);
        if to <= *bytes {
            *used = to;
        }
        received(Body::Frames { transfer: *transfer, from, to })
    }

    fn interpretation(&mut self) -> Draft {
        let message = self.message();
        let kinds =
            [SpecimenKind::Patient, SpecimenKind::Patient, SpecimenKind::Control, SpecimenKind::Unknown];
        let observations: Vec<Observation> = (0..self.rng.usize(0..5))
            .map(|_| {
                let in_run = (self.rng.u8(0..3) > 0).then(|| self.rng.u64(1..4));
                observation(kinds[self.rng.usize(0..4)], in_run)
            })
            .collect();
        let donations: Vec<(u32, DonationId)> =
            (0u32..).zip(&observations).map(|(i, _)| (i, donation(self.rng.u64(1..12)))).collect();
        let consequence =
            [Consequence::Note, Consequence::Hold, Consequence::Quarantine][self.rng.usize(0..3)];
        let findings = vec![finding(consequence); usize::from(self.rng.u8(0..4) == 0)];
        let holds = findings.iter().map(|_| (0, donation(self.rng.u64(1..12)))).collect();
        let measured = (0u32..)
            .zip(&observations)
            .map(|(index, _)| Measured {
                index,
                place: index,
                identity: self.rng.u64(0..9),
                outcome: self.rng.u64(..),
                earlier: None,
            })
            .collect();
        let begun = self.transfers.first().map_or(77, |(transfer, _, _)| *transfer);
        let continues = vec![begun; usize::from(self.rng.u8(0..4) == 0)];
        let mut orders = Vec::new();
        for (i, _) in (0u32..).zip(&observations) {
            if self.rng.u8(0..3) == 0 {
                orders.push((i, order_id(["L1", "L2", "L9"][self.rng.usize(0..3)])));
            }
        }
        let (part, last) = (u16::from(self.rng.u8(0..4) == 0), self.rng.u8(0..4) > 0);
        let (profile, count) = (profile(), u32::try_from(observations.len()).unwrap());
        let what = What::MessageInterpreted {
            message,
            profile,
            observations,
            findings,
            donations,
            holds,
            orders,
            measured,
            continues,
            pools: self.pools(count),
            part,
            last,
        };
        Draft::by_system(what)
    }

    /// Members and results of few pools of few donations, so that they meet.
    fn pools(&mut self, observations: u32) -> Pools {
        let mut pools = Pools::default();
        for _ in 0..self.rng.usize(0..3) {
            let count = self.rng.usize(0..4);
            let members = (0..count).map(|_| PoolMember {
                donation: (self.rng.u8(0..5) > 0).then(|| donation(self.rng.u64(1..6))),
                aspiration: Aspiration {
                    position: None,
                    barcode: None,
                    wrong: vec![],
                    said: None,
                    volume: None,
                    at: None,
                    record: "row 2".into(),
                },
            });
            let members = members.collect();
            pools.made.push(PoolMade { pool: self.pool(), run: "R".into(), size: 3, members });
        }
        for at in 0..observations {
            if self.rng.u8(0..3) == 0 {
                pools.results.push((at, self.pool()));
            }
        }
        pools
    }

    fn pool(&mut self) -> PoolId {
        PoolId::new(["P1", "P2", "P9"][self.rng.usize(0..3)]).unwrap()
    }
}

/// Everything in the journal.
pub(crate) fn entries(ledger: &Ledger) -> Vec<Entry> {
    ledger.state().entries(Seq::NONE).map(|line| line.unwrap().entry).collect()
}

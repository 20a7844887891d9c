//! The rooms: a ledger on the disk, the workflow on it, the people of the laboratory, and a receiver.

use super::kept;
use super::people::Staff;
use super::post::Transfer;
use super::reckoning::Accounts;
use super::street::Street;
use crate::BenchError;
use jiff::civil::Date;
use ledger::{Clock, Draft, Ledger, Pending, Seq, Settings, What};
use simulator::year::{Letter, Sender};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use vocabulary::{DestinationId, Protocol};
use workflow::{AcceptedLot, Kits, LotRegister};

/// Deliveries that are taken at once.
const TAKEN_AT_ONCE: usize = 2_000;
/// Messages of one group where a line has no transfers.
const BLOCKS_AT_ONCE: usize = 64;
/// Groups that wait for the disk.
const PENDING_MAX: usize = 512;
/// The evening begins at eight.
const EVENING_MS: i64 = 12 * 60 * 60 * 1000;

/// The time in the simulated year. Each look is a millisecond later.
#[derive(Debug, Default)]
struct Calendar(AtomicI64);

impl Clock for Calendar {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The laboratory.
pub(super) struct House<'a> {
    pub(super) ledger: Ledger,
    pub(super) settings: workflow::Settings,
    pub(super) staff: Staff,
    pub(super) receiver: DestinationId,
    street: &'a Street,
    calendar: Arc<Calendar>,
    transfers: u64,
    pub(super) today: u32,
    days: u32,
}

impl<'a> House<'a> {
    pub(super) fn open(
        folder: &Path,
        street: &'a Street,
        lots: Vec<AcceptedLot>,
        kits: Kits,
    ) -> Result<Self, BenchError> {
        let calendar = Arc::new(Calendar::default());
        let settings = Settings {
            clock: Arc::clone(&calendar) as Arc<dyn Clock>,
            free_bytes_min: 0,
            ballast_bytes: 0,
            ..Settings::new(folder)
        };
        let opened = Ledger::open(settings, &mut |_| {});
        let (ledger, _) = opened.map_err(BenchError::part("open a ledger"))?;
        let receiver = DestinationId::new("bis").map_err(BenchError::part("name the receiver"))?;
        let settings = workflow::Settings {
            profiles: street.catalogue.list().cloned().collect(),
            pack: kept::pack()?,
            specimens: kept::specimens()?,
            time_zone: jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8)),
            lots: LotRegister::new(lots),
            kits,
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: vec![receiver.clone()],
            sign_off: workflow::SignOff::Here,
            orders: workflow::orders::OrderRules::default(),
        };
        // As the daemon does at its first start, so that the kept ledger is read later as it was here.
        workflow::rules::start(&ledger, &settings.pack)
            .map_err(BenchError::part("begin with the rule pack"))?;
        workflow::kits::start(&ledger, &settings.kits).map_err(BenchError::part("begin with the kits"))?;
        Ok(Self {
            staff: Staff::hire(&ledger)?,
            ledger,
            settings,
            receiver,
            street,
            calendar,
            transfers: 0,
            today: 0,
            days: 0,
        })
    }

    /// The next day begins.
    pub(super) fn begins(&mut self, date: Date) -> Result<(), BenchError> {
        let zone = self.settings.time_zone.clone();
        let morning = date.to_zoned(zone).map_err(BenchError::part("begin a day"))?;
        self.calendar.0.store(morning.timestamp().as_millisecond() + EVENING_MS, Ordering::Relaxed);
        self.today = self.days;
        self.days += 1;
        Ok(())
    }

    /// Which connection a sender has.
    pub(super) fn connection(&self, from: Sender) -> Option<&vocabulary::ConnectionId> {
        self.street.places.get(&from).map(|place| &place.connection)
    }

    /// Writes drafts and waits until the state knows them.
    pub(super) fn write(&self, drafts: Vec<Draft>) -> Result<(), BenchError> {
        self.append(drafts.into_iter().map(|draft| vec![draft]).collect())
    }

    fn append(&self, groups: Vec<Vec<Draft>>) -> Result<(), BenchError> {
        let mut waiting: Vec<Pending> = Vec::new();
        let mut last = Seq::NONE;
        let kept = |pending: Pending| pending.wait().map_err(BenchError::part("write the ledger"));
        for group in groups {
            waiting.push(self.ledger.append(group).map_err(BenchError::part("write the ledger"))?);
            if waiting.len() >= PENDING_MAX {
                for pending in waiting.drain(..) {
                    last = kept(pending)?.last();
                }
            }
        }
        for pending in waiting {
            last = kept(pending)?.last();
        }
        self.ledger.wait_applied(last).wait().map_err(BenchError::part("follow the journal"))
    }

    /// Puts letters into the ledger as intake does.
    pub(super) fn send(&mut self, letters: &[Letter]) -> Result<(), BenchError> {
        let mut groups = Vec::new();
        let mut rest = letters;
        while let Some(first) = rest.first() {
            let Some(place) = self.street.places.get(&first.from) else {
                return Err(BenchError::Part {
                    what: "send a message".into(),
                    why: first.from.name().into(),
                });
            };
            let most = match place.profile.protocol() {
                Protocol::Lis02 => place.model.as_ref().map_or(1, |model| model.messages_per_transfer()),
                Protocol::Hl7v2 | Protocol::PkBlocks => BLOCKS_AT_ONCE,
                Protocol::Delimited => 1,
            };
            // What breaks off ends its transfer.
            let whole = rest.iter().take_while(|l| l.from == first.from && !l.breaks_off).count();
            let some = if whole < most && rest.get(whole).is_some_and(|l| l.from == first.from) {
                whole + 1
            } else {
                whole.min(most)
            };
            let (now, then) = rest.split_at(some.clamp(1, rest.len()));
            self.transfers += 1;
            let transfer = Transfer { place, number: self.transfers };
            groups.extend(transfer.groups(&now.iter().collect::<Vec<_>>()));
            rest = then;
        }
        self.append(groups)
    }

    /// Lets the rooms work until nothing is left to do.
    pub(super) fn work(&self) -> Result<(), BenchError> {
        while workflow::work_once(&self.settings, &self.ledger).map_err(BenchError::part("work"))? > 0 {}
        Ok(())
    }

    /// The receiver takes what it is told.
    pub(super) fn deliver(&self, accounts: &mut Accounts) -> Result<(), BenchError> {
        loop {
            let reader = self.ledger.state();
            let items = reader.outbox(&self.receiver, TAKEN_AT_ONCE);
            let items = items.map_err(BenchError::part("read the outbox"))?;
            if items.is_empty() {
                return Ok(());
            }
            let mut taken = Vec::with_capacity(items.len());
            for item in items {
                let made = reader.verdict(item.id.verdict).map_err(BenchError::part("read a verdict"))?;
                accounts.told(self.today, &made);
                let what = What::DeliveryDone { delivery: item.id, answer: b"AA".as_slice().into() };
                taken.push(Draft::by_system(what));
            }
            self.write(taken)?;
        }
    }

    pub(super) fn close(self) {
        self.ledger.close();
    }
}

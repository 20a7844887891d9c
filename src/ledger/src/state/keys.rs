//! The keys of the state. One tree; the first two bytes say what a key speaks of. Numbers are big-endian so
//! that keys sort as numbers do; texts end with a zero byte, which no identifier holds. In sled, rows of some kinds
//! stand sixteen in a value (`packed.rs`).
//!
//! | key | value |
//! |---|---|
//! | `@a` | applied sequence number |
//! | `@c` | counters |
//! | `@v` | version of this table |
//! | `@r` | rule packs in force, and what is proposed |
//! | `@t` | how the station's clock stands to its time source |
//! | `@k` | how kits come into force, and what is proposed |
//! | `rk` id · hash | the entry with a rule pack's content |
//! | `ms` message | message record |
//! | `mb` message · chunk | where its bytes stand in frames |
//! | `mp` message · part · chunk | one part of its interpretation |
//! | `mq` message | it has findings that hold or quarantine: which |
//! | `mh` message · entry | an interpretation that another one took the place of |
//! | `pr` id · revision | the entry with a profile revision's content |
//! | `pn` connection | the revision it reads with, and what somebody wants instead |
//! | `ph` connection · entry | – : its pins, proposals and activations |
//! | `fa` fault | a fault of an interface that stands open |
//! | `fc` connection · fault | where it begins: faults of a connection |
//! | `fr` fault · run | – : runs that it fell into |
//! | `rf` run · fault | – : faults that fell into a run |
//! | `rs` run | its first message and its last |
//! | `rb` connection · first · run | – : runs of a connection by their first messages |
//! | `fn` entry | what a person wrote down of an analyser or an operator |
//! | `fs` connection · entry | – : of the analysers of a connection |
//! | `fo` operator · entry | – : of an operator |
//! | `ld` connection · day · run | – : runs with results of a connection, by the days of the results |
//! | `od` operator · day · run | – : the same of an operator |
//! | `to` transfer | an open transfer |
//! | `tp` transfer · page | earlier frames of a long transfer |
//! | `th` transfer | a half transmission |
//! | `ti` end · transfer | – : half transmissions by time |
//! | `wi` message | – : to be interpreted |
//! | `wd` first · donation | since: to be decided |
//! | `do` donation | donation record |
//! | `dr` donation · message · part | which observations and findings are about it |
//! | `dv` donation · verdict | verdict summary |
//! | `dx` donation · destination · verdict | – : its deliveries |
//! | `rd` run · donation · message | – : donations of a run |
//! | `rc` run · message · part | its controls: observation indexes |
//! | `rp` run · pool · message | – : pools with results of it |
//! | `pl` pool | pool record |
//! | `pp` pool · message · part | which members, observations and findings are about it |
//! | `pd` pool · donation · message | – : donations that are named as its members |
//! | `dp` donation · pool · message | – : pools that it is named as a member of |
//! | `cc` connection · instrument · assay · lot · name · day · message · part | readings of a control: observation indexes |
//! | `cr` connection · instrument · assay · lot · day · run | – : runs with results of a channel |
//! | `xx` verdict · destination | delivery record |
//! | `xp` destination · verdict | donation: deliveries to be made |
//! | `xd` verdict · destination | – : dead letters |
//! | `or` order | order record |
//! | `ot` first | order: all orders, by age |
//! | `ow` first | order: those with something open |
//! | `oo` placed at · order | – : those with something open, by the time of their last version |
//! | `os` specimen · first | order: the orders of a specimen |
//! | `oa` assay · priority · first | order: assays that no analyser has |
//! | `oc` connection · first | order: cancellations that an analyser is to be told |
//! | `oh` order · entry | – : its history |
//! | `qa` entry | connection: answered questions |
//! | `qc` connection · entry | – : answered questions of a connection |
//! | `qm` message | entry: the answer to a question |
//! | `ba` batch | batch record |
//! | `bm` batch · donation | – : its donations |
//! | `bh` batch · entry | – : its history |
//! | `bd` donation | the batch it is in |
//! | `bp` donation | what people did with it |
//! | `kk` id · hash | the entry with a kit's content |
//! | `kf` entry | kits that are in force from it on, who said so, and for what is tested from when on |
//! | `rj` run | the entry whose kits judge it, and who wants others |
//! | `ri` run | what people said of its invalidity |
//! | `rw` run · window | – : windows of it that were declared invalid |
//! | `rx` connection · instrument · assay · lot · window | – : windows that were declared invalid, by what they covered |
//! | `ry` message · window | – : windows that were declared invalid, by the messages with their rows |
//! | `ru` run | – : runs that were declared invalid and that nobody else has confirmed |
//! | `rn` run | – : runs that were declared invalid and of which nobody has named the repeat |
//! | `rt` entry | recall |
//! | `ro` donation · entry | – : its recalls that are open |
//! | `rh` donation | – : it was called back, be that open or closed |
//! | `dc` collected at · donation | – : donations by the time they were taken |
//! | `dn` donor | what stands of a donor |
//! | `dg` donor · collected at · donation | – : the donor's donations |
//! | `df` donation | what people wrote down of it |
//! | `co` donation | its components, and where each is |
//! | `lb` donation · marker · earlier donation | look-back |
//! | `le` earlier donation · donation · marker | – : look-backs that it is looked up for |
//! | `re` donation | candidate for re-entry |
//! | `dk` donation | tasks for its donor |
//! | `dj` donation | – : donations with an open task for the donor |
//! | `ds` donation · other | whether it is settled that the other's tube may be wrong, which was taken beside it |
//! | `dt` donation | the donations that wait because its tube may be wrong |
//! | `us` user | account |
//! | `ft` connection · sha256 · name | the entry: files taken |

use super::Span;
use crate::channel::Channel;
use crate::{DeliveryId, KitRef, LookbackId, Seq};
use release::pack::PackRef;
use vocabulary::{
    ConnectionId, DestinationId, DonationId, OrderId, PoolId, Priority, ProfileRef, RunId, SpecimenId, UserId,
};

/// A key being put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) const APPLIED: &[u8] = b"@a";
    pub(crate) const COUNTERS: &[u8] = b"@c";
    pub(crate) const VERSION: &[u8] = b"@v";
    pub(crate) const RULES: &[u8] = b"@r";
    pub(crate) const KITS: &[u8] = b"@k";
    pub(crate) const CLOCK: &[u8] = b"@t";

    fn of(kind: [u8; 2]) -> Self {
        Self(kind.to_vec())
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn seq(self, seq: Seq) -> Self {
        self.number(seq.get())
    }

    pub(crate) fn short(mut self, number: u16) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    /// Every key that begins like this.
    pub(crate) fn under(self) -> Span {
        let mut to = self.0.clone();
        while let Some(last) = to.last_mut() {
            if *last < u8::MAX {
                *last += 1;
                break;
            }
            to.pop();
        }
        Span { from: self.0, to, backwards: false }
    }

    pub(crate) fn message(message: Seq) -> Self {
        Self::of(*b"ms").seq(message)
    }
    pub(crate) fn messages() -> Self {
        Self::of(*b"ms")
    }
    pub(crate) fn message_body(message: Seq) -> Self {
        Self::of(*b"mb").seq(message)
    }
    pub(crate) fn message_parts(message: Seq) -> Self {
        Self::of(*b"mp").seq(message)
    }
    pub(crate) fn held_messages() -> Self {
        Self::of(*b"mq")
    }
    pub(crate) fn past_interpretations(message: Seq) -> Self {
        Self::of(*b"mh").seq(message)
    }
    pub(crate) fn kept_profiles() -> Self {
        Self::of(*b"pr")
    }
    pub(crate) fn kept_profile(profile: &ProfileRef) -> Self {
        Self::of(*b"pr").text(&profile.id).text(&profile.revision)
    }
    pub(crate) fn kept_packs() -> Self {
        Self::of(*b"rk")
    }
    pub(crate) fn kept_rules(pack: &PackRef) -> Self {
        Self::of(*b"rk").text(&pack.id).text(&pack.hash)
    }
    pub(crate) fn pins() -> Self {
        Self::of(*b"pn")
    }
    pub(crate) fn pin(connection: &ConnectionId) -> Self {
        Self::of(*b"pn").text(connection.as_str())
    }
    pub(crate) fn pin_history(connection: &ConnectionId) -> Self {
        Self::of(*b"ph").text(connection.as_str())
    }
    pub(crate) fn faults() -> Self {
        Self::of(*b"fa")
    }
    pub(crate) fn fault(fault: Seq) -> Self {
        Self::of(*b"fa").seq(fault)
    }
    pub(crate) fn faults_of(connection: &ConnectionId) -> Self {
        Self::of(*b"fc").text(connection.as_str())
    }
    pub(crate) fn every_fault_run() -> Self {
        Self::of(*b"fr")
    }
    pub(crate) fn fault_runs(fault: Seq) -> Self {
        Self::of(*b"fr").seq(fault)
    }
    pub(crate) fn run_faults(run: &RunId) -> Self {
        Self::of(*b"rf").text(run.as_str())
    }
    /// Faults of a run that a person has looked at.
    pub(crate) fn run_acknowledged(run: &RunId) -> Self {
        Self::of(*b"rq").text(run.as_str())
    }
    pub(crate) fn run_span(run: &RunId) -> Self {
        Self::of(*b"rs").text(run.as_str())
    }
    pub(crate) fn runs_begun(connection: &ConnectionId) -> Self {
        Self::of(*b"rb").text(connection.as_str())
    }
    pub(crate) fn fitness_note(note: Seq) -> Self {
        Self::of(*b"fn").seq(note)
    }
    pub(crate) fn services(connection: &ConnectionId) -> Self {
        Self::of(*b"fs").text(connection.as_str())
    }
    pub(crate) fn every_operator_note() -> Self {
        Self::of(*b"fo")
    }
    pub(crate) fn operator_notes(operator: &str) -> Self {
        Self::every_operator_note().text(&operator.replace('\0', " "))
    }
    pub(crate) fn line_days(connection: &ConnectionId) -> Self {
        Self::of(*b"ld").text(connection.as_str())
    }
    /// Lines that a lot was seen on.
    pub(crate) fn lot_lines(lot: &str) -> Self {
        Self::of(*b"ll").text(&lot.replace('\0', " "))
    }
    pub(crate) fn lot_defects() -> Self {
        Self::of(*b"lf")
    }
    pub(crate) fn lot_defect(lot: &str) -> Self {
        Self::lot_defects().text(&lot.replace('\0', " "))
    }
    pub(crate) fn operator_days(operator: &str) -> Self {
        Self::of(*b"od").text(&operator.replace('\0', " "))
    }
    pub(crate) fn open_transfers() -> Self {
        Self::of(*b"to")
    }
    pub(crate) fn open_transfer(transfer: u64) -> Self {
        Self::of(*b"to").number(transfer)
    }
    pub(crate) fn transfer_pages(transfer: u64) -> Self {
        Self::of(*b"tp").number(transfer)
    }
    pub(crate) fn half_transfer(transfer: u64) -> Self {
        Self::of(*b"th").number(transfer)
    }
    pub(crate) fn half_transfers_by_end() -> Self {
        Self::of(*b"ti")
    }
    pub(crate) fn to_interpret() -> Self {
        Self::of(*b"wi")
    }
    pub(crate) fn to_decide() -> Self {
        Self::of(*b"wd")
    }
    pub(crate) fn decide_work(first: Seq, donation: &DonationId) -> Self {
        Self::of(*b"wd").seq(first).text(donation.as_str())
    }
    pub(crate) fn donations() -> Self {
        Self::of(*b"do")
    }
    pub(crate) fn donation(donation: &DonationId) -> Self {
        Self::of(*b"do").text(donation.as_str())
    }
    /// Every donation whose number begins like this one; itself among them.
    pub(crate) fn donations_begun_by(donation: &DonationId) -> Self {
        let mut key = Self::of(*b"do");
        key.0.extend_from_slice(donation.as_str().as_bytes());
        key
    }
    pub(crate) fn donation_refs(donation: &DonationId) -> Self {
        Self::of(*b"dr").text(donation.as_str())
    }
    pub(crate) fn registration(donation: &DonationId) -> Self {
        Self::of(*b"de").text(donation.as_str())
    }
    pub(crate) fn donation_verdicts(donation: &DonationId) -> Self {
        Self::of(*b"dv").text(donation.as_str())
    }
    pub(crate) fn donation_deliveries(donation: &DonationId) -> Self {
        Self::of(*b"dx").text(donation.as_str())
    }
    pub(crate) fn run_donations(run: &RunId) -> Self {
        Self::of(*b"rd").text(run.as_str())
    }
    pub(crate) fn run_controls(run: &RunId) -> Self {
        Self::of(*b"rc").text(run.as_str())
    }
    pub(crate) fn run_pools(run: &RunId) -> Self {
        Self::of(*b"rp").text(run.as_str())
    }
    pub(crate) fn pools() -> Self {
        Self::of(*b"pl")
    }
    pub(crate) fn pool(pool: &PoolId) -> Self {
        Self::of(*b"pl").text(pool.as_str())
    }
    pub(crate) fn pool_refs(pool: &PoolId) -> Self {
        Self::of(*b"pp").text(pool.as_str())
    }
    pub(crate) fn pool_donations(pool: &PoolId) -> Self {
        Self::of(*b"pd").text(pool.as_str())
    }
    pub(crate) fn donation_pools(donation: &DonationId) -> Self {
        Self::of(*b"dp").text(donation.as_str())
    }
    pub(crate) fn every_run_with_donations() -> Self {
        Self::of(*b"rd")
    }
    pub(crate) fn every_run_with_controls() -> Self {
        Self::of(*b"rc")
    }
    pub(crate) fn every_run_with_pools() -> Self {
        Self::of(*b"rp")
    }
    fn of_channel(kind: [u8; 2], channel: &Channel) -> Self {
        let Channel { connection, instrument, assay, lot } = channel;
        Self::of(kind).text(connection.as_str()).text(instrument).text(assay).text(lot)
    }
    pub(crate) fn channel_readings(channel: &Channel) -> Self {
        Self::of_channel(*b"cc", channel)
    }
    pub(crate) fn channel_runs(channel: &Channel) -> Self {
        Self::of_channel(*b"cr", channel)
    }
    pub(crate) fn deliveries() -> Self {
        Self::of(*b"xx")
    }
    pub(crate) fn delivery(id: &DeliveryId) -> Self {
        Self::of(*b"xx").seq(id.verdict).text(id.destination.as_str())
    }
    pub(crate) fn outbox(destination: &DestinationId) -> Self {
        Self::of(*b"xp").text(destination.as_str())
    }
    pub(crate) fn dead_letters() -> Self {
        Self::of(*b"xd")
    }
    pub(crate) fn dead_letter(id: &DeliveryId) -> Self {
        Self::of(*b"xd").seq(id.verdict).text(id.destination.as_str())
    }
    pub(crate) fn order(order: &OrderId) -> Self {
        Self::of(*b"or").text(order.as_str())
    }
    pub(crate) fn orders() -> Self {
        Self::of(*b"ot")
    }
    pub(crate) fn open_orders() -> Self {
        Self::of(*b"ow")
    }
    pub(crate) fn open_orders_by_time() -> Self {
        Self::of(*b"oo")
    }
    pub(crate) fn specimen_orders(specimen: &SpecimenId) -> Self {
        Self::of(*b"os").text(specimen.as_str())
    }
    pub(crate) fn unsent_orders(assay: &str, priority: Priority) -> Self {
        let rank = match priority {
            Priority::Stat => 0,
            Priority::Routine => 1,
        };
        Self::of(*b"oa").text(assay).short(rank)
    }
    pub(crate) fn cancellations(connection: &ConnectionId) -> Self {
        Self::of(*b"oc").text(connection.as_str())
    }
    pub(crate) fn order_history(order: &OrderId) -> Self {
        Self::of(*b"oh").text(order.as_str())
    }
    pub(crate) fn queries() -> Self {
        Self::of(*b"qa")
    }
    pub(crate) fn queries_of(connection: &ConnectionId) -> Self {
        Self::of(*b"qc").text(connection.as_str())
    }
    pub(crate) fn query_answer(message: Seq) -> Self {
        Self::of(*b"qm").seq(message)
    }
    pub(crate) fn batches() -> Self {
        Self::of(*b"ba")
    }
    pub(crate) fn batch(batch: Seq) -> Self {
        Self::of(*b"ba").seq(batch)
    }
    pub(crate) fn batch_members(batch: Seq) -> Self {
        Self::of(*b"bm").seq(batch)
    }
    pub(crate) fn batch_history(batch: Seq) -> Self {
        Self::of(*b"bh").seq(batch)
    }
    pub(crate) fn batch_of(donation: &DonationId) -> Self {
        Self::of(*b"bd").text(donation.as_str())
    }
    pub(crate) fn by_people(donation: &DonationId) -> Self {
        Self::of(*b"bp").text(donation.as_str())
    }
    pub(crate) fn run_invalidated(run: &RunId) -> Self {
        Self::of(*b"ri").text(run.as_str())
    }
    pub(crate) fn kept_kit(kit: &KitRef) -> Self {
        Self::of(*b"kk").text(&kit.id).text(&kit.hash)
    }
    pub(crate) fn kept_kits() -> Self {
        Self::of(*b"kk")
    }
    pub(crate) fn kits_in_force() -> Self {
        Self::of(*b"kf")
    }
    pub(crate) fn run_judged(run: &RunId) -> Self {
        Self::of(*b"rj").text(run.as_str())
    }
    pub(crate) fn windows_invalidated(whole: &RunId) -> Self {
        Self::of(*b"rw").text(whole.as_str())
    }
    pub(crate) fn every_window_invalidated() -> Self {
        Self::of(*b"rw")
    }
    pub(crate) fn unconfirmed() -> Self {
        Self::of(*b"ru")
    }
    pub(crate) fn unrepeated() -> Self {
        Self::of(*b"rn")
    }
    pub(crate) fn fallen_in(channel: &Channel) -> Self {
        Self::of_channel(*b"rx", channel)
    }
    pub(crate) fn fallen_with(message: Seq) -> Self {
        Self::of(*b"ry").seq(message)
    }
    pub(crate) fn recalls() -> Self {
        Self::of(*b"rt")
    }
    pub(crate) fn recall(verdict: Seq) -> Self {
        Self::of(*b"rt").seq(verdict)
    }
    pub(crate) fn open_recalls_of(donation: &DonationId) -> Self {
        Self::of(*b"ro").text(donation.as_str())
    }
    pub(crate) fn recalled(donation: &DonationId) -> Self {
        Self::of(*b"rh").text(donation.as_str())
    }
    pub(crate) fn components(donation: &DonationId) -> Self {
        Self::of(*b"co").text(donation.as_str())
    }
    pub(crate) fn collected() -> Self {
        Self::of(*b"dc")
    }
    pub(crate) fn donor(donor: &str) -> Self {
        Self::of(*b"dn").text(donor)
    }
    pub(crate) fn given_by(donor: &str) -> Self {
        Self::of(*b"dg").text(donor)
    }
    pub(crate) fn donation_notes(donation: &DonationId) -> Self {
        Self::of(*b"df").text(donation.as_str())
    }
    pub(crate) fn lookbacks() -> Self {
        Self::of(*b"lb")
    }
    pub(crate) fn lookback(id: &LookbackId) -> Self {
        Self::of(*b"lb").text(id.trigger.as_str()).text(&id.marker).text(id.earlier.as_str())
    }
    pub(crate) fn lookbacks_at(earlier: &DonationId) -> Self {
        Self::of(*b"le").text(earlier.as_str())
    }
    pub(crate) fn candidates() -> Self {
        Self::of(*b"re")
    }
    pub(crate) fn candidate(donation: &DonationId) -> Self {
        Self::of(*b"re").text(donation.as_str())
    }
    pub(crate) fn donor_tasks(donation: &DonationId) -> Self {
        Self::of(*b"dk").text(donation.as_str())
    }
    pub(crate) fn open_donor_tasks(task: crate::DonorTask) -> Self {
        Self::of(*b"dj").text(task.name())
    }
    pub(crate) fn open_donor_task(task: crate::DonorTask, donation: &DonationId) -> Self {
        Self::open_donor_tasks(task).text(donation.as_str())
    }
    pub(crate) fn suspected_beside(donation: &DonationId) -> Self {
        Self::of(*b"ds").text(donation.as_str())
    }
    pub(crate) fn wrong_tube(donation: &DonationId) -> Self {
        Self::of(*b"dt").text(donation.as_str())
    }
    /// Donations whose tubes were suspected, by the time at which they were taken.
    pub(crate) fn suspected_at() -> Self {
        Self::of(*b"dw")
    }
    pub(crate) fn users() -> Self {
        Self::of(*b"us")
    }
    pub(crate) fn user(user: &UserId) -> Self {
        Self::of(*b"us").text(user.as_str())
    }
    pub(crate) fn file_taken(connection: &ConnectionId, sha256: &str) -> Self {
        Self::of(*b"ft").text(connection.as_str()).text(sha256)
    }
    pub(crate) fn file_taken_last(connection: &ConnectionId) -> Self {
        Self::of(*b"fl").text(connection.as_str())
    }
}

/// Takes keys apart again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyParts<'a>(&'a [u8]);

impl<'a> KeyParts<'a> {
    /// Behind the two bytes that say what it is.
    pub(crate) fn of(key: &'a [u8]) -> Self {
        Self(key.get(2..).unwrap_or_default())
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    pub(crate) fn seq(&mut self) -> Option<Seq> {
        self.number().map(Seq::new)
    }

    /// A delivery of a donation ([`Key::donation_deliveries`]).
    pub(crate) fn delivery(&mut self) -> Option<DeliveryId> {
        self.text()?;
        let destination = DestinationId::new(self.text()?).ok()?;
        Some(DeliveryId { verdict: self.seq()?, destination })
    }

    /// The day of a reading in a channel ([`Key::channel_readings`]): behind connection, instrument, assay, lot and the
    /// control's name.
    pub(crate) fn day_of_reading(&mut self) -> Option<&'a str> {
        self.channel()?;
        self.text()?;
        self.text()
    }

    /// The run with a result in a channel ([`Key::channel_runs`]): behind connection, instrument, assay, lot and the day.
    pub(crate) fn run_in_channel(&mut self) -> Option<&'a str> {
        self.channel()?;
        self.text()?;
        self.text()
    }

    /// Passes over connection, instrument, assay and lot.
    pub(crate) fn channel(&mut self) -> Option<()> {
        for _ in 0..4 {
            self.text()?;
        }
        Some(())
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|b| *b == 0)?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        std::str::from_utf8(text).ok()
    }
}

//! Donations and runs: what verdicts rest on.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::alike::alike;
use crate::fold::{members, pools_in, refs};
use crate::journal::Held;
use crate::state::{
    DonationRecord, Key, KeyParts, RefsRecord, Registered, VerdictRecord, collect, decode, record,
};
use crate::{Earlier, Known, Measured, PoolMade, Seq, What};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use vocabulary::{ConnectionId, DonationId, Finding, Mode, Observation, ProfileRef, RunId};

/// A donation as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DonationSummary {
    /// Its number.
    pub donation: DonationId,
    /// The entry that first spoke of it.
    pub first: Seq,
    /// Whether it was registered.
    pub registered: bool,
    /// When it was taken, milliseconds since 1970 UTC.
    pub collected_at_ms: Option<i64>,
    /// The verdict that stands.
    pub verdict: Option<VerdictSummary>,
    /// Whether it is to be decided anew.
    pub undecided: bool,
}

/// A verdict in short; [`Reader::verdict`] has it whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerdictSummary {
    /// Its entry.
    pub seq: Seq,
    /// When it was written.
    pub at_ms: i64,
    /// What it considered.
    pub considered: Seq,
    /// `pass`, `hold`, `discard`.
    pub unit: String,
    /// May be released.
    pub releasable: bool,
    /// Every mandatory test is final.
    pub complete: bool,
    /// Equal content, equal hash.
    pub content_hash: String,
}

/// Everything known of a donation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DonationView {
    /// In short.
    pub summary: DonationSummary,
    /// Its registration that stands.
    pub registration: Option<Registered>,
    /// Its observations, oldest message first.
    pub observations: Vec<EvidenceObservation>,
    /// Findings that hold it.
    pub findings: Vec<EvidenceFinding>,
    /// Its verdicts, oldest first; the last one stands.
    pub verdicts: Vec<VerdictSummary>,
}

/// An observation with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceObservation {
    /// The message.
    pub message: Seq,
    /// The entry that interpreted it.
    pub entry: Seq,
    /// Its place in that entry.
    pub index: u32,
    /// The link.
    pub connection: ConnectionId,
    /// How the message's results may be used.
    pub mode: Mode,
    /// The profile that read it.
    pub profile: ProfileRef,
    /// When the message was written.
    pub at_ms: i64,
    /// Its place among all observations of the message.
    pub place: u32,
    /// What it is to an earlier result of the same measurement.
    #[serde(flatten)]
    pub earlier: Option<Earlier>,
    /// What was found.
    pub observation: Observation,
}

/// A finding with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceFinding {
    /// The message.
    pub message: Seq,
    /// The entry that interpreted it.
    pub entry: Seq,
    /// What was wrong.
    pub finding: Finding,
}

/// A run: its controls and who depends on them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunView {
    /// Its name.
    pub run: RunId,
    /// Controls, calibrators and blanks, oldest message first.
    pub controls: Vec<EvidenceObservation>,
    /// Donations with results of this run, or that were tested in it in a pool.
    pub donations: Vec<DonationId>,
}

/// Interpretations that are kept at once while many donations are read: those of some working days.
const INTERPRETATIONS_MAX: usize = 256;

/// Interpretations that were read lately.
#[derive(Debug, Default)]
pub struct Interpretations {
    read: BTreeMap<(Seq, Seq), Read>,
    /// The longest here goes first.
    order: VecDeque<(Seq, Seq)>,
    /// Where interpretations were read last: the next ones stand near.
    interpreted: Held,
}

/// One interpretation, and the message it is of.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) connection: ConnectionId,
    pub(super) mode: Mode,
    at_ms: i64,
    profile: ProfileRef,
    observations: Vec<Observation>,
    findings: Vec<Finding>,
    measured: BTreeMap<u32, Measured>,
    pub(super) pooled: Vec<PoolMade>,
}

impl Interpretations {
    pub(super) fn read(&mut self, reader: &Reader, message: Seq, entry: Seq) -> Result<&Read, ReadError> {
        let key = (message, entry);
        if !self.read.contains_key(&key) {
            let read = Read::of(reader, message, entry, &mut self.interpreted)?;
            self.keep(key, read);
        }
        self.read.get(&key).ok_or(ReadError::OtherKind { seq: entry, wanted: "interpretation" })
    }

    /// An interpretation whose results are all asked for: it is of nobody else, and is given away. Any other is kept.
    fn give(
        &mut self,
        reader: &Reader,
        (message, entry): (Seq, Seq),
        results: &[u32],
    ) -> Result<Option<Read>, ReadError> {
        let key = (message, entry);
        if self.read.contains_key(&key) {
            return Ok(None);
        }
        let read = Read::of(reader, message, entry, &mut self.interpreted)?;
        if results.iter().copied().eq((0..).zip(&read.observations).map(|(at, _)| at)) {
            return Ok(Some(read));
        }
        self.keep(key, read);
        Ok(None)
    }

    fn keep(&mut self, key: (Seq, Seq), read: Read) {
        if self.order.len() >= INTERPRETATIONS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.read.remove(&oldest);
        }
        self.order.push_back(key);
        self.read.insert(key, read);
    }
}

impl Read {
    fn of(reader: &Reader, message: Seq, entry: Seq, held: &mut Held) -> Result<Self, ReadError> {
        let What::MessageInterpreted { observations, findings, profile, measured, pools, .. } =
            reader.entry_near(entry, held)?.what
        else {
            return Err(ReadError::OtherKind { seq: entry, wanted: "interpretation" });
        };
        let Some(about) = reader.message_record(message)? else {
            return Err(ReadError::OtherKind { seq: message, wanted: "message" });
        };
        Ok(Self {
            connection: about.connection.clone(),
            mode: about.mode,
            at_ms: about.at_ms,
            profile,
            observations,
            findings,
            measured: measured.into_iter().map(|m| (m.index, m)).collect(),
            pooled: pools.made,
        })
    }
}

impl Read {
    fn evidence(
        &self,
        (message, entry): (Seq, Seq),
        index: u32,
        observation: Observation,
    ) -> EvidenceObservation {
        let measured = self.measured.get(&index);
        EvidenceObservation {
            message,
            entry,
            index,
            connection: self.connection.clone(),
            mode: self.mode,
            profile: self.profile.clone(),
            at_ms: self.at_ms,
            place: measured.map_or(index, |m| m.place),
            earlier: measured.and_then(|m| m.earlier),
            observation,
        }
    }

    fn findings_of(&self, (message, entry): (Seq, Seq), refs: &RefsRecord) -> Vec<EvidenceFinding> {
        let held = refs.findings.iter().filter_map(|at| self.findings.get(*at as usize));
        held.map(|finding| EvidenceFinding { message, entry, finding: finding.clone() }).collect()
    }
}

impl From<VerdictRecord> for VerdictSummary {
    fn from(record: VerdictRecord) -> Self {
        Self {
            seq: record.seq,
            at_ms: record.at_ms,
            considered: record.considered,
            unit: record.unit,
            releasable: record.releasable,
            complete: record.complete,
            content_hash: record.content_hash,
        }
    }
}

impl DonationSummary {
    fn new(donation: DonationId, record: DonationRecord) -> Self {
        Self {
            donation,
            first: record.first,
            registered: record.registered.is_some(),
            collected_at_ms: record.collected_at_ms,
            undecided: record.work.is_some(),
            verdict: record.latest.map(Into::into),
        }
    }
}

fn donation_of(key: &[u8]) -> Option<DonationId> {
    DonationId::new(KeyParts::of(key).text()?).ok()
}

impl Reader {
    /// Donations, by number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donations(
        &self,
        page: &Page<DonationId>,
    ) -> Result<Listing<DonationSummary, DonationId>, ReadError> {
        let after = page.after.as_ref().map(|d| Key::donation(d).done());
        list(
            self.store().as_ref(),
            (Key::donations().under(), after),
            (page.limit, page.order),
            donation_of,
            |key, value| {
                let Some(donation) = donation_of(key) else { return Ok(None) };
                Ok(Some(DonationSummary::new(donation, Self::decoded(value)?)))
            },
        )
    }

    /// Everything known of a donation.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donation(&self, donation: &DonationId) -> Result<Option<DonationView>, ReadError> {
        let Some(mut view) = self.donation_with(donation, &mut Interpretations::default())? else {
            return Ok(None);
        };
        for (_, value) in collect(self.store().as_ref(), &Key::donation_verdicts(donation).under())? {
            view.verdicts.push(decode::<VerdictRecord>(&value)?.into());
        }
        Ok(Some(view))
    }

    /// The verdict that stands of a donation, without anything else.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn standing(&self, donation: &DonationId) -> Result<Option<VerdictSummary>, ReadError> {
        let found: Option<DonationRecord> = record(self.store().as_ref(), &Key::donation(donation).done())?;
        Ok(found.and_then(|found| found.latest).map(VerdictSummary::from))
    }

    /// Whether anything is known of a donation.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn is_known(&self, donation: &DonationId) -> Result<bool, ReadError> {
        Ok(self.store().get(&Key::donation(donation).done())?.is_some())
    }

    /// What decides about a donation, for whoever looks at many: without its verdicts, and what several have in common is
    /// read once.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donation_with(
        &self,
        donation: &DonationId,
        known: &mut Interpretations,
    ) -> Result<Option<DonationView>, ReadError> {
        let store = self.store();
        let found: Option<DonationRecord> = record(store.as_ref(), &Key::donation(donation).done())?;
        let Some(found) = found else { return Ok(None) };
        let registration = self.registration_of(donation)?;
        let mut view = DonationView {
            summary: DonationSummary::new(donation.clone(), found),
            registration,
            observations: Vec::new(),
            findings: Vec::new(),
            verdicts: Vec::new(),
        };
        for (key, value) in collect(store.as_ref(), &Key::donation_refs(donation).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            if let Some(message) = parts.seq() {
                let (observations, findings) = self.resolve(message, &refs(&value)?, known)?;
                view.observations.extend(observations);
                view.findings.extend(findings);
            }
        }
        Ok(Some(view))
    }

    /// The registration of a donation that stands.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn registration_of(&self, donation: &DonationId) -> Result<Option<Registered>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::registration(donation).done())?)
    }

    pub(super) fn resolve(
        &self,
        message: Seq,
        refs: &RefsRecord,
        known: &mut Interpretations,
    ) -> Result<(Vec<EvidenceObservation>, Vec<EvidenceFinding>), ReadError> {
        let entry = refs.entry;
        if let Some(mut read) = known.give(self, (message, entry), &refs.observations)? {
            let observations = std::mem::take(&mut read.observations);
            let evidence = (0..).zip(observations).map(|(at, o)| read.evidence((message, entry), at, o));
            return Ok((evidence.collect(), read.findings_of((message, entry), refs)));
        }
        let read = known.read(self, message, entry)?;
        let taken =
            refs.observations.iter().filter_map(|at| Some((*at, read.observations.get(*at as usize)?)));
        let evidence = taken.map(|(at, o)| read.evidence((message, entry), at, o.clone())).collect();
        Ok((evidence, read.findings_of((message, entry), refs)))
    }

    /// What the donation's observations measured, oldest message first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn measured_of(&self, donation: &DonationId) -> Result<Vec<Known>, ReadError> {
        self.measured_under(Key::donation_refs(donation))
    }

    /// What the controls of a run measured, oldest message first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn measured_in(&self, run: &RunId) -> Result<Vec<Known>, ReadError> {
        self.measured_under(Key::run_controls(run))
    }

    fn measured_under(&self, key: Key) -> Result<Vec<Known>, ReadError> {
        let mut known = Vec::new();
        for (_, value) in collect(self.store().as_ref(), &key.under())? {
            known.extend(refs(&value)?.measured);
        }
        Ok(known)
    }

    /// Donations whose number begins this one, or is begun by it: one may be the other, cut off by a reader.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn alike(&self, donation: &DonationId) -> Result<Vec<DonationId>, ReadError> {
        Ok(alike(self.store().as_ref(), donation)?)
    }

    /// A run's controls and donations. Empty when nothing is known of it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn run(&self, run: &RunId) -> Result<RunView, ReadError> {
        let store = self.store();
        let controls = self.controls_of(run, &mut Interpretations::default())?;
        let mut donations = BTreeSet::new();
        for (key, _) in collect(store.as_ref(), &Key::run_donations(run).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            donations.extend(parts.text().and_then(|d| DonationId::new(d).ok()));
        }
        for pool in pools_in(store.as_ref(), run)? {
            donations.extend(members(store.as_ref(), &pool)?);
        }
        Ok(RunView { run: run.clone(), controls, donations: donations.into_iter().collect() })
    }

    /// A run's controls, calibrators and blanks alone, oldest message first: on a busy day a run has hundreds of
    /// donations, and every decision about one of them asks for the controls.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn controls_of(
        &self,
        run: &RunId,
        known: &mut Interpretations,
    ) -> Result<Vec<EvidenceObservation>, ReadError> {
        let mut controls = Vec::new();
        for (key, value) in collect(self.store().as_ref(), &Key::run_controls(run).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            if let Some(message) = parts.seq() {
                controls.extend(self.resolve(message, &refs(&value)?, known)?.0);
            }
        }
        Ok(controls)
    }
}

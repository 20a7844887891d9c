//! Donors, what people wrote down of donations, and tasks.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{
    Candidate, DonationNotes, DonationRecord, DonorStands, DonorTasks, Key, KeyParts, Lookback, collect,
    record,
};
use crate::{DonorTask, LookbackId, Seq};
use serde::Serialize;
use vocabulary::DonationId;

/// A donation of a donor, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Which.
    pub donation: DonationId,
    /// When it was taken, milliseconds since 1970 UTC.
    pub collected_at_ms: i64,
    /// The verdict that stands.
    pub verdict: Option<Seq>,
    /// Whether it passed by that one, or by any before it.
    #[serde(skip)]
    pub passed: bool,
}

impl Reader {
    /// What stands of a donor beside the donations.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donor(&self, donor: &str) -> Result<DonorStands, ReadError> {
        Ok(record(self.store().as_ref(), &Key::donor(donor).done())?.unwrap_or_default())
    }

    /// What people wrote down of a donation.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn notes_of(&self, donation: &DonationId) -> Result<DonationNotes, ReadError> {
        Ok(record(self.store().as_ref(), &Key::donation_notes(donation).done())?.unwrap_or_default())
    }

    /// The donations of a donor, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn given_by(&self, donor: &str) -> Result<Vec<Given>, ReadError> {
        let store = self.store();
        let mut given = Vec::new();
        for (key, _) in collect(store.as_ref(), &Key::given_by(donor).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            let at = parts.number().and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0);
            let Some(donation) = parts.text().and_then(|text| DonationId::new(text).ok()) else { continue };
            let found: Option<DonationRecord> = record(store.as_ref(), &Key::donation(&donation).done())?;
            let passed = found.as_ref().is_some_and(|found| found.passed);
            let verdict = found.and_then(|found| found.latest).map(|latest| latest.seq);
            given.push(Given { donation, collected_at_ms: at, verdict, passed });
        }
        Ok(given)
    }

    /// One look-back.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lookback(&self, id: &LookbackId) -> Result<Option<Lookback>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::lookback(id).done())?)
    }

    /// Look-backs, by the donation that raised them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lookbacks(
        &self,
        open: bool,
        page: &Page<LookbackId>,
    ) -> Result<Listing<Lookback, LookbackId>, ReadError> {
        let after = page.after.as_ref().map(|id| Key::lookback(id).done());
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            let trigger = DonationId::new(parts.text()?).ok()?;
            let marker = parts.text()?.to_owned();
            Some(LookbackId { trigger, marker, earlier: DonationId::new(parts.text()?).ok()? })
        };
        let span = (Key::lookbacks().under(), after);
        list(self.store().as_ref(), span, (page.limit, page.order), cursor, |_, value| {
            let found: Lookback = Self::decoded(value)?;
            Ok((!open || !found.is_closed()).then_some(found))
        })
    }

    /// The tasks that a donation's verdicts ever raised for its donor; nothing where they raised none.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donor_tasks_of(&self, donation: &DonationId) -> Result<Option<DonorTasks>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::donor_tasks(donation).done())?)
    }

    /// Donations with an open task of this kind for the donor.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donor_tasks(
        &self,
        task: DonorTask,
        page: &Page<DonationId>,
    ) -> Result<Listing<DonorTasks, DonationId>, ReadError> {
        let store = self.store();
        let after = page.after.as_ref().map(|donation| Key::open_donor_task(task, donation).done());
        let donation = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            parts.text();
            DonationId::new(parts.text()?).ok()
        };
        let span = (Key::open_donor_tasks(task).under(), after);
        list(store.as_ref(), span, (page.limit, page.order), donation, |key, _| {
            let Some(donation) = donation(key) else { return Ok(None) };
            Ok(record(store.as_ref(), &Key::donor_tasks(&donation).done())?)
        })
    }

    /// Donors who may be examined for re-entry, by donation.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn candidates(&self, page: &Page<DonationId>) -> Result<Listing<Candidate, DonationId>, ReadError> {
        let after = page.after.as_ref().map(|donation| Key::candidate(donation).done());
        let cursor = |key: &[u8]| DonationId::new(KeyParts::of(key).text()?).ok();
        let span = (Key::candidates().under(), after);
        list(self.store().as_ref(), span, (page.limit, page.order), cursor, |_, value| {
            Ok(Some(Self::decoded(value)?))
        })
    }
}

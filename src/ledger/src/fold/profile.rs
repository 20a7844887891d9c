//! Profile revisions: which one a connection reads with, and messages that are to be read again.

use super::{Fold, Folded};
use crate::Seq;
use crate::state::{
    Key, KeyParts, MessageRecord, PinRecord, ProposalRecord, Read, StateError, collect, decode, record,
};
use std::collections::BTreeSet;
use vocabulary::{ConnectionId, DonationId, ProfileRef};

impl Fold<'_, '_> {
    /// The content is found by its revision from here on. The first entry of it stays the one that is read.
    pub(super) fn profile_kept(&mut self, profile: &ProfileRef) -> Folded {
        let key = Key::kept_profile(profile).done();
        if self.view.get(&key)?.is_none() {
            self.view.put(key, self.seq.get().to_be_bytes().to_vec());
        }
        Ok(())
    }

    fn is_kept(&self, profile: &ProfileRef) -> Result<bool, StateError> {
        Ok(self.view.get(&Key::kept_profile(profile).done())?.is_some())
    }

    /// A connection is pinned once without people; whatever comes after needs two.
    pub(super) fn profile_pinned(&mut self, connection: &ConnectionId, profile: &ProfileRef) -> Folded {
        let key = Key::pin(connection).done();
        if self.view.get(&key)?.is_some() || !self.is_kept(profile)? {
            self.misfit();
            return Ok(());
        }
        self.mark(Key::pin_history(connection).seq(self.seq));
        self.view.put_record(key, &self.pin_to(profile))
    }

    fn pin_to(&self, profile: &ProfileRef) -> PinRecord {
        PinRecord {
            profile: profile.clone(),
            entry: self.seq,
            at_ms: self.at_ms,
            by: self.by.to_owned(),
            proposed: None,
        }
    }

    pub(super) fn profile_proposed(
        &mut self,
        connection: &ConnectionId,
        profile: &ProfileRef,
        why: &str,
    ) -> Folded {
        let key = Key::pin(connection).done();
        let pin = record::<PinRecord>(self.view, &key)?.filter(|pin| pin.profile != *profile);
        let (Some(mut pin), true) = (pin, self.is_kept(profile)?) else {
            self.misfit();
            return Ok(());
        };
        pin.proposed = Some(ProposalRecord {
            profile: profile.clone(),
            entry: self.seq,
            at_ms: self.at_ms,
            by: self.by.to_owned(),
            why: why.to_owned(),
        });
        self.mark(Key::pin_history(connection).seq(self.seq));
        self.view.put_record(key, &pin)
    }

    /// Whoever wrote the entry: without a proposal of somebody else nothing changes (law 10).
    pub(super) fn profile_activated(
        &mut self,
        connection: &ConnectionId,
        profile: &ProfileRef,
        proposed: Seq,
    ) -> Folded {
        let key = Key::pin(connection).done();
        let proposal = record::<PinRecord>(self.view, &key)?.and_then(|pin| pin.proposed);
        let fits = proposal.is_some_and(|p| p.entry == proposed && p.profile == *profile && p.by != self.by);
        if !fits {
            self.misfit();
            return Ok(());
        }
        self.mark(Key::pin_history(connection).seq(self.seq));
        self.view.put_record(key, &self.pin_to(profile))
    }

    /// The revision that a message is read with in place of the one its line was started with: of the same profile,
    /// activated since.
    pub(super) fn pinned_instead(
        &self,
        connection: &ConnectionId,
        profile: &ProfileRef,
    ) -> Result<Option<ProfileRef>, StateError> {
        let pin = self.view.get_again(&Key::pin(connection).done())?;
        let pin = pin.map(|value| decode::<PinRecord>(&value)).transpose()?;
        Ok(pin.map(|pin| pin.profile).filter(|pinned| pinned.id == profile.id && pinned != profile))
    }

    /// With no other revision than one that its connection reads, or read, with.
    pub(super) fn reprocess_asked(&mut self, message: Seq, profile: &ProfileRef) -> Folded {
        let key = Key::message(message).done();
        let Some(mut record) = record::<MessageRecord>(self.view, &key)? else {
            self.misfit();
            return Ok(());
        };
        let pin = self.pinned_instead(&record.connection, &record.profile)?;
        if *profile != record.profile && *profile != *record.reads_with() && pin.as_ref() != Some(profile) {
            self.misfit();
            return Ok(());
        }
        record.read_with = (record.profile != *profile).then(|| profile.clone());
        record.asked = Some(self.seq);
        self.view.put_record(key, &record)?;
        self.want_interpretation(message)
    }

    fn want_interpretation(&mut self, message: Seq) -> Folded {
        let work = Key::to_interpret().seq(message).done();
        if self.view.get(&work)?.is_none() {
            self.view.put(work, Vec::new());
            self.counters.to_interpret += 1;
        }
        Ok(())
    }

    pub(super) fn interpretation_stands(&mut self, message: Seq, profile: &ProfileRef) -> Folded {
        let found = record::<MessageRecord>(self.view, &Key::message(message).done())?;
        let read_so = |record: &MessageRecord| {
            record.reads_with() == profile
                && record.interpretation.as_ref().is_some_and(|standing| standing.complete)
        };
        let work = Key::to_interpret().seq(message).done();
        if !found.as_ref().is_some_and(read_so) || self.view.get(&work)?.is_none() {
            self.misfit();
            return Ok(());
        }
        self.view.delete(work);
        self.counters.to_interpret -= 1;
        Ok(())
    }

    /// What later messages measured of these donations is seen against another past now: they are read again, one after
    /// another, until nothing changes.
    pub(super) fn read_later_ones_again(&mut self, donations: &[DonationId], message: Seq) -> Folded {
        let mut later = BTreeSet::new();
        for donation in donations {
            let mut span = Key::donation_refs(donation).under();
            span.from = Key::donation_refs(donation).seq(message.next()).done();
            for (key, value) in collect(self.view, &span)? {
                let mut parts = KeyParts::of(&key);
                parts.text();
                if !super::refs(&value)?.measured.is_empty() {
                    later.extend(parts.seq());
                }
            }
        }
        later.into_iter().try_for_each(|message| self.want_interpretation(message))
    }
}

//! Pools: whose material went into which, what came out of it, and whose verdicts rest on that.
//!
//! A verdict on a member rests on the pool's membership, on its results and their runs, and, where the pool was reactive
//! or invalid, on what the other members gave alone. Whatever of that changes, all of them are decided anew; in which
//! order it came does not count.

use super::interpret::Part;
use super::{Fold, Folded};
use crate::Seq;
use crate::state::{Key, KeyParts, PoolPart, PoolRecord, PoolRefsRecord, Read, StateError, collect, record};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{DonationId, Interpretation, PoolId, RunId};

impl Fold<'_, '_> {
    /// Notes what a part says of pools.
    pub(super) fn take_in_pools(&mut self, part: &Part<'_>) -> Result<Vec<PoolPart>, StateError> {
        let mut about: BTreeMap<&PoolId, (PoolRefsRecord, PoolPart)> = BTreeMap::new();
        for (index, made) in (0u32..).zip(&part.pools.made) {
            let (refs, kept) = about.entry(&made.pool).or_insert_with(|| begun(&made.pool));
            refs.made.push(index);
            kept.donations.extend(made.members.iter().filter_map(|member| member.donation.clone()));
        }
        for (index, pool) in &part.pools.results {
            let (refs, kept) = about.entry(pool).or_insert_with(|| begun(pool));
            refs.observations.push(*index);
            let observation = usize::try_from(*index).ok().and_then(|at| part.observations.get(at));
            kept.runs.extend(observation.and_then(|o| o.run.clone()));
            let negative = Some(Interpretation::NonReactive);
            refs.resolves |= observation.is_none_or(|o| o.value.interpretation != negative);
        }
        for (index, pool) in &part.pools.holds {
            about.entry(pool).or_insert_with(|| begun(pool)).0.findings.push(*index);
        }
        let mut parts = Vec::new();
        for (pool, (mut refs, kept)) in about {
            refs.entry = self.seq;
            self.pool_is_known(pool, refs.resolves)?;
            for donation in &kept.donations {
                self.mark(Key::pool_donations(pool).text(donation.as_str()).seq(part.message));
                self.mark(Key::donation_pools(donation).text(pool.as_str()).seq(part.message));
            }
            for run in &kept.runs {
                self.mark(Key::run_pools(run).text(pool.as_str()).seq(part.message));
            }
            let key = Key::pool_refs(pool).seq(part.message).short(part.number).done();
            self.view.put_record(key, &refs)?;
            self.reopen_members(pool)?;
            parts.push(kept);
        }
        Ok(parts)
    }

    fn pool_is_known(&mut self, pool: &PoolId, resolves: bool) -> Folded {
        let key = Key::pool(pool).done();
        let known: Option<PoolRecord> = record(self.view, &key)?;
        let before = known.as_ref().is_some_and(|known| known.resolves);
        let first = known.map_or(self.seq, |known| known.first);
        self.view.put_record(key, &PoolRecord { first, resolves: before || resolves })
    }

    /// Takes back what a part of an interpretation said of pools.
    pub(super) fn forget_pools(&mut self, message: Seq, number: u16, parts: &[PoolPart]) -> Folded {
        for PoolPart { pool, donations, runs } in parts {
            self.reopen_members(pool)?;
            self.view.delete(Key::pool_refs(pool).seq(message).short(number).done());
            for donation in donations {
                self.view.delete(Key::pool_donations(pool).text(donation.as_str()).seq(message).done());
                self.view.delete(Key::donation_pools(donation).text(pool.as_str()).seq(message).done());
            }
            for run in runs {
                self.view.delete(Key::run_pools(run).text(pool.as_str()).seq(message).done());
            }
        }
        Ok(())
    }

    /// Every donation that any log names as a member.
    pub(super) fn reopen_members(&mut self, pool: &PoolId) -> Folded {
        members(self.view, pool)?.iter().try_for_each(|donation| self.reopen(donation))
    }

    /// What a donation is, or gave alone, changed: the other members of its pools may rest on it.
    pub(super) fn reopen_fellows(&mut self, donation: &DonationId, why: Fellows) -> Folded {
        for pool in pools_of(self.view, donation)? {
            let known: Option<PoolRecord> = record(self.view, &Key::pool(&pool).done())?;
            let rests = match why {
                Fellows::Registered => true,
                Fellows::TestedAlone => known.is_none_or(|known| known.resolves),
            };
            if rests {
                self.reopen_members(&pool)?;
            }
        }
        Ok(())
    }

    /// Members of the pools that were tested in a run.
    pub(super) fn reopen_pools_of_run(&mut self, run: &RunId) -> Folded {
        pools_in(self.view, run)?.iter().try_for_each(|pool| self.reopen_members(pool))
    }
}

/// What of a donation the other members of its pools rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fellows {
    /// Whether it is known, and how old its sample is: every pool asks for that.
    Registered,
    /// Its own results: only a pool that has to be resolved asks for them.
    TestedAlone,
}

fn begun(pool: &PoolId) -> (PoolRefsRecord, PoolPart) {
    let part = PoolPart { pool: pool.clone(), donations: BTreeSet::new(), runs: BTreeSet::new() };
    (PoolRefsRecord::default(), part)
}

/// The second text of every key under `key`; each once.
fn texts(read: &dyn Read, key: Key) -> Result<BTreeSet<String>, StateError> {
    let mut found = BTreeSet::new();
    for (key, _) in collect(read, &key.under())? {
        let mut parts = KeyParts::of(&key);
        parts.text();
        found.extend(parts.text().map(str::to_owned));
    }
    Ok(found)
}

/// Donations that any log names as members of a pool.
pub(crate) fn members(read: &dyn Read, pool: &PoolId) -> Result<Vec<DonationId>, StateError> {
    let found = texts(read, Key::pool_donations(pool))?;
    Ok(found.iter().filter_map(|text| DonationId::new(text).ok()).collect())
}

/// Pools that any log names a donation as a member of.
pub(crate) fn pools_of(read: &dyn Read, donation: &DonationId) -> Result<Vec<PoolId>, StateError> {
    let found = texts(read, Key::donation_pools(donation))?;
    Ok(found.iter().filter_map(|text| PoolId::new(text).ok()).collect())
}

/// Pools with results of a run.
pub(crate) fn pools_in(read: &dyn Read, run: &RunId) -> Result<Vec<PoolId>, StateError> {
    let found = texts(read, Key::run_pools(run))?;
    Ok(found.iter().filter_map(|text| PoolId::new(text).ok()).collect())
}

//! What people did with a donation, as evidence. Pure.
//!
//! A signature holds for one basis: the hash of the donation's evidence and of the rule pack, without signatures. When
//! anything of it changes the signature is no evidence any more; nobody has to take it back.

#[cfg(test)]
mod tests;

use crate::hex::hex;
use crate::{DonationFacts, Settings};
use ledger::{ByPeople, HoldKind, SignedBasis};
use release::{
    Evidence, GateId, Moment, RulePack,
    evidence::{
        Batch, Component, ComponentState, Donor, EarlierCall, EarlierDonation, EarlierGroup, EarlierResult,
        Identity, Meaning, OpenFinding, Override, Signature,
    },
};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use vocabulary::BloodGroup;

/// Holds and discards of people, which are part of what is known of a donation.
pub(crate) fn held_by_people(evidence: &mut Evidence, people: &ByPeople) {
    for hold in &people.holds {
        let what = format!("held by {} (entry {}): {}", hold.done.by, hold.done.entry, hold.reason);
        match hold.kind {
            HoldKind::Laboratory => {}
            HoldKind::PostDonation => {
                if let Some(donor) = &mut evidence.donor {
                    let before = donor.post_donation.take().map(|before| format!("{before}; {what}"));
                    donor.post_donation = Some(before.unwrap_or_else(|| what.clone()));
                }
            }
        }
        evidence.findings.push(OpenFinding { finding: "held_by_person".to_owned(), what });
    }
    // A component that was taken out while the others pass keeps them (R-GATE-12); of a unit that fails it changes nothing.
    if people.discarded.is_some() {
        let id = evidence.donation.to_string();
        evidence.components.push(Component { id, state: ComponentState::Discarded });
    }
}

/// The hash that signatures of a donation are bound to. `evidence` has none of them.
pub(crate) fn basis(evidence: &Evidence, pack: &RulePack) -> String {
    hashed(bound(evidence).as_ref(), pack)
}

/// The same as versions of before made it: they bound every earlier donation whole.
fn basis_of_before(evidence: &Evidence, pack: &RulePack) -> String {
    let mut evidence = evidence.clone();
    evidence.components.retain(keeps_others);
    for earlier in evidence.donor.iter_mut().flat_map(|donor| &mut donor.earlier) {
        earlier.passed = false;
    }
    hashed(&evidence, pack)
}

fn hashed(bound: &Evidence, pack: &RulePack) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{}@{}\n", pack.id(), pack.hash()).as_bytes());
    match serde_json::to_vec(bound) {
        Ok(json) => hasher.update(&json),
        // Evidence is plain data. If it could not be written, no signature may fit it.
        Err(error) => hasher.update(format!("{error} {bound:?}").as_bytes()),
    }
    hex(hasher.finalize())
}

/// What of the evidence a signature is bound to: of components those that keep the others back, of earlier donations what
/// speaks against this one. That another component is made, given out or comes back changes nothing of what was signed, nor
/// does an earlier donation in which nothing was found, nor a group that is what was known.
fn bound(evidence: &Evidence) -> Cow<'_, Evidence> {
    let has_earlier = evidence.donor.as_ref().is_some_and(|donor| !donor.earlier.is_empty());
    if !has_earlier && evidence.components.iter().all(keeps_others) {
        return Cow::Borrowed(evidence);
    }
    let mut evidence = evidence.clone();
    evidence.components.retain(keeps_others);
    if let Some(donor) = &mut evidence.donor {
        donor.earlier = against(donor);
    }
    Cow::Owned(evidence)
}

fn keeps_others(component: &Component) -> bool {
    match component.state {
        ComponentState::Held | ComponentState::Missing | ComponentState::Discarded => true,
        ComponentState::Quarantine | ComponentState::Released | ComponentState::Issued => false,
    }
}

/// What earlier donations have against one: what was found in them, and their groups where those are not all the same. That
/// they are another than its own shuts gate 03 by itself, whoever has signed.
fn against(donor: &Donor) -> Vec<EarlierDonation> {
    let standing = donor.earlier.iter().filter_map(EarlierDonation::standing_group).map(EarlierGroup::group);
    let groups: Vec<BloodGroup> = donor.history.into_iter().chain(standing).collect();
    let differ = |a: &BloodGroup, b: &BloodGroup| {
        matches!((a.abo, b.abo), (Some(a), Some(b)) if a != b)
            || matches!((a.rhd, b.rhd), (Some(a), Some(b)) if a != b)
    };
    let at_odds = groups.iter().any(|one| groups.iter().any(|other| differ(one, other)));
    let adverse = |earlier: &EarlierDonation| {
        let found = earlier.results.iter().filter(|result| result.result != EarlierCall::NonReactive);
        let results: Vec<EarlierResult> = found.cloned().collect();
        let group = earlier.standing_group().filter(|_| at_odds);
        let says = !results.is_empty() || group.is_some();
        let of_it = EarlierDonation {
            results,
            group,
            group_refuted_by: None,
            passed: false,
            expires: None,
            ..earlier.clone()
        };
        says.then_some(of_it)
    };
    donor.earlier.iter().filter_map(adverse).collect()
}

/// The evidence with the signatures that hold for it.
pub(crate) fn with_signatures(
    mut evidence: Evidence,
    facts: &DonationFacts,
    settings: &Settings,
) -> Evidence {
    let people = &facts.people;
    if people.reviewed.is_none() && people.released.is_none() {
        return evidence;
    }
    let basis = basis(&evidence, &settings.pack);
    let sign = |meaning: Meaning, signed: &SignedBasis| Signature {
        meaning,
        by: signed.done.by.clone(),
        at: jiff::Timestamp::from_millisecond(signed.done.at_ms).ok().map(|at| Moment::new(at, facts.offset)),
        // Whether the signer might was asked of the ledger when the signature was taken.
        authorised: Some(true),
    };
    let holds = |signed: &&SignedBasis| {
        signed.basis == basis || signed.basis == basis_of_before(&evidence, &settings.pack)
    };
    let reviewed = people.reviewed.as_ref().filter(holds);
    let released = people.released.as_ref().filter(|released| holds(&&released.signed));
    if let Some(reviewed) = reviewed {
        evidence.signatures.push(sign(Meaning::Reviewed, reviewed));
    }
    if let Some(released) = released {
        evidence.signatures.push(sign(Meaning::Released, &released.signed));
        let (failing, located) = (released.count.failing, released.count.located);
        evidence.batch = Some(Batch { failing, located });
        let unchecked = |identity: &Identity| identity.manual_entry && identity.checked_by.is_none();
        let unchecked = evidence.identity.as_ref().is_some_and(unchecked);
        // One person's reason is neither the second person's check of what was typed in, nor two people's word on which
        // version of a result stands, on what fell, or on which registration the number stands for.
        let takes_two = |gate: &str| {
            gate.parse::<GateId>().is_ok_and(|gate| {
                let of_gate = evidence.findings.iter().any(|finding| finding.takes_two(gate));
                of_gate || (gate == GateId::Identity && unchecked)
            })
        };
        let allowed = released.set_aside.iter().filter(|aside| !takes_two(&aside.gate));
        evidence.overrides.extend(allowed.map(|set_aside| Override {
            gate: set_aside.gate.clone(),
            by: released.signed.done.by.clone(),
            reason: set_aside.reason.clone(),
        }));
    }
    evidence
}

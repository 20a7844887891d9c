//! What people did with a donation, as evidence. Pure.
//!
//! A signature holds for one basis: the hash of the donation's evidence and of the rule pack, without signatures. When
//! anything of it changes the signature is no evidence any more; nobody has to take it back.

use crate::hex::hex;
use crate::{DonationFacts, Settings};
use ledger::{ByPeople, HoldKind, SignedBasis};
use release::{
    Evidence, GateId, Moment, RulePack,
    evidence::{Batch, Component, ComponentState, Identity, Meaning, OpenFinding, Override, Signature},
};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

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
    let mut hasher = Sha256::new();
    hasher.update(format!("{}@{}\n", pack.id(), pack.hash()).as_bytes());
    let binding = bound(evidence);
    match serde_json::to_vec(binding.as_ref()) {
        Ok(json) => hasher.update(&json),
        // Evidence is plain data. If it could not be written, no signature may fit it.
        Err(error) => hasher.update(format!("{error} {evidence:?}").as_bytes()),
    }
    hex(hasher.finalize())
}

/// What of the evidence a signature is bound to: of components those that keep the others back. That another is made, given
/// out or comes back changes nothing of what was signed.
fn bound(evidence: &Evidence) -> Cow<'_, Evidence> {
    let keeps = |component: &Component| match component.state {
        ComponentState::Held | ComponentState::Missing | ComponentState::Discarded => true,
        ComponentState::Quarantine | ComponentState::Released | ComponentState::Issued => false,
    };
    if evidence.components.iter().all(keeps) {
        return Cow::Borrowed(evidence);
    }
    let mut evidence = evidence.clone();
    evidence.components.retain(keeps);
    Cow::Owned(evidence)
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
    if let Some(reviewed) = people.reviewed.as_ref().filter(|signed| signed.basis == basis) {
        evidence.signatures.push(sign(Meaning::Reviewed, reviewed));
    }
    if let Some(released) = people.released.as_ref().filter(|released| released.signed.basis == basis) {
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

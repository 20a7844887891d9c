//! Who is told of a verdict. A receiver acts on the last word that it has of a donation.
//!
//! ```text
//!  where people sign here                 what the receiver has, or is about to have
//!  pass, released  ──► everybody           it passes
//!  hold            ──► who has a word      it is held
//!  pass, unsigned  ──► who may have a pass it is held: it is told as a hold (`delivery`)
//!                  ╳── who has a hold      it is held, until it is released
//!  discard         ──► everybody           it does not pass
//! ```

use crate::{Settings, SignOff};
use ledger::{DeliveryState, DeliveryView, ReadError, Reader, VerdictSummary};
use release::{Unit, Verdict};
use vocabulary::DestinationId;

/// A final verdict goes to everybody; any other goes to whoever has had one of this donation and must know better now. What
/// passes and is not released where people sign here says nothing to whom the last word was another than a pass.
pub(crate) fn of(
    settings: &Settings,
    reader: &Reader,
    before: &[VerdictSummary],
    verdict: &Verdict,
) -> Result<Vec<DestinationId>, ReadError> {
    if is_final_word(settings.sign_off, verdict) {
        return Ok(settings.deliver_to.clone());
    }
    let told = reader.deliveries_of(verdict.donation())?;
    let last = |to: &DestinationId| {
        told.iter().filter(|one| one.id.destination == *to).max_by_key(|one| one.id.verdict)
    };
    let is_unsigned = settings.sign_off == SignOff::Here && verdict.unit() == Unit::Pass;
    let wants = |to: &&DestinationId| last(to).is_some_and(|last| !is_unsigned || may_pass(last, before));
    Ok(settings.deliver_to.iter().filter(wants).cloned().collect())
}

/// Whether receivers are told of it. What fails is told at once: it must not wait for a signature.
fn is_final_word(sign_off: SignOff, verdict: &Verdict) -> bool {
    verdict.is_complete()
        && match (verdict.unit(), sign_off) {
            (Unit::Hold, _) => false,
            (Unit::Pass, SignOff::Here) => verdict.is_releasable(),
            (Unit::Pass, SignOff::Elsewhere) | (Unit::Discard, _) => true,
        }
}

/// Whether a receiver with this last word may go by a pass: it is one, or it did not arrive and one before it may have.
fn may_pass(last: &DeliveryView, before: &[VerdictSummary]) -> bool {
    let verdict = before.iter().find(|one| one.seq == last.id.verdict);
    let is_pass = verdict.is_none_or(|one| one.unit == Unit::Pass.name());
    match last.state {
        DeliveryState::Pending | DeliveryState::Done => is_pass,
        DeliveryState::Dead | DeliveryState::Withdrawn => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::tests::Station;
    use ledger::{DeliveryId, Seq, VerdictMade, What};
    use release::{Explained, explain, read_case};
    use vocabulary::DonationId;

    const RELEASED: &str = include_str!("../../release/tests/cases/base.json");

    #[derive(Debug, Clone, Copy)]
    enum Says {
        Released,
        Unsigned,
        UnsignedAnew,
        Held,
        Discarded,
    }
    use Says::{Discarded, Held, Released, Unsigned, UnsignedAnew};

    /// What comes of the delivery.
    #[derive(Debug, Clone, Copy)]
    enum Then {
        Waits,
        Arrives,
        Dies,
    }
    use Then::{Arrives, Dies, Waits};

    fn bis() -> DestinationId {
        DestinationId::new("bis").unwrap()
    }

    fn verdict(station: &Station, says: Says) -> Explained {
        let mut case: serde_json::Value = serde_json::from_str(RELEASED).unwrap();
        case["donation"] = "G1".into();
        match says {
            Released => {}
            Unsigned => case["signatures"] = serde_json::json!([]),
            UnsignedAnew => {
                case["signatures"] = serde_json::json!([]);
                case["alt"][0]["u_per_l"] = "24.0".into();
            }
            Held => case["donor"]["post_donation"] = "fever".into(),
            Discarded => {
                let high = serde_json::json!({ "u_per_l": "300", "run": case["alt"][0]["run"] });
                case["alt"] = serde_json::json!([high, high]);
            }
        }
        explain(&read_case(&case.to_string()).unwrap(), &station.settings.pack)
    }

    /// Whether the receiver is told of each verdict of a row of them.
    fn told(sign_off: SignOff, row: &[(Says, Then)]) -> Vec<bool> {
        let mut station = Station::new();
        (station.settings.sign_off, station.settings.deliver_to) = (sign_off, vec![bis()]);
        let donation = DonationId::new("G1").unwrap();
        let tell = |(says, then): &(Says, Then)| {
            let verdict = verdict(&station, *says);
            let reader = station.ledger.state();
            let before = reader.donation(&donation).unwrap().map_or_else(Vec::new, |view| view.verdicts);
            let to = of(&station.settings, &reader, &before, &verdict).unwrap();
            let is_told = to == [bis()];
            let made = VerdictMade::new(&verdict, Seq::NONE, to).unwrap();
            let delivery = DeliveryId { verdict: station.write(What::VerdictMade(made)), destination: bis() };
            match then {
                Arrives if is_told => {
                    station.write(What::DeliveryDone { delivery, answer: b"AA".as_slice().into() });
                }
                Dies if is_told => {
                    station.write(What::DeliveryDead { delivery, reason: "no answer".into() });
                }
                Waits | Arrives | Dies => {}
            }
            is_told
        };
        row.iter().map(tell).collect()
    }

    #[test]
    fn a_pass_that_is_not_released_where_people_sign_here_is_told_to_whom_may_go_by_an_earlier_pass_only() {
        let rows: &[&[(Says, Then, bool)]] = &[
            &[(Unsigned, Waits, false), (Released, Waits, true)],
            &[(Held, Waits, false), (Unsigned, Waits, false), (Released, Waits, true)],
            // The receiver knows that it is held, and hears next that it is released.
            &[
                (Released, Arrives, true),
                (Held, Arrives, true),
                (Unsigned, Waits, false),
                (UnsignedAnew, Waits, false),
                (Released, Waits, true),
            ],
            &[
                (Released, Arrives, true),
                (Held, Waits, true),
                (Unsigned, Waits, false),
                (Released, Waits, true),
            ],
            // Of the hold it never heard: what it has is the pass.
            &[
                (Released, Arrives, true),
                (Held, Dies, true),
                (Unsigned, Waits, true),
                (Released, Waits, true),
            ],
            &[(Released, Arrives, true), (Unsigned, Arrives, true), (Released, Arrives, true)],
            &[(Released, Dies, true), (Unsigned, Waits, true)],
            // The first one is withdrawn, and may have been under way.
            &[
                (Released, Waits, true),
                (Unsigned, Waits, true),
                (UnsignedAnew, Waits, true),
                (Held, Waits, true),
            ],
            &[(Released, Waits, true), (Held, Arrives, true), (Unsigned, Waits, false)],
            &[(Discarded, Arrives, true), (Unsigned, Waits, false), (Released, Waits, true)],
        ];
        for row in rows {
            let said: Vec<(Says, Then)> = row.iter().map(|(says, then, _)| (*says, *then)).collect();
            let expect: Vec<bool> = row.iter().map(|(_, _, is_told)| *is_told).collect();
            assert_eq!(told(SignOff::Here, &said), expect, "{said:?}");
        }
    }

    #[test]
    fn where_people_sign_elsewhere_what_passes_is_told_at_once() {
        let row = [(Unsigned, Arrives), (Held, Arrives), (Unsigned, Arrives)];
        assert_eq!(told(SignOff::Elsewhere, &row), [true, true, true]);
    }
}

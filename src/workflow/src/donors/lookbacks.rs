//! Look-backs: what people do about the earlier donations of a donor in whom something was found.

use super::{Refused, text, write};
use crate::people::{Act, Actor};
use ledger::{DonorAct, Ledger, LookbackId, LookbackStep, Seq};

/// Records a step of a look-back.
///
/// # Errors
/// [`Refused`].
pub fn look_back(
    ledger: &Ledger,
    actor: &Actor,
    id: &LookbackId,
    (step, outcome): (LookbackStep, &str),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::DoLookback)?;
    let outcome = text("outcome", outcome)?;
    let known = reader.lookback(id)?.filter(|found| !found.is_closed() && !found.has(step));
    known.ok_or(Refused::NoSuchLookback)?;
    write(ledger, actor, DonorAct::LookbackDone { lookback: id.clone(), step, outcome })
}

//! Look-backs: what people do about the earlier donations of a donor in whom something was found.
//!
//! ```text
//!  raised ──quarantined──► ──consignees told──► ──recipients told──► closed: what is in the house stays there while the
//!                                                                    finding stands
//!  cleared by one ──cleared by another──► what is in the house may go, once it is closed
//! ```

use super::{Refused, text, write};
use crate::people::{Act, Actor};
use ledger::{
    ComponentStands, Components, DonorAct, Ledger, Lookback, LookbackId, LookbackStep, Reader, Seq,
};
use std::fmt;

/// Why a step of a look-back is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookbackRefused {
    /// There is no such look-back that is open for that step.
    NoSuch,
    /// Something of the donation is in the house, and nobody has said that it is in quarantine.
    NotQuarantined {
        /// Which look-back.
        of: LookbackId,
        /// What is there; nothing where nobody told what was made of the donation.
        here: Vec<String>,
    },
    /// Something of the donation is out, and nobody has said that its consignees were told.
    NotTold {
        /// Which look-back.
        of: LookbackId,
        /// What is out.
        out: Vec<String>,
    },
    /// This person has said already that what is in the house may go.
    Cleared,
    /// What it was raised for is not found any more: there is nothing to be cleared.
    NotFound,
}

/// Records a step of a look-back. It is closed when what it asks for was done, or when its finding is there no more; that
/// lets nothing go ([`LookbackStep::Cleared`]).
///
/// # Errors
/// [`Refused`]; [`Refused::Lookback`] with what is missing.
pub fn look_back(
    ledger: &Ledger,
    actor: &Actor,
    id: &LookbackId,
    (step, outcome): (LookbackStep, &str),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::DoLookback)?;
    let outcome = text("outcome", outcome)?;
    let known = reader.lookback(id)?.ok_or(LookbackRefused::NoSuch)?;
    if let Some(why) = against(&reader, actor, (&known, step))? {
        return Err(why.into());
    }
    let entry = write(ledger, actor, DonorAct::LookbackDone { lookback: id.clone(), step, outcome })?;
    // Another word may have come first: then this one changed nothing.
    let now = ledger.state().lookback(id)?;
    let is_done = now.is_some_and(|now| now.done.iter().any(|step| step.done.entry == entry));
    if is_done { Ok(entry) } else { Err(LookbackRefused::NoSuch.into()) }
}

fn against(
    reader: &Reader,
    actor: &Actor,
    (known, step): (&Lookback, LookbackStep),
) -> Result<Option<LookbackRefused>, Refused> {
    let (who, of) = (actor.user().as_str(), known.id.clone());
    if !known.takes(step, who) {
        let is_clear = step == LookbackStep::Cleared;
        return Ok(Some(match known.gone {
            Some(_) if is_clear => LookbackRefused::NotFound,
            None if is_clear => LookbackRefused::Cleared,
            Some(_) | None => LookbackRefused::NoSuch,
        }));
    }
    if step != LookbackStep::Closed || known.gone.is_some() {
        return Ok(None);
    }
    let all = reader.components(&known.id.earlier)?;
    let (here, out) = (those(&all, ComponentStands::is_to_be_found), those(&all, ComponentStands::is_out));
    let may_be_here = !here.is_empty() || (all.is_empty() && known.asked.in_date);
    if may_be_here && !known.has(LookbackStep::Quarantined) {
        return Ok(Some(LookbackRefused::NotQuarantined { of, here }));
    }
    let is_told = out.is_empty() || known.has(LookbackStep::ConsigneesTold);
    Ok((!is_told).then_some(LookbackRefused::NotTold { of, out }))
}

fn those(all: &Components, are: impl Fn(&ComponentStands) -> bool) -> Vec<String> {
    all.iter().filter(|(_, one)| are(one)).map(|(code, _)| code.clone()).collect()
}

impl LookbackRefused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::NoSuch => "there is no such look-back with that step to be done".into(),
            Self::NotQuarantined { of, here } => {
                let here = match here.as_slice() {
                    [] => "nobody told what was made of it".into(),
                    here => format!("{} in the house", here.join(", ")),
                };
                let step = lookback_command(of, "quarantined");
                format!(
                    "donation {}: {here}, and nobody has said that it is in quarantine. Put it there, record that ({step}), \
                     then close",
                    of.earlier
                )
            }
            Self::NotTold { of, out } => format!(
                "of donation {} {} is out, and nobody has said that its consignees were told. Tell them, record that ({}), then \
                 close",
                of.earlier,
                out.join(", "),
                lookback_command(of, "consignees_told")
            ),
            Self::Cleared => {
                "you have said already that what is here may go; another person who does look-backs has to say it, too"
                    .into()
            }
            Self::NotFound => {
                "what this look-back was raised for is not found any more; there is nothing to clear: close it, where it is open"
                    .into()
            }
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::NoSuch => "没有该项待办的回溯步骤".into(),
            Self::NotQuarantined { of, here } => {
                let here = match here.as_slice() {
                    [] => "未登记其成分".into(),
                    here => format!("{}仍在库", here.join("、")),
                };
                let step = lookback_command(of, "quarantined");
                format!("献血{}：{here}，且未登记已隔离。请隔离并登记（{step}）后再关闭", of.earlier)
            }
            Self::NotTold { of, out } => format!(
                "献血{}的{}已发出，且未登记已通知用血机构。请通知并登记（{}）后再关闭",
                of.earlier,
                out.join("、"),
                lookback_command(of, "consignees_told")
            ),
            Self::Cleared => "您已确认库存可发出；还须由另一名办理回溯的人员确认".into(),
            Self::NotFound => "引起该回溯的检出已不成立，无须确认；尚未关闭的，请关闭".into(),
        }
    }
}

/// What a person types for a step of a look-back.
pub(crate) fn lookback_command(of: &LookbackId, step: &str) -> String {
    let LookbackId { trigger, marker, earlier } = of;
    format!("hemogate donor lookback {trigger} {marker} {earlier} --step {step}")
}

impl fmt::Display for LookbackRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for LookbackRefused {}

impl From<LookbackRefused> for Refused {
    fn from(why: LookbackRefused) -> Self {
        Self::Lookback(why)
    }
}

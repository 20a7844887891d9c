//! Which kits judge which result: adopted at a station's first start, changed by two people only (law 10).
//!
//! ```text
//!  configured ──first start──► in force
//!  others ──► proposed (one person, from when, why) ──► activated (another person) ──► in force for what comes from then on
//! ```
//!
//! A file that is changed judges nothing until two people have said so; what judges meanwhile is what was in force, whose
//! content the ledger keeps. A result is judged by the kits that were in force when its message came, so that a run is judged
//! the same whenever it is asked for. Two people may have a run judged by those of now.

mod in_force;
mod now;
mod proposals;
#[cfg(test)]
mod tests;

pub(crate) use in_force::{AskedFor, Readable, Shelf};
pub use now::{KitNow, KitsNow, ProposalNow, SetNow, stands, text_of};
pub use proposals::{KitText, Step, Wanted, activate, propose};

use crate::Stopped;
use crate::pins::write;
use ledger::{Draft, KitRef, KitsAct, Ledger, ReadError, Reader, What};
use quality_control::kits::{KitFile, Kits};
use serde::Serialize;

/// What is otherwise in one set of kits than in another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Kits, and contents of kits, that come in.
    pub new: Vec<KitRef>,
    /// Kits, and contents of kits, that go.
    pub gone: Vec<KitRef>,
}

impl Changes {
    /// From one set to another.
    #[must_use]
    pub fn between(before: &[KitRef], after: &[KitRef]) -> Self {
        let without = |all: &[KitRef], other: &[KitRef]| {
            all.iter().filter(|kit| !other.contains(kit)).cloned().collect()
        };
        Self { new: without(after, before), gone: without(before, after) }
    }

    /// Whether nothing is otherwise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty()
    }

    /// For people: `+site/hbsag@0123456789ab −site/hbsag@ba9876543210`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let named = |sign: char| move |kit: &KitRef| format!("{sign}{}", short(kit));
        let all = self.new.iter().map(named('+')).chain(self.gone.iter().map(named('−')));
        all.collect::<Vec<_>>().join(" ")
    }
}

/// How reasons name a kit: `site/hbsag@0123456789ab`.
pub(crate) fn short(kit: &KitRef) -> String {
    format!("{}@{}", kit.id, kit.hash.get(..12).unwrap_or(&kit.hash))
}

/// How a station begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// So many kits were adopted: this station never asked two people before.
    Adopted {
        /// The kits that are in force from here on.
        kits: usize,
        /// What is configured otherwise, where the ledger knew of kits in force before.
        waits: Changes,
    },
    /// The configured kits are those in force.
    InForce,
    /// They are not: nothing of what is otherwise judges before two people have said so.
    Waits(Changes),
}

pub(crate) fn references(kits: &Kits) -> Vec<KitRef> {
    let mut all: Vec<KitRef> = kits.iter().map(|kit| reference(kit)).collect();
    all.sort_unstable();
    all
}

fn reference(kit: &KitFile) -> KitRef {
    KitRef { id: kit.id.clone(), hash: kit.hash.clone() }
}

/// The entry that keeps a kit's content, unless it is kept: it changes nothing that judges.
fn keep(reader: &Reader, kit: &KitFile) -> Result<Option<What>, ReadError> {
    let (text, kit) = (kit.text.clone(), reference(kit));
    let is_kept = reader.kept_kit(&kit)?.is_some();
    Ok((!is_kept).then_some(What::Kits(KitsAct::Kept { kit, text })))
}

/// The kits that were last put in force; those of a time to come, too.
pub(crate) fn last(reader: &Reader) -> Result<Option<Vec<KitRef>>, ReadError> {
    Ok(reader.kits_in_force()?.pop().map(|last| last.kits))
}

/// What is configured otherwise than it was last put in force.
pub(crate) fn waiting(reader: &Reader, configured: &Kits) -> Result<Changes, ReadError> {
    let before = last(reader)?;
    Ok(before.map(|before| Changes::between(&before, &references(configured))).unwrap_or_default())
}

/// Begins with the configured kits: they are adopted at a station's first start. A station whose kits came into force by
/// its configuration alone goes on with those, and from here on two people change them.
///
/// # Errors
/// [`Stopped`].
pub fn start(ledger: &Ledger, configured: &Kits) -> Result<Begun, Stopped> {
    let reader = ledger.state();
    for kit in configured.iter() {
        write(ledger, keep(&reader, kit)?.map(Draft::by_system).into_iter().collect())?;
    }
    if reader.kits_stand()?.adopted {
        let waits = waiting(&reader, configured)?;
        return Ok(if waits.is_empty() { Begun::InForce } else { Begun::Waits(waits) });
    }
    let wanted = references(configured);
    let kits = last(&reader)?.unwrap_or_else(|| wanted.clone());
    let (count, waits) = (kits.len(), Changes::between(&kits, &wanted));
    write(ledger, vec![Draft::by_system(What::Kits(KitsAct::Adopted { kits }))])?;
    Ok(Begun::Adopted { kits: count, waits })
}

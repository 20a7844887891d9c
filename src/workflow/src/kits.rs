//! Which kits judge which result: those that were in force when its message came. They are kept in the ledger with their
//! text, so that a run is judged the same whenever it is asked for. Two people may have a run judged by those of now.

use crate::facts::Told;
use crate::pins::write;
use crate::{Settings, Stopped};
use ledger::{Draft, KitRef, KitsAct, KitsInForce, Ledger, ReadError, Reader, What};
use quality_control::kits::{KitFile, Kits};
use std::collections::BTreeMap;
use std::sync::Arc;

fn references(kits: &Kits) -> Vec<KitRef> {
    let mut all: Vec<KitRef> = kits.iter().map(|kit| reference(kit)).collect();
    all.sort_unstable();
    all
}

fn reference(kit: &KitFile) -> KitRef {
    KitRef { id: kit.id.clone(), hash: kit.hash.clone() }
}

/// Begins with the configured kits: from here on they judge what comes. Whether they are others than before.
///
/// # Errors
/// [`Stopped`].
pub fn start(ledger: &Ledger, configured: &Kits) -> Result<bool, Stopped> {
    let reader = ledger.state();
    let kits = references(configured);
    let before = reader.kits_in_force()?.pop().map(|last| last.kits).unwrap_or_default();
    if before == kits {
        return Ok(false);
    }
    for kit in configured.iter() {
        let (text, kit) = (kit.text.clone(), reference(kit));
        if reader.kept_kit(&kit)?.is_none() {
            write(ledger, vec![Draft::by_system(What::Kits(KitsAct::Kept { kit, text }))])?;
        }
    }
    write(ledger, vec![Draft::by_system(What::Kits(KitsAct::InForce { kits }))])?;
    Ok(true)
}

/// Kits, or why they cannot be read any more.
pub(crate) type Readable = Result<Arc<Kits>, Told>;

/// The kits of each time, read as they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    in_force: Option<Vec<KitsInForce>>,
    /// By place in `in_force`.
    read: BTreeMap<usize, Readable>,
    own: Option<(Vec<KitRef>, Arc<Kits>)>,
}

impl Shelf {
    /// The kits that judge what came as entry `message`. Where none were ever put in force, those of `settings` judge
    /// everything.
    pub(crate) fn of(
        &mut self,
        settings: &Settings,
        reader: &Reader,
        message: u64,
    ) -> Result<Readable, ReadError> {
        let in_force = match &mut self.in_force {
            Some(known) => known,
            none => none.insert(reader.kits_in_force()?),
        };
        let (wanted, own) =
            self.own.get_or_insert_with(|| (references(&settings.kits), Arc::new(settings.kits.clone())));
        if in_force.is_empty() {
            return Ok(Ok(Arc::clone(own)));
        }
        let before = in_force.partition_point(|one| one.entry.get() < message);
        let Some((at, then)) = before.checked_sub(1).and_then(|at| Some((at, in_force.get(at)?))) else {
            return Ok(Ok(Arc::default()));
        };
        if then.kits == *wanted {
            return Ok(Ok(Arc::clone(own)));
        }
        if let Some(known) = self.read.get(&at) {
            return Ok(known.clone());
        }
        let read = read(reader, &then.kits)?;
        self.read.insert(at, read.clone());
        Ok(read)
    }
}

/// Kits as the ledger keeps them.
fn read(reader: &Reader, kits: &[KitRef]) -> Result<Readable, ReadError> {
    let mut all = Vec::new();
    for KitRef { id, hash } in kits {
        let unreadable = |why: &str| {
            Told::new(
                format!("kit {id} {hash} cannot be read from the ledger: {why}"),
                format!("账本中的试剂盒规则 {id} {hash} 无法读取：{why}"),
            )
        };
        let Some(text) = reader.kept_kit(&KitRef { id: id.clone(), hash: hash.clone() })? else {
            return Ok(Err(unreadable("it is not kept there")));
        };
        match KitFile::read(id, &text) {
            Ok(kit) if kit.hash == *hash => all.push(kit),
            Ok(_) => return Ok(Err(unreadable("its content has another hash"))),
            Err(faults) => return Ok(Err(unreadable(&first(&faults)))),
        }
    }
    Ok(Kits::new(all).map(Arc::new).map_err(|faults| {
        let why = first(&faults);
        Told::new(format!("the kits of that time: {why}"), format!("当时的试剂盒规则：{why}"))
    }))
}

fn first<F: std::fmt::Display>(faults: &[F]) -> String {
    faults.first().map(ToString::to_string).unwrap_or_default()
}

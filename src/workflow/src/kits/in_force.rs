//! The kits of each time, as the ledger keeps them.

use super::references;
use crate::Settings;
use crate::facts::Told;
use ledger::{KitRef, KitsInForce, ReadError, Reader, Seq};
use quality_control::kits::{KitFile, Kits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Kits, or why they cannot be read any more.
pub(crate) type Readable = Result<Arc<Kits>, Told>;

/// For what kits are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedFor {
    /// The entry that it came with, or of the two people who want it judged anew.
    pub(crate) entry: u64,
    /// When it was tested, milliseconds since 1970 UTC, where that is known.
    pub(crate) tested_ms: Option<i64>,
}

/// The kits of each time, read as they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    in_force: Option<Vec<KitsInForce>>,
    /// By place in `in_force`.
    read: BTreeMap<usize, Readable>,
    own: Option<(Vec<KitRef>, Arc<Kits>)>,
}

impl Shelf {
    /// The kits that judge what came so. Where none were ever put in force, those of `settings` judge everything.
    pub(crate) fn of(
        &mut self,
        settings: &Settings,
        reader: &Reader,
        asked: AskedFor,
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
        let Some((at, then)) = standing(in_force, reader, asked)? else {
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

/// Of those that were in force before it came, the last whose time had come when it was tested. What says no time was
/// tested when it came.
fn standing<'k>(
    in_force: &'k [KitsInForce],
    reader: &Reader,
    asked: AskedFor,
) -> Result<Option<(usize, &'k KitsInForce)>, ReadError> {
    let before = in_force.partition_point(|one| one.done.entry.get() < asked.entry);
    let mut tested = asked.tested_ms;
    for (at, one) in in_force.iter().enumerate().take(before).rev() {
        let Some(from) = one.from_ms() else { return Ok(Some((at, one))) };
        let when = match tested {
            Some(known) => known,
            None => *tested.insert(reader.entry(Seq::new(asked.entry))?.at_ms),
        };
        if from <= when {
            return Ok(Some((at, one)));
        }
    }
    Ok(None)
}

/// Kits as the ledger keeps them.
pub(super) fn read(reader: &Reader, kits: &[KitRef]) -> Result<Readable, ReadError> {
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

pub(super) fn first<F: std::fmt::Display>(faults: &[F]) -> String {
    faults.first().map(ToString::to_string).unwrap_or_default()
}

//! The kits of a laboratory: which of them speaks for an assay on a day.

use super::{KITS_MAX, KitFile, KitFileFault};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The kits of a laboratory, by assay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kits {
    all: Vec<Arc<KitFile>>,
    by_assay: BTreeMap<String, Vec<Arc<KitFile>>>,
}

/// What kits there are for an assay on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'k> {
    /// None is configured for the assay.
    None,
    /// There are some, and none is in force on that day; or the day is not known, and not every day has the same one.
    NotInForce,
    /// This one.
    Kit(&'k Arc<KitFile>),
}

fn overlap(one: &KitFile, other: &KitFile) -> bool {
    let starts_after = |a: &KitFile, b: &KitFile| match (a.effective_from, b.effective_to) {
        (Some(from), Some(to)) => from > to,
        (_, None) | (None, Some(_)) => false,
    };
    !starts_after(one, other) && !starts_after(other, one)
}

impl Kits {
    /// A laboratory's kits.
    ///
    /// # Errors
    /// Two kits of one name, or for one assay on one day; more than [`KITS_MAX`].
    pub fn new(kits: impl IntoIterator<Item = KitFile>) -> Result<Self, Vec<KitFileFault>> {
        let mut own = Self::default();
        let mut faults = Vec::new();
        let fault =
            |file: &str, what: String| KitFileFault { file: file.to_owned(), line: 1, what, nearest: None };
        for kit in kits {
            let kit = Arc::new(kit);
            if own.all.len() >= KITS_MAX {
                faults.push(fault(
                    &kit.file,
                    format!("more than {KITS_MAX} kits; take old ones out of the folder"),
                ));
                break;
            }
            for assay in &kit.assays {
                let of = own.by_assay.entry(assay.clone()).or_default();
                if let Some(other) = of.iter().find(|other| overlap(other, &kit)) {
                    faults.push(fault(
                        &kit.file,
                        format!(
                            "{} and {} ({}) are both in force for {assay:?} on some day; set effective_to of the earlier one",
                            kit.id, other.id, other.file
                        ),
                    ));
                }
                of.push(Arc::clone(&kit));
            }
            own.all.push(kit);
        }
        if faults.is_empty() { Ok(own) } else { Err(faults) }
    }

    /// All of them, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<KitFile>> {
        self.all.iter()
    }

    /// The kit that speaks for an assay on a day.
    #[must_use]
    pub fn of(&self, assay: &str, day: Option<Date>) -> Found<'_> {
        let Some(kits) = self.by_assay.get(assay) else { return Found::None };
        let found = match (day, kits.as_slice()) {
            (Some(day), _) => kits.iter().find(|kit| kit.in_force(day)),
            (None, [only]) if only.effective_from.is_none() && only.effective_to.is_none() => Some(only),
            (None, _) => None,
        };
        found.map_or(Found::NotInForce, Found::Kit)
    }
}

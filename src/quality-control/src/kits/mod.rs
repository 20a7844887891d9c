//! Kits as data: which assays, which controls in which wells, the maker's criteria, the cut-off, and from when to when.
//!
//! One file a kit. It says one of four things of a run, by the table that it has:
//!
//! | table | the run | what stands for a result |
//! |---|---|---|
//! | `[plate]` | a microplate | the plate's own control wells, by formula |
//! | `[window]` | an analyser that runs sample after sample | controls before it, and the first after it |
//! | `[batch]` | a batch of nucleic acid tests | the batch's negative, positive and external controls |
//! | `[cells]` | grouping | known samples or cells, per reagent |
//!
//! A kit allows controls to be shared by saying `[window]` or `[cells]`: they stand for results of other runs of that analyser and
//! lot too. By `[plate]` and `[batch]`, and for wells that come as OD by any, those of another run stand for nothing (R-RUN-04);
//! nor do those that lie farther from a result than `hours` (a day without it): its number was used again.
//!
//! A file is checked whole: every fault has its line, and the nearest name that would be right. Nothing here reads a disk.

mod fault;
mod file;
mod read;
mod register;
mod shipped;

pub use fault::KitFileFault;
pub use register::{Found, Kits};
pub use shipped::SHIPPED;

use crate::grouping::Due;
use crate::kit::Kit;
use crate::nat::BatchRules;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Marker;

/// Kits of one laboratory, and assays of one kit.
pub const KITS_MAX: usize = 500;
/// The longest kit file.
pub const KIT_FILE_BYTES_MAX: usize = 64 * 1024;
/// Hours that a run's controls and samples may lie apart where nothing else is said: what lies farther apart is of another
/// run that goes by the same number (R-RUN-04).
pub const RUN_HOURS: u32 = 24;
/// Hours for which controls may speak at most: a week.
pub const WINDOW_HOURS_MAX: u32 = 168;
/// The name that reagent blanks go by.
pub const BLANK: &str = "blank";

/// A kit file that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitFile {
    /// Its name: `generic/elisa-direct`.
    pub id: String,
    /// SHA-256 of its text, lower-case hex.
    pub hash: String,
    /// Its title in English.
    pub title: String,
    /// Its title in Chinese.
    pub title_zh: String,
    /// Assays that it is for, as profiles name them.
    pub assays: BTreeSet<String>,
    /// Who makes its reagents, where it says so: two of one maker are not two where a pack asks for different makers.
    pub maker: Option<String>,
    /// What it rests on: the leaflet with its edition.
    pub source: String,
    /// What the laboratory has still to confirm.
    pub not_verified: Vec<String>,
    /// First day in force; always, without one.
    pub effective_from: Option<Date>,
    /// Last day in force.
    pub effective_to: Option<Date>,
    /// Hours that controls and samples of one plate or batch may lie apart.
    pub run_hours: u32,
    /// What it says of a run.
    pub rules: KitRules,
    /// The file as it was named.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// What a kit says of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KitRules {
    /// A microplate.
    Plate(Box<PlateRules>),
    /// An analyser without plates.
    Window(WindowRules),
    /// A batch of nucleic acid tests.
    Batch(BatchRules),
    /// Grouping reagents.
    Cells(CellRules),
}

/// A plate's controls and formulas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlateRules {
    /// The maker's criteria and the cut-off.
    pub kit: Kit,
    /// From the control's name in the profile ([`BLANK`] for blanks) to its name in the formulas.
    pub names: BTreeMap<String, String>,
    /// The laboratory's own controls, by their name in the profile.
    pub external: BTreeMap<String, ExternalControl>,
}

/// A laboratory's own control on a plate: reactive by the plate's cut-off, and within its window of S/CO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalControl {
    /// Its name for people.
    pub name: String,
    /// Wells that it must have.
    pub wells: usize,
    /// Lowest S/CO that is still in control.
    pub sco_min: Option<Decimal>,
    /// Highest S/CO that is still in control.
    pub sco_max: Option<Decimal>,
}

/// Controls before a result, and the first after it, in whichever run of the analyser they were (R-RUN-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRules {
    /// Hours for which a control speaks.
    pub hours: u32,
    /// Names of the controls in the profile that have to be in range.
    pub levels: BTreeSet<String>,
    /// Days that a calibration holds, where calibrations are sent; none where the analyser keeps them to itself.
    pub calibration_days: Option<u32>,
}

/// Known reactions of grouping reagents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellRules {
    /// Hours for which a known reaction speaks.
    pub hours: u32,
    /// What each reagent has to show.
    pub known: Vec<KnownReaction>,
    /// Antiglobulin tests are made in tubes: each negative one is followed by cells coated with `IgG`.
    pub coated_cells: bool,
}

/// One known reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownReaction {
    /// The reagent.
    pub reagent: Marker,
    /// The name of the known sample or cell in the profile.
    pub with: String,
    /// What has to come out.
    pub due: Due,
}

impl KitFile {
    /// How verdicts and reasons name it: `generic/elisa-direct@0123456789ab`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.id, self.hash.get(..12).unwrap_or(&self.hash))
    }

    /// `plate`, `window`, `batch` or `cells`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self.rules {
            KitRules::Plate(_) => "plate",
            KitRules::Window(_) => "window",
            KitRules::Batch(_) => "batch",
            KitRules::Cells(_) => "cells",
        }
    }

    /// Whether it is in force on a day.
    #[must_use]
    pub fn in_force(&self, day: Date) -> bool {
        self.effective_from.is_none_or(|from| day >= from) && self.effective_to.is_none_or(|to| day <= to)
    }
}

//! From a kit file's text to a kit that was checked.

use super::fault::Faults;
use super::file::{Batch, Calibration, Cells, External, File, InternalBy, KnownText, Number, Plate, Window};
use super::{
    CellRules, ExternalControl, KIT_FILE_BYTES_MAX, KitFile, KitFileFault, KitRules, KnownReaction,
    PlateRules, RUN_HOURS, WINDOW_HOURS_MAX, WindowRules,
};
use crate::grouping::Due;
use crate::immunoassay::WINDOW_HOURS;
use crate::kit::{Kit, KitText, lowest};
use crate::nat::{BatchRules, Role};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use vocabulary::{Grade, Marker, MarkerKind, Virus};

/// The one form of kit files.
const SCHEMA: u32 = 1;
/// Days that a calibration may hold at most.
const CALIBRATION_DAYS_MAX: u32 = 366;
/// The word for a control of every target.
const ALL: &str = "all";

impl KitFile {
    /// Reads and checks a kit file. `file` is its name for faults.
    ///
    /// # Errors
    /// Every [`KitFileFault`] that there is.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<KitFileFault>> {
        let mut faults = Faults::new(file, text);
        if text.len() > KIT_FILE_BYTES_MAX {
            faults.add(&(0..0), format!("longer than {KIT_FILE_BYTES_MAX} bytes; write one kit a file"));
            return Err(faults.found);
        }
        let read: File = match toml::from_str(text) {
            Ok(read) => read,
            Err(error) => {
                faults.of_toml(&error);
                return Err(faults.found);
            }
        };
        let rules = checked(&read, &mut faults);
        let run_hours = run_hours(&read, &mut faults);
        match rules {
            Some(rules) if faults.found.is_empty() => Ok(Self {
                id: read.id.into_inner(),
                hash: hash(text),
                title: read.title.en,
                title_zh: read.title.zh,
                assays: read.assays.into_inner().into_iter().collect(),
                maker: read.maker.map(Spanned::into_inner),
                source: read.source,
                not_verified: read.not_verified,
                effective_from: read.effective_from,
                effective_to: read.effective_to,
                run_hours,
                rules,
                file: file.to_owned(),
                text: text.to_owned(),
            }),
            Some(_) | None => {
                faults.found.sort();
                Err(faults.found)
            }
        }
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

fn checked(file: &File, faults: &mut Faults<'_>) -> Option<KitRules> {
    if *file.schema.get_ref() != SCHEMA {
        faults.add(&file.schema.span(), format!("this program reads schema {SCHEMA}"));
    }
    let id = file.id.get_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/' | '.');
    if id.is_empty() || !id.chars().all(plain) {
        faults.add(&file.id.span(), "write the id in small letters, digits, - and /, as in \"maker/kit\"");
    }
    let assays = file.assays.get_ref();
    if assays.is_empty() || assays.iter().any(|assay| assay.trim().is_empty()) {
        faults.add(&file.assays.span(), "name the assays as the profile names them (hemogate profile show)");
    }
    if let Some(maker) = file.maker.as_ref().filter(|maker| maker.get_ref().trim().is_empty()) {
        faults.add(&maker.span(), "name who makes the reagents, or leave maker out");
    }
    if matches!((file.effective_from, file.effective_to), (Some(from), Some(to)) if from > to) {
        faults.add(&file.id.span(), "effective_to lies before effective_from");
    }
    match (&file.plate, &file.window, &file.batch, &file.cells) {
        (Some(rules), None, None, None) => plate(id, rules, faults).map(Box::new).map(KitRules::Plate),
        (None, Some(rules), None, None) => Some(KitRules::Window(window(rules.get_ref(), faults))),
        (None, None, Some(rules), None) => Some(KitRules::Batch(batch(rules.get_ref(), faults))),
        (None, None, None, Some(rules)) => Some(KitRules::Cells(cells(rules.get_ref(), faults))),
        (_, _, _, _) => {
            faults.add(&file.id.span(), "write exactly one of [plate], [window], [batch] and [cells]");
            None
        }
    }
}

fn plate(id: &str, rules: &Spanned<Plate>, faults: &mut Faults<'_>) -> Option<PlateRules> {
    let (at, rules) = (rules.span(), rules.get_ref());
    let mut names = BTreeMap::new();
    for (formula, control) in &rules.controls {
        if let Some(other) = names.insert(control.is.clone(), formula.clone()) {
            faults.add(&at, format!("{other} and {formula} are both the profile's control {:?}", control.is));
        }
    }
    let external: BTreeMap<String, ExternalControl> =
        rules.external.iter().map(|(name, control)| external(name, control)).collect();
    for name in external.keys().filter(|name| names.contains_key(*name)) {
        faults
            .add(&at, format!("the profile's control {name:?} is the maker's and the laboratory's; decide"));
    }
    for control in external.values() {
        if control.wells == 0
            || matches!((control.sco_min, control.sco_max), (Some(low), Some(high)) if low > high)
        {
            faults.add(
                &at,
                format!("external {}: write 1 well or more, and sco_min not above sco_max", control.name),
            );
        }
    }
    let text = KitText {
        name: id.to_owned(),
        signal: rules.signal,
        controls: rules.controls.iter().map(|(name, control)| (name.clone(), control.wells)).collect(),
        criteria: rules.criteria.iter().map(|line| line.get_ref().clone()).collect(),
        cutoff: rules.cutoff.get_ref().clone(),
        od_min: rules.od_min.map_or_else(lowest, |number| number.0),
        sample_min: rules.sample_min.as_ref().map(|line| line.get_ref().clone()),
        od_max: rules.od_max.map(|number| number.0),
    };
    match Kit::new(text) {
        Ok(kit) => Some(PlateRules { kit, names, external }),
        Err(wrong) => {
            for fault in wrong {
                faults.add(&place(&fault.at, rules, &at), fault.what);
            }
            None
        }
    }
}

/// Where a fault of the formulas stands in the file.
fn place(at: &str, rules: &Plate, whole: &Range<usize>) -> Range<usize> {
    let number = at.strip_prefix("criteria[").and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
    match number.and_then(|number| rules.criteria.get(number)) {
        Some(line) => line.span(),
        None if at == "cutoff" => rules.cutoff.span(),
        None if at == "sample_min" => rules.sample_min.as_ref().map_or_else(|| whole.clone(), Spanned::span),
        None => whole.clone(),
    }
}

fn external(name: &str, control: &External) -> (String, ExternalControl) {
    let limit = |number: Option<Number>| number.map(|number| number.0);
    let (sco_min, sco_max) = (limit(control.sco_min), limit(control.sco_max));
    (control.is.clone(), ExternalControl { name: name.to_owned(), wells: control.wells, sco_min, sco_max })
}

/// Hours that the wells of a plate or a batch may lie apart.
fn run_hours(file: &File, faults: &mut Faults<'_>) -> u32 {
    let of_plate = file.plate.as_ref().and_then(|plate| plate.get_ref().hours.as_ref());
    let of_batch = file.batch.as_ref().and_then(|batch| batch.get_ref().hours.as_ref());
    hours_or(RUN_HOURS, of_plate.or(of_batch), faults)
}

fn hours(given: Option<&Spanned<u32>>, faults: &mut Faults<'_>) -> u32 {
    hours_or(u32::try_from(WINDOW_HOURS).unwrap_or(WINDOW_HOURS_MAX), given, faults)
}

fn hours_or(default: u32, given: Option<&Spanned<u32>>, faults: &mut Faults<'_>) -> u32 {
    let Some(given) = given else { return default };
    let hours = *given.get_ref();
    if !(1..=WINDOW_HOURS_MAX).contains(&hours) {
        faults.add(&given.span(), format!("write 1 to {WINDOW_HOURS_MAX} hours"));
    }
    hours
}

fn window(rules: &Window, faults: &mut Faults<'_>) -> WindowRules {
    let levels: BTreeSet<String> = rules.levels.get_ref().iter().cloned().collect();
    if levels.is_empty() {
        faults.add(
            &rules.levels.span(),
            "name the controls that have to be in range, as the profile names them",
        );
    }
    let calibration_days = rules.calibration_days.as_ref().map(|days| *days.get_ref());
    match (rules.calibration, &rules.calibration_days) {
        (Calibration::Sent, None) => {
            faults.add(
                &rules.levels.span(),
                "calibration = \"sent\" needs calibration_days: how long one holds",
            );
        }
        (Calibration::OnAnalyser, Some(days)) => {
            faults.add(&days.span(), "calibration_days needs calibration = \"sent\"");
        }
        (Calibration::Sent, Some(days)) if !(1..=CALIBRATION_DAYS_MAX).contains(days.get_ref()) => {
            faults.add(&days.span(), format!("write 1 to {CALIBRATION_DAYS_MAX} days"));
        }
        (Calibration::Sent, Some(_)) | (Calibration::OnAnalyser, None) => {}
    }
    WindowRules { hours: hours(rules.hours.as_ref(), faults), levels, calibration_days }
}

fn virus(name: &str, at: &Range<usize>, faults: &mut Faults<'_>) -> Option<Virus> {
    let found = Virus::ALL.into_iter().find(|virus| virus.name() == name);
    if found.is_none() {
        faults.unknown(at, "target", name, &Virus::ALL.map(Virus::name));
    }
    found
}

fn batch(rules: &Batch, faults: &mut Faults<'_>) -> BatchRules {
    let at = rules.targets.span();
    let named = rules.targets.get_ref().iter();
    let targets: BTreeSet<Virus> = named.filter_map(|name| virus(name, &at, faults)).collect();
    let mut by_name: BTreeMap<String, Vec<Role>> = BTreeMap::new();
    for name in &rules.negative {
        by_name.entry(name.clone()).or_default().push(Role::Negative);
    }
    for (controls, role) in
        [(&rules.positive, Role::Positive as fn(Virus) -> Role), (&rules.external, Role::External)]
    {
        for (name, of) in controls {
            let list = by_name.entry(name.clone()).or_default();
            match of.get_ref().as_str() {
                ALL => list.extend(targets.iter().copied().map(role)),
                one => list.extend(virus(one, &of.span(), faults).map(role)),
            }
        }
    }
    let is_negative = |list: &[Role]| list.contains(&Role::Negative);
    if targets.is_empty() || !by_name.values().any(|list| is_negative(list)) {
        faults.add(&at, "name the targets, and the negative control as the profile names it");
    }
    if by_name.values().any(|list| is_negative(list) && list.len() > 1) {
        faults.add(&at, "one control is negative and something else; write each control once");
    }
    for target in &targets {
        if !by_name.values().flatten().any(|role| *role == Role::Positive(*target)) {
            faults.add(&at, format!("no positive control of {target}; name it under positive"));
        }
    }
    let window = rules.positive_ct.map(|[low, high]| (low.0, high.0));
    if window.is_some_and(|(low, high): (Decimal, Decimal)| low > high) {
        faults.add(&at, "positive_ct: the first limit is above the second");
    }
    let internal_ct_max = match rules.internal.get_ref() {
        InternalBy::Analyser => None,
    };
    let external = !rules.external.is_empty();
    BatchRules { targets, positive_ct: window, internal_ct_max, external, controls: by_name }
}

fn cells(rules: &Cells, faults: &mut Faults<'_>) -> CellRules {
    let known: Vec<KnownReaction> =
        rules.known.get_ref().iter().filter_map(|one| known(one, faults)).collect();
    if known.is_empty() && faults.found.is_empty() {
        faults.add(&rules.known.span(), "name what each reagent has to give with a known sample or cell");
    }
    CellRules { hours: hours(rules.hours.as_ref(), faults), known, coated_cells: rules.coated }
}

fn known(one: &Spanned<KnownText>, faults: &mut Faults<'_>) -> Option<KnownReaction> {
    let (at, KnownText { reagent, with, due }) = (one.span(), one.get_ref());
    let is_column = |kind| matches!(kind, MarkerKind::Grouping | MarkerKind::Screening);
    let columns = || Marker::ALL.iter().copied().filter(|marker| is_column(marker.kind()));
    let Some(reagent) = columns().find(|marker| marker.name() == reagent) else {
        let names: Vec<&str> = columns().map(Marker::name).collect();
        faults.unknown(&at, "reagent", reagent, &names);
        return None;
    };
    let grade: Option<Grade> = due.parse().ok();
    let due = match grade {
        Some(grade) if grade.is_zero() => Due::Zero,
        Some(Grade { strength: Some(strength), .. }) if !grade.is_some_and(Grade::has_remark) => {
            Due::AtLeast(strength)
        }
        Some(_) | None => {
            faults.add(&at, format!("{due:?} is no reaction; write \"0\", \"w\", \"1+\" … \"4+\""));
            return None;
        }
    };
    Some(KnownReaction { reagent, with: with.clone(), due })
}

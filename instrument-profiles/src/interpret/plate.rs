//! Plates: every well once, and what stands in it where the layout has it.

use super::examination::Examination;
use crate::{
    message::Cursor,
    profile::rules::{PlateRules, Well},
};
use std::collections::{BTreeMap, HashSet};
use vocabulary::{Consequence, Finding};

/// Wells of one plate and the rows they came in.
type Wells = BTreeMap<Well, Vec<usize>>;

impl Examination<'_> {
    /// Checks the plates of a file; gives the rows whose well is in doubt.
    pub(super) fn plates(&mut self) -> HashSet<usize> {
        let mut held = HashSet::new();
        let Some(rules) = self.look.rules.plate.as_ref() else { return held };
        let mut plates: BTreeMap<String, Wells> = BTreeMap::new();
        for node in 0..self.look.document.nodes.len() {
            let cursor = Cursor::at(node);
            let text = self.look.text(cursor, &rules.well);
            let on_plate = |well: &Well| well.row < rules.rows && well.column < rules.columns;
            let Some(well) = Well::parse(text.trim()).filter(on_plate) else {
                let what = format!("{text:?} is no well of this plate");
                self.doubt(rules, node, "unknown_well", what);
                held.insert(node);
                continue;
            };
            let plate = self.look.text(cursor, &rules.id).into_owned();
            plates.entry(plate).or_default().entry(well).or_default().push(node);
            if !self.role_fits(rules, cursor, well) {
                held.insert(node);
            }
        }
        for (plate, wells) in &plates {
            for (well, rows) in wells.iter().filter(|(_, rows)| rows.len() > 1) {
                for row in rows {
                    self.doubt(
                        rules,
                        *row,
                        "ambiguous_well",
                        format!("well {well} of plate {plate} comes twice"),
                    );
                }
                held.extend(rows);
            }
            self.completeness(rules, plate, wells);
        }
        held
    }

    fn role_fits(&mut self, rules: &PlateRules, cursor: Cursor, well: Well) -> bool {
        let Some(path) = &rules.role else { return true };
        let found = self.look.text(cursor, path);
        let what = match rules.layout.get(&well) {
            Some(wanted) if found == wanted.as_str() => return true,
            Some(wanted) => format!("well {well} should hold {wanted:?}, and the file says {found:?}"),
            None if rules.layout.values().all(|role| found != role.as_str()) => return true,
            None => format!("the file says {found:?} of well {well}, where the layout has none"),
        };
        self.doubt(rules, cursor.node, "layout_mismatch", what);
        false
    }

    fn completeness(&mut self, rules: &PlateRules, plate: &str, wells: &Wells) {
        if !rules.complete {
            return;
        }
        let missing: Vec<Well> = (0..rules.columns)
            .flat_map(|column| (0..rules.rows).map(move |row| Well { row, column }))
            .filter(|well| !wells.contains_key(well))
            .collect();
        if let Some(first) = missing.first() {
            let what = format!(
                "plate {plate:?} lacks {} wells, the first is {first}; the file may have been cut off",
                missing.len()
            );
            self.findings.about(Consequence::Quarantine, "incomplete_plate", format!("plate {plate}"), what);
        }
    }

    fn doubt(&mut self, rules: &PlateRules, node: usize, name: &str, what: String) {
        let place = self.place(Cursor::at(node), &rules.well);
        let specimen = self.specimen_text(Cursor::at(node));
        let finding = name.to_owned();
        self.findings.add(Finding { finding, place, what, consequence: Consequence::Hold, specimen });
    }
}

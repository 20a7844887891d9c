//! Pools of a robot's log. What is wrong with one aspiration is kept with it and makes its pool useless; what makes the
//! whole log doubtful (a row that names no pool, no run, no time) quarantines it, since a lost member is a lost donation.

use super::{
    coverage::{aspirated_name, pooling_aside_name},
    examination::Examination,
};
use crate::{
    message::Cursor,
    path::Path,
    profile::pooling::{AspirationCheck, PoolSize, PoolingRules},
    schema::Aspirated,
};
use rust_decimal::Decimal;
use std::collections::HashMap;
use vocabulary::{Aspiration, AspirationFault, Consequence, Finding, Pooling, SpecimenId};

/// Aspirations of one log; past it nothing of it is taken.
const ASPIRATIONS_MAX: usize = 10_000;

/// The row of one aspiration, while it is read.
struct Row<'p> {
    cursor: Cursor,
    pool: &'p SpecimenId,
    wrong: Vec<AspirationFault>,
    said: Vec<String>,
}

impl Row<'_> {
    fn has(&mut self, fault: AspirationFault) {
        if !self.wrong.contains(&fault) {
            self.wrong.push(fault);
        }
    }
}

impl<'m> Examination<'m> {
    /// Reads the pools of the log; each with its aspirations, in the order of the rows.
    pub(super) fn poolings(&mut self) -> Vec<Pooling> {
        let Some(rules) = self.profile.rules.pooling.as_ref() else { return Vec::new() };
        let rows = self.look.document.nodes.len();
        let mut poolings: Vec<Pooling> = Vec::new();
        let mut known: HashMap<(SpecimenId, String, u16), usize> = HashMap::new();
        let mut aspirations = 0;
        for at in 0..rows {
            let cursor = Cursor::at(at);
            if let Some((name, _)) = rules.aside.iter().find(|(_, when)| self.look.holds(cursor, when)) {
                self.coverage.saw(|| pooling_aside_name(name));
                continue;
            }
            aspirations += 1;
            let Some((pool, run, size, member)) = self.aspiration(rules, at) else { continue };
            let place = *known.entry((pool.clone(), run.clone(), size)).or_insert(poolings.len());
            match poolings.get_mut(place) {
                Some(pooling) => pooling.members.push(member),
                None => poolings.push(Pooling { pool, run, size, members: vec![member] }),
            }
        }
        if aspirations == 0 {
            let what = "there is no aspiration in it; export the log again".to_owned();
            self.doubtful("no_aspirations", "the message".to_owned(), what);
        }
        if aspirations > ASPIRATIONS_MAX {
            let what = format!("{aspirations} aspirations in one log; {ASPIRATIONS_MAX} are taken; part it");
            self.doubtful("too_many_aspirations", "the message".to_owned(), what);
            return Vec::new();
        }
        poolings
    }

    /// The log cannot be relied on.
    fn doubtful(&mut self, name: &str, place: String, what: String) {
        self.findings.about(Consequence::Quarantine, name, place, what);
    }

    fn aspiration(
        &mut self,
        rules: &'m PoolingRules,
        at: usize,
    ) -> Option<(SpecimenId, String, u16, Aspiration)> {
        let cursor = Cursor::at(at);
        let pool = SpecimenId::new(&self.look.text(cursor, &rules.pool)).ok();
        if pool.is_none() {
            let what =
                "an aspiration that names no pool; export the log again, or mend its profile".to_owned();
            self.doubtful("missing_pool", self.place(cursor, &rules.pool), what);
        }
        let pool = pool?;
        let run = self.look.text(cursor, &rules.run).into_owned();
        if run.is_empty() {
            let what =
                format!("pool {pool} names no run of the robot; a repeated pool could not be told from it");
            self.doubtful("missing_pooling_run", self.place(cursor, &rules.run), what);
        }
        let size = match &rules.size {
            PoolSize::Always(size) => Some(*size),
            PoolSize::At(path) => {
                let text = self.look.text(cursor, path);
                let size = PoolSize::read(&text);
                if size.is_none() {
                    let what = format!("pool {pool} does not say how many members it has: {text:?}");
                    self.doubtful("unknown_pool_size", self.place(cursor, path), what);
                }
                size
            }
        };
        let time = self.look.text(cursor, &rules.time);
        let read = self.profile.rules.times.read(&time);
        if read.is_none() {
            let what = format!("{time:?} is no time in the profile's form; when was pool {pool} made?");
            self.doubtful("unknown_time", self.place(cursor, &rules.time), what);
        }
        let mut row = Row { cursor, pool: &pool, wrong: Vec::new(), said: Vec::new() };
        for check in &rules.checks {
            self.aspirated(check, &mut row);
        }
        let volume = self.pooled_volume(rules, &mut row);
        let barcode = self.member(&rules.member, &mut row);
        self.tell(rules, barcode.as_ref(), &row);
        let position = rules.position.as_ref().and_then(|path| self.look.piece(cursor, path));
        let member = Aspiration {
            position: position.map(|piece| piece.text.into_owned()),
            barcode,
            said: (!row.said.is_empty()).then(|| row.said.join(", ")),
            wrong: row.wrong,
            volume,
            at: read,
            record: self.look.document.label(at),
        };
        Some((pool, run, size?, member))
    }

    fn member(&mut self, path: &Path, row: &mut Row<'_>) -> Option<SpecimenId> {
        let text = self.look.text(row.cursor, path);
        let barcode = SpecimenId::new(&text);
        if barcode.is_err() {
            row.has(AspirationFault::Unread);
        }
        barcode.ok()
    }

    /// What one place of the log says of the aspiration.
    fn aspirated(&mut self, check: &'m AspirationCheck, row: &mut Row<'_>) {
        let text = self.look.text(row.cursor, &check.at);
        let listed = check.words.get(&*text).copied();
        if listed.is_some() {
            self.coverage.saw(|| aspirated_name(&check.at.to_string(), &text));
        }
        let fault = match listed.or(check.other) {
            Some(Aspirated::Good) => return,
            Some(Aspirated::Short) => AspirationFault::Short,
            Some(Aspirated::Clot) => AspirationFault::Clot,
            Some(Aspirated::Air) => AspirationFault::Air,
            Some(Aspirated::Error) => AspirationFault::Error,
            Some(Aspirated::Typed) => AspirationFault::Typed,
            Some(Aspirated::Unread) => AspirationFault::Unread,
            Some(Aspirated::Changed) => AspirationFault::Changed,
            Some(Aspirated::Open) | None => {
                let what = format!(
                    "the log says {text:?} of an aspiration for pool {}, and the profile does not know it; map it",
                    row.pool
                );
                self.holds_pool("unknown_value", row, &check.at, what);
                AspirationFault::Unknown
            }
        };
        row.has(fault);
        row.said.push(text.into_owned());
    }

    fn pooled_volume(&mut self, rules: &PoolingRules, row: &mut Row<'_>) -> Option<Decimal> {
        let (path, least) = rules.volume.as_ref()?;
        let text = self.look.text(row.cursor, path);
        let volume = self.profile.rules.numbers.read(&text).filter(|n| n.comparator.is_none());
        let Some(volume) = volume else {
            if least.is_some() {
                row.has(AspirationFault::Short);
                row.said.push(format!("volume {text:?}"));
            }
            return None;
        };
        if least.is_some_and(|least| volume.value < least) {
            row.has(AspirationFault::Short);
            row.said.push(format!("volume {text}"));
        }
        Some(volume.value)
    }

    /// Its pool, and with it every member, waits for what a person has to say.
    fn holds_pool(&mut self, name: &str, row: &Row<'_>, path: &Path, what: String) {
        self.findings.add(Finding {
            finding: name.to_owned(),
            place: self.place(row.cursor, path),
            what,
            consequence: Consequence::Hold,
            specimen: Some(row.pool.to_string()),
        });
    }

    /// Whoever reads the file sees at once which aspirations failed. The pool keeps them, and judges by them.
    fn tell(&mut self, rules: &PoolingRules, barcode: Option<&SpecimenId>, row: &Row<'_>) {
        let known = |fault: &&AspirationFault| **fault != AspirationFault::Unknown;
        let Some(fault) = row.wrong.iter().find(known) else { return };
        let member = barcode.map_or_else(|| "without a barcode".to_owned(), ToString::to_string);
        let what = format!(
            "member {member} of pool {} {}; the pool says nothing of its members: make it again",
            row.pool,
            fault.words()
        );
        let place = self.place(row.cursor, &rules.member);
        self.findings.add(Finding {
            finding: "aspiration_failed".to_owned(),
            place,
            what,
            consequence: Consequence::Note,
            specimen: barcode.map(ToString::to_string),
        });
    }
}

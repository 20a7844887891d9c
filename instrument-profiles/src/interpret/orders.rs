//! Orders: did they bring what they had to, or anything at all?

use super::{examination::Examination, value::withhold};
use crate::message::Cursor;
use std::collections::{HashMap, HashSet};
use vocabulary::{Consequence, Protocol};

impl Examination<'_> {
    /// Tests that an order had to bring and did not.
    pub(super) fn panels(&mut self) {
        if self.profile.rules.panels.is_empty() {
            return;
        }
        let mut orders: HashMap<usize, (usize, HashSet<String>)> = HashMap::new();
        let mut in_order = Vec::new();
        for row in &self.rows {
            let Some(order) = self.order_of(row.node) else { continue };
            let test = row.rule.filter(|rule| rule.aside.is_none()).and_then(|rule| rule.test.as_ref());
            let code = test.map(|path| self.look.text(Cursor::at(row.node), path).into_owned());
            let entry = orders.entry(order).or_insert_with(|| {
                in_order.push(order);
                (row.node, HashSet::new())
            });
            entry.1.extend(code);
        }
        for order in in_order {
            let Some((row, codes)) = orders.get(&order) else { continue };
            self.panel_of(order, Cursor::at(*row), codes);
        }
    }

    /// Rows of one order that say the same where that may be said once: which of them counts?
    pub(super) fn said_twice(&mut self) {
        let rules = &self.profile.rules;
        if rules.once.is_empty() {
            return;
        }
        let mut seen: HashMap<(usize, usize, String), usize> = HashMap::new();
        let mut doubled = Vec::new();
        for row in &self.rows {
            let Some(order) = self.order_of(row.node) else { continue };
            for (at, path) in rules.once.iter().enumerate() {
                let text = self.look.text(Cursor::at(row.node), path).into_owned();
                if text.is_empty() {
                    continue;
                }
                if let Some(first) = seen.insert((order, at, text.clone()), row.node) {
                    doubled.push((order, first, row.node, text));
                }
            }
        }
        for (order, first, second, text) in doubled {
            for node in [first, second] {
                let finding = vocabulary::Finding {
                    finding: "ambiguous_rows".to_owned(),
                    place: self.place_of_row(node),
                    what: format!("{text:?} stands twice in one order; which one counts?"),
                    consequence: Consequence::Hold,
                    specimen: self.specimen_text(Cursor::at(node)),
                };
                self.findings.add(finding);
            }
            self.withhold_order(order);
        }
    }

    fn withhold_order(&mut self, order: usize) {
        for at in self.made.get(&order).map_or(&[][..], Vec::as_slice) {
            if let Some(observation) = self.observations.get_mut(*at) {
                withhold(&mut observation.value);
            }
        }
    }

    fn panel_of(&mut self, order: usize, cursor: Cursor, codes: &HashSet<String>) {
        let look = self.look;
        for panel in look.rules.panels.iter().filter(|panel| look.holds(cursor, &panel.when)) {
            let missing: Vec<&str> =
                panel.tests.iter().filter(|code| !codes.contains(*code)).map(String::as_str).collect();
            if missing.is_empty() {
                continue;
            }
            let what = format!("{} lacks {}; wait for the rest or repeat it", panel.name, missing.join(", "));
            let specimen = self.specimen_text(cursor);
            self.findings.add(vocabulary::Finding {
                finding: "incomplete_panel".to_owned(),
                place: self.place_of_row(order),
                what,
                consequence: Consequence::Hold,
                specimen,
            });
            self.withhold_order(order);
        }
    }

    /// An order without a row: cancelled, or cut off.
    pub(super) fn orders_without_rows(&mut self) {
        let name = match self.profile.protocol() {
            Protocol::Lis02 => "O",
            Protocol::Hl7v2 => "OBR",
            Protocol::Delimited | Protocol::PkBlocks => "",
        };
        let document = self.look.document;
        let mut filled = vec![false; document.nodes.len()];
        for row in &self.rows {
            let above = document.node(row.node).and_then(|node| node.parent);
            for at in [Some(row.node), above].into_iter().flatten() {
                filled.get_mut(at).into_iter().for_each(|filled| *filled = true);
            }
        }
        for ((at, node), filled) in document.nodes.iter().enumerate().zip(filled) {
            if !filled && node.name.is(name) {
                self.empty_order(at);
            }
        }
        // A LIS02 message of H and L alone is a sign of life (LIS02-A2 §5); the other formats have no such thing.
        let expected = self.profile.protocol() != Protocol::Lis02;
        if expected && self.rows.is_empty() && !document.nodes.iter().any(|node| node.name.is(name)) {
            let what = "no result at all; the message may have been cut off".to_owned();
            self.findings.about(Consequence::Quarantine, "no_results", "the message".to_owned(), what);
        }
    }

    fn empty_order(&mut self, at: usize) {
        let cursor = Cursor::at(at);
        let not_done = &self.profile.rules.order_not_done;
        let done_with = !not_done.is_empty() && self.look.holds(cursor, not_done);
        let event = &self.profile.rules.order_event;
        let told = !event.is_empty() && self.look.holds(cursor, event);
        let (name, what, consequence) = if told {
            ("order_event", "where the specimen is, and no result; none is held for it", Consequence::Note)
        } else if done_with {
            ("order_not_done", "the analyser says that it could not do this order", Consequence::Note)
        } else {
            ("no_results", "an order without a result row; wait for it or repeat the test", Consequence::Hold)
        };
        let specimen = self.specimen_text(cursor);
        let (place, what) = (self.place_of_row(at), what.to_owned());
        self.findings.add(vocabulary::Finding {
            finding: name.to_owned(),
            place,
            what,
            consequence,
            specimen,
        });
    }
}

//! A profile without results: how a model speaks of orders, or of pools, and nothing else.

use super::{
    builder::Builder,
    rules::{FlagRules, Rules, RunRules, SpecimenRules, StatusRules},
};
use crate::schema;
use std::collections::HashMap;
use toml::Spanned;
use vocabulary::{Consequence, ResultStatus};

impl Builder<'_, '_> {
    /// Rules that read no result. Nothing about results may be said beside them.
    pub(super) fn no_results(&mut self, document: &schema::Document, reads: &Spanned<bool>) -> Rules {
        let said = [
            ("[[test]]", !document.test.is_empty()),
            ("[[row]]", !document.row.is_empty()),
            ("[[kind]]", !document.kind.is_empty()),
            ("[[control]]", !document.control.is_empty()),
            ("[[panel]]", !document.panel.is_empty()),
            ("[[lot]]", !document.lot.is_empty()),
            ("[[check]]", !document.check.is_empty()),
            ("[controls]", document.controls.is_some()),
            ("[run]", document.run.is_some()),
            ("[status]", document.status.is_some()),
            ("[flags]", document.flags.is_some()),
            ("[values]", !document.values.is_empty()),
            ("[grades]", !document.grades.is_empty()),
        ];
        for (section, _) in said.iter().filter(|(_, said)| *said) {
            self.fault(&reads.span(), format!("`reads_results = false`, yet there is `{section}`"));
        }
        let speaks = document.query.is_some()
            || document.order_out.is_some()
            || document.order_in.is_some()
            || document.pooling.is_some();
        if !speaks {
            let what =
                "`[query]`, `[order_out]`, `[order_in]` or `[pooling]`: without results there has to be one";
            self.missing(&reads.span(), what);
        }
        if let (Some(_), Some(pooling)) = (&document.order_in, &document.pooling) {
            self.fault(&pooling.span(), "a file has orders or pools, not both");
        }
        let no_specimen = SpecimenRules {
            id: vec![],
            must_agree: false,
            trim_end: false,
            not_of_controls: false,
            form: None,
        };
        let specimen = document.specimen.as_ref().map_or(no_specimen, |specimen| self.specimen(specimen));
        Rules {
            reads_results: false,
            order_in: document.order_in.as_ref().and_then(|order| self.order_in(order)),
            pooling: document.pooling.as_ref().and_then(|pooling| self.pooling(pooling)),
            characters: self.characters(&document.characters),
            numbers: self.numbers(&document.numbers),
            times: self.times(&document.times),
            table: self.table_of(document),
            plate: None,
            message: self.message(document.message.as_ref(), false),
            order_not_done: self.conditions(&document.order.not_done),
            order_event: self.conditions(&document.order.event),
            specimen,
            controls_open: false,
            kinds: vec![],
            controls: vec![],
            run: RunRules { open: false, id: None, requires: vec![], unsaid: vec![] },
            lots: vec![],
            status: StatusRules::Always(ResultStatus::Other),
            flags: FlagRules {
                at: vec![],
                separator: None,
                width: None,
                unknown: Consequence::Hold,
                known: HashMap::new(),
            },
            rows: vec![],
            operator: vec![],
            instrument: vec![],
            replicate: vec![],
            once: Vec::new(),
            together: None,
            checks: vec![],
            panels: vec![],
            tests: vec![],
            codes: HashMap::new(),
        }
    }
}

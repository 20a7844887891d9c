//! The text of a new `profile.toml`.

use super::{
    heard::Heard,
    remarks::Remarks,
    survey::{Code, Survey, Tally},
};
use crate::schema::{DecimalMark, guards_of};
use std::{collections::BTreeMap, fmt::Write};
use vocabulary::Protocol;

/// Texts of one place that are listed in a remark.
const LISTED_MAX: usize = 12;

/// Writes lines; a text always takes them.
struct Page {
    text: String,
    remarks: Remarks,
}

pub(super) fn profile(
    id: &str,
    heard: &Heard,
    survey: &Survey,
    captures: &BTreeMap<String, Vec<u8>>,
    remarks: Remarks,
) -> String {
    let mut page = Page { text: String::new(), remarks };
    page.start(id, heard);
    page.message(heard, survey);
    page.controls(survey);
    page.around(survey);
    page.results(survey);
    page.values(survey);
    for (code, seen) in &survey.codes {
        page.test(code, seen, survey);
    }
    page.evidence(captures);
    page.text
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn remark(&mut self, remark: &str) {
        for line in remark.lines() {
            self.line(&format!("# {}", line.trim_start()));
        }
    }

    fn start(&mut self, id: &str, heard: &Heard) {
        let (maker, model) = id.split_once('/').unwrap_or((id, id));
        self.line("#:schema ../../profile.schema.json");
        self.remark(self.remarks.start());
        let protocol = match heard.protocol {
            Protocol::Lis02 => "lis02",
            Protocol::Hl7v2 => "hl7v2",
            Protocol::Delimited => "delimited",
            Protocol::PkBlocks => "pk_blocks",
        };
        self.line(&format!("schema = 1\nid = {}\nprotocol = \"{protocol}\"\n", quoted(id)));
        self.line(&format!("[names]  # {}", self.remarks.names()));
        for (key, name) in [("maker", maker), ("model", model)] {
            self.line(&format!("{key} = {{ en = {0}, zh = {0} }}", quoted(name)));
        }
        self.line("");
        self.remark(self.remarks.guessed());
        self.line(&heard.link);
        if let Some(set) = heard.fallback {
            self.line(&format!("[characters]\nfallback = \"{set}\"\n"));
        }
    }

    fn message(&mut self, heard: &Heard, survey: &Survey) {
        if heard.protocol == Protocol::Delimited {
            self.line(&format!("[message]\nuncounted = {}\n", quoted(self.remarks.uncounted())));
        } else {
            self.line("[message]");
            if heard.protocol == Protocol::Lis02 {
                self.line(&format!("sequence = \"strict\"  # {}", self.remarks.sequence()));
            }
            let unnamed = match heard.protocol {
                Protocol::Hl7v2 => "MSH-3",
                Protocol::Lis02 | Protocol::Delimited | Protocol::PkBlocks => "H.5",
            };
            match &survey.sender {
                Some((at, texts)) => {
                    let texts = list(texts.iter());
                    self.line(&format!("sender = [{{ at = {}, is = {texts} }}]", quoted(at)));
                }
                None => self.line(&format!("sender = [{{ at = \"{unnamed}\", present = false }}]")),
            }
            match &survey.production {
                Some(at) => self.line(&format!("production = [{{ at = {}, is = \"P\" }}]", quoted(at))),
                None => self.line("production = []"),
            }
            if heard.protocol == Protocol::Hl7v2 {
                let kinds = list(survey.with_results.iter());
                self.line(&format!("results = [{{ at = \"MSH-9\", is = {kinds} }}]"));
            }
            if let Some(at) = &survey.control_id {
                self.line(&format!("control_id = {}", quoted(at)));
            }
            self.line("");
        }
        self.remark(self.remarks.specimen());
        for at in &survey.specimen {
            self.seen(at, &survey.tally(at));
        }
        self.line(&format!("[specimen]\nid = {}", list(survey.specimen.iter())));
        if survey.specimen.len() > 1 {
            self.line("must_agree = true");
        }
        self.line(&format!("form = \".+\"  # {}\n", self.remarks.form()));
    }

    fn controls(&mut self, survey: &Survey) {
        self.remark(self.remarks.controls());
        for (at, tally) in &survey.marks {
            self.seen(at, tally);
        }
        let sample = survey.marks.first().map_or("", |(at, _)| at.as_str());
        self.line("[controls]\nrecognition = \"open\"");
        let place = survey.specimen.first().map_or(sample, String::as_str);
        self.remark(&format!(
            "[[kind]]\nis = \"control\"\nwhen = [{{ at = {sample:?}, is = \"Q\" }}]\n[[kind]]\nis = \"patient\"\n\
             when = [{{ at = {sample:?}, is = \"\" }}]\n[[control]]\nname = \"negative\"\nreads = \"non_reactive\"\n\
             when = [{{ at = {place:?}, is = \"…\" }}]"
        ));
        self.line("");
        self.remark(self.remarks.run());
        let place = survey.instrument.as_ref().map_or_else(String::new, |at| format!("{{{at}}}/"));
        self.line("[run]\nid = \"open\"");
        self.remark(&format!(
            "id = \"{place}{{assay}}/{{day}}\"\n[[run.requires]]\ncontrols = [\"negative\", \"positive\"]"
        ));
        self.line("");
    }

    /// Numbers, times, status and flags.
    fn around(&mut self, survey: &Survey) {
        self.line("[numbers]");
        self.line(match survey.decimal() {
            DecimalMark::Point => "decimal = \"point\"",
            DecimalMark::Comma => "decimal = \"comma\"",
        });
        let comparators = list(survey.comparators.iter());
        self.line(&format!("comparators = {comparators}\n"));
        if let Some(form) = survey.time_form {
            self.line(&format!("[times]\nform = {}\n", quoted(form)));
        }
        match &survey.status {
            Some(at) => {
                self.line(&format!("[status]\nat = {}", quoted(at)));
                self.remark(self.remarks.status());
                self.line("[status.map]");
                for (text, times) in survey.tally(at) {
                    self.line(&format!("{} = \"open\"  # {}", quoted(&text), self.remarks.seen(times)));
                }
            }
            None => self.line("[status]\nalways = \"final\""),
        }
        self.line("");
        let Some(at) = &survey.flags else {
            return self.line("[flags]\nat = []\nunknown = \"hold\"\n");
        };
        self.line(&format!("[flags]\nat = {}\nunknown = \"hold\"", quoted(at)));
        self.remark(self.remarks.flags());
        self.line("[flags.known]");
        for (text, times) in survey.tally(at).into_iter().filter(|(text, _)| !text.is_empty()) {
            let what = quoted(self.remarks.open_flag());
            let seen = self.remarks.seen(times);
            self.line(&format!("{} = {{ does = \"open\", what = {what} }}  # {seen}", quoted(&text)));
        }
        self.line("");
    }

    fn results(&mut self, survey: &Survey) {
        self.line(&format!("[result]\ntest = {}", quoted(&survey.test)));
        let place = |at: &Option<String>| at.as_ref().map(|at| quoted(at));
        let time = place(&survey.time).unwrap_or_else(|| "\"open\"".to_owned());
        let mut keys = vec![("completed_at", Some(time)), ("instrument", place(&survey.instrument))];
        let value = Some(quoted(&survey.value));
        match &survey.aspects {
            Some(_) => keys.push(("together", Some("[]".to_owned()))),
            None => keys.extend([("number", value.clone()), ("interpretation", value.clone())]),
        }
        keys.push(("unit", place(&survey.unit)));
        for (key, at) in keys.into_iter().filter_map(|(key, at)| Some((key, at?))) {
            self.line(&format!("{key} = {at}"));
        }
        self.line("");
        let Some(aspects) = &survey.aspects else { return };
        self.remark(self.remarks.aspects());
        for (text, numbers) in &aspects.texts {
            let name = if text.is_empty() { "(empty)" } else { text };
            let when = format!("when = [{{ at = {}, is = {} }}]", quoted(&aspects.at), quoted(text));
            let slot = if *numbers { "number" } else { "interpretation" };
            self.line(&format!(
                "[[row]]\nname = {}\n{when}\n{slot} = {}\n",
                quoted(name),
                quoted(&survey.value)
            ));
        }
    }

    fn values(&mut self, survey: &Survey) {
        let mut words = Tally::new();
        for (text, times) in survey.codes.values().flat_map(|code| &code.words) {
            *words.entry(text.clone()).or_default() += times;
        }
        words.remove("");
        if words.is_empty() {
            return;
        }
        self.remark(self.remarks.values());
        self.line("[values.words]");
        for (text, times) in words {
            self.line(&format!("{} = \"open\"  # {}", quoted(&text), self.remarks.seen(times)));
        }
        self.line("");
    }

    fn test(&mut self, code: &str, seen: &Code, survey: &Survey) {
        let beside = Some(&seen.beside).filter(|beside| *beside != code);
        let beside = beside.map(|beside| format!("; {} {beside:?}", survey.test)).unwrap_or_default();
        self.remark(&format!("{}{beside}", self.remarks.seen(seen.rows)));
        self.seen(&survey.value, &seen.words);
        self.seen(&survey.value, &seen.numbers);
        self.line(&format!("[[test]]\ncode = {}\nopen = {}", quoted(code), quoted(self.remarks.open_test())));
        let words = seen.words.keys().any(|text| !text.is_empty());
        if words {
            self.line("values = \"words\"");
        }
        if !seen.numbers.is_empty() {
            let units: Vec<String> =
                seen.units.iter().map(|unit| format!("{0} = {0}", quoted(unit))).collect();
            if survey.unit.is_some() && !seen.units.contains("") {
                self.line(&format!("units = {{ {} }}", units.join(", ")));
            } else {
                self.line("unit_is = \"?\"");
            }
            if words {
                self.remark("reactive = \">= 1.00\"");
            }
        }
        self.line("source = \"capture\"\n");
    }

    fn evidence(&mut self, captures: &BTreeMap<String, Vec<u8>>) {
        let names: Vec<&str> = captures.keys().map(String::as_str).collect();
        let guards = guards_of(&self.text);
        self.line("[evidence]");
        if let Some(guards) = guards {
            self.remark(self.remarks.guards());
            self.line(&format!("guards = {guards}"));
        }
        self.line(&format!("not_verified = [{}]", quoted(self.remarks.not_verified())));
        self.line(&format!(
            "[evidence.sources.capture]\ntitle = {}\nlevel = \"trace\"",
            quoted(&names.join(", "))
        ));
    }

    /// `# O.12: "" 12, "Q" 4`
    fn seen(&mut self, at: &str, tally: &Tally) {
        if tally.is_empty() {
            return;
        }
        let mut listed: Vec<(&String, &usize)> = tally.iter().collect();
        listed.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let more = if listed.len() > LISTED_MAX { ", …" } else { "" };
        let texts: Vec<String> =
            listed.iter().take(LISTED_MAX).map(|(text, times)| format!("{text:?} {times}")).collect();
        let mut line = String::new();
        let written = write!(line, "  {at}: {}{more}", texts.join(", "));
        debug_assert!(written.is_ok(), "writing to a text does not fail");
        self.line(&format!("#{line}"));
    }
}

/// A text in TOML's quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.extend(["\\u", &format!("{:04X}", u32::from(c))]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn list(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text.as_ref())).collect();
    match texts.as_slice() {
        [only] => only.clone(),
        _ => format!("[{}]", texts.join(", ")),
    }
}

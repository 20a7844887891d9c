//! `id check`: what a scan is, by the site's rules or by what labels carry; touches no store.

use crate::{
    cli::{Cli, Format, Id, Lang},
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use identifiers::{Checked, Normaliser};
use std::io::{self, BufRead};

/// The longest line that is read as a scan, in bytes.
const SCAN_BYTES_MAX: usize = 4096;

pub(crate) fn id(cli: &Cli, asked: &Id, lang: Lang) -> Outcome {
    let Id::Check { text, format } = asked;
    let site = crate::configuration(cli)?.config.site;
    let rules = if site.names_its_codes() {
        site.normaliser().map_err(|e| Failure::new(Exit::Configuration, e))?
    } else {
        Normaliser::of_labels()
    };
    let mut report = Report::new(*format, lang, &rules);
    for text in text {
        if text == "-" {
            for line in io::stdin().lock().lines() {
                report.check(&line?)?;
            }
        } else {
            report.check(text)?;
        }
    }
    report.finish()
}

struct Report<'r> {
    printer: Printer,
    lang: Lang,
    rules: &'r Normaliser,
    exit: Exit,
}

impl<'r> Report<'r> {
    fn new(format: Format, lang: Lang, rules: &'r Normaliser) -> Self {
        let mut printer = Printer::new(format);
        printer.heads(&lang.pick(
            ["kind", "value", "check", "valid", "why not, and what to do"],
            ["种类", "号码", "校验符", "有效", "原因与处理"],
        ));
        Self { printer, lang, rules, exit: Exit::Done }
    }

    fn check(&mut self, scan: &str) -> Result<(), Failure> {
        if scan.len() > SCAN_BYTES_MAX {
            let what = format!("a scan of {} bytes is longer than {SCAN_BYTES_MAX}", scan.len());
            return Err(Failure::new(Exit::BadInput, what));
        }
        // A reader that types ends its scan with a line end.
        let checked = self.rules.check(scan.trim_end_matches(['\r', '\n']));
        if !checked.valid {
            self.exit = Exit::No;
        }
        let lang = self.lang;
        self.printer.item(&checked, || row(&checked, lang))
    }

    fn finish(self) -> Outcome {
        self.printer.finish()?;
        Ok(self.exit)
    }
}

fn row(checked: &Checked, lang: Lang) -> Vec<String> {
    let kind = match &checked.form {
        Some(form) => form.clone(),
        None => lang.pick(checked.kind.english(), checked.kind.chinese()).to_owned(),
    };
    let value = match &checked.tube {
        Some(tube) => format!("{} / {tube}", checked.value),
        None => checked.value.clone(),
    };
    let why = lang.pick(&checked.why, &checked.why_zh).clone().unwrap_or_default();
    let valid = if checked.valid { lang.pick("yes", "是") } else { lang.pick("no", "否") };
    let check = checked.check_character.map(String::from).unwrap_or_default();
    vec![kind, value, check, valid.to_owned(), why]
}

//! `decide`: evidence in, verdicts out; touches no store.

use crate::{
    cli::{Decide, Lang},
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use release::RulePack;
use serde_json::Value;
use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// A pack by its built-in id, or from a file.
pub(crate) fn pack(name: &str) -> Result<RulePack, Failure> {
    let file = Path::new(name);
    let found = if file.is_file() { RulePack::load(file) } else { RulePack::built_in(name) };
    found.map_err(|e| Failure::new(Exit::Configuration, e))
}

/// A file's text, or standard input for `-`.
pub(crate) fn text_of(file: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes_of(file)?)
        .map_err(|e| Failure::new(Exit::BadInput, format!("{}: not UTF-8: {e}", file.display())))
}

/// A file's bytes, or standard input for `-`.
pub(crate) fn bytes_of(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().read_to_end(&mut bytes)?;
    } else {
        bytes = fs::read(file).map_err(|e| {
            let exit = if e.kind() == io::ErrorKind::NotFound { Exit::InputMissing } else { Exit::Io };
            Failure::new(exit, format!("{}: {e}", file.display()))
        })?;
    }
    Ok(bytes)
}

pub(crate) fn decide(asked: &Decide, lang: Lang) -> Outcome {
    let pack = pack(&asked.rules)?;
    let text = text_of(&asked.file)?;
    let mut printer = Printer::new(asked.format);
    let bad = lang.pick("cannot be read", "无法读取");
    printer.heads(&lang.pick(
        ["donation", "unit", "releasable", "why not, and what to do next"],
        ["献血", "结论", "可放行", "原因与下一步"],
    ));
    let mut exit = Exit::Done;
    for case in release::read_cases(&text) {
        match case {
            Ok(evidence) => {
                let verdict = release::explain(&evidence, &pack);
                let value = serde_json::to_value(&verdict).map_err(|e| Failure::new(Exit::Internal, e))?;
                printer.item(&value, || row(&value, lang))?;
            }
            Err(error) => {
                exit = Exit::BadInput;
                printer.item(&error, || {
                    vec![bad.into(), String::new(), String::new(), format!("{}: {}", error.at, error.what)]
                })?;
            }
        }
    }
    printer.finish()?;
    Ok(exit)
}

/// A verdict for people: what holds it, and what to do.
pub(crate) fn row(verdict: &Value, lang: Lang) -> Vec<String> {
    let text = |name: &str| verdict.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let listed = |name: &str| verdict.get(name).and_then(Value::as_array).into_iter().flatten();
    let why = lang.pick("why", "why_zh");
    let failing = listed("gates").filter(|g| g.get("pass") == Some(&Value::Bool(false))).map(|gate| {
        let part = |name: &str| gate.get(name).and_then(Value::as_str).unwrap_or_default();
        format!("{} {}", part("id"), part(why))
    });
    let next = listed(lang.pick("next", "next_zh")).filter_map(Value::as_str).map(|n| format!("→ {n}"));
    let releasable = verdict.get("releasable") == Some(&Value::Bool(true));
    vec![
        text("donation"),
        text("unit"),
        (if releasable { lang.pick("yes", "是") } else { lang.pick("no", "否") }).to_owned(),
        failing.chain(next).collect::<Vec<_>>().join("; "),
    ]
}

//! `profile diff`: two revisions of a profile, for people.

use crate::{
    cli::{Format, Lang},
    exit::{Exit, Failure, Outcome},
    print::Printer,
    wiring,
};
use instrument_profiles::{Change, Comparison, Entry, Part, ResultChange};
use std::{
    io::{self, Write},
    path::Path,
};

pub(super) fn diff(before: &str, after: &str, format: Format, lang: Lang) -> Outcome {
    let comparison = entry(before)?.compare(&entry(after)?);
    match format {
        Format::Json => {
            let mut printer = Printer::new(format);
            printer.item(&comparison, Vec::new)?;
            printer.finish()?;
        }
        Format::Table => write!(io::stdout().lock(), "{}", page(&comparison, lang))?,
    }
    Ok(if comparison.means_the_same() { Exit::Done } else { Exit::No })
}

/// A model of the catalogue, or a folder; also one of an earlier release, to see what a new one changes.
fn entry(name: &str) -> Result<Entry, Failure> {
    let folder = Path::new(name);
    if folder.join("profile.toml").is_file() {
        return Entry::load_kept(folder).map_err(|e| Failure::new(Exit::Configuration, e));
    }
    // Says what is wrong with the name, and the nearest one.
    wiring::profile(name)?;
    let catalogue = wiring::built_in()?;
    catalogue.entry(name).cloned().ok_or_else(|| Failure::new(Exit::InputMissing, name))
}

fn page(comparison: &Comparison, lang: Lang) -> String {
    let revision = |about: &vocabulary::ProfileRef| about.revision.chars().take(12).collect::<String>();
    let (before, after) = (&comparison.before, &comparison.after);
    let mut lines = vec![format!("{} {} → {} {}", before.id, revision(before), after.id, revision(after))];
    let mut part: Option<Part> = None;
    for change in &comparison.changes {
        if part != Some(change.part) {
            part = Some(change.part);
            let (en, zh) = change.part.name();
            lines.push(format!("\n{}", lang.pick(en, zh)));
        }
        lines.extend(lines_of(change, lang));
    }
    if !comparison.results.is_empty() {
        let count = comparison.results.len();
        lines.push(match lang {
            Lang::En => format!("\non the captures of both, {count} results come to something else"),
            Lang::Zh => format!("\n在双方截获报文上，有 {count} 个结果不同"),
        });
        lines.extend(comparison.results.iter().flat_map(|result| result_lines(result, lang)));
    }
    let verdict = if comparison.means_the_same() {
        lang.pick("\neverything is read as before", "\n读取结果与此前完全相同")
    } else {
        lang.pick(
            "\nwhat is read changes: test it before it is activated",
            "\n读取结果有变化：启用前请先验证",
        )
    };
    lines.push(verdict.to_owned());
    lines.join("\n") + "\n"
}

fn lines_of(change: &Change, lang: Lang) -> Vec<String> {
    let follows = change.part.without().map(|(en, zh)| lang.pick(en, zh));
    match (&change.before, &change.after) {
        (None, Some(after)) => vec![format!("  + {}: {after}", change.what)],
        (Some(before), None) => {
            let mut lines = vec![format!("  - {}: {before}", change.what)];
            lines.extend(follows.map(|what| format!("      {what}")));
            lines
        }
        (before, after) => {
            let shown = |text: &Option<String>| text.clone().unwrap_or_default();
            let (before, after) = (shown(before), shown(after));
            if before.contains('\n') || after.contains('\n') {
                let what = lang.pick("its text has changed", "内容已更改");
                return vec![format!("  ~ {}: {what}", change.what)];
            }
            vec![format!("  ~ {}", change.what), format!("      {before}"), format!("    → {after}")]
        }
    }
}

fn result_lines(result: &ResultChange, lang: Lang) -> [String; 2] {
    let nothing = lang.pick("no result", "无结果");
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| nothing.to_owned());
    [
        format!("  {}: {}", result.message, result.result),
        format!("      {} → {}", shown(&result.before), shown(&result.after)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_against_itself_reads_as_before_in_both_languages() {
        let model = wiring::built_in().unwrap();
        let one = model.entry("generic/ihe-law").unwrap();
        let comparison = one.compare(one);
        assert!(page(&comparison, Lang::En).ends_with("everything is read as before\n"));
        assert!(page(&comparison, Lang::Zh).contains("完全相同"));
        assert!(entry("generic/ihe-lav").unwrap_err().what.contains("generic/ihe-law"));
    }

    #[test]
    fn what_is_taken_away_says_what_follows() {
        let change = |before: Option<&str>, after: Option<&str>| Change {
            part: Part::Values,
            what: "words \"NEG\"".to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let shown = |change: &Change, lang| lines_of(change, lang).join("\n");
        assert!(shown(&change(Some("x"), None), Lang::En).contains("held from now on"));
        assert!(shown(&change(Some("x"), None), Lang::Zh).contains("今后"));
        assert_eq!(shown(&change(None, Some("x")), Lang::En), "  + words \"NEG\": x");
        assert_eq!(shown(&change(Some("x"), Some("y")), Lang::En), "  ~ words \"NEG\"\n      x\n    → y");
    }
}

//! `[site.identifiers]`: which forms the site's codes have, and what is wrong with what was written about them.
//!
//! `specimen_pattern` is the short form: one expression. Where a site writes neither, ISBT 128 numbers are known and
//! every other id without a blank is taken as it stands.

use super::{Config, Fault, Site};
use identifiers::{Form, Normaliser, Rules, RulesFault, Shortened};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
};
use toml::Spanned;

/// `[site.identifiers]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identifiers {
    /// `[[site.identifiers.form]]`
    #[serde(default, rename = "form")]
    forms: Vec<Spanned<Form>>,
    /// The longest id, in characters.
    #[serde(default = "chars_max")]
    chars_max: usize,
    /// Connection → so many characters of an id its analyser keeps.
    #[serde(default)]
    cut_at: BTreeMap<String, Spanned<usize>>,
    /// What becomes of two numbers of which one is the other's beginning: `hold` or `accept`.
    #[serde(default)]
    shortened: Shortened,
}

fn chars_max() -> usize {
    Rules::CHARS_MAX
}

/// What is wrong, and where in the text.
struct Misfit {
    fault: RulesFault,
    at: Range<usize>,
}

impl Site {
    /// Whether the site has said how its codes look.
    pub(crate) fn names_its_codes(&self) -> bool {
        self.specimen_pattern.is_some() || self.identifiers.is_some()
    }

    /// The site's rules, ready for use.
    pub(crate) fn normaliser(&self) -> Result<Normaliser, RulesFault> {
        self.checked().map_err(|misfit| misfit.fault)
    }

    fn checked(&self) -> Result<Normaliser, Misfit> {
        match (&self.specimen_pattern, &self.identifiers) {
            (None, None) => Ok(Normaliser::default()),
            (Some(pattern), None) => Normaliser::of_pattern(pattern.get_ref())
                .map_err(|fault| Misfit { fault, at: pattern.span() }),
            (Some(pattern), Some(_)) => {
                let fault = RulesFault {
                    form: None,
                    key: "specimen_pattern",
                    what: "specimen_pattern and [site.identifiers] both say how codes look".to_owned(),
                    remedy: "make the pattern a form of kind \"pattern\" and take specimen_pattern out"
                        .to_owned(),
                };
                Err(Misfit { fault, at: pattern.span() })
            }
            (None, Some(written)) => Normaliser::new(&written.rules()).map_err(|faults| {
                let fault = faults.into_iter().next().unwrap_or(RulesFault {
                    form: None,
                    key: "form",
                    what: "the forms cannot be used".to_owned(),
                    remedy: "mend them".to_owned(),
                });
                let at = fault.form.and_then(|at| written.forms.get(at)).map_or(0..0, Spanned::span);
                Misfit { fault, at }
            }),
        }
    }
}

impl Identifiers {
    fn rules(&self) -> Rules {
        Rules {
            forms: self.forms.iter().map(|form| form.get_ref().clone()).collect(),
            chars_max: self.chars_max,
            cut_at: self.cut_at.iter().map(|(id, keeps)| (id.clone(), *keeps.get_ref())).collect(),
            shortened: self.shortened,
        }
    }

    /// A connection that is named here and nowhere else.
    fn stranger(&self, connections: &BTreeSet<&str>) -> Option<Misfit> {
        let unknown = |key, id: &str, at: Range<usize>| Misfit {
            fault: RulesFault {
                form: None,
                key,
                what: format!("{key} names the connection {id:?}, which there is not"),
                remedy: "name a [[connection]] by its id".to_owned(),
            },
            at,
        };
        let cut = self.cut_at.iter().map(|(id, keeps)| ("cut_at", id, keeps.span()));
        let only = self
            .forms
            .iter()
            .flat_map(|form| form.get_ref().only_on.iter().map(move |id| ("only_on", id, form.span())));
        cut.chain(only)
            .find(|(_, id, _)| !connections.contains(id.as_str()))
            .map(|(key, id, at)| unknown(key, id, at))
    }
}

/// The first fault of what a site wrote about its codes. `text` is what `config` was read from.
pub(super) fn fault(config: &Config, text: &str, file: &Path) -> Option<Fault> {
    let connections: BTreeSet<&str> = config.connections.iter().map(|c| c.id.as_str()).collect();
    let stranger = || config.site.identifiers.as_ref().and_then(|written| written.stranger(&connections));
    let misfit = config.site.checked().err().or_else(stranger)?;
    Some(Fault {
        file: file.to_path_buf(),
        line: line(text, &misfit.at, misfit.fault.key),
        what: misfit.fault.what,
        remedy: Some(misfit.fault.remedy),
    })
}

/// The line of `key` in the table that begins at `at`, or else of `at` itself; nothing when there is none.
fn line(text: &str, at: &Range<usize>, key: &str) -> Option<usize> {
    let (before, table) = text.split_at_checked(at.start).filter(|_| !at.is_empty())?;
    let first = before.matches('\n').count() + 1;
    // The span of a table is that of its head alone.
    let mut lines = table.lines().enumerate();
    let own = lines.by_ref().take_while(|(n, line)| *n == 0 || !line.trim_start().starts_with('['));
    let named = own.filter(|(_, line)| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    });
    Some(first + named.map(|(n, _)| n).next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::load::read;
    use super::*;

    fn of(text: &str) -> Result<Config, String> {
        read(text, Path::new("hemogate.toml"), &[]).map_err(|fault| fault.to_string())
    }

    fn check(text: &str, starts: &str, says: &str) {
        let fault = of(text).unwrap_err();
        assert!(fault.starts_with(starts) && fault.contains(says), "{fault}");
    }

    fn number(config: &Config, scan: &str) -> Option<String> {
        config.site.normaliser().unwrap().read(scan, "h9").ok().map(|found| found.number)
    }

    const SITE: &str = r#"
[site.identifiers]
chars_max = 20

[site.identifiers.cut_at]
h9 = 15

[[site.identifiers.form]]
name = "ISBT 128"
kind = "isbt128-din"

[[site.identifiers.form]]
name = "own"
kind = "pattern"
only_on = ["h9"]
pattern = '(?<donation>\d{9})(?<check>\d)'
check = "luhn"

[[connection]]
id = "h9"
profile = "m/m"
transport = { type = "tcp-listen", address = "127.0.0.1:1" }
"#;

    #[test]
    fn a_site_writes_its_forms_or_one_pattern_or_nothing() {
        let nothing = of("").unwrap();
        assert!(!nothing.site.names_its_codes());
        assert_eq!(number(&nothing, "=G12349865432100").as_deref(), Some("G123498654321"));
        let pattern = of("[site]\nspecimen_pattern = '(?<donation>\\d+)'").unwrap();
        assert!(pattern.site.names_its_codes());
        assert_eq!(number(&pattern, "=G12349865432100"), None);
        let forms = of(SITE).unwrap();
        assert_eq!(number(&forms, "G123498654321H").as_deref(), Some("G123498654321"));
        assert_eq!(number(&forms, "=G12349865432100"), None, "it may have been cut at 15");
        assert_eq!(number(&forms, "7992739871").as_deref(), None);
        assert_eq!(number(&forms, "1234567897").as_deref(), Some("123456789"));
    }

    #[test]
    fn what_is_wrong_has_a_line_and_a_remedy() {
        let wrong = |from: &str, to: &str| SITE.replace(from, to);
        check(&wrong("check = \"luhn\"", ""), "hemogate.toml:12:", "nothing verifies it");
        check(&wrong("(?<donation>", "("), "hemogate.toml:16:", "no group named donation");
        check(
            &wrong("kind = \"isbt128-din\"", "kind = \"isbt128-din\"\nremove = ' '"),
            "hemogate.toml:11:",
            "remove",
        );
        check(&wrong("chars_max", "char_max"), "hemogate.toml:3:", "did you mean \"chars_max\"?");
        check(&wrong("only_on", "onlyon"), "hemogate.toml:15:", "did you mean \"only_on\"?");
        check(&wrong("check = \"luhn\"", "check = \"lun\""), "hemogate.toml:17:", "did you mean \"luhn\"?");
        check(&wrong("h9 = 15", "h8 = 15"), "hemogate.toml:6:", "the connection \"h8\"");
        check(&wrong("[\"h9\"]", "[\"h8\"]"), "hemogate.toml:15:", "the connection \"h8\"");
        check("[site]\nname = 'x'\nspecimen_pattern = 'x'", "hemogate.toml:3:", "(?<donation>");
        check(&format!("site.specimen_pattern = '(?<donation>x)'{SITE}"), "hemogate.toml:1:", "both say");
        check("[site.identifiers]", "hemogate.toml: there is no form", "isbt128-din");
    }
}

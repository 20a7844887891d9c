//! Rule packs: data that says how a jurisdiction and a laboratory judge a donation (R-PACK-01).

mod asked;
mod choices;
mod overlay;
mod place;
mod reagent;
mod settings;
mod stated;
mod terms;

pub(crate) use asked::{Asked, What};
pub use choices::{
    AntibodyScreen, ApplyBy, Confidence, DelLabel, DuplicateScheme, ExternalControl, KitControl, NatMode,
    NdrPolicy, Overdue, PlainStrength, ReactiveOnce, SeroReactiveInPool, Setting, StickyReactive, Strategy,
    Switch, UnresolvedPolicy, WeakDLabel, Who,
};
pub use overlay::Weaker;
pub use reagent::ReagentCut;
pub use settings::{
    Alt, DonorRules, DonorTerm, Fitness, Group, Invalid, Local, Nat, Reagent, Release, Retention, Sero,
    Settings, Strategies, Tests,
};

pub use stated::Stated;

use crate::GateId;
use crate::cases::with_nearest;
use crate::number::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use toml::{Table, Value};

/// The packs that come with the program: name and text.
const BUILT_IN: &[(&str, &str)] = &[
    ("cn-2019", include_str!("../packs/cn-2019.toml")),
    ("cn-2019-two-reagents", include_str!("../packs/cn-2019-two-reagents.toml")),
    ("us-fda", include_str!("../packs/us-fda.toml")),
    ("uk-jpac", include_str!("../packs/uk-jpac.toml")),
    ("eu-edqm", include_str!("../packs/eu-edqm.toml")),
    ("who-minimum", include_str!("../packs/who-minimum.toml")),
];

/// Determinations, and reagents of one, that a pack asks for at most.
const DETERMINATIONS_MAX: usize = 8;

/// A checked rule pack. Its hash stands for its content and that of the pack it is based on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePack {
    settings: Settings,
    hash: String,
    source: Arc<PackSource>,
}

/// What a pack was read from, whole: its hash is taken of this.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PackSource {
    /// Its own text.
    pub text: String,
    /// The text of the pack that it is based on, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// Name and content hash of a pack, as verdicts carry them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackRef {
    /// Name.
    pub id: String,
    /// SHA-256 of the pack's text (of the base pack's and its own, where it is based on one), lower-case hex.
    pub hash: String,
}

impl PackRef {
    /// So many digits of a pack's hash name it, or more.
    pub const HASH_DIGITS_MIN: usize = 8;

    /// Whether a person who says `name` may mean it: by its id, or by how its hash begins.
    #[must_use]
    pub fn goes_by(&self, name: &str) -> bool {
        self.id == name || (name.len() >= Self::HASH_DIGITS_MIN && self.hash.starts_with(name))
    }
}

/// A value that the laboratory has to confirm before use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unconfirmed {
    /// Its key: `nat.mp_unresolved`.
    pub key: String,
    /// Its value.
    pub value: String,
    /// How sure it is.
    pub confidence: String,
    /// What to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// Why a pack cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// No built-in pack has this name.
    #[error("no rule pack is named {id:?}; the nearest built-in one is {near:?}")]
    Unknown {
        /// The name.
        id: String,
        /// The nearest.
        near: String,
    },
    /// The file cannot be read.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// Why.
        what: String,
    },
    /// The text is no TOML.
    #[error("line {line}: {what}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A key is unknown, missing, or has a value that is not allowed.
    #[error("{}{key}: {what}", place::in_words(*line))]
    Key {
        /// Line of the text, from 1, where the key or its table stands there.
        line: Option<usize>,
        /// The key.
        key: String,
        /// What is wrong.
        what: String,
    },
}

impl RulePack {
    /// The pack that comes with the program under this name.
    ///
    /// # Errors
    /// [`PackError::Unknown`], naming the nearest.
    pub fn built_in(id: &str) -> Result<Self, PackError> {
        match BUILT_IN.iter().find(|(name, _)| *name == id) {
            Some((_, text)) => Self::from_toml(text),
            None => Err(PackError::Unknown { id: id.to_owned(), near: nearest_pack(id) }),
        }
    }

    /// Names of the packs that come with the program.
    #[must_use]
    pub fn built_in_ids() -> Vec<&'static str> {
        BUILT_IN.iter().map(|(name, _)| *name).collect()
    }

    /// Reads a pack from a file.
    ///
    /// # Errors
    /// [`PackError`], with the place of what is wrong.
    pub fn load(path: &Path) -> Result<Self, PackError> {
        let text = std::fs::read_to_string(path).map_err(|error| PackError::File {
            path: path.display().to_string(),
            what: format!("cannot be read: {error}"),
        })?;
        Self::from_toml(&text)
            .map_err(|error| PackError::File { path: path.display().to_string(), what: error.to_string() })
    }

    /// Reads a pack from its text. `based_on` names a built-in pack whose values hold where this one is silent.
    ///
    /// # Errors
    /// [`PackError`], with the place of what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, PackError> {
        let own = table(text)?;
        let base = match own.get("based_on").and_then(Value::as_str) {
            None => None,
            Some(id) => Some(based_on(text, id)?),
        };
        let pack = Self::of(text, own, base)?;
        pack.fits_today()?;
        Ok(pack)
    }

    /// Reads a pack from what it was read from before. Its base is the text that is given, whatever comes with the program
    /// now, so that an old pack stays what it was; what is asked of a new one ([`RulePack::fits_today`]) is not asked of it.
    ///
    /// # Errors
    /// [`PackError`], with the place of what is wrong.
    pub fn from_source(source: &PackSource) -> Result<Self, PackError> {
        Self::of(&source.text, table(&source.text)?, source.base.as_deref())
    }

    fn of(text: &str, own: Table, below: Option<&str>) -> Result<Self, PackError> {
        let mut hasher = Sha256::new();
        let base = match below {
            None => Table::new(),
            Some(below) => {
                hasher.update(below.as_bytes());
                hasher.update([0]);
                let base = table(below)?;
                if base.contains_key("based_on") || !own.contains_key("id") {
                    let what = "a pack based on another needs its own id, and a base that stands alone";
                    let line = place::line_of(text, "based_on");
                    return Err(PackError::Key { line, key: "based_on".into(), what: what.into() });
                }
                base
            }
        };
        hasher.update(text.as_bytes());
        let settings =
            serde_path_to_error::deserialize(Value::Table(merged(base, own))).map_err(|error| {
                let message = with_nearest(error.inner().message());
                let key = error.path().to_string();
                PackError::Key { line: place::line_of(text, &key), key, what: message }
            })?;
        let hash = hex(&hasher.finalize());
        let source = Arc::new(PackSource { text: text.to_owned(), base: below.map(str::to_owned) });
        let pack = Self { settings, hash, source };
        pack.check().map_err(|found| pack.refused(found))?;
        Ok(pack)
    }

    /// What is asked of a pack that is to judge from now on, and cannot be asked of one that judged before: two persons, tests
    /// that there are, and nothing weaker than in the pack that it is based on.
    ///
    /// # Errors
    /// [`PackError`], with the place of what is wrong.
    pub fn fits_today(&self) -> Result<(), PackError> {
        let s = &self.settings;
        let must = |good: bool, key: &str, what: String| {
            if good { Ok(()) } else { Err(self.refused((key.to_owned(), what))) }
        };
        must(
            s.release.two_person.value,
            "release.two_person",
            "review and release are two persons' under every pack (R-GATE-10); write true".into(),
        )?;
        for (key, count) in [
            ("group.iat_reagents_min", s.group.iat_reagents_min.value),
            ("group.first_time_determinations", s.group.first_time_determinations.value),
        ] {
            must(count <= DETERMINATIONS_MAX, key, format!("at most {DETERMINATIONS_MAX}"))?;
        }
        let known = asked::further_targets();
        let further = s.nat.further.iter().flat_map(|further| &further.value);
        if let Some(other) = further.copied().find(|virus| !known.contains(virus)) {
            let names = known.iter().map(|virus| virus.name()).collect::<Vec<_>>().join(", ");
            let what = format!(
                "no nucleic acid test finds {other}, so every donation would wait for ever; write of {names}"
            );
            must(false, "nat.further", what)?;
        }
        let Some(below) = &self.source.base else { return Ok(()) };
        let base: Settings =
            serde_path_to_error::deserialize(Value::Table(table(below)?)).map_err(|error| {
                let key = format!("based_on ({})", error.path());
                PackError::Key { line: None, key, what: error.inner().message().to_owned() }
            })?;
        match overlay::weakened(&base, s).into_iter().next() {
            None => Ok(()),
            Some(overlay::Less { key, due, .. }) => {
                let what = format!(
                    "weaker than in {}, which a pack based on it may not be; write {due}, or leave the key out",
                    base.id
                );
                Err(self.refused((key, what)))
            }
        }
    }

    fn refused(&self, (key, what): (String, String)) -> PackError {
        PackError::Key { line: place::line_of(&self.source.text, &key), key, what }
    }

    /// What it was read from.
    #[must_use]
    pub fn source(&self) -> &PackSource {
        &self.source
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// Its content hash.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Name and hash.
    #[must_use]
    pub fn reference(&self) -> PackRef {
        PackRef { id: self.settings.id.clone(), hash: self.hash.clone() }
    }

    /// What it says.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the schema cannot say.
    fn check(&self) -> Result<(), (String, String)> {
        let s = &self.settings;
        let positive = |limit: crate::Limit| limit.number() > rust_decimal::Decimal::ZERO;
        let must = |good: bool, key: &str, what: &str| {
            if good { Ok(()) } else { Err((key.to_owned(), what.to_owned())) }
        };
        must(!s.id.trim().is_empty(), "id", "the pack has no name")?;
        let grouped = s.tests.abo.value && s.tests.rhd.value;
        must(grouped, "tests", "every jurisdiction asks for ABO and RhD; write true")?;
        must(
            s.sero.inclusive.value,
            "sero.inclusive",
            "exactly the cut-off is reactive (R-SER-05); write true",
        )?;
        must(s.alt.inclusive.value, "alt.inclusive", "exactly the limit passes; write true")?;
        must(s.alt.retest.value <= 1, "alt.retest", "0 or 1")?;
        must(positive(s.sero.cut.value), "sero.cut", "must be above 0")?;
        let low = |gz: &Option<Setting<crate::Limit>>, cut: crate::Limit| {
            gz.as_ref().is_none_or(|gz| positive(gz.value) && gz.value <= cut)
        };
        must(low(&s.sero.gz_low, s.sero.cut.value), "sero.gz_low", "must be above 0 and not above sero.cut")?;
        for reagent in &s.reagent {
            let cut = reagent.cut.as_ref().map_or(s.sero.cut.value, |c| c.value);
            let gz = if reagent.gz_low.is_some() { &reagent.gz_low } else { &s.sero.gz_low };
            must(
                positive(cut) && low(gz, cut),
                "reagent",
                "cut must be above 0, gz_low above 0 and not above cut",
            )?;
        }
        must(
            s.group.iat_reagents_min.value >= 2,
            "group.iat_reagents_min",
            "at least 2 anti-D of different clones (G7)",
        )?;
        must(s.group.first_time_determinations.value >= 1, "group.first_time_determinations", "at least 1")?;
        let over = s.effective_to.as_ref().is_some_and(|last| last.value < s.effective_from.value);
        must(!over, "effective_to", "lies before effective_from; no donation could ever be judged")?;
        let pools =
            s.nat.pool_members_max.as_ref().is_none_or(|max| s.nat.mode.value.members_max <= max.value);
        must(pools, "nat.mode", "larger pools than nat.pool_members_max allows; write a smaller one")?;
        let further = s.nat.further.as_ref().map_or(&[][..], |f| f.value.as_slice());
        let beside = further.iter().all(|v| !crate::nat::MULTIPLEX_TARGETS.contains(v));
        must(beside, "nat.further", "HBV, HCV and HIV are asked for by strategy; name others only")?;
        let name = |r: &Reagent| (r.marker, r.name.clone());
        let names: std::collections::BTreeSet<_> = s.reagent.iter().map(name).collect();
        must(names.len() == s.reagent.len(), "reagent", "one reagent stands there twice; keep one of them")?;
        self.check_orders()?;
        s.check_terms()?;
        let barred =
            [GateId::TestsFinal, GateId::MarkersPass, GateId::Group, GateId::RunsValid, GateId::Donor];
        let kept = barred.iter().all(|gate| s.release.override_forbidden.value.contains(gate));
        must(kept, "release.override_forbidden", "R-GATE-01 to 04 and 11 can never be set aside (R-GATE-14)")
    }

    /// What an authority orders can be asked for, on some day.
    fn check_orders(&self) -> Result<(), (String, String)> {
        let s = &self.settings;
        let last_of_pack = s.effective_to.as_ref().map(|last| last.value);
        for (at, local) in s.local.iter().enumerate() {
            let must = |good: bool, field: &str, what: &str| {
                if good { Ok(()) } else { Err((format!("local[{at}].{field}"), what.to_owned())) }
            };
            let can = local.asked().is_some();
            must(
                can,
                "marker",
                "asked for by its own key ([strategy], [tests]); an order names others only",
            )?;
            must(!local.order.trim().is_empty(), "order", "names no order; write whose, and its number")?;
            let over = local.to.zip(local.from).is_some_and(|(last, first)| last < first);
            must(!over, "to", "lies before from; it would never be asked for")?;
            let first_of_pack = s.effective_from.value;
            let begins = local.from.is_none_or(|first| last_of_pack.is_none_or(|last| first <= last));
            must(begins, "from", "lies after effective_to; it would never be asked for")?;
            let ends = local.to.is_none_or(|last| last >= first_of_pack);
            must(ends, "to", "lies before effective_from; it would never be asked for")?;
        }
        Ok(())
    }
}

/// The built-in text that a pack is based on.
fn based_on(text: &str, id: &str) -> Result<&'static str, PackError> {
    let found = BUILT_IN.iter().find(|(name, _)| *name == id).map(|(_, base)| *base);
    found.ok_or_else(|| PackError::Key {
        line: place::line_of(text, "based_on"),
        key: "based_on".into(),
        what: PackError::Unknown { id: id.into(), near: nearest_pack(id) }.to_string(),
    })
}

fn nearest_pack(id: &str) -> String {
    let near = BUILT_IN.iter().min_by_key(|(name, _)| strsim::damerau_levenshtein(name, id));
    near.map_or_else(String::new, |(name, _)| (*name).to_owned())
}

fn table(text: &str) -> Result<Table, PackError> {
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|b| *b == b'\n').count() + 1;
        PackError::Syntax { line, what: error.message().to_owned() }
    })
}

/// `own` laid over `base`: a setting is replaced as a whole, a table key by key.
fn merged(mut base: Table, own: Table) -> Table {
    for (key, value) in own {
        let value = match (base.remove(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if !below.contains_key("confidence") => {
                Value::Table(merged(below, above))
            }
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

//! Where the year's ledger stands, and whether it stays.

use super::YearOptions;
use crate::BenchError;
use identifiers::{Form, Normaliser, Rules};
use release::RulePack;
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use workflow::{AcceptedLot, SpecimenRule};

/// The ledger's folder beside its configuration.
const LEDGER: &str = "ledger";
/// The kits' folder beside it.
const KITS: &str = "kits";
/// The rule pack beside it.
const PACK: &str = "rules.toml";
/// What this laboratory lays over `cn-2019`: it pools in sixes and in eights.
const OVERLAY: &str = "id = \"simulated-year\"\nbased_on = \"cn-2019\"\n\n[nat]\nmode = \"MP8\"\n";
/// What a pool's number looks like; any other id is a donation's.
const POOLS: &str = r"(?<pool>MP\d{8})";
const DONATIONS: &str = r"(?<donation>\S+)";

/// What this laboratory's codes are.
pub(super) fn specimens() -> Result<SpecimenRule, BenchError> {
    let donations = Form { fallback: true, ..Form::pattern("donations", DONATIONS) };
    let rules = Rules::of(vec![Form::pattern("pools", POOLS), donations]);
    let first =
        |faults: Vec<identifiers::RulesFault>| faults.first().map(ToString::to_string).unwrap_or_default();
    let of = Normaliser::new(&rules).map_err(first).map_err(BenchError::part("read the forms of codes"))?;
    Ok(SpecimenRule::of(of))
}

/// What this laboratory releases by.
pub(super) fn pack() -> Result<RulePack, BenchError> {
    RulePack::from_toml(OVERLAY).map_err(BenchError::part("read the rule pack"))
}

/// A folder that goes when the year is over, or one that stays.
pub(super) enum Place {
    Gone(TempDir),
    Stays(PathBuf),
}

impl Place {
    /// Makes it. A ledger that stays has a configuration beside it, so that every command can be used with it.
    pub(super) fn make(
        options: &YearOptions,
        lots: &[AcceptedLot],
        kits: &[(String, String)],
    ) -> Result<Self, BenchError> {
        let Some(keep) = &options.keep else {
            let made = tempfile::Builder::new().prefix("hemogate-year-").tempdir_in(&options.folder);
            let wrong = BenchError::io(format!("make a folder in {}", options.folder.display()));
            return made.map(Self::Gone).map_err(wrong);
        };
        // One that is there may hold somebody's ledger.
        fs::create_dir(keep).map_err(BenchError::io(format!("make the folder {}", keep.display())))?;
        let file = keep.join("hemogate.toml");
        let rules = keep.join(PACK);
        fs::write(&rules, OVERLAY).map_err(BenchError::io(format!("write {}", rules.display())))?;
        let folder = keep.join(KITS);
        fs::create_dir(&folder).map_err(BenchError::io(format!("make the folder {}", folder.display())))?;
        for (name, text) in kits {
            let kit = folder.join(name);
            fs::write(&kit, text).map_err(BenchError::io(format!("write {}", kit.display())))?;
        }
        fs::write(&file, configuration(lots, &rules))
            .map_err(BenchError::io(format!("write {}", file.display())))?;
        Ok(Self::Stays(keep.clone()))
    }

    pub(super) fn ledger(&self) -> PathBuf {
        let folder: &Path = match self {
            Self::Gone(folder) => folder.path(),
            Self::Stays(folder) => folder,
        };
        folder.join(LEDGER)
    }
}

/// What judges this ledger as the year judged it.
fn configuration(lots: &[AcceptedLot], rules: &Path) -> String {
    let rules = rules.display();
    let mut text = format!(
        "# A simulated year. Compare two packs over it: hemogate --config THIS rules compare {rules} us-fda\n\
         [site]\ntime_zone = \"Asia/Shanghai\"\nkits = \"{KITS}\"\n\n\
         [[site.identifiers.form]]\nname = \"pools\"\nkind = \"pattern\"\npattern = '{POOLS}'\n\n\
         [[site.identifiers.form]]\nname = \"donations\"\nkind = \"pattern\"\nfallback = true\npattern = '{DONATIONS}'\n\n\
         [store]\npath = \"{LEDGER}\"\n\n[rules]\npack = \"{PACK}\"\n"
    );
    // A text of JSON without control characters is one of TOML.
    let quoted = |word: &str| Value::from(word).to_string();
    for lot in lots {
        let role = lot.role.and_then(|role| serde_json::to_value(role).ok()).map(|role| role.to_string());
        let rows = [
            ("lot", Some(quoted(&lot.lot))),
            ("role", role),
            ("assays", (!lot.assays.is_empty()).then(|| Value::from(lot.assays.clone()).to_string())),
            ("in_use_on", lot.in_use_on.as_ref().map(|on| quoted(on.as_str()))),
            ("expires", lot.expires.map(|day| quoted(&day.to_string()))),
            ("on_board_until", lot.on_board_until.map(|day| quoted(&day.to_string()))),
            ("approval", Some(quoted(&lot.approval))),
            ("accepted_by", Some(quoted(&lot.accepted_by))),
        ];
        text.push_str("\n[[lot]]\n");
        for (name, value) in rows {
            let Some(value) = value else { continue };
            let written = writeln!(text, "{name} = {value}");
            debug_assert!(written.is_ok(), "a string takes everything");
        }
    }
    text
}

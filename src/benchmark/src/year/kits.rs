//! The kits of the simulated laboratory: each plate's, the window of the first serology, and the batch of pools.

use crate::BenchError;
use std::collections::BTreeSet;
use workflow::{KitFile, Kits, SHIPPED_KITS};

/// Kits of plates: file, assay, cut-off, and what a negative control may read.
const PLATES: [(&str, &str, &str, &str); 4] = [
    ("hbsag", "ELISA HBsAg", "0.105", "0.080"),
    ("anti-hcv", "ELISA anti-HCV", "0.210", "0.150"),
    ("hiv", "ELISA HIV Ag/Ab", "0.120", "0.090"),
    ("syphilis", "ELISA syphilis", "0.150", "0.110"),
];

/// The example that judges the pools' runs.
const BATCH: &str = "generic/nat-batch";

/// The first serology's: its controls stand for what lies between them.
fn window(assays: &BTreeSet<String>) -> String {
    let assays = serde_json::json!(assays);
    format!(
        r#"
schema = 1
id = "simulation/window"
title = {{ en = "Chemiluminescence, controls in a window", zh = "化学发光法（质控窗口）" }}
assays = {assays}
source = "made up for the simulated year"

[window]
hours = 24
levels = ["negative", "positive"]
calibration = "on_analyser"
"#
    )
}

fn plate((name, assay, cutoff, negative): (&str, &str, &str, &str)) -> String {
    format!(
        r#"
schema = 1
id = "simulation/{name}"
title = {{ en = "{assay}", zh = "{assay} 酶联免疫" }}
assays = ["{assay}"]
source = "made up for the simulated year"

[plate]
signal = "direct"
criteria = ["BLK <= 0.080", "drop_one(NC <= {negative})", "PC >= {cutoff}"]
cutoff = "1.0 * max(mean(NC), {cutoff})"

[plate.controls]
BLK = {{ is = "blank", wells = 1 }}
NC = {{ is = "negative", wells = 3 }}
PC = {{ is = "positive", wells = 2 }}

[plate.external]
QC = {{ is = "weak-positive", wells = 2, sco_min = "1.00" }}
"#
    )
}

/// File name and text of each. `assays` are those of the first serology.
pub(super) fn texts(assays: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        PLATES.iter().map(|kit| (format!("{}.toml", kit.0), plate(*kit))).collect();
    all.push(("window.toml".to_owned(), window(assays)));
    let batch = SHIPPED_KITS.iter().filter(|(name, _)| *name == BATCH);
    all.extend(batch.map(|(_, text)| ("batch.toml".to_owned(), (*text).to_owned())));
    all
}

/// All of them, checked.
pub(super) fn kits(texts: &[(String, String)]) -> Result<Kits, BenchError> {
    let broken = || BenchError::part("read a kit");
    let first = |faults: Vec<_>| faults.first().map(ToString::to_string).unwrap_or_default();
    let read = |(name, text): &(String, String)| KitFile::read(name, text).map_err(first).map_err(broken());
    let all = texts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Kits::new(all).map_err(first).map_err(broken())
}

//! Every law of the architecture has a test that names it.

use crate::tree::sources;

const LAWS: usize = 10;

#[test]
fn every_law_has_a_test_that_names_it() {
    let all: String = sources().into_iter().map(|s| s.text).collect();
    let missing: Vec<String> = (1..=LAWS)
        .map(|law| format!("fn law_{law:02}_"))
        .filter(|name| !all.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no test is named {missing:?}…");
}

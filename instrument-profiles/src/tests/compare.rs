//! What two revisions say differently, and what that does to results.

use super::CATALOGUE;
use crate::{Comparison, Entry, Part};
use std::{fs, path::Path};

/// The first profile of the catalogue whose text holds every one of these passages, changed.
fn changed(from: &str, to: &str) -> Comparison {
    let id = "abbott/architect-i2000sr";
    let entry = CATALOGUE.entry(id).unwrap();
    let text = entry.text("profile.toml").unwrap();
    assert!(text.contains(from), "{from:?} is not in the profile");
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue").join(id), folder.path());
    fs::write(folder.path().join("profile.toml"), text.replacen(from, to, 1)).unwrap();
    entry.compare(&Entry::load(folder.path()).unwrap_or_else(|e| panic!("{e}")))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// Part, entry, before, after of the only change, and whether results change.
fn check(from: &str, to: &str, part: Part, what: &str, words: (Option<&str>, Option<&str>), results: bool) {
    let found = changed(from, to);
    let [change] = found.changes.as_slice() else { panic!("{from:?} → {to:?}: {:#?}", found.changes) };
    assert_eq!((change.part, change.what.as_str()), (part, what), "{from:?}");
    assert_eq!((change.before.as_deref(), change.after.as_deref()), words, "{from:?}");
    assert_eq!(!found.results.is_empty(), results, "{from:?}: {:#?}", found.results);
    assert_eq!(found.means_the_same(), part == Part::Evidence && !results, "{from:?}");
    assert_ne!(found.before.revision, found.after.revision);
}

#[test]
fn a_change_is_named_by_its_entry_with_what_it_said_and_says() {
    let said = |text: &'static str| Some(text);
    check(
        "\"Grayzone\" = \"grey_zone\"",
        "\"Grayzone\" = \"reactive\"",
        Part::Values,
        "screening \"Grayzone\"",
        (said("\"grey_zone\""), said("\"reactive\"")),
        true,
    );
    check(
        "\"Grayzone\" = \"grey_zone\"",
        "",
        Part::Values,
        "screening \"Grayzone\"",
        (said("\"grey_zone\""), None),
        true,
    );
    check(
        "EXP = { does = \"hold\"",
        "EXP = { does = \"keep\"",
        Part::Flags,
        "flags.known \"EXP\"",
        (
            said("does \"hold\", what \"the reagent is past its expiry\""),
            said("does \"keep\", what \"the reagent is past its expiry\""),
        ),
        true,
    );
    check(
        "X = \"not_obtained\"",
        "X = \"preliminary\"",
        Part::Status,
        "status.map \"X\"",
        (said("\"not_obtained\""), said("\"preliminary\"")),
        true,
    );
    check(
        "is = \"QC-NEG\"",
        "is = \"NEG\"",
        Part::Controls,
        "control negative",
        (
            said("reads = \"non_reactive\", when = [at \"O.3.1\", is \"QC-NEG\"]"),
            said("reads = \"non_reactive\", when = [at \"O.3.1\", is \"NEG\"]"),
        ),
        true,
    );
    check(
        "checksum = \"require\"",
        "checksum = \"warn\"",
        Part::Link,
        "link.lis01 \"checksum\"",
        (said("\"require\""), said("\"warn\"")),
        false,
    );
}

#[test]
fn remarks_layout_and_order_change_nothing_and_say_so() {
    let found = changed("# Abbott", "# A remark.\n\n# Abbott");
    assert!(found.changes.is_empty() && found.means_the_same(), "{:#?}", found.changes);
    let named = changed("en = \"ARCHITECT i2000SR\"", "en = \"ARCHITECT i1000SR\"");
    assert!(!named.changes.is_empty() && named.means_the_same(), "{:#?}", named.changes);
    // Of kinds the first that holds counts: another order is another profile.
    let [control, patient] = [
        "[[kind]]\nis = \"control\"\nwhen = [{ at = \"O.12\", is = \"Q\" }]\n",
        "[[kind]]\nis = \"patient\"\nwhen = [{ at = \"O.12\", is = [\"\", \"N\", \"A\"] }]\n",
    ];
    let found = changed(&format!("{control}\n{patient}"), &format!("{patient}\n{control}"));
    assert_eq!(found.changes.iter().map(|c| c.what.as_str()).collect::<Vec<_>>(), ["order of [[kind]]"]);
    assert!(!found.means_the_same());
}

//! Character sets from end to end: characters whose bytes look like delimiters are read as what they are.

use crate::Profile;
use character_sets::{CharacterSet, encode};
use vocabulary::{Consequence, Interpretation};

const DELIMITERS: &[u8] = b"|\\^~&\r\n\",;";
/// Characters of one set that are tried, for each byte that looks like a delimiter.
const EACH: usize = 12;

/// Characters with a delimiter among their bytes, up to [`EACH`] for each; for single-byte sets the set's own letters.
fn treacherous(set: CharacterSet) -> Vec<char> {
    let all = ('\u{a1}'..='\u{24f}')
        .chain('\u{400}'..='\u{4ff}')
        .chain('\u{0c00}'..='\u{0dff}')
        .chain('\u{3400}'..='\u{9fff}');
    let all = all.chain('\u{20000}'..='\u{203ff}').filter(|c| c.is_alphanumeric());
    let mut found: Vec<char> = Vec::new();
    let mut counts = [0; 256];
    for character in all {
        let text = character.to_string();
        let encoded = encode(&text, set);
        let bytes = encoded.bytes.to_vec();
        if character_sets::decode(
            &bytes,
            &character_sets::Choice { fixed: Some(set), declared: &[], fallback: set },
        )
        .text
            != text
        {
            continue;
        }
        let byte = bytes.iter().find(|byte| DELIMITERS.contains(byte)).copied().unwrap_or(0);
        let count = &mut counts[usize::from(byte)];
        if *count < EACH {
            *count += 1;
            found.push(character);
        }
    }
    found
}

fn check(name: &str, multi_byte_delimiters: bool) {
    let set = CharacterSet::from_name(name).unwrap();
    let characters = treacherous(set);
    let looks = characters
        .iter()
        .filter(|c| encode(&c.to_string(), set).bytes.iter().any(|b| DELIMITERS.contains(b)));
    assert_eq!(looks.count() > 0, multi_byte_delimiters, "{name}");
    assert!(characters.len() >= EACH, "{name}: {characters:?}");
    let entries: Vec<String> = characters.iter().map(|c| format!("\"{c}{c}\" = \"non_reactive\"")).collect();
    let map = entries.join("\n") + "\n";
    for (protocol, text) in messages(name, &map) {
        let profile = Profile::read(name, &text).unwrap_or_else(|e| panic!("{name}: {e}"));
        for character in &characters {
            let known = format!("{character}{character}");
            for (word, meaning) in
                [(known.clone(), Some(Interpretation::NonReactive)), (format!("{known}{character}"), None)]
            {
                let raw = encode(&protocol.replace("VALUE", &word), set).bytes.to_vec();
                let said = profile.interpret(&raw);
                let values: Vec<_> = said
                    .observations
                    .iter()
                    .map(|o| (o.value.raw.as_str(), o.value.interpretation))
                    .collect();
                assert_eq!(values, [(word.as_str(), meaning)], "{name} {:#?}", said.findings);
                let held = said.findings.iter().any(|f| f.consequence != Consequence::Note);
                assert_eq!(held, meaning.is_none(), "{name} {word}: {:#?}", said.findings);
            }
        }
    }
}

/// A message with the place of its value, and the profile that reads it: LIS02, HL7 and a file.
fn messages(set: &str, map: &str) -> Vec<(&'static str, String)> {
    let words = format!("[values.words]\n{map}[[test]]");
    let base = include_str!("language.toml")
        .replace("[numbers]", &format!("[characters]\nalways = \"{set}\"\n[numbers]"))
        .replace("within = { between = [\"2.00\", \"6.00\"] }\n", "right = \"non_reactive\"\n")
        .replace("units = { \"S/CO\" = \"S/CO\" }\nreactive = \">= 1.00\"\nby_number = true", "values = \"words\"")
        .replace("number = \"R.4\"\nunit = \"R.5\"", "interpretation = \"R.4\"")
        .replace("[[test]]", &words)
        .replace("[[lot]]\nrole = \"reagent\"\neach = \"M\"\nlot = \"M.4\"\nexpires = \"M.5\"\nexpires_form = \"%d%m%Y\"\nrequired = false\n", "");
    let swap =
        |pairs: &[(&str, &str)]| pairs.iter().fold(base.clone(), |text, (from, to)| text.replace(from, to));
    let hl7 = swap(&[
        ("\"lis02\"", "\"hl7v2\""),
        ("[link.lis01]", "[link.mllp]"),
        ("[message]", "[message]\nresults = [{ at = \"MSH-9\", is = \"ORU^R01\" }]"),
        ("H.5", "MSH-3"),
        ("O.12", "PID-2"),
        ("O.3.1", "OBR-2"),
        ("R.14", "OBX-16"),
        ("R.9", "OBX-11"),
        ("R.3.4", "OBX-3.1"),
        ("R.4", "OBX-5"),
        ("R.13", "OBX-14"),
    ]);
    let file = swap(&[
        ("\"lis02\"", "\"delimited\""),
        (
            "[link.lis01]",
            "[link.directory]\n[table]\ndelimiter = \";\"\nheader = true\ncolumns = [\"kind\", \"id\", \"serial\", \"status\", \"test\", \"value\", \"time\"]",
        ),
        (
            "[message]\nsender = [{ at = \"H.5\", is = \"MODEL\" }]\nsequence = \"lenient\"\nproduction = []\n",
            "[message]\nuncounted = \"of one row\"\n",
        ),
        ("O.12", "column kind"),
        ("O.3.1", "column id"),
        ("R.14", "column serial"),
        ("R.9", "column status"),
        ("R.3.4", "column test"),
        ("R.4", "column value"),
        ("R.13", "column time"),
    ]);
    vec![
        (
            "H|\\^&|||MODEL|||||||P|1|20260302142000\rP|1\rO|1|G123426000001||^^^1|R||||||N\r\
             R|1|^^^1|VALUE|||||F||||20260302141800|N-1\rL|1|N\r",
            base.clone(),
        ),
        (
            "MSH|^~\\&|MODEL||||20260302142000||ORU^R01|1|P|2.4\rPID|1|N\rOBR|1|G123426000001||1\r\
             OBX|1|ST|1||VALUE||||||F|||20260302141800||N-1\r",
            hl7,
        ),
        ("id;kind;test;value;status;time;serial\nG123426000001;N;1;VALUE;F;20260302141800;N-1\n", file),
    ]
}

#[test]
fn gbk_and_gb18030_come_out_right_with_delimiters_inside_their_characters() {
    check("gbk", true);
    check("gb18030", true);
}

#[test]
fn utf_16_comes_out_right_with_delimiters_inside_its_characters() {
    check("utf-16le", true);
    check("utf-16be", true);
}

#[test]
fn utf_8_latin_1_and_windows_1251_come_out_right() {
    check("utf-8", false);
    check("iso-8859-1", false);
    check("windows-1251", false);
}

//! Files and functions that one reader can hold.

use crate::tree::sources;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 100;
const SCREEN_LINES: usize = 70;
/// Functions longer than a screen, in a thousand of all.
const LONGER_THAN_SCREEN_PER_MILLE_MAX: usize = 20;

/// Name and length of every function, by the indentation that rustfmt keeps.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let head = body.split('(').next().unwrap_or_default();
        let Some(name) = head.split_whitespace().skip_while(|w| *w != "fn").nth(1) else { continue };
        if body.starts_with("//") || !head.split_whitespace().any(|w| w == "fn") {
            continue;
        }
        let close = format!("{}}}", " ".repeat(line.len() - body.len()));
        let length = lines[start..].iter().position(|l| *l == close).unwrap_or(0) + 1;
        found.push((name.to_owned(), length));
    }
    found
}

#[test]
fn the_measure_sees_a_function_to_its_closing_brace() {
    let text = "impl X {\n    pub fn a(&self) {\n        b();\n    }\n}\nfn c() {\n}\n";
    assert_eq!(functions(text), [("a".to_owned(), 3), ("c".to_owned(), 2)]);
}

#[test]
fn no_file_outgrows_one_reader() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines; split it by state or by room", source.path);
    }
}

#[test]
fn functions_stay_within_a_screen() {
    let (mut all, mut long) = (0_usize, Vec::new());
    for source in sources() {
        for (name, lines) in functions(source.shipped()) {
            all += 1;
            assert!(lines <= FUNCTION_LINES_MAX, "{}: {name} has {lines} lines", source.path);
            if lines > SCREEN_LINES {
                long.push(format!("{}: {name} ({lines})", source.path));
            }
        }
    }
    let allowed = all * LONGER_THAN_SCREEN_PER_MILLE_MAX / 1000 + 1;
    assert!(long.len() <= allowed, "of {all} functions {} are longer than a screen: {long:#?}", long.len());
}

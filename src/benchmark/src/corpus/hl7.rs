//! HL7 v2 messages as screening analysers send them: 8 to 56 observations, five kilobytes on average.

use super::random::Random;
use std::fmt::Write as _;

/// Code, name, LOINC, unit, limits in hundredths.
type Test = (&'static str, &'static str, &'static str, &'static str, u64, u64);

const TESTS: [Test; 12] = [
    ("HBsAg", "乙肝表面抗原", "5196-1", "S/CO", 100, 100),
    ("aHCV", "Hepatitis C virus Ab in Serum", "13955-0", "S/CO", 100, 100),
    ("HIVc", "HIV 1+2 Ab+HIV1 p24 Ag in Serum", "56888-1", "S/CO", 100, 100),
    ("TP", "Treponema pallidum Ab", "24110-9", "S/CO", 100, 100),
    ("ALT", "丙氨酸氨基转移酶", "1742-6", "U/L", 700, 5000),
    ("AST", "Aspartate aminotransferase", "1920-8", "U/L", 1000, 4000),
    ("HBc", "Hepatitis B virus core Ab", "13952-7", "S/CO", 100, 100),
    ("HBs", "anti-HBs", "16935-9", "m[IU]/mL", 1000, 1000),
    ("HTLV", "HTLV I+II Ab", "29901-6", "S/CO", 100, 100),
    ("HGB", "Hemoglobin in Blood", "718-7", "g/dL", 1200, 1750),
    ("TPRO", "总蛋白", "2885-2", "g/L", 6500, 8500),
    ("GGT", "Gamma glutamyl transferase", "2324-2", "U/L", 1000, 6000),
];
const FAMILY: [&str; 8] = ["张", "Müller", "王", "García", "李", "Łukasiewicz", "陈", "O'Brien"];
const GIVEN: [&str; 8] = ["伟", "Jürgen", "秀英", "María", "Anna", "小明", "Søren", "Peter"];
const REMARK: [&str; 5] = [
    "Specimen slightly haemolysed\\.br\\repeat if the result decides",
    "结果已复核，稀释 1:2 后重测",
    "Range by sex \\T\\ age",
    "see worklist \\F\\ page 3 \\S\\ B",
    "Checked by automatic verification, rule 17",
];

pub(super) fn message(random: &mut Random, number: u64) -> String {
    let mut text = String::with_capacity(9_000);
    let law = random.chance(40);
    let at = random.moment();
    let din = format!("G1234 26 {:06}", random.between(0, 999_999)).replace(' ', "");
    header(&mut text, random, number, law, &at);
    people(&mut text, random, law);
    if law {
        line(
            &mut text,
            format_args!(
                "SPM|1|{din}&BC^{din}&X||PLAS^plasma^HL70487|||||||P^Patient^HL70369||||||{at}|{at}"
            ),
        );
        let rack = random.between(1, 99);
        line(&mut text, format_args!("SAC|||{din}|||||||R{rack}|{}", random.between(1, 10)));
    }
    let by = random.between(1000, 9999);
    let order = format!("ORC|RE|{din}^BC|{din}^X||CM||||{at}|||{by}^{}", random.pick(&FAMILY));
    if !law {
        line(&mut text, format_args!("{order}"));
    }
    line(
        &mut text,
        format_args!(
            "OBR|1|{din}^BC|{din}^X|PANEL^Donation screening^L|||{at}|||||||{at}||{by}||||||{at}||SER|F"
        ),
    );
    if law {
        line(&mut text, format_args!("{order}"));
        line(
            &mut text,
            format_args!("INV|{}^Reagent^99X|OK|MR||||||||||{at}||||L{by}", random.pick(&["R1", "R2"])),
        );
    }
    let done = random.moment();
    for set in 1..=random.between(8, 56) {
        observation(&mut text, random, set, &done);
    }
    text
}

fn header(text: &mut String, random: &mut Random, number: u64, law: bool, at: &str) {
    let (kind, profile) = if law { ("OUL^R22^OUL_R22", "LAB-29^IHE") } else { ("ORU^R01^ORU_R01", "") };
    let station = random.between(1, 9);
    line(
        text,
        format_args!(
            "MSH|^~\\&|ANALYSER-{station}|血站检验科|HOST|BC|{at}.{:03}+0800||{kind}|Q{number:010}|P|2.5.1|||NE|AL|CHN|UNICODE UTF-8|||{profile}",
            random.between(0, 999)
        ),
    );
}

fn people(text: &mut String, random: &mut Random, law: bool) {
    if law {
        return;
    }
    let (family, given) = (random.pick(&FAMILY), random.pick(&GIVEN));
    let (id, born) = (random.between(1_000_000, 9_999_999), random.between(1950, 2007));
    line(
        text,
        format_args!(
            "PID|1||{id}^^^BC^DN~{}^^^CHN^NI||{family}^{given}^^^^^L||{born}0{}1{}|{}|||学院路 {}^^北京^^100083^CHN^H||+86^PRN^PH^^86^10^{id}",
            random.between(100_000_000, 999_999_999),
            random.between(1, 9),
            random.between(0, 9),
            random.pick(&["M", "F"]),
            random.between(1, 220)
        ),
    );
    let (bus, seat) = (random.between(1, 9), random.between(1, 40));
    line(
        text,
        format_args!(
            "PV1|1|O|BUS{bus}^{seat}^1^BC||||{}^{family}^{given}|||||||||||V{id}",
            random.between(1000, 9999)
        ),
    );
}

fn observation(text: &mut String, random: &mut Random, set: u64, done: &str) {
    let (code, name, loinc, unit, low, high) = random.pick(&TESTS);
    let id = match random.between(0, 9) {
        0..=2 => format!("{loinc}^{name}^LN^{code}^{name}^99BC"),
        3..=6 => format!("{loinc}^{name}^LN"),
        _ => format!("{code}^{name}^99BC^{loinc}^^LN"),
    };
    let (by, serial) =
        (random.pick(&["AUTO", "4711^王^芳", "0815^Smith^Al"]), random.between(10_000, 99_999));
    let tail = format!("|||{done}||{by}||X-{serial}^MAKER");
    match random.between(0, 99) {
        0..=79 => {
            let value = random.hundredths(low / 4, high + high / 2);
            let flag = random.pick(&["N", "H", "L", ""]);
            let range = format!("{}.{:02}-{}.{:02}", low / 100, low % 100, high / 100, high % 100);
            line(text, format_args!("OBX|{set}|NM|{id}|1|{value}|{unit}^^UCUM|{range}|{flag}|||F{tail}"));
        }
        80..=91 => {
            let value = random.pick(&["NR^Non-reactive^99BC", "R^Reactive^99BC", "GZ^灰区^99BC"]);
            line(text, format_args!("OBX|{set}|CWE|{id}|2|{value}||||||F{tail}"));
        }
        92..=95 => {
            let (first, second) =
                (random.pick(&REMARK), random.pick(&["ok", "已审核", "rerun \\T\\ dilute"]));
            line(text, format_args!("OBX|{set}|ST|{id}|1|{first}~{second}||||||F{tail}"));
        }
        _ => {
            let value = random.hundredths(low, high * 3 + 1);
            let bound = random.pick(&["<", ">"]);
            line(text, format_args!("OBX|{set}|SN|{id}|1|{bound}^{value}|{unit}^^UCUM||A|||P{tail}"));
        }
    }
    if random.chance(6) {
        line(text, format_args!("NTE|1|L|{}", random.pick(&REMARK)));
    }
}

fn line(text: &mut String, segment: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    if text.write_fmt(segment).is_ok() {
        text.push('\r');
    }
}

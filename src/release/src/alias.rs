//! Names that people and systems use for a marker, where they can mean only one thing.

use serde::{Deserialize, Deserializer, de::Error};
use vocabulary::{Marker, MarkerKind, Virus};

/// Serology markers: the name of record first, then what is accepted on input.
/// `HBV` is not among them: it could be `HBsAg` or `anti-HBc`.
const SEROLOGY: &[(Marker, &[&str])] = &[
    (Marker::HBsAg, &["HBsAg", "HBs antigen"]),
    (Marker::AntiHbc, &["anti-HBc", "HBcAb", "HBc total"]),
    (Marker::AntiHcv, &["anti-HCV", "HCV", "HCV Ab", "HCV Ag/Ab"]),
    (Marker::Hiv, &["HIV", "HIV Ag/Ab", "HIV Ab", "anti-HIV", "HIV 1+2", "anti-HIV 1+2"]),
    (Marker::Syphilis, &["syphilis", "TP", "anti-TP", "TP Ab"]),
    (Marker::Htlv, &["HTLV", "anti-HTLV", "HTLV I/II", "anti-HTLV I/II"]),
    (Marker::AntiMalaria, &["anti-malaria", "malaria", "malaria Ab", "Plasmodium Ab", "anti-Plasmodium"]),
    (Marker::AntiTCruzi, &["anti-T.cruzi", "T.cruzi", "T.cruzi Ab", "Chagas", "Chagas Ab", "anti-Chagas"]),
];

/// Targets of nucleic acid tests.
const TARGETS: &[(Virus, &[&str])] = &[
    (Virus::Hbv, &["HBV", "HBV DNA"]),
    (Virus::Hcv, &["HCV", "HCV RNA"]),
    (Virus::Hiv, &["HIV", "HIV RNA", "HIV-1", "HIV-1 RNA"]),
    (Virus::Hev, &["HEV", "HEV RNA"]),
    (Virus::Wnv, &["WNV", "WNV RNA"]),
    (Virus::Malaria, &["malaria", "malaria RNA", "Plasmodium RNA"]),
    (Virus::Babesia, &["Babesia", "Babesia RNA"]),
];

/// Letters and digits only, in one case: `anti HCV`, `Anti-HCV` and `ANTI_HCV` are one name, and so are `T. cruzi` and `T.cruzi`.
fn folded(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-' | '_' | '/' | '.')).flat_map(char::to_lowercase).collect()
}

fn find<T: Copy>(table: &[(T, &[&'static str])], text: &str) -> Result<T, String> {
    let wanted = folded(text);
    let names = || table.iter().flat_map(|(item, names)| names.iter().map(move |name| (*item, *name)));
    if let Some((item, _)) = names().find(|(_, name)| folded(name) == wanted) {
        return Ok(item);
    }
    let near = names()
        .map(|(_, name)| (strsim::damerau_levenshtein(&folded(name), &wanted), name))
        .min_by_key(|(distance, _)| *distance)
        .map_or("", |(_, name)| name);
    Err(format!("unknown marker {text:?}; the nearest known one is {near:?}"))
}

pub(crate) fn serology_marker(text: &str) -> Result<Marker, String> {
    find(SEROLOGY, text)
}

pub(crate) fn nat_target(text: &str) -> Result<Virus, String> {
    find(TARGETS, text)
}

/// A marker by any name, where it does not matter how it is tested for: the name of record first.
fn any_marker(text: &str) -> Result<Marker, String> {
    if let Ok(marker) = text.parse() {
        return Ok(marker);
    }
    let of =
        |virus| Marker::ALL.iter().copied().find(|m| m.kind() == MarkerKind::Nat && m.virus() == Some(virus));
    match (serology_marker(text), nat_target(text).map(of)) {
        (Ok(serology), Ok(Some(nat))) => Err(format!("{text:?} could be {serology} or {nat}; write which")),
        (_, Ok(Some(nat))) => Ok(nat),
        (serology, Ok(None) | Err(_)) => serology,
    }
}

pub(crate) fn read_any_marker<'de, D: Deserializer<'de>>(input: D) -> Result<Marker, D::Error> {
    any_marker(&String::deserialize(input)?).map_err(D::Error::custom)
}

pub(crate) fn read_marker<'de, D: Deserializer<'de>>(input: D) -> Result<Marker, D::Error> {
    serology_marker(&String::deserialize(input)?).map_err(D::Error::custom)
}

pub(crate) fn read_infection<'de, D: Deserializer<'de>>(input: D) -> Result<Virus, D::Error> {
    let text = String::deserialize(input)?;
    if let Ok(virus) = nat_target(&text) {
        return Ok(virus);
    }
    let marker = serology_marker(&text).map_err(D::Error::custom)?;
    marker.virus().ok_or_else(|| D::Error::custom(format!("{text:?} names no infection")))
}

pub(crate) fn read_target<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Virus>, D::Error> {
    Option::<String>::deserialize(input)?.map(|text| nat_target(&text).map_err(D::Error::custom)).transpose()
}

pub(crate) fn read_targets<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Virus>, D::Error> {
    Vec::<String>::deserialize(input)?.iter().map(|text| nat_target(text).map_err(D::Error::custom)).collect()
}

/// A name that verdicts have: of an infection, `anti-HBc` or `ALT`.
pub(crate) fn verdict_name(text: &str) -> Result<&'static str, String> {
    const ALT: &str = "ALT";
    if folded(text) == folded(ALT) {
        return Ok(ALT);
    }
    if let Ok(virus) = nat_target(text) {
        return Ok(virus.name());
    }
    let marker = serology_marker(text)?;
    let virus = marker.virus().filter(|_| marker != Marker::AntiHbc);
    Ok(virus.map_or(marker.name(), Virus::name))
}

pub(crate) fn read_verdict_name<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    verdict_name(&String::deserialize(input)?).map(str::to_owned).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_by_the_name_that_verdicts_have() {
        for (text, name) in [
            ("HBsAg", "HBV"),
            ("hbv", "HBV"),
            ("Anti-HBc", "anti-HBc"),
            ("TP", "syphilis"),
            ("anti-HTLV", "HTLV"),
            ("malaria", "malaria"),
            ("T. cruzi", "T.cruzi"),
            ("alt", "ALT"),
        ] {
            assert_eq!(verdict_name(text), Ok(name));
        }
        assert!(verdict_name("dengue").unwrap_err().contains("unknown marker"));
        for marker in Marker::ALL.iter().filter(|marker| marker.kind() == MarkerKind::Serology) {
            let virus = marker.virus().unwrap();
            let name = if *marker == Marker::AntiHbc { marker.name() } else { virus.name() };
            assert_eq!(verdict_name(marker.name()), Ok(name));
            assert_eq!(verdict_name(virus.name()), Ok(virus.name()));
        }
    }

    #[test]
    fn every_accepted_name_means_one_marker() {
        let mut seen = std::collections::BTreeMap::new();
        for (marker, names) in SEROLOGY {
            assert_eq!(serology_marker(marker.name()), Ok(*marker));
            for name in *names {
                assert_eq!(seen.insert(folded(name), *marker), None, "{name} stands twice");
            }
        }
        for (virus, names) in TARGETS {
            assert!(names.iter().all(|n| nat_target(n) == Ok(*virus)));
        }
    }

    /// A pack that asks for a marker says whether it is serology or NAT, where a name leaves that open.
    #[test]
    fn a_name_that_could_be_serology_or_nat_is_refused_where_both_are_meant() {
        for (text, marker) in [
            ("anti-malaria", Marker::AntiMalaria),
            ("malaria-RNA", Marker::MalariaRna),
            ("Malaria Ab", Marker::AntiMalaria),
            ("T. cruzi", Marker::AntiTCruzi),
            ("babesia", Marker::BabesiaRna),
            ("HEV", Marker::HevRna),
            ("WNV-RNA", Marker::WnvRna),
            ("HTLV I/II", Marker::Htlv),
        ] {
            assert_eq!(any_marker(text), Ok(marker));
        }
        let error = any_marker("malaria").unwrap_err();
        assert!(error.contains("anti-malaria or malaria-RNA"), "{error}");
        assert!(any_marker("dengue").unwrap_err().contains("unknown marker"));
    }

    #[test]
    fn names_are_read_whatever_their_case_and_hyphens() {
        for (text, marker) in [
            ("Anti-HCV", Marker::AntiHcv),
            ("hbsag", Marker::HBsAg),
            ("HIV AG/AB", Marker::Hiv),
            ("tp", Marker::Syphilis),
        ] {
            assert_eq!(serology_marker(text), Ok(marker));
        }
    }

    #[test]
    fn an_unknown_or_ambiguous_name_is_refused_and_the_nearest_is_named() {
        for (text, near) in [("HBsAk", "HBsAg"), ("anti-HCW", "anti-HCV"), ("HBV", "HIV"), ("ALT", "HIV")] {
            let error = serology_marker(text).unwrap_err();
            assert!(error.contains("unknown marker"), "{error}");
            if text != "ALT" && text != "HBV" {
                assert!(error.contains(&format!("{near:?}")), "{error}");
            }
        }
        assert!(nat_target("syphilis").is_err());
    }
}

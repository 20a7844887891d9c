//! Results of blood grouping.

use super::{Resolution, Validity};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use vocabulary::{AboGroup, BloodGroup, Grade, RhD, RunId};

/// One or several reactions of a column: `"4+"` or `["0","0"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grades(pub Vec<Grade>);

impl Serialize for Grades {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(out),
            many => many.serialize(out),
        }
    }
}

impl<'de> Deserialize<'de> for Grades {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Grades;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reaction grade (\"4+\") or a list of them")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Grades, E> {
                text.parse().map(|grade| Grades(vec![grade])).map_err(E::custom)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Grades, A::Error> {
                let mut grades = Vec::new();
                while let Some(grade) = list.next_element()? {
                    grades.push(grade);
                }
                Ok(Grades(grades))
            }
        }
        input.deserialize_any(OneOrMany)
    }
}

/// Where a grouping's material came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupingSample {
    /// The sample tube.
    Tube,
    /// The segment of the bag.
    Segment,
}

/// Outcome of an adsorption and elution test for DEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Del {
    /// DEL.
    Positive,
    /// Not DEL.
    Negative,
}

/// One determination of the blood group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grouping {
    /// Forward column anti-A.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anti_a: Option<Grade>,
    /// Forward column anti-B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anti_b: Option<Grade>,
    /// Forward column anti-A,B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anti_ab: Option<Grade>,
    /// Reverse column A1 cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a1_cells: Option<Grade>,
    /// Reverse column A2 cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a2_cells: Option<Grade>,
    /// Reverse column B cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b_cells: Option<Grade>,
    /// Reverse column O cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub o_cells: Option<Grade>,
    /// The sample against its own cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto: Option<Grade>,
    /// The reagent control column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Grade>,
    /// Anti-D at the immediate phase, one reagent or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anti_d: Option<Grades>,
    /// Anti-D by the indirect antiglobulin test, one reagent of a different clone each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat_d: Option<Grades>,
    /// Cells coated with `IgG` that were added to negative antiglobulin tests of D in tubes: each has to react, or the
    /// test found nothing because its serum did nothing (rules.md §2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coated_cells: Option<Grades>,
    /// Direct antiglobulin test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dat: Option<Grade>,
    /// DEL test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub del: Option<Del>,
    /// ABO as the analyser reported it; has to agree with the columns. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_abo: Option<AboGroup>,
    /// RhD as the analyser reported it; has to agree with the columns. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_rhd: Option<RhD>,
    /// Where the material came from; without it, the tube.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<GroupingSample>,
    /// Set on the determination that closed the inquiry into a discrepancy: it replaces the earlier ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Resolution>,
    /// Groups of earlier donations that the two who closed the inquiry found to be wrong. Only a determination from the bag
    /// segment that agrees with the tube sets them aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets_aside: Vec<BloodGroup>,
    /// Whether the sample's test may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Why it may not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The run as the analyser names it, where `run` is a part of it and another determination of the donation lies in
    /// another part, or where the same run came over another line as well: two tests of one run are not independent of each
    /// other, whatever their parts are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser_run: Option<RunId>,
}

impl Grouping {
    /// The run that says whether this determination is independent of another one.
    #[must_use]
    pub fn whole_run(&self) -> Option<&RunId> {
        self.analyser_run.as_ref().or(self.run.as_ref())
    }
}

//! The fifteen release gates of rules.md §1.7, by name.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! gates {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A release gate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum GateId {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl GateId {
            /// All gates, in order.
            pub const ALL: [Self; 15] = [$(Self::$variant,)*];

            /// The name in JSON and in messages: `R-GATE-01` …
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

gates! {
    /// Every mandatory test is final.
    TestsFinal = "R-GATE-01";
    /// Every marker and ALT pass.
    MarkersPass = "R-GATE-02";
    /// ABO and RhD are final and agree with history.
    Group = "R-GATE-03";
    /// Every result used comes from a valid run.
    RunsValid = "R-GATE-04";
    /// Quality control is in control.
    QualityControl = "R-GATE-05";
    /// Lots were in date and accepted.
    Lots = "R-GATE-06";
    /// The analyser is qualified and maintained.
    Analyser = "R-GATE-07";
    /// The operator was authorised.
    Operator = "R-GATE-08";
    /// The sample was identified without doubt.
    Identity = "R-GATE-09";
    /// Reviewed and issued by two different persons.
    TwoPersons = "R-GATE-10";
    /// The donor stands eligible.
    Donor = "R-GATE-11";
    /// All components share one verdict.
    Components = "R-GATE-12";
    /// The batch's failing units are located.
    Batch = "R-GATE-13";
    /// The release act is signed.
    ReleaseAct = "R-GATE-14";
    /// No interface error and no gap is open.
    Interfaces = "R-GATE-15";
}

impl GateId {
    /// Whether the gate waits for an act of a person: it bars release and leaves the unit's verdict alone.
    #[must_use]
    pub fn needs_person(self) -> bool {
        matches!(self, Self::TwoPersons | Self::Batch | Self::ReleaseAct)
    }

    /// Whether nobody may set the gate aside, whatever a pack says (R-GATE-14): 01 to 04 and 11; that two persons signed; and
    /// the release act itself.
    #[must_use]
    pub fn is_never_set_aside(self) -> bool {
        match self {
            Self::TestsFinal
            | Self::MarkersPass
            | Self::Group
            | Self::RunsValid
            | Self::Donor
            | Self::TwoPersons
            | Self::ReleaseAct => true,
            Self::QualityControl
            | Self::Lots
            | Self::Analyser
            | Self::Operator
            | Self::Identity
            | Self::Components
            | Self::Batch
            | Self::Interfaces => false,
        }
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for GateId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|gate| gate.name() == text)
            .ok_or_else(|| format!("no gate is named {text:?}"))
    }
}

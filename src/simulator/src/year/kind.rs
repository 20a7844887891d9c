//! The kinds of faults that a year has, each with the sentence that says what it is.

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $rate:literal, $strikes:ident, $what:literal;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, stable.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What happens, in a sentence.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// How often: of 100,000 donations, or of 1,000 days.
            pub(super) fn rate(self) -> u32 {
                match self { $(Self::$variant => $rate,)* }
            }

            pub(super) fn strikes(self) -> Strikes {
                match self { $(Self::$variant => Strikes::$strikes,)* }
            }
        }
    };
}

/// What a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strikes {
    /// One donation.
    One,
    /// One and the next.
    Pair,
    /// A run of a day.
    Run,
    /// A pool of a day.
    Pool,
    /// What people do on a day.
    People,
}

kinds! {
    /// Every tube of two donors exchanged.
    WrongTube = "wrong-tube", 60, Pair, "at the bedside the tubes of two donors in a row were exchanged: every result is of the other's blood";
    /// Two tubes exchanged before one analyser.
    SwappedBarcodes = "swapped-barcodes", 60, Pair, "the barcodes of two tubes were exchanged before one analyser";
    /// A message that never came.
    LostMessage = "lost-message", 150, One, "a message never arrived; it is sent the next day, or never";
    /// A message that broke off.
    BrokenTransfer = "broken-transfer", 100, One, "the line broke in the middle of a message; it is sent again the next day, or never";
    /// A message that came again at once.
    RepeatedMessage = "repeated-message", 400, One, "the same message came twice";
    /// A message that came again the next day.
    RepeatedLater = "repeated-later", 200, One, "a message of yesterday came once more, after its donation was released";
    /// A barcode that was not read.
    NoBarcode = "unread-barcode", 60, One, "the analyser read no barcode and sent the result without one";
    /// A barcode that was cut.
    CutBarcode = "cut-barcode", 6, One, "the reader cut the last character off a barcode";
    /// A code that nobody mapped.
    UnknownCode = "unknown-code", 20, One, "the analyser sent a test code that its profile does not know";
    /// A NAT that was invalid once.
    NatInvalidOnce = "nat-invalid-once", 150, One, "the internal control failed; the repeat is good";
    /// A NAT that stays invalid.
    NatInvalid = "nat-invalid", 40, One, "the internal control failed and nobody repeated it";
    /// Duplicates that were never made.
    DuplicatesMissing = "duplicates-missing", 30, One, "initially reactive, and the duplicates were never made";
    /// Forward and reverse group disagree.
    AboDiscrepancy = "abo-discrepancy", 40, One, "forward and reverse group disagree";
    /// Two populations of cells.
    MixedField = "mixed-field", 20, One, "a mixed field with anti-A";
    /// Anti-D zero, and no antiglobulin test.
    RhDUnconfirmed = "rhd-unconfirmed", 30, One, "anti-D is zero or weak, and no antiglobulin test was made";
    /// The register says another group.
    WrongHistory = "group-history-differs", 30, One, "the register has another group for the donor";
    /// The field says another group.
    WrongField = "field-group-differs", 40, One, "the pre-test in the field found another group";
    /// One determination of a first-time donor.
    GroupedOnce = "grouped-once", 40, One, "a first-time donor was grouped once only";
    /// A deferred donor.
    DeferredDonor = "deferred-donor", 40, One, "the donor stands deferred";
    /// Two values of one measurement.
    ChangedResult = "changed-result", 30, One, "one measurement was sent with two different values, without a word";
    /// A reactive result that was corrected away.
    CorrectedAway = "corrected-away", 20, One, "a reactive result was corrected to non-reactive, and nobody confirmed it";
    /// A correction after release.
    CorrectedAfterRelease = "corrected-after-release", 40, One, "after the release the analyser corrected a result to reactive";
    /// A deferral after release.
    DeferredAfterRelease = "deferred-after-release", 20, One, "after the release the donor was deferred";
    /// A donor who rang up.
    RangUp = "donor-rang-up", 20, One, "after the release the donor rang up, and the donation was held";
    /// Controls of a run failed.
    InvalidRun = "invalid-run", 250, Run, "a control of the run failed; the tubes are tested again the next day, all but one";
    /// A control was not sent.
    ControlMissing = "control-missing", 60, Run, "the run came without one of its controls; the control comes the next day";
    /// A control that failed after release.
    ControlFailsLate = "control-fails-late", 40, Run, "after the release a control of the run came, and failed";
    /// A run invalidated after release.
    LateInvalidated = "late-invalidated-run", 60, Run, "after the release a person declared the run invalid";
    /// An expired lot.
    ExpiredLot = "expired-lot", 60, Run, "the run was made with a lot that had expired; the tubes are tested again the next day, all but one";
    /// A lot that nobody accepted.
    UnacceptedLot = "unaccepted-lot", 60, Run, "the run was made with a lot that the laboratory had not accepted; as above";
    /// Controls that drift.
    DriftingControl = "drifting-control", 60, Run, "the positive controls sank from plate to plate, and on the last one below the cut-off; that one is repeated the next day, all but one tube";
    /// Controls of a window failed.
    FailedWindow = "failed-window", 100, Run, "a control before the series, or the first one after it, was out of its range; the tubes are tested again the next day, all but one";
    /// A pool's member that is not in the pool.
    PoolMemberMissing = "pool-member-missing", 200, Pool, "of one member of the pool nothing was drawn, and the pooling log shows it; the members are tested singly the next day, all or all but that one";
    /// A pool's log that did not come.
    PoolLogLate = "pool-log-late", 120, Pool, "the pooling log of a pool comes the next day, or never";
    /// A pool without a result.
    PoolInvalid = "pool-invalid", 150, Pool, "the pool's internal control failed; the pool is tested again the next day";
    /// A reactive pool that one member explains.
    ReactivePool = "reactive-pool", 150, Pool, "the pool was reactive; its members are tested singly the next day, and one of them is reactive";
    /// A reactive pool that no member explains.
    UnresolvedPool = "unresolved-pool", 100, Pool, "the pool was reactive, and the next day none of its members is";
    /// A reactive pool whose singles are not all there.
    PoolSingleMissing = "pool-single-missing", 100, Pool, "the pool was reactive, and one of its members was never tested singly";
    /// One person signing twice.
    OnePersonTwice = "one-person-twice", 80, People, "the person who reviewed the batch tried to release it too";
    /// A change between the signatures.
    ChangedBetween = "changed-between-signatures", 80, People, "something changed after the releaser had looked and before the signature";
    /// A person without the right.
    NotEntitled = "not-entitled", 50, People, "a technician tried to sign the release";
    /// A gate that nobody sets aside.
    GateSetAside = "gate-set-aside", 50, People, "the releaser tried to set gate R-GATE-02 aside for a failing unit";
    /// A release before the failing units were found.
    NotLocated = "failing-unit-not-located", 50, People, "the batch was to be released before its failing units had been found and counted";
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

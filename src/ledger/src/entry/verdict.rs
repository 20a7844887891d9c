//! A verdict as the journal keeps it.

use crate::{AskedDeferral, DonorAsked, LookbackAsked, Seq};
use serde::{Deserialize, Serialize};
use vocabulary::{BloodGroup, DestinationId, DonationId};

/// A marker that was found before, while it waits for two people which result stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkerBefore {
    /// Which, by the names of verdicts.
    pub marker: String,
    /// The donor may be examined for re-entry because of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reentry_candidate: bool,
}

/// What a donation's verdicts had found before something of it came to wait for two people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundBefore {
    /// The markers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<MarkerBefore>,
    /// The group, where it was final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<BloodGroup>,
}

/// A verdict that `release::explain` made, with what it considered and where it goes.
///
/// Its fields are private: the only way to one that can be appended leads through a verdict of the release
/// room. One that was read back from the journal is for reading; `append` refuses it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "three answers of one verdict and a mark of this process")]
pub struct VerdictMade {
    donation: DonationId,
    considered: Seq,
    deliver_to: Vec<DestinationId>,
    unit: String,
    releasable: bool,
    #[serde(default)]
    complete: bool,
    rule_pack: String,
    content_hash: String,
    /// The verdict as JSON, exactly as the release room wrote it.
    verdict: String,
    /// What it asks to be done for earlier donations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lookback: Vec<LookbackAsked>,
    /// The donor may be examined for re-entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reentry_candidate: bool,
    /// What it asks to be done about the donor. A verdict of an older version says nothing of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    donor: Vec<DonorAsked>,
    /// Something of it waits for two people, and this was found before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled: Option<FoundBefore>,
    #[serde(skip)]
    proven: bool,
}

impl VerdictMade {
    /// The entry of a verdict: what it considered, and the receivers it goes to.
    ///
    /// # Errors
    /// When the verdict cannot be written as JSON.
    pub fn new(
        verdict: &release::Explained,
        considered: Seq,
        deliver_to: Vec<DestinationId>,
    ) -> Result<Self, serde_json::Error> {
        let pack = verdict.rule_pack();
        Ok(Self {
            donation: verdict.donation().clone(),
            considered,
            deliver_to,
            unit: verdict.unit().name().to_owned(),
            releasable: verdict.is_releasable(),
            complete: verdict.is_complete(),
            rule_pack: format!("{}@{}", pack.id, pack.hash),
            content_hash: verdict.content_hash(),
            verdict: serde_json::to_string(verdict)?,
            lookback: verdict.donor().lookback.iter().map(asked).collect(),
            reentry_candidate: verdict.donor().reentry_candidate,
            donor: verdict.donor_asks().iter().filter_map(asked_of_donor).collect(),
            unsettled: verdict.waits_for_two().then(FoundBefore::default),
            proven: true,
        })
    }

    /// The same with what had been found before it. It is kept where something of the verdict waits for two people, and nowhere
    /// else.
    #[must_use]
    pub fn keeping(mut self, before: FoundBefore) -> Self {
        self.unsettled = self.unsettled.map(|_| before);
        self
    }

    /// The donation it speaks of.
    #[must_use]
    pub fn donation(&self) -> &DonationId {
        &self.donation
    }

    /// Everything in the ledger up to here was considered.
    #[must_use]
    pub fn considered(&self) -> Seq {
        self.considered
    }

    /// The receivers it goes to.
    #[must_use]
    pub fn deliver_to(&self) -> &[DestinationId] {
        &self.deliver_to
    }

    /// `pass`, `hold` or `discard`.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Whether it may be released now.
    #[must_use]
    pub fn releasable(&self) -> bool {
        self.releasable
    }

    /// Whether every mandatory test is final.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// Rule pack and its hash, `id@hash`.
    #[must_use]
    pub fn rule_pack(&self) -> &str {
        &self.rule_pack
    }

    /// Stable hash of the decision's content: equal content, equal hash.
    #[must_use]
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// The verdict as JSON, exactly as the release room wrote it.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.verdict
    }

    /// What it asks to be done for earlier donations.
    #[must_use]
    pub fn lookback(&self) -> &[LookbackAsked] {
        &self.lookback
    }

    /// Whether the donor may be examined for re-entry.
    #[must_use]
    pub fn is_reentry_candidate(&self) -> bool {
        self.reentry_candidate
    }

    /// What it asks to be done about the donor, marker by marker.
    #[must_use]
    pub fn donor_asks(&self) -> &[DonorAsked] {
        &self.donor
    }

    /// What had been found before, where something of the verdict waits for two people: until they have settled it, it stands
    /// for the donor and for other donations beside what the verdict itself finds.
    #[must_use]
    pub fn unsettled(&self) -> Option<&FoundBefore> {
        self.unsettled.as_ref()
    }

    /// Whether it came from the release room in this process.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }
}

fn asked(task: &release::LookbackTask) -> LookbackAsked {
    LookbackAsked {
        marker: task.marker.name().to_owned(),
        earlier: task.donation.clone(),
        in_date: task.in_date,
        quarantine_by: task.quarantine_by,
        notify_by: task.notify_by,
        recipients_by: task.recipients_by,
    }
}

fn asked_of_donor(ask: &release::DonorAsk) -> Option<DonorAsked> {
    let deferral = match ask.action {
        release::DonorAction::None => return None,
        release::DonorAction::Temporary => AskedDeferral::Temporary,
        release::DonorAction::Deferral => AskedDeferral::UntilSettled,
        release::DonorAction::Permanent => AskedDeferral::Permanent,
    };
    Some(DonorAsked { marker: ask.marker.to_owned(), deferral, confirm: ask.confirm, report: ask.report })
}

impl PartialEq for VerdictMade {
    /// Equal in what the journal keeps.
    fn eq(&self, other: &Self) -> bool {
        self.donation == other.donation
            && self.considered == other.considered
            && self.deliver_to == other.deliver_to
            && self.unit == other.unit
            && self.releasable == other.releasable
            && self.complete == other.complete
            && self.rule_pack == other.rule_pack
            && self.content_hash == other.content_hash
            && self.verdict == other.verdict
            && self.lookback == other.lookback
            && self.reentry_candidate == other.reentry_candidate
            && self.donor == other.donor
            && self.unsettled == other.unsettled
    }
}

//! What people wrote down of analysers and operators as the state keeps it, and what it says of something tested.

use super::{Done, RUN_PROPOSAL_STANDS_MS};
use crate::{FitnessAct, Seq, Service};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Who wants an entry taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeBack {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

impl TakeBack {
    /// Whether another person can still agree: three days, as with what is proposed of a run.
    #[must_use]
    pub fn stands(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.done.at_ms) <= RUN_PROPOSAL_STANDS_MS
    }
}

/// An entry about an analyser or an operator, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitnessNote {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What.
    pub act: FitnessAct,
    /// Who confirmed it, where it reaches back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Done>,
    /// Who wants it taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_back: Option<TakeBack>,
    /// Who agreed to that: it has no effect any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<Done>,
}

/// When something was tested, and the message that says so.
#[derive(Debug, Clone, Copy)]
pub struct Tested {
    /// Milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The day, where it was tested.
    pub day: Date,
    /// Its message.
    pub message: Seq,
}

/// What is written down of an analyser or an operator for something tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'n> {
    /// Nothing.
    Unrecorded,
    /// It is fit.
    Fit,
    /// It is not, by this entry; nothing where no entry gives an operator that assay.
    Unfit(Option<&'n FitnessNote>),
}

impl FitnessNote {
    /// Whether it makes something better.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.act, FitnessAct::Serviced { .. } | FitnessAct::Authorised { .. })
    }

    /// For what is tested from here on, milliseconds since 1970 UTC.
    #[must_use]
    pub fn from_ms(&self) -> i64 {
        match &self.act {
            FitnessAct::Serviced { from_ms, .. } | FitnessAct::Authorised { from_ms, .. } => {
                from_ms.unwrap_or(self.done.at_ms)
            }
            FitnessAct::Unfit { from_ms, .. } | FitnessAct::Withdrawn { from_ms, .. } => *from_ms,
            FitnessAct::Confirmed { .. }
            | FitnessAct::TakeBackProposed { .. }
            | FitnessAct::TakenBack { .. } => self.done.at_ms,
        }
    }

    /// Whether it has no effect before another person confirms it.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.reaches_back() && self.confirmed.is_none() && self.taken_back.is_none()
    }

    /// Whether it makes better what was tested before it was written.
    pub(crate) fn reaches_back(&self) -> bool {
        self.is_good() && self.from_ms() < self.done.at_ms
    }

    /// Whether another person can still confirm it.
    #[must_use]
    pub fn can_be_confirmed(&self, now_ms: i64) -> bool {
        self.waits() && now_ms.saturating_sub(self.done.at_ms) <= RUN_PROPOSAL_STANDS_MS
    }

    /// Messages behind this entry hear it; none where it has no effect. The word of one person makes nothing better that was
    /// there when it was written, whatever an analyser's clock says.
    pub(crate) fn speaks_behind(&self) -> Option<Seq> {
        if self.taken_back.is_some() || self.waits() {
            return None;
        }
        let by_one = self.is_good() && self.confirmed.is_none();
        Some(if by_one { self.done.entry } else { Seq::NONE })
    }

    fn speaks_of(&self, tested: Tested) -> bool {
        self.from_ms() <= tested.at_ms && self.speaks_behind().is_some_and(|entry| tested.message > entry)
    }

    /// Whether it speaks of a service of this analyser, or of one that its messages do not name.
    pub(crate) fn is_about(&self, service: Service, instrument: Option<&str>) -> bool {
        match &self.act {
            FitnessAct::Serviced { service: of, instrument: on, .. }
            | FitnessAct::Unfit { service: of, instrument: on, .. } => {
                *of == service && (on.is_none() || on.as_deref() == instrument || self.may_be_of(instrument))
            }
            FitnessAct::Authorised { .. }
            | FitnessAct::Withdrawn { .. }
            | FitnessAct::Confirmed { .. }
            | FitnessAct::TakeBackProposed { .. }
            | FitnessAct::TakenBack { .. } => false,
        }
    }

    /// What makes worse is heard by every analyser that may be meant: by one that its messages do not name, and by one of
    /// whose name the entry says a part, such as its serial number.
    fn may_be_of(&self, instrument: Option<&str>) -> bool {
        match &self.act {
            FitnessAct::Unfit { instrument: Some(on), .. } => {
                instrument.is_none_or(|name| name.split_whitespace().any(|part| part == on))
            }
            FitnessAct::Unfit { instrument: None, .. } => true,
            FitnessAct::Serviced { .. }
            | FitnessAct::Authorised { .. }
            | FitnessAct::Withdrawn { .. }
            | FitnessAct::Confirmed { .. }
            | FitnessAct::TakeBackProposed { .. }
            | FitnessAct::TakenBack { .. } => false,
        }
    }

    /// Whether it gives back what `end` took: people agreed to it after that was written, and for no earlier time.
    fn gives_back(&self, end: &Self) -> bool {
        let agreed = self.confirmed.as_ref().map_or(self.done.entry, |done| done.entry);
        agreed > end.done.entry && end.from_ms() <= self.from_ms()
    }

    pub(crate) fn order(&self) -> (i64, Seq) {
        (self.from_ms(), self.done.entry)
    }

    /// What entries say of one service of an analyser: the last word before it was tested.
    #[must_use]
    pub fn of_analyser<'n>(
        notes: &'n [Self],
        (service, instrument): (Service, Option<&str>),
        tested: Tested,
    ) -> Standing<'n> {
        let about = |note: &&Self| note.is_about(service, instrument);
        let speaking = notes.iter().filter(about).filter(|note| note.speaks_of(tested));
        match speaking.max_by_key(|note| note.order()) {
            None => Standing::Unrecorded,
            Some(last) if last.last_day().is_some_and(|due| tested.day <= due) => Standing::Fit,
            Some(last) => Standing::Unfit(Some(last)),
        }
    }

    /// What entries say of one service of an analyser for what has no time of test: the worst of any time until its message
    /// came. `day` is the day of a time, there.
    #[must_use]
    pub fn of_analyser_sometime<'n>(
        notes: &'n [Self],
        (service, instrument): (Service, Option<&str>),
        came: Tested,
        day: impl Fn(i64) -> Date,
    ) -> Standing<'n> {
        let about = notes.iter().filter(|note| note.is_about(service, instrument));
        let mut words: Vec<&Self> = about.filter(|note| note.speaks_of(came)).collect();
        words.sort_unstable_by_key(|note| note.order());
        let ends = words.iter().skip(1).map(|next| day(next.from_ms())).chain([came.day]);
        let lapses = |(note, end): &(&&Self, Date)| note.last_day().is_none_or(|due| due < *end);
        let worst = words.iter().zip(ends).filter(lapses).last().map(|(note, _)| *note);
        match worst {
            Some(note) => Standing::Unfit(Some(note)),
            None if words.is_empty() => Standing::Unrecorded,
            None => Standing::Fit,
        }
    }

    fn is_for(&self, assay: &str) -> bool {
        match &self.act {
            FitnessAct::Authorised { assays, .. } | FitnessAct::Withdrawn { assays, .. } => {
                assays.is_empty() || assays.iter().any(|one| one == assay)
            }
            FitnessAct::Serviced { .. }
            | FitnessAct::Unfit { .. }
            | FitnessAct::Confirmed { .. }
            | FitnessAct::TakeBackProposed { .. }
            | FitnessAct::TakenBack { .. } => false,
        }
    }

    /// What an operator's entries say of an assay.
    #[must_use]
    pub fn of_operator<'n>(notes: &'n [Self], assay: &str, tested: Tested) -> Standing<'n> {
        let speaking = || notes.iter().filter(|note| note.speaks_of(tested));
        let own = || speaking().filter(|note| note.is_for(assay));
        let withdrawn: Vec<&Self> = own().filter(|note| !note.is_good()).collect();
        let gives = |note: &&Self| note.is_good() && note.last_day().is_none_or(|until| tested.day <= until);
        let given_back = |note: &Self| withdrawn.iter().all(|end| note.gives_back(end));
        if own().filter(gives).any(given_back) {
            Standing::Fit
        } else if speaking().next().is_none() {
            Standing::Unrecorded
        } else {
            Standing::Unfit(withdrawn.into_iter().max_by_key(|note| note.order()))
        }
    }

    /// What an operator's entries say of an assay that has no time of test: the worst of any time until its message came,
    /// since anything was written down of it. `day` is the day of a time, there.
    #[must_use]
    pub fn of_operator_sometime<'n>(
        notes: &'n [Self],
        assay: &str,
        came: Tested,
        day: impl Fn(i64) -> Date,
    ) -> Standing<'n> {
        let now = Self::of_operator(notes, assay, came);
        if now != Standing::Fit {
            return now;
        }
        let own = || notes.iter().filter(|note| note.is_for(assay) && note.speaks_of(came));
        if let Some(end) = own().filter(|note| !note.is_good()).max_by_key(|note| note.order()) {
            return Standing::Unfit(Some(end));
        }
        let mut given: Vec<(Date, Option<Date>)> =
            own().map(|note| (day(note.from_ms()), note.last_day())).collect();
        given.sort_unstable();
        let mut until = Date::MIN;
        for (at, (from, last)) in given.into_iter().enumerate() {
            if at > 0 && until.tomorrow().is_ok_and(|next| next < from) {
                return Standing::Unfit(None);
            }
            until = until.max(last.unwrap_or(Date::MAX));
        }
        now
    }

    /// The last day that it names.
    fn last_day(&self) -> Option<Date> {
        match &self.act {
            FitnessAct::Serviced { due, .. } => Some(*due),
            FitnessAct::Authorised { until, .. } => *until,
            FitnessAct::Unfit { .. }
            | FitnessAct::Withdrawn { .. }
            | FitnessAct::Confirmed { .. }
            | FitnessAct::TakeBackProposed { .. }
            | FitnessAct::TakenBack { .. } => None,
        }
    }
}

//! What was measured, without what came out: two results that agree in it are of one test, whichever line or profile brought them.
//!
//! | they differ in | they are |
//! |---|---|
//! | line or profile only | one test: an analyser sends over any line, and through middleware too |
//! | the time that a plate's wells were read at | one test: they are measured once however often they are read |
//! | analyser, test, tube, run, replicate or time, both told | two tests |
//! | what one of two paths does not tell | one test ([`super::paths`]) |

use crate::facts::Fact;
use jiff::Timestamp;
use release::Moment;
use vocabulary::{ConnectionId, Marker, RunId};

/// When it was finished: as it was sent, and as that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time<'f> {
    said: &'f str,
    at: Option<Timestamp>,
}

impl<'f> Time<'f> {
    fn of(fact: &'f Fact) -> Option<Self> {
        let said = fact.observation.completed_at.as_deref()?;
        Some(Self { said, at: fact.tested_at.map(Moment::at) })
    }

    /// Whether both may be of one test: two paths write a time in two ways.
    fn may_be(self, other: Self) -> bool {
        self.at.zip(other.at).map_or(self.said == other.said, |(one, other)| is_at_once(one, other))
    }
}

/// Whether two times are one: the same, or the same minute where one of them tells no seconds.
pub(super) fn is_at_once(one: Timestamp, other: Timestamp) -> bool {
    const MINUTE: i64 = 60;
    let (one, other) = (one.as_second(), other.as_second());
    let is_coarse = one % MINUTE == 0 || other % MINUTE == 0;
    one == other || (is_coarse && one.div_euclid(MINUTE) == other.div_euclid(MINUTE))
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Like<'f> {
    pub(super) assay: &'f str,
    pub(super) marker: Marker,
    pub(super) instrument: Option<&'f str>,
    pub(super) run: Option<&'f str>,
    pub(super) time: Option<Time<'f>>,
    pub(super) tube: Option<&'f str>,
    pub(super) segment: bool,
    pub(super) replicate: Option<&'f str>,
}

impl<'f> Like<'f> {
    pub(super) fn of(fact: &'f Fact) -> Self {
        let o = &fact.observation;
        Self {
            assay: &o.assay,
            marker: o.marker,
            instrument: o.instrument.as_deref(),
            run: o.run.as_ref().map(|run| own_name(run, &fact.connection)),
            time: if o.value.od.is_some() { None } else { Time::of(fact) },
            tube: fact.tube.as_deref(),
            segment: fact.segment,
            replicate: o.replicate.as_deref(),
        }
    }

    /// How much of it is told.
    pub(super) fn told(&self) -> usize {
        let told = [self.instrument, self.run, self.tube, self.replicate].into_iter().flatten().count();
        told + usize::from(self.time.is_some())
    }

    /// Whether both may be one test: where both tell something, they tell the same.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let fits = |one: Option<&str>, other: Option<&str>| one.zip(other).is_none_or(|(a, b)| a == b);
        (self.assay, self.marker, self.segment) == (other.assay, other.marker, other.segment)
            && fits(self.instrument, other.instrument)
            && fits(self.run, other.run)
            && fits(self.tube, other.tube)
            && fits(self.replicate, other.replicate)
            && self.time.zip(other.time).is_none_or(|(a, b)| a.may_be(b))
    }
}

/// A run's name as the analyser gave it.
pub(super) fn own_name<'r>(run: &'r RunId, connection: &ConnectionId) -> &'r str {
    let own = run.as_str().strip_prefix(connection.as_str()).and_then(|rest| rest.strip_prefix('/'));
    own.unwrap_or(run.as_str())
}

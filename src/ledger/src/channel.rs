//! One assay with one reagent lot on one analyser: what controls of analysers without plates stand for.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use vocabulary::{ConnectionId, LotRole, MarkerKind, Mode, Observation, ResultStatus, RunId, SpecimenKind};

/// One assay with one reagent lot on one analyser.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Channel {
    /// The line.
    pub connection: ConnectionId,
    /// The analyser, where the message names one.
    pub instrument: String,
    /// The assay, as the profile names it.
    pub assay: String,
    /// The reagent lot; several joined by `+`; empty where none is sent.
    pub lot: String,
}

/// The name that calibrations go by beside the names of controls.
pub const CALIBRATION: &str = "\u{1}calibration";
/// The name of a control that the profile has no name for.
pub const UNNAMED: &str = "\u{1}unnamed";

/// Stands between a run's name and what names a part of it: the time of the last control before a result.
pub const WINDOW_MARK: char = '@';

/// The run that a part of it belongs to; none where the name is a whole run's.
#[must_use]
pub fn whole_run(run: &RunId) -> Option<RunId> {
    run.as_str().rsplit_once(WINDOW_MARK).and_then(|(whole, _)| RunId::new(whole).ok())
}

fn plain(text: &str) -> String {
    text.replace('\0', " ")
}

impl Channel {
    /// The channel that an observation was made in.
    #[must_use]
    pub fn of(connection: &ConnectionId, o: &Observation) -> Self {
        let mut lots: Vec<&str> =
            o.lots.iter().filter(|lot| lot.role == LotRole::Reagent).map(|lot| lot.lot.as_str()).collect();
        lots.sort_unstable();
        lots.dedup();
        Self {
            connection: connection.clone(),
            instrument: plain(o.instrument.as_deref().unwrap_or_default()),
            assay: plain(&o.assay),
            lot: plain(&lots.join("+")),
        }
    }

    /// Whether an observation may belong to a channel: wells of a plate, and nucleic acid tests, belong to their run alone.
    #[must_use]
    pub fn has(o: &Observation) -> bool {
        o.value.od.is_none() && o.marker.kind() != MarkerKind::Nat
    }

    /// The name that an observation goes by among the readings of its channel; none for what is no control, and for what
    /// can never speak for a result: readings outside production, and those that are not final.
    #[must_use]
    pub fn reading(mode: Mode, o: &Observation) -> Option<String> {
        if mode != Mode::Production || matches!(o.status, ResultStatus::Preliminary | ResultStatus::Other) {
            return None;
        }
        match o.kind {
            SpecimenKind::Control => {
                Some(o.control.as_ref().map_or_else(|| UNNAMED.to_owned(), |control| plain(&control.name)))
            }
            SpecimenKind::Calibrator => Some(CALIBRATION.to_owned()),
            SpecimenKind::Blank
            | SpecimenKind::Patient
            | SpecimenKind::Proficiency
            | SpecimenKind::Unknown => None,
        }
    }
}

/// Whether an observation says when it was made, so that it has a place among others.
pub(crate) fn is_timed(o: &Observation) -> bool {
    tested_day(o).is_some()
}

/// The day on which an observation was made by its own clock; nothing where it has no time that can be read.
pub(crate) fn tested_day(o: &Observation) -> Option<Date> {
    let text = o.completed_at.as_deref()?;
    let said = text.parse().ok().map(release::Moment::day);
    said.or_else(|| text.parse().ok().map(jiff::civil::DateTime::date))
}

/// The day that an observation is filed under: by its own clock, else by when its message came.
#[must_use]
pub fn day_of(o: &Observation, at_ms: i64) -> Date {
    let said = o.completed_at.as_deref().and_then(|text| text.get(..10)).and_then(|day| day.parse().ok());
    said.unwrap_or_else(|| {
        let came = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        came.to_zoned(TimeZone::UTC).date()
    })
}

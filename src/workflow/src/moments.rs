//! Times as analysers send them.

use release::Moment;

/// A time as people of the laboratory have it.
pub(crate) fn local(at: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> String {
    release::Moment::new(at, zone.to_offset(at)).to_string()
}

/// A time as an analyser sent it; clocks without a zone are read in the laboratory's.
pub(crate) fn moment(text: &str, zone: &jiff::tz::TimeZone) -> Option<Moment> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(zone.clone()).ok()?;
    Some(Moment::new(zoned.timestamp(), zoned.offset()))
}

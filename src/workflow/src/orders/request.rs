//! An order as people and files write it.

use super::{Refusal, limits::TEXT_CHARS_MAX};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use vocabulary::{OrderDonor, OrderId, Priority, Sex, SpecimenId};

/// An order as it is written: JSON of the API, a line of a file, a record of a message. Nothing is checked yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its number.
    pub id: String,
    /// The specimen, in any form that the site's identifier rule knows.
    pub specimen: String,
    /// The assays, as profiles name them.
    pub assays: Vec<String>,
    /// How soon; routine when absent.
    #[serde(default)]
    pub priority: Priority,
    /// What the specimen is.
    #[serde(default)]
    pub specimen_type: Option<String>,
    /// When it was taken: RFC 3339, or by the laboratory's clock without an offset.
    #[serde(default)]
    pub collected_at: Option<String>,
    /// The only connection that may do it.
    #[serde(default)]
    pub only_on: Option<String>,
    /// The donor.
    #[serde(default)]
    pub donor: Option<Donor>,
}

/// A donor as an order writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Donor {
    /// The centre's donor number.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Birth date, `YYYY-MM-DD`.
    pub born: Option<String>,
    /// Sex.
    pub sex: Option<Sex>,
}

/// A request whose fields could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) id: OrderId,
    pub(crate) scan: SpecimenId,
    pub(crate) priority: Priority,
    pub(crate) specimen_type: Option<String>,
    pub(crate) collected_at: Option<DateTime>,
    pub(crate) donor: Option<OrderDonor>,
}

fn unreadable(field: &'static str, why: impl Into<String>) -> Refusal {
    Refusal::Field { field, why: why.into() }
}

/// A free text: absent when blank.
fn text(field: &'static str, text: Option<&String>) -> Result<Option<String>, Refusal> {
    let Some(text) = text.map(|t| t.trim()).filter(|t| !t.is_empty()) else { return Ok(None) };
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(unreadable(field, format!("it is longer than {TEXT_CHARS_MAX} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(unreadable(field, "it holds a control character"));
    }
    Ok(Some(text.to_owned()))
}

fn moment(text: &str, zone: &TimeZone) -> Result<DateTime, Refusal> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.to_zoned(zone.clone()).datetime());
    }
    text.parse().map_err(|_| {
        let why = format!(
            "{text:?} is no time; write 2026-03-01T09:00:00+08:00, or without the offset in local time"
        );
        unreadable("collected_at", why)
    })
}

impl Request {
    /// Reads every field that needs no knowledge of the site but its time zone.
    pub(crate) fn fields(&self, zone: &TimeZone) -> Result<Fields, Refusal> {
        let collected_at = text("collected_at", self.collected_at.as_ref())?;
        Ok(Fields {
            id: OrderId::new(self.id.trim()).map_err(|e| unreadable("id", e.to_string()))?,
            scan: SpecimenId::new(self.specimen.trim()).map_err(|e| unreadable("specimen", e.to_string()))?,
            priority: self.priority,
            specimen_type: text("specimen_type", self.specimen_type.as_ref())?,
            collected_at: collected_at.map(|t| moment(&t, zone)).transpose()?,
            donor: self.donor.as_ref().map(Donor::fields).transpose()?.flatten(),
        })
    }
}

impl Donor {
    fn fields(&self) -> Result<Option<OrderDonor>, Refusal> {
        let born = text("donor.born", self.born.as_ref())?;
        let born = born.map(|b| {
            b.parse().map_err(|_| unreadable("donor.born", format!("{b:?} is no date; write 1990-05-01")))
        });
        let donor = OrderDonor {
            id: text("donor.id", self.id.as_ref())?,
            name: text("donor.name", self.name.as_ref())?,
            born: born.transpose()?,
            sex: self.sex,
        };
        Ok((donor != OrderDonor::default()).then_some(donor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Fields, String> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let request: Request = serde_json::from_str(json).map_err(|e| e.to_string())?;
        request.fields(&zone).map_err(|refusal| refusal.english())
    }

    #[test]
    fn times_are_the_laboratorys_clock_whatever_offset_they_came_with() {
        for (given, expect) in [
            ("2026-03-01T01:00:00Z", "2026-03-01T09:00:00"),
            ("2026-03-01T09:00:00+08:00", "2026-03-01T09:00:00"),
            ("2026-03-01T02:00:00+01:00", "2026-03-01T09:00:00"),
            ("2026-03-01T09:00:00", "2026-03-01T09:00:00"),
            ("2026-03-01", "2026-03-01T00:00:00"),
        ] {
            let json = format!(r#"{{"id":"1","specimen":"G","assays":[],"collected_at":"{given}"}}"#);
            assert_eq!(read(&json).unwrap().collected_at.unwrap().to_string(), expect, "{given}");
        }
    }

    #[test]
    fn what_cannot_be_read_names_its_field() {
        for (json, expect) in [
            (r#"{"id":"","specimen":"G","assays":[]}"#, "id: an identifier may not be empty"),
            (r#"{"id":"1","specimen":" ","assays":[]}"#, "specimen: an identifier may not be empty"),
            (r#"{"id":"1","specimen":"G","assays":[],"collected_at":"1.3.26"}"#, "collected_at: "),
            (r#"{"id":"1","specimen":"G","assays":[],"donor":{"born":"1.3.90"}}"#, "donor.born: "),
            (r#"{"id":"1","specimen":"G","assays":[],"specimen_type":"a\u0001b"}"#, "specimen_type: "),
            (r#"{"id":"1","specimen":"G","assays":[],"colour":"red"}"#, "unknown field `colour`"),
            (r#"{"id":"1","assays":[]}"#, "missing field `specimen`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(expect), "{json}: {error}");
        }
    }

    #[test]
    fn a_donor_of_whom_nothing_is_said_is_none() {
        let json = r#"{"id":"1","specimen":"G","assays":[],"donor":{"name":" "}}"#;
        assert_eq!(read(json).unwrap().donor, None);
    }
}

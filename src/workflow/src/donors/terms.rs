//! For how long, by the terms of the rule pack, marker by marker (rules.md §1.9).

use super::Refused;
use crate::{Settings, rules::Book};
use jiff::civil::Date;
use ledger::{AskedDeferral, DonorTask, DonorTaskStands, ReadError, Reader};
use vocabulary::DonationId;

fn deferrals(reader: &Reader, donation: &DonationId) -> Result<Vec<DonorTaskStands>, ReadError> {
    let tasks = reader.donor_tasks_of(donation)?.map_or_else(Vec::new, |all| all.tasks);
    Ok(tasks.into_iter().filter(|task| task.task == DonorTask::Deferral && task.asked).collect())
}

/// The markers for which a donation's verdict asks for a deferral.
pub(crate) fn deferred_for(reader: &Reader, donation: &DonationId) -> Result<Vec<String>, ReadError> {
    Ok(deferrals(reader, donation)?.into_iter().map(|task| task.marker).collect())
}

/// First day of an examination for re-entry: of several markers the one that waits longest, and of a marker that nobody names
/// the longest of all.
pub(crate) fn reentry_from(settings: &Settings, (markers, since): (&[String], Date)) -> Option<Date> {
    let rules = &settings.pack.settings().donor;
    let nobody = [String::new()];
    let markers = if markers.is_empty() { &nobody } else { markers };
    let all: Option<Vec<Date>> = markers.iter().map(|marker| rules.reentry_from(marker, since)).collect();
    all?.into_iter().max()
}

/// Whether a deferral for a time lasts as long as the pack that judged the donation asks, for each marker because of which its
/// verdict asks for one.
pub(super) fn lasts(
    settings: &Settings,
    reader: &Reader,
    (until, today): (Option<Date>, Date),
    named: Option<&DonationId>,
) -> Result<(), Refused> {
    let (Some(until), Some(donation)) = (until, named) else { return Ok(()) };
    let taken = reader.donation(donation)?.and_then(|known| known.registration);
    let taken = taken.map(|known| known.registration.collected_at);
    let book = Book::read(settings, reader).map_err(|why| Refused::Broken(why.to_string()))?;
    let rules = taken.map_or(settings, |at| book.taken_at(at.as_millisecond()));
    let day = taken.map_or(today, |at| at.to_zoned(settings.time_zone.clone()).date());
    for task in deferrals(reader, donation)? {
        let for_a_time = task.deferral == Some(AskedDeferral::Temporary);
        let least = rules.pack.settings().donor.temporary_until(&task.marker, day);
        if let Some(least) = least.filter(|least| for_a_time && until < *least) {
            return Err(Refused::TooShort { marker: task.marker, least });
        }
    }
    Ok(())
}

//! Who gave the donations: numbers, donors, histories, groups.

use super::{DayError, DaySettings, PlannedDonation, Story, din, draw::Draw};
use jiff::ToSpan;
use vocabulary::{AboGroup, BloodGroup, DonationRegistration, DonorRegistration, RhD};

/// Of 100 donors, those who give for the first time.
const FIRST_TIME_PERCENT: u32 = 35;
/// Of 100 donors, those whose group was pre-tested in the field.
const FIELD_TESTED_PERCENT: u32 = 80;
/// Collection begins at eight and lasts five hours.
const COLLECTION: (i8, u32) = (8, 5 * 3600);
/// Donors are numbered from here on in steps below this one.
const DONOR_STEP: u32 = 40;

/// The donations of the day, in order of their numbers.
pub(crate) fn register(settings: &DaySettings, stories: &[Story]) -> Result<Vec<PlannedDonation>, DayError> {
    let mut draw = Draw::new(settings.seed, "donors");
    let first_serial = 1 + draw.below(din::SERIAL_MAX - settings.donations + 1);
    let mut donor_number = 1_000_000 + draw.below(1_000_000);
    let begin = settings.day.at(COLLECTION.0, 0, 0, 0);
    let mut planned = Vec::with_capacity(stories.len());
    for (nth, story) in (0_u32..).zip(stories.iter().copied()) {
        donor_number += 1 + draw.below(DONOR_STEP);
        let seconds = u64::from(nth) * u64::from(COLLECTION.1) / u64::from(settings.donations.max(1));
        let collected = begin.checked_add(i64::try_from(seconds).unwrap_or(0).seconds())?;
        let (donor, group) = donor(&mut draw, story, format!("D{donor_number:08}"));
        let registration = DonationRegistration {
            donation: din::donation_number(settings.day.year(), first_serial + nth)?,
            collected_at: settings.offset.to_timestamp(collected)?,
            centrifuged_at: None,
            session: None,
            donor,
        };
        planned.push(PlannedDonation { registration, story, group, expected: story.expected() });
    }
    Ok(planned)
}

fn donor(draw: &mut Draw, story: Story, id: String) -> (DonorRegistration, BloodGroup) {
    let drawn = draw.abo();
    let first_timer = draw.percent(FIRST_TIME_PERCENT);
    let field_tested = draw.percent(FIELD_TESTED_PERCENT);
    let is = |stories: &[Story]| stories.contains(&story);
    // These two are told of a donor of group A: what is wrong shows in that group's columns.
    let abo = if is(&[Story::AboDiscrepancy, Story::MixedField]) { AboGroup::A } else { drawn };
    let rhd = if is(&[Story::RhDNegative, Story::RhDUnconfirmed]) { RhD::Negative } else { RhD::Positive };
    let first_time = is(&[Story::GroupedOnce])
        || (first_timer && is(&[Story::Ordinary, Story::RhDNegative, Story::SentTwice]));
    let before = if is(&[Story::WrongHistoryGroup]) { another(abo) } else { abo };
    let field_abo = if is(&[Story::FieldGroupDiffers]) {
        Some(another(abo))
    } else {
        (field_tested && !is(&[Story::WrongHistoryGroup])).then_some(abo)
    };
    let registration = DonorRegistration {
        id: id.into(),
        first_time,
        deferred: story == Story::DeferredDonor,
        barred: None,
        sensitised: None,
        history: (!first_time).then_some(BloodGroup { abo: Some(before), rhd: Some(rhd) }),
        field_abo,
    };
    (registration, BloodGroup { abo: Some(abo), rhd: Some(rhd) })
}

/// A group that is another one.
fn another(abo: AboGroup) -> AboGroup {
    match abo {
        AboGroup::O => AboGroup::B,
        AboGroup::A | AboGroup::AB => AboGroup::O,
        AboGroup::B => AboGroup::A,
    }
}

//! A believable working day: donations, their stories, what every analyser measures, and what must come of it.

mod din;
mod donor;
mod draw;
mod reading;
mod story;
mod work;

pub use din::check_character;
pub use reading::{Controls, Duty, Finding, Reading, Run, Session, Test};
pub use story::{Expected, Story, Unit};

pub(crate) use din::donation_number;
pub(crate) use draw::{Draw, Level, reaction};
use std::collections::BTreeMap;
use vocabulary::{BloodGroup, DonationRegistration, IdentifierError};

/// The most donations of one day: as many as there are serial numbers.
const DONATIONS_MAX: u32 = din::SERIAL_MAX;

/// From this many donations on every story is told.
const EVERY_STORY_FROM: u32 = 50;

/// What a day is made from. Equal settings make equal days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySettings {
    /// Chance.
    pub seed: u64,
    /// How many donations.
    pub donations: u32,
    /// The day.
    pub day: jiff::civil::Date,
    /// The laboratory's distance from UTC.
    pub offset: jiff::tz::Offset,
}

impl Default for DaySettings {
    fn default() -> Self {
        Self {
            seed: 1,
            donations: 500,
            day: jiff::civil::date(2026, 3, 2),
            offset: jiff::tz::Offset::constant(8),
        }
    }
}

/// Why there can be no such day.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// More donations than a day has numbers.
    #[error("a day has at most {DONATIONS_MAX} donations, not {0}: ask for fewer")]
    TooMany(u32),
    /// A number that is no identifier.
    #[error("a donation number cannot be made")]
    Identifier(#[from] IdentifierError),
    /// A moment outside the calendar.
    #[error("the day lies outside the calendar")]
    Calendar(#[from] jiff::Error),
}

/// A donation, what happens to it, and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDonation {
    /// What the blood information system knows beforehand.
    pub registration: DonationRegistration,
    /// What happens.
    pub story: Story,
    /// The group it truly has.
    pub group: BloodGroup,
    /// What must come of it, and why.
    pub expected: Expected,
}

/// A working day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What it was made from.
    pub settings: DaySettings,
    /// Every donation, in order of its number.
    pub donations: Vec<PlannedDonation>,
    /// What every analyser does, one for each duty.
    pub sessions: Vec<Session>,
}

impl Scenario {
    /// Makes the day of `settings`.
    ///
    /// # Errors
    /// [`DayError`] when there are too many donations or the day is outside the calendar.
    pub fn new(settings: DaySettings) -> Result<Self, DayError> {
        if settings.donations > DONATIONS_MAX {
            return Err(DayError::TooMany(settings.donations));
        }
        let stories = told(settings.seed, settings.donations);
        let mut donations = donor::register(&settings, &stories)?;
        wait_beside(&mut donations);
        let sessions = work::sessions(&settings, &donations)?;
        Ok(Self { settings, donations, sessions })
    }

    /// What the analyser with `duty` does.
    #[must_use]
    pub fn session(&self, duty: Duty) -> Option<&Session> {
        self.sessions.iter().find(|s| s.duty == duty)
    }

    /// How many donations must pass, be held, be discarded.
    #[must_use]
    pub fn expected_counts(&self) -> BTreeMap<Unit, usize> {
        self.count_by(|d| d.expected.unit)
    }

    /// How many donations each story happens to.
    #[must_use]
    pub fn story_counts(&self) -> BTreeMap<Story, usize> {
        self.count_by(|d| d.story)
    }

    fn count_by<K: Ord>(&self, key: impl Fn(&PlannedDonation) -> K) -> BTreeMap<K, usize> {
        let mut counts = BTreeMap::new();
        for donation in &self.donations {
            *counts.entry(key(donation)).or_insert(0) += 1;
        }
        counts
    }
}

/// What was taken just before or after a tube that may be another donor's waits with it (rules.md §1.6, G4).
fn wait_beside(donations: &mut [PlannedDonation]) {
    let suspect =
        |d: &PlannedDonation| matches!(d.story, Story::WrongHistoryGroup | Story::FieldGroupDiffers);
    let places: Vec<usize> =
        donations.iter().enumerate().filter(|(_, d)| suspect(d)).map(|(at, _)| at).collect();
    for at in places {
        for beside in [at.checked_sub(1), at.checked_add(1)].into_iter().flatten() {
            if let Some(planned) = donations.get_mut(beside).filter(|d| d.expected.unit == Unit::Pass) {
                let why = "the tube of the donation taken beside it may be another donor's";
                planned.expected = Expected { unit: Unit::Hold, why, reentry_candidate: None };
            }
        }
    }
}

/// Which story happens to each donation.
fn told(seed: u64, donations: u32) -> Vec<Story> {
    let mut draw = Draw::new(seed, "stories");
    let special = Story::ALL.iter().copied().filter(|s| *s != Story::Ordinary);
    let mut told: Vec<Story> = if donations < EVERY_STORY_FROM {
        special.take(usize::try_from(donations / 2).unwrap_or(0)).collect()
    } else {
        special.flat_map(|story| std::iter::repeat_n(story, times(story, donations))).collect()
    };
    told.resize(usize::try_from(donations).unwrap_or(usize::MAX), Story::Ordinary);
    draw.shuffle(&mut told);
    told
}

/// How often a story is told in a day: at least once, else as often as its rate says, rounded.
fn times(story: Story, donations: u32) -> usize {
    let by_rate = (u64::from(story.per_100_000()) * u64::from(donations) + 50_000) / 100_000;
    if story.happens_once() { 1 } else { usize::try_from(by_rate).unwrap_or(usize::MAX).max(1) }
}

#[cfg(test)]
mod tests;

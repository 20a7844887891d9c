//! A simulated year: what is true of every donor is drawn first, then what is measured, then what goes wrong.
//!
//! ```text
//!  truth ──► tubes ──► runs ──► messages of the catalogue's models, byte for byte
//!    │         │         │         │
//!    │    tubes and   controls,  lost, broken off, again,        ──► evening · next day · day after
//!    │    barcodes    lots,      without a barcode, corrected
//!    │    exchanged   drift
//!    └──► when a release is justified, written down by hand
//! ```
//!
//! Every fault has its kind, and every donation it touches knows of it. Nothing here knows the rules' room: what is
//! safe follows from the truth and the fault alone.

mod day;
mod given;
mod kind;
mod letters;
mod plan;
mod pools;
mod runs;
#[cfg(test)]
mod tests;
mod truth;
mod work;

pub use given::{Before, Given, Justified, Round};
pub use kind::Kind;
pub use letters::{Letter, LotFault, Mail, Sender, replaced};
pub use truth::{Infection, Nonspecific, TrueAlt, TrueRhD, Truth};

use crate::model::{Model, RenderError};
use crate::scenario::{DaySettings, Draw, Duty, donation_number};
use day::Writer;
use given::exchange;
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};
use plan::{Plan, Strike};
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::{DonationId, DonationRegistration};

/// Blood is taken from eight on, for five hours.
const COLLECTION: (i8, i64) = (8, 5 * 3600);

/// Of the donors of the year's second half, one in so many gave half a year before.
const COMES_BACK_EVERY: u32 = 6;

/// Why there can be no such year.
#[derive(Debug, thiserror::Error)]
pub enum YearError {
    /// A duty that no model was given for.
    #[error("no model does {0}")]
    NoModel(&'static str),
    /// A message cannot be written.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A moment outside the calendar.
    #[error("the year lies outside the calendar")]
    Calendar(#[from] jiff::Error),
    /// A number that is no identifier.
    #[error("a donation number cannot be made: {0}")]
    Number(#[from] vocabulary::IdentifierError),
}

/// Which model does which duty, and which tests pools.
#[derive(Debug, Clone)]
pub struct Models(BTreeMap<Duty, Arc<Model>>, Arc<Model>);

impl Models {
    /// A model for every duty, and one that tests pools: it writes a run with its controls in one message.
    ///
    /// # Errors
    /// [`YearError::NoModel`].
    pub fn new(models: BTreeMap<Duty, Arc<Model>>, pools: Arc<Model>) -> Result<Self, YearError> {
        match Duty::ALL.iter().find(|duty| !models.contains_key(duty)) {
            Some(lacking) => Err(YearError::NoModel(lacking.name())),
            None if !pools.duties().contains(&Duty::Nat) => Err(YearError::NoModel("pools")),
            None => Ok(Self(models, pools)),
        }
    }

    /// Who tests pools.
    #[must_use]
    pub fn pools(&self) -> &Arc<Model> {
        &self.1
    }

    /// Who does `duty`.
    ///
    /// # Errors
    /// [`YearError::NoModel`].
    pub fn of(&self, duty: Duty) -> Result<&Arc<Model>, YearError> {
        self.0.get(&duty).ok_or(YearError::NoModel(duty.name()))
    }
}

/// What a year is made from. Equal settings make equal years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearSettings {
    /// Chance.
    pub seed: u64,
    /// How many donations.
    pub donations: u32,
    /// Donations of a working day.
    pub per_day: u32,
    /// The first day.
    pub first_day: Date,
    /// The laboratory's distance from UTC.
    pub offset: jiff::tz::Offset,
}

/// A working day: its donations and what comes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDay {
    /// Counts from 0.
    pub number: u32,
    /// The day.
    pub date: Date,
    /// Its donations, in order of their numbers.
    pub given: Vec<Given>,
    /// The analysers' messages.
    pub mail: Mail,
    /// Registered anew on the day after next: the donor is deferred.
    pub deferred_late: Vec<DonationRegistration>,
    /// Held on the day after next: the donor rang up.
    pub rang_up: Vec<DonationId>,
    /// Declared invalid on the day after next.
    pub invalidated_late: Vec<Fallen>,
    /// What people try on that day, besides their work.
    pub people: Option<Kind>,
}

/// A run that falls: one in which this tube stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallen {
    /// The donation, or the pool.
    pub tube: DonationId,
    /// Whose run.
    pub from: Sender,
    /// Its only serology marker.
    pub marker: Option<vocabulary::Marker>,
}

/// A year, day by day.
#[derive(Debug)]
pub struct Year {
    settings: YearSettings,
    models: Models,
    plan: Plan,
}

impl Year {
    /// The year of `settings`.
    #[must_use]
    pub fn new(settings: YearSettings, models: Models) -> Self {
        let plan = Plan::draw(settings.seed, settings.donations, settings.per_day);
        Self { settings, models, plan }
    }

    /// How many working days it has.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.settings.donations.div_ceil(self.settings.per_day.max(1))
    }

    /// The date of the nth working day: Sundays are free.
    ///
    /// # Errors
    /// [`YearError::Calendar`].
    pub fn date(&self, number: u32) -> Result<Date, YearError> {
        let mut date = self.settings.first_day;
        for _ in 0..number {
            date = date.tomorrow()?;
            if date.weekday() == Weekday::Sunday {
                date = date.tomorrow()?;
            }
        }
        Ok(date)
    }

    /// The nth working day, whole.
    ///
    /// # Errors
    /// [`YearError`].
    pub fn day(&self, number: u32) -> Result<WorkingDay, YearError> {
        let (date, next) = (self.date(number)?, self.date(number + 1)?);
        let mut given = self.given(number, date)?;
        let racks = runs::racks(&self.plan, number, &mut given)?;
        let settings = |day: Date| DaySettings {
            seed: self.settings.seed,
            donations: self.settings.per_day,
            day,
            offset: self.settings.offset,
        };
        let writer = Writer {
            models: &self.models,
            today: settings(date),
            tomorrow: settings(next),
            given: &given,
            mail: Mail::default(),
            extra: 0,
        };
        let mail = writer.write(&racks)?;
        let of = |kind: Kind| given.iter().filter(move |one| one.strike.is_some_and(|s| s.kind == kind));
        let deferred = |one: &Given| {
            let mut registration = one.registration.clone();
            registration.donor.deferred = true;
            registration
        };
        let invalidated = racks.iter().filter(|r| r.strike.is_some_and(|s| s.kind == Kind::LateInvalidated));
        let invalidated = invalidated.filter_map(|rack| {
            let single = || given.get(*rack.tubes.first()?).map(|one| &one.registration.donation);
            let tube = rack.pools.first().map(|pool| &pool.number).or_else(single)?.clone();
            Some(Fallen { tube, from: rack.sender(), marker: rack.marker })
        });
        Ok(WorkingDay {
            number,
            date,
            deferred_late: of(Kind::DeferredAfterRelease).map(deferred).collect(),
            rang_up: of(Kind::RangUp).map(|one| one.registration.donation.clone()).collect(),
            invalidated_late: invalidated.collect(),
            people: self.plan.people.get(&number).copied(),
            mail,
            given,
        })
    }

    fn given(&self, number: u32, date: Date) -> Result<Vec<Given>, YearError> {
        let YearSettings { seed, donations, per_day, offset, .. } = self.settings;
        let begin = date.at(COLLECTION.0, 0, 0, 0);
        let mut draw = Draw::new(seed, &format!("donors {date}"));
        let first = number * per_day;
        let count = per_day.min(donations.saturating_sub(first));
        let half_a_year_before = self.half_a_year_before(number)?;
        let mut before = half_a_year_before.iter();
        let mut given: Vec<Given> = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for nth in 0..count {
            let after = i64::from(nth) * COLLECTION.1 / i64::from(count.max(1));
            let collected = offset.to_timestamp(begin.checked_add(after.seconds())?)?;
            let donation = donation_number(date.year(), 1 + first + nth)?;
            let strike = self.plan.ones.get(&(first + nth)).copied();
            let comes_back = strike.is_none() && nth % COMES_BACK_EVERY == 1;
            let before = before.next().filter(|one| comes_back && one.may_come_back());
            let donor = 1_000_000 + first + nth;
            given.push(Given::draw(&mut draw, (donation, collected), donor, (strike, before)));
        }
        change_places(&mut given);
        Ok(given)
    }
}

impl Year {
    /// The donations of the day half a year before, with whatever struck them; none in the year's first half.
    fn half_a_year_before(&self, number: u32) -> Result<Vec<Given>, YearError> {
        let half = self.days() / 2;
        let Some(day) = number.checked_sub(half).filter(|day| *day < half) else { return Ok(Vec::new()) };
        let mut given = self.given(day, self.date(day)?)?;
        runs::racks(&self.plan, day, &mut given)?;
        Ok(given)
    }
}

/// Tubes that change places, each with the next.
fn change_places(given: &mut [Given]) {
    for at in 0..given.len().saturating_sub(1) {
        let Some([one, other]) = given.get_mut(at..at + 2) else { continue };
        let Some(strike) = one.strike.filter(|strike| is_exchange(*strike)) else { continue };
        if other.other.is_some() {
            continue;
        }
        exchange(one, other, strike);
        let before = (strike.kind == Kind::SwappedBarcodes).then(|| given::swapped_at(strike));
        one.other = Some((at + 1, before));
        other.other = Some((at, before));
    }
}

fn is_exchange(strike: Strike) -> bool {
    matches!(strike.kind, Kind::WrongTube | Kind::SwappedBarcodes)
}

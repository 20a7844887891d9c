//! A simulated year in the real rooms: nothing unsafe may leave, nothing may be lost, and what is safe should go.
//!
//! The simulator draws what is true of every donor, lets the catalogue's analysers measure it, and plays every kind of
//! fault. Their bytes are put into a ledger on the disk as intake would put them there; the workflow reads, decides and
//! lets people sign through its own commands; a receiver takes what is delivered. At the end each donation is held
//! against the truth by a hand that knows no rule of release.

mod house;
mod kept;
mod kits;
mod people;
mod post;
mod progress;
mod reckoning;
mod street;
#[cfg(test)]
mod tests;
mod verdict;

pub use verdict::YearVerdict;

use crate::{BenchError, Format};
use house::House;
use jiff::civil::Date;
use kept::Place;
use ledger::{Draft, Seq, What};
use people::Attempts;
use progress::Progress;
use reckoning::Accounts;
use simulator::year::{WorkingDay, Year, YearSettings};
use std::{
    collections::VecDeque,
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// The year ends before the first lot of the catalogue's simulations expires.
const FIRST_DAY: Date = Date::constant(2025, 8, 25);
/// A day's work is looked at on so many days: its own, the next, and the one after.
const ROUNDS: usize = 3;
/// So many days without donations follow the last one: what is looked at on its next day, and on the one after.
const AFTER: u32 = 2;

/// Which year, and where.
#[derive(Debug, Clone)]
pub struct YearOptions {
    /// How many donations.
    pub donations: u32,
    /// Donations of a working day.
    pub per_day: u32,
    /// Of everything that is drawn.
    pub seed: u64,
    /// A folder on the disk; the ledger is made in it and removed again.
    pub folder: PathBuf,
    /// A folder that is not there yet: the ledger is made in it instead, with a configuration beside it, and stays.
    pub keep: Option<PathBuf>,
    /// After so long no new day begins; the days that have begun are played to their end, and reckoned.
    pub at_most: Option<Duration>,
    /// When this is cancelled, the same.
    pub stop: CancellationToken,
    /// How figures are written.
    pub format: Format,
}

/// Donations of a working day of the year by default.
pub const DONATIONS_A_DAY: u32 = 533;

/// Plays the year and writes what came of it.
///
/// # Errors
/// When the catalogue lacks a model, the ledger takes nothing, or the folder cannot be used.
pub fn year(options: &YearOptions, out: &mut dyn Write) -> Result<YearVerdict, BenchError> {
    let began = Instant::now();
    let settings = YearSettings {
        seed: options.seed,
        donations: options.donations,
        per_day: options.per_day.max(1),
        first_day: FIRST_DAY,
        offset: jiff::tz::Offset::constant(8),
    };
    let street = street::Street::of_catalogue()?;
    let lots = street.lots(FIRST_DAY)?;
    let kits = kits::texts(&street.assays(simulator::scenario::Duty::SerologyFirst)?);
    let place = Place::make(options, &lots, &kits)?;
    let year = Year::new(settings, street.models.clone());
    let mut house = House::open(&place.ledger(), &street, lots, kits::kits(&kits)?)?;
    let mut accounts = Accounts::default();
    let mut attempts = Attempts::default();
    let mut days: VecDeque<(WorkingDay, Option<Seq>)> = VecDeque::new();
    let is_over =
        || options.stop.is_cancelled() || options.at_most.is_some_and(|most| began.elapsed() >= most);
    let mut progress = Progress::begin(year.days(), began);
    let (mut number, mut end) = (0, year.days());
    while number < end + AFTER {
        if number < end && number > 0 && is_over() {
            end = number;
        }
        house.begins(year.date(number).map_err(BenchError::part("count the days"))?)?;
        if number < end {
            let day = year.day(number).map_err(BenchError::part("draw a day"))?;
            accounts.open(&day);
            days.push_front((day, None));
        } else {
            days.push_front((empty(&year, number)?, None));
        }
        days.truncate(ROUNDS);
        a_day(&mut house, &mut days, &mut accounts, &mut attempts)?;
        number += 1;
        progress.after(number, end + AFTER, accounts.count());
    }
    let mut verdict = accounts.close(&house, attempts, began.elapsed())?;
    verdict.days = (end, year.days());
    house.close();
    verdict.write(options.format, out)?;
    Ok(verdict)
}

/// A day after the last one.
fn empty(year: &Year, number: u32) -> Result<WorkingDay, BenchError> {
    Ok(WorkingDay {
        number,
        date: year.date(number).map_err(BenchError::part("count the days"))?,
        given: Vec::new(),
        mail: simulator::year::Mail::default(),
        deferred_late: Vec::new(),
        rang_up: Vec::new(),
        invalidated_late: Vec::new(),
        people: None,
    })
}

/// What comes today, in the morning of the days before and then of today, and what people do in the evening.
fn a_day(
    house: &mut House,
    days: &mut VecDeque<(WorkingDay, Option<Seq>)>,
    accounts: &mut Accounts,
    attempts: &mut Attempts,
) -> Result<(), BenchError> {
    for (age, (day, _)) in days.iter().enumerate().rev() {
        match age {
            0 => {
                let registered =
                    day.given.iter().map(|one| What::DonationRegistered(one.registration.clone()));
                house.write(registered.map(Draft::by_system).collect())?;
                house.send(&day.mail.evening)?;
            }
            1 => house.send(&day.mail.next_day)?,
            _ => {
                house.send(&day.mail.late)?;
                let deferred = day.deferred_late.iter().cloned().map(What::DonationRegistered);
                house.write(deferred.map(Draft::by_system).collect())?;
                house.after_release(day)?;
            }
        }
    }
    house.work()?;
    house.look_at_faults()?;
    house.work()?;
    house.deliver(accounts)?;
    for (day, batch) in days.iter_mut() {
        if day.given.is_empty() {
            continue;
        }
        if batch.is_none() {
            attempts.want(day.people);
        }
        let opened = match *batch {
            Some(opened) => opened,
            None => house.open_batch(day)?,
        };
        *batch = Some(opened);
        house.sign(opened, attempts)?;
    }
    house.work()?;
    house.deliver(accounts)
}

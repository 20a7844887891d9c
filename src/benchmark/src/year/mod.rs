//! A simulated year in the real rooms: nothing unsafe may leave, nothing may be lost, and what is safe should go.
//!
//! The simulator draws what is true of every donor, lets the catalogue's analysers measure it, and plays every kind of
//! fault. Their bytes are put into a ledger on the disk as intake would put them there; the workflow reads, decides and
//! lets people sign through its own commands; a receiver takes what is delivered. At the end each donation is held
//! against the truth by a hand that knows no rule of release.

mod house;
mod people;
mod post;
mod reckoning;
mod street;
#[cfg(test)]
mod tests;
mod verdict;

pub use verdict::YearVerdict;

use crate::{BenchError, Format};
use house::House;
use jiff::civil::Date;
use ledger::{Draft, Seq, What};
use people::Attempts;
use reckoning::Accounts;
use simulator::year::{Kind, WorkingDay, Year, YearSettings};
use std::{
    collections::VecDeque,
    io::{IsTerminal, Write},
    path::PathBuf,
    time::Instant,
};

/// The year ends before the first lot of the catalogue's simulations expires.
const FIRST_DAY: Date = Date::constant(2025, 8, 25);
/// A day's work is looked at on so many days: its own, the next, and the one after.
const ROUNDS: usize = 3;

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
    let folder = tempfile::Builder::new()
        .prefix("hemogate-year-")
        .tempdir_in(&options.folder)
        .map_err(BenchError::io(format!("make a folder in {}", options.folder.display())))?;
    let settings = YearSettings {
        seed: options.seed,
        donations: options.donations,
        per_day: options.per_day.max(1),
        first_day: FIRST_DAY,
        offset: jiff::tz::Offset::constant(8),
    };
    let street = street::Street::of_catalogue()?;
    let year = Year::new(settings, street.models.clone());
    let mut house = House::open(folder.path(), &street, FIRST_DAY)?;
    let mut accounts = Accounts::default();
    let mut attempts = Attempts::default();
    let mut days: VecDeque<(WorkingDay, Option<Seq>)> = VecDeque::new();
    for number in 0..year.days() + 2 {
        house.begins(year.date(number).map_err(BenchError::part("count the days"))?)?;
        if number < year.days() {
            let day = year.day(number).map_err(BenchError::part("draw a day"))?;
            accounts.open(&day);
            days.push_front((day, None));
        } else {
            days.push_front((empty(&year, number)?, None));
        }
        days.truncate(ROUNDS);
        a_day(&mut house, &mut days, &mut accounts, &mut attempts)?;
        progress(number, year.days());
    }
    let verdict = accounts.close(&house, attempts, began.elapsed())?;
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

/// What comes today, and what people do in the evening.
fn a_day(
    house: &mut House,
    days: &mut VecDeque<(WorkingDay, Option<Seq>)>,
    accounts: &mut Accounts,
    attempts: &mut Attempts,
) -> Result<(), BenchError> {
    for (age, (day, _)) in days.iter().enumerate() {
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
    house.deliver(accounts)?;
    for (day, batch) in days.iter_mut() {
        if day.given.is_empty() {
            continue;
        }
        let tried: Option<Kind> = if batch.is_none() { day.people } else { None };
        let opened = match *batch {
            Some(opened) => opened,
            None => house.open_batch(day)?,
        };
        *batch = Some(opened);
        house.sign(opened, tried, attempts)?;
    }
    house.work()?;
    house.deliver(accounts)
}

/// One line that shows how far the year is, on a terminal only.
fn progress(number: u32, days: u32) {
    if std::io::stderr().is_terminal() {
        eprint!("\r  day {} of {}   ", number + 1, days + 2);
    }
}

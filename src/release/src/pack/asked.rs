//! Markers that a pack asks for beside those with a strategy: by a switch, for every donation, or because an authority
//! orders it, where and while it does (rules.md §1.2).

use super::choices::{Switch, Who};
use super::settings::{Local, Settings};
use crate::evidence::Evidence;
use jiff::civil::Date;
use std::fmt;
use vocabulary::{Marker, MarkerKind, Virus};

/// What has to be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// One reagent.
    Reagent(Marker),
    /// Nucleic acid.
    Target(Virus),
}

impl What {
    /// Of the markers that can be asked for this way; none of those that have a strategy or a rule of their own.
    pub(crate) fn of(marker: Marker) -> Option<Self> {
        let strategic = [Virus::Hbv, Virus::Hcv, Virus::Hiv, Virus::Syphilis];
        let beside = || marker.virus().filter(|virus| !strategic.contains(virus));
        match marker.kind() {
            MarkerKind::Serology if marker == Marker::AntiHbc || beside().is_some() => {
                Some(Self::Reagent(marker))
            }
            MarkerKind::Nat => beside().map(Self::Target),
            MarkerKind::Serology | MarkerKind::Chemistry | MarkerKind::Grouping | MarkerKind::Screening => {
                None
            }
        }
    }

    /// The name of the verdict that answers it: the infection's, which serology and NAT share. anti-HBc has its own, since
    /// that of HBV rests on HBsAg.
    pub(crate) fn verdict(self) -> &'static str {
        match self {
            Self::Reagent(Marker::AntiHbc) => Marker::AntiHbc.name(),
            Self::Reagent(marker) => marker.virus().map_or(marker.name(), Virus::name),
            Self::Target(virus) => virus.name(),
        }
    }
}

/// Infections with a nucleic acid test, beside those that have a strategy.
pub(super) fn further_targets() -> Vec<Virus> {
    let target = |marker: &Marker| match What::of(*marker)? {
        What::Target(virus) => Some(virus),
        What::Reagent(_) => None,
    };
    Marker::ALL.iter().filter_map(target).collect()
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reagent(marker) => write!(f, "{marker}"),
            Self::Target(virus) => write!(f, "NAT {virus}"),
        }
    }
}

/// A marker that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked<'p> {
    pub(crate) what: What,
    who: Who,
    from: Option<Date>,
    to: Option<Date>,
    /// Whose order it is, where it is one.
    pub(crate) order: Option<&'p str>,
}

impl Asked<'_> {
    /// Whether it is asked for of a donation. One whose day is not known may have been given on any; a donor who is not known
    /// to have given before is a first-time donor.
    pub(crate) fn is_due(&self, evidence: &Evidence) -> bool {
        let first_time = || evidence.donor.as_ref().and_then(|d| d.first_time) != Some(false);
        let asks_them = match self.who {
            Who::Every => true,
            Who::FirstTime => first_time(),
        };
        asks_them && evidence.collected_at.is_none_or(|at| self.is_on(at.day()))
    }

    fn is_on(&self, day: Date) -> bool {
        self.from.is_none_or(|first| first <= day) && self.to.is_none_or(|last| day <= last)
    }

    /// What it asks for of donations that are taken from a day on; nothing where it is over by then.
    pub(super) fn since(self, day: Date) -> Option<Self> {
        let from = Some(self.from.map_or(day, |from| from.max(day)));
        self.to.is_none_or(|to| day <= to).then_some(Self { from, ..self })
    }

    /// Whether every donation that `other` asks about is asked about here too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let who = self.who == Who::Every || other.who == Who::FirstTime;
        let from = self.from.is_none_or(|own| other.from.is_some_and(|theirs| own <= theirs));
        let to = self.to.is_none_or(|own| other.to.is_some_and(|theirs| own >= theirs));
        self.what == other.what && who && from && to
    }
}

impl Local {
    /// As one of the markers that are asked for; nothing where its marker cannot be.
    pub(crate) fn asked(&self) -> Option<Asked<'_>> {
        let Self { marker, from, to, who, order } = self;
        let order = Some(order.as_str());
        What::of(*marker).map(|what| Asked { what, who: *who, from: *from, to: *to, order })
    }

    /// In a few words of no language: `anti-malaria 2026-05-01/2026-10-31 first_time (ORDER)`.
    pub(super) fn said(&self) -> String {
        let Self { marker, from, to, who, order } = self;
        let day = |day: &Option<Date>| day.map_or_else(|| "..".to_owned(), |day| day.to_string());
        let who = match who {
            Who::Every => "every",
            Who::FirstTime => "first_time",
        };
        format!("{marker} {}/{} {who} ({order})", day(from), day(to))
    }
}

impl Settings {
    /// Every marker that is asked for beside those with a strategy: switches first, then further targets, then orders.
    pub(crate) fn asked(&self) -> impl Iterator<Item = Asked<'_>> {
        let always = |what, who| Asked { what, who, from: None, to: None, order: None };
        let core = self.tests.anti_hbc.as_ref().map_or(Switch::Off, |switch| switch.value);
        let switches = [(Marker::Htlv, self.tests.htlv.value), (Marker::AntiHbc, core)];
        let by_switch = switches
            .into_iter()
            .filter_map(move |(marker, switch)| Some(always(What::Reagent(marker), switch.who()?)));
        let further = self.nat.further.as_ref().map_or(&[][..], |further| further.value.as_slice());
        let targets = further.iter().map(move |virus| always(What::Target(*virus), Who::Every));
        by_switch.chain(targets).chain(self.local.iter().filter_map(Local::asked))
    }

    /// The days of collection from which on orders ask for something else than on the day before, but for the pack's first.
    pub(crate) fn days_of_orders(&self) -> Vec<Date> {
        let first = self.effective_from.value;
        let last = self.effective_to.as_ref().map(|last| last.value);
        let begins = self.local.iter().filter_map(|local| local.from);
        let ends = self.local.iter().filter_map(|local| local.to?.tomorrow().ok());
        let within = |day: &Date| *day > first && last.is_none_or(|last| *day <= last);
        let mut days: Vec<Date> = begins.chain(ends).filter(within).collect();
        days.sort_unstable();
        days.dedup();
        days
    }
}

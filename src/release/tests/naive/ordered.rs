//! The naive reading of §1.2, row "Others": what an authority orders, for whom, from one day to another.

use super::{Policy, State};
use release::evidence::Evidence;
use vocabulary::{Marker, Virus};

/// An order; days as they are written, which sort as they follow each other.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) marker: Marker,
    pub(crate) from: Option<&'static str>,
    pub(crate) to: Option<&'static str>,
    pub(crate) first_time_only: bool,
}

impl Order {
    fn is_for(&self, e: &Evidence) -> bool {
        let gave_before = e.donor.as_ref().is_some_and(|d| d.first_time == Some(false));
        if self.first_time_only && gave_before {
            return false;
        }
        let Some(given) = e.collected_at else { return true };
        let day: String = given.to_string().chars().take(10).collect();
        let too_soon = self.from.is_some_and(|first| day.as_str() < first);
        let too_late = self.to.is_some_and(|last| day.as_str() > last);
        !too_soon && !too_late
    }

    /// As the pack's file has it.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("[[local]]\nmarker = \"{}\"\norder = \"O\"\n", self.marker);
        for (key, day) in [("from", self.from), ("to", self.to)] {
            text += &day.map(|day| format!("{key} = \"{day}\"\n")).unwrap_or_default();
        }
        text + if self.first_time_only { "who = \"first_time\"\n" } else { "" }
    }
}

/// What may be ordered of one infection; the name is that of its verdict.
pub(crate) struct Infection {
    pub(crate) name: &'static str,
    pub(crate) virus: Virus,
    reagent: Option<Marker>,
    nat: Option<Marker>,
}

pub(crate) const INFECTIONS: [Infection; 7] = [
    of("HTLV", Virus::Htlv, Some(Marker::Htlv), None),
    of("anti-HBc", Virus::Hbv, Some(Marker::AntiHbc), None),
    of("malaria", Virus::Malaria, Some(Marker::AntiMalaria), Some(Marker::MalariaRna)),
    of("T.cruzi", Virus::TCruzi, Some(Marker::AntiTCruzi), None),
    of("HEV", Virus::Hev, None, Some(Marker::HevRna)),
    of("WNV", Virus::Wnv, None, Some(Marker::WnvRna)),
    of("Babesia", Virus::Babesia, None, Some(Marker::BabesiaRna)),
];

const fn of(name: &'static str, virus: Virus, reagent: Option<Marker>, nat: Option<Marker>) -> Infection {
    Infection { name, virus, reagent, nat }
}

fn ordered(e: &Evidence, policy: Policy, marker: Option<Marker>) -> bool {
    policy.orders.iter().any(|order| Some(order.marker) == marker && order.is_for(e))
}

impl Infection {
    /// Its reagent, where that is ordered or was used.
    pub(super) fn reagent_here(&self, e: &Evidence, policy: Policy) -> Option<Marker> {
        let used = || e.serology.iter().any(|s| Some(s.marker) == self.reagent);
        self.reagent.filter(|_| ordered(e, policy, self.reagent) || used())
    }

    pub(super) fn nat_here(&self, e: &Evidence, policy: Policy) -> bool {
        let named = || e.nat.iter().any(|r| r.target == Some(self.virus) || r.targets.contains(&self.virus));
        self.nat.is_some() && (ordered(e, policy, self.nat) || named())
    }

    /// Its unit; none where nobody asks for it and there is nothing of it.
    pub(super) fn unit(&self, policy: Policy, sero: Option<Vec<State>>, nat: Option<State>) -> Option<char> {
        if sero.is_none() && nat.is_none() {
            return None;
        }
        let mut all = sero.unwrap_or_default();
        all.extend(nat);
        // anti-HBc that no order ever asks for has no rule: reactive, a person looks at it.
        let no_rule =
            self.name == "anti-HBc" && !policy.orders.iter().any(|o| Some(o.marker) == self.reagent);
        let reactive = all.contains(&State::R);
        let negative = all.iter().all(|s| *s == State::Nr);
        Some(if reactive && !no_rule {
            'D'
        } else if negative {
            'P'
        } else {
            'H'
        })
    }
}

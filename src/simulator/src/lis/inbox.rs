//! What a LIS holds.

use hl7v2::{Index, Message};
use std::collections::BTreeMap;

/// A message that the LIS holds. Arrivals with equal content are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// OBR-3: the donation.
    pub donation: String,
    /// MSH-10 of each arrival, in order.
    pub control_ids: Vec<String>,
    /// The header segment of the first arrival, with its end.
    pub header: String,
    /// Everything after the header segment.
    pub content: String,
    /// Its place among all that arrived, from 1.
    pub first_arrival: u32,
}

/// How a message was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is held now, or was already.
    Held,
    /// It is no result message of a donation.
    Unreadable,
    /// No room.
    Full,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Tally {
    /// Messages that arrived, repetitions included.
    pub arrived: u32,
    /// Different messages held.
    pub held: u32,
    /// Arrivals whose content and control id were held already: sent again after a lost answer.
    pub repeated: u32,
    /// Arrivals with the content of a held message under another control id: sent twice, where once was due.
    pub duplicates: u32,
    /// Messages refused by the script.
    pub refused: u32,
    /// Messages that are no results of a donation.
    pub unreadable: u32,
}

/// The most different messages that are held; beyond it the LIS answers AE.
pub(super) const HELD_MAX: usize = 1_000_000;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    held: Vec<Held>,
    by_content: BTreeMap<(String, String), usize>,
    tally: Tally,
}

impl Inbox {
    /// A message arrived; says which one it is, counted from 1.
    pub(super) fn arrived(&mut self) -> u32 {
        self.tally.arrived = self.tally.arrived.saturating_add(1);
        self.tally.arrived
    }

    pub(super) fn refused(&mut self) {
        self.tally.refused += 1;
    }

    pub(super) fn take(&mut self, message: &Message<'_>) -> Taken {
        let Some((donation, control_id)) = identity(message) else {
            self.tally.unreadable += 1;
            return Taken::Unreadable;
        };
        let header_end = message.first("MSH").map_or(0, |msh| msh.terminator().end);
        let (header, content) = message.text().split_at_checked(header_end).unwrap_or_default();
        let (header, content) = (header.to_owned(), content.to_owned());
        let key = (donation.clone(), content.clone());
        if let Some(held) = self.by_content.get(&key).and_then(|at| self.held.get_mut(*at)) {
            let known = held.control_ids.contains(&control_id);
            self.tally.repeated += u32::from(known);
            self.tally.duplicates += u32::from(!known);
            held.control_ids.push(control_id);
            return Taken::Held;
        }
        if self.held.len() >= HELD_MAX {
            return Taken::Full;
        }
        self.by_content.insert(key, self.held.len());
        let first_arrival = self.tally.arrived;
        self.held.push(Held { donation, control_ids: vec![control_id], header, content, first_arrival });
        self.tally.held += 1;
        Taken::Held
    }

    pub(super) fn held(&self) -> &[Held] {
        &self.held
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }
}

/// Donation and control id of a result message.
fn identity(message: &Message<'_>) -> Option<(String, String)> {
    let header = message.first("MSH")?;
    let text = |segment: &hl7v2::Segment<'_>, n| segment.field(n).map(|f| f.text().into_owned());
    let kind = header.field(9).map(|f| f.raw().to_owned())?;
    if !kind.starts_with("ORU^R01") {
        return None;
    }
    let donation = text(&message.first("OBR")?, 3).filter(|d| !d.is_empty())?;
    Some((donation, text(&header, 10).filter(|id| !id.is_empty())?))
}

impl Held {
    /// OBX-5.1 of the result with this code in OBX-3.1.
    #[must_use]
    pub fn result(&self, code: &str) -> Option<String> {
        self.results().into_iter().find(|(c, _)| c == code).map(|(_, value)| value)
    }

    /// Every result: OBX-3.1 and OBX-5.1.
    #[must_use]
    pub fn results(&self) -> Vec<(String, String)> {
        let text = format!("{}{}", self.header, self.content);
        let mut index = Index::new();
        let message = index.read(&text);
        let first = |s: &hl7v2::Segment<'_>, n| {
            let component = s.field(n).and_then(|f| f.component(1));
            component.map(|c| c.text().into_owned()).unwrap_or_default()
        };
        message.named("OBX").map(|obx| (first(&obx, 3), first(&obx, 5))).collect()
    }
}

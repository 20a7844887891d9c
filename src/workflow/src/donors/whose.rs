//! Which registration of a donation stands, where its number was registered for two (R-GATE-09): two different people name
//! the same one, with a reason.
//!
//! ```text
//!  registered for A and B ──two people say B──► B's: what is known of A bars it no more, and A never gave it
//!   both bar it, it is       ◄──another one comes, or somebody says A──┘
//!   held, and is both's
//! ```

use super::checks::step;
use super::{Refused, donation, is_seen, text, write};
use crate::Settings;
use crate::batches::Agreed;
use crate::people::{Act, Actor};
use ledger::{DonorAct, Ledger, Registered, Seq, Told};
use serde::Serialize;
use std::fmt;
use vocabulary::{DonationId, DonationRegistration};

/// People whose words are taken on the registrations of one donation.
const PERSONS_MAX: usize = 20;

/// One registration of a donation, and who says that it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationSeen {
    /// Its entry.
    pub entry: Seq,
    /// The entry that said so again after people had said that another one stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<Seq>,
    /// What it says.
    pub registration: DonationRegistration,
    /// Who says that it stands; it takes two, and nobody who names another.
    pub said_by: Vec<String>,
}

/// The registrations of a donation whose number was registered for two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisteredTwice {
    /// SHA-256 of what it was registered as: who says which stands names it.
    pub seen: String,
    /// What it was registered as, oldest first.
    pub registrations: Vec<RegistrationSeen>,
    /// Registrations beyond those: while there are any, nobody says which stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<u32>,
    /// The entry whose registration stands by the word of two people.
    pub stands: Option<Seq>,
}

/// What a donation was registered as, where that leaves open whose it is, or did before two people settled it.
#[must_use]
pub fn registered_twice(registered: Option<&Registered>) -> Option<RegisteredTwice> {
    let registered =
        registered.filter(|known| known.settled().is_some() || known.contradicted().next().is_some())?;
    let seen = |told: &Told| RegistrationSeen {
        entry: told.entry,
        again: told.again,
        registration: told.registration.clone(),
        said_by: registered
            .words
            .iter()
            .filter(|word| word.stands == told.entry)
            .map(|word| word.done.by.clone())
            .collect(),
    };
    Some(RegisteredTwice {
        seen: registered.seen(),
        registrations: registered.told.iter().map(seen).collect(),
        more: (registered.untold > 0).then_some(registered.untold),
        stands: registered.settled(),
    })
}

fn now(ledger: &Ledger, donation: &DonationId) -> Result<Option<RegisteredTwice>, Refused> {
    Ok(registered_twice(ledger.state().registration_of(donation)?.as_ref()))
}

/// A registration, as a person names it who says that it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// Its entry.
    pub entry: u64,
    /// The hash of the registrations that the person saw, or how it begins: nothing is said where another one came meanwhile.
    pub seen: String,
}

/// Why nobody says which registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationRefused {
    /// The donation's number was registered for one only.
    Once(DonationId),
    /// It was registered as more things than people may choose from.
    Often(DonationId),
    /// No such entry registered the donation.
    NoSuch {
        /// The entry that was named.
        entry: u64,
        /// Its registrations, each its entry, its donor and when it was taken.
        there: Vec<String>,
    },
    /// The registrations are others than the person saw.
    Other {
        /// The hash that was given.
        seen: String,
        /// Its registrations, each its entry, its donor and when it was taken.
        there: Vec<String>,
    },
}

/// One of the two names under which registration of a donation's number stands. It holds for the registrations that were
/// seen: where one comes that says another thing than the one that was named, nobody has said anything, and the donation
/// holds for every donor that it was registered for. Who names another one later takes back what they said; while people name
/// different ones, none of them stands.
///
/// # Errors
/// [`Refused`]; [`RegistrationRefused::Once`], [`RegistrationRefused::Often`], [`RegistrationRefused::NoSuch`],
/// [`RegistrationRefused::Other`], [`Refused::SaidAlready`].
pub fn settle_registration(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, which): (&str, &Which),
    reason: &str,
) -> Result<Agreed, Refused> {
    actor.check(&ledger.state(), Act::SettleRegistration)?;
    let (donation, reason) = (donation(settings, given)?, text("reason", reason)?);
    let Some(there) = now(ledger, &donation)? else { return Err(RegistrationRefused::Once(donation).into()) };
    if there.more.is_some() {
        return Err(RegistrationRefused::Often(donation).into());
    }
    if !is_seen(&which.seen, &there.seen) {
        return Err(RegistrationRefused::Other { seen: which.seen.clone(), there: there.told() }.into());
    }
    let Some(named) = there.registrations.iter().find(|one| one.entry.get() == which.entry) else {
        return Err(RegistrationRefused::NoSuch { entry: which.entry, there: there.told() }.into());
    };
    let me = actor.user().as_str();
    if named.said_by.iter().any(|by| by == me) {
        return Err(Refused::SaidAlready);
    }
    if there.registrations.iter().flat_map(|one| &one.said_by).filter(|by| *by != me).count() >= PERSONS_MAX {
        return Err(Refused::TooMany { max: PERSONS_MAX });
    }
    let (entry, registrations) = (named.entry, there.seen);
    let act = DonorAct::RegistrationSettled { donation: donation.clone(), registrations, entry, reason };
    let written = write(ledger, actor, act)?;
    // Another one may have come, or another word, while this one was written: then it may be lost.
    let standing = now(ledger, &donation)?;
    let mine = |one: &&RegistrationSeen| one.entry == entry && one.said_by.iter().any(|by| by == me);
    if !standing.as_ref().is_some_and(|now| now.registrations.iter().any(|one| mine(&one))) {
        let (seen, there) = (which.seen.clone(), standing.map(|now| now.told()).unwrap_or_default());
        return Err(RegistrationRefused::Other { seen, there }.into());
    }
    Ok(step(written, standing.and_then(|now| now.stands) != Some(entry)))
}

impl RegisteredTwice {
    /// Each registration with its entry, for people.
    fn told(&self) -> Vec<String> {
        let told = |one: &RegistrationSeen| {
            let known = &one.registration;
            format!("{} donor {} {}", one.entry, known.donor.id, known.collected_at)
        };
        self.registrations.iter().map(told).collect()
    }
}

impl RegistrationRefused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Once(donation) => format!(
                "no two registrations of donation {donation} contradict each other; there is nothing to say of it"
            ),
            Self::Often(donation) => format!(
                "the number of donation {donation} was registered as more things than people may choose from; nothing opens it: \
                 discard it (hemogate batch discard)"
            ),
            Self::NoSuch { entry, there } => format!(
                "entry {entry} is no registration of the donation; these are (entry, donor, collected at): {}",
                there.join("; ")
            ),
            Self::Other { seen, there } => format!(
                "its registrations are not those of {seen:?}; these are there (entry, donor, collected at): {}; look at the \
                 donation again (hemogate donation show), and say so of what you see",
                there.join("; ")
            ),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Once(donation) => format!("献血{donation}没有相互矛盾的登记，无须确认"),
            Self::Often(donation) => format!(
                "献血{donation}相互矛盾的登记过多，无法确认以哪份为准；只能报废（hemogate batch discard）"
            ),
            Self::NoSuch { entry, there } => format!(
                "条目 {entry} 不是该献血的登记；现有登记（条目、献血者、采集时间）：{}",
                there.join("；")
            ),
            Self::Other { seen, there } => format!(
                "登记已不是{seen:?}所指；现有登记（条目、献血者、采集时间）：{}；请重新查看（hemogate donation show）后再确认",
                there.join("；")
            ),
        }
    }
}

impl fmt::Display for RegistrationRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for RegistrationRefused {}

impl From<RegistrationRefused> for Refused {
    fn from(why: RegistrationRefused) -> Self {
        Self::Registration(why)
    }
}

//! A profile that was read and checked.

mod builder;
mod dialect;
mod guards;
mod link;
mod meaning;
pub(crate) mod order_in;
mod orders;
pub(crate) mod pooling;
mod results;
pub(crate) mod rules;
#[cfg(test)]
mod tests;
mod whole;

#[cfg(test)]
pub(crate) use meaning::INTERPRETATIONS;
pub(crate) use results::own_record;
pub use whole::Name;

use crate::{
    catalogue::{Files, read_files},
    evidence::Evidence,
    fault::{Fault, Faults, ProfileErrors},
    link::LinkSettings,
    orders::{ORDERS_FOLDER, OrderRules},
    schema,
};
use builder::{Asked, Builder};
use rules::Rules;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::Path};
use vocabulary::{Marker, ProfileRef, Protocol};

/// The file of a profile that decides meaning; its SHA-256 is the revision.
pub(crate) const PROFILE_FILE: &str = "profile.toml";

/// What one analyser model means by its fields.
#[derive(Debug, Clone)]
pub struct Profile {
    reference: ProfileRef,
    protocol: Protocol,
    maker: Name,
    model: Name,
    link: LinkSettings,
    evidence: Evidence,
    open: Vec<Fault>,
    unsaid: Vec<Fault>,
    uncounted_guards: Option<u32>,
    content: Content,
    pub(crate) rules: Rules,
    pub(crate) orders: OrderRules,
}

/// What a revision is the hash of. A profile that is read from it again is the same revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `profile.toml`.
    pub text: String,
    /// The templates of its folder `orders`, by file name.
    pub templates: BTreeMap<String, String>,
}

/// Controls that a run must have shown, all of them, before its results are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredControls<'p> {
    /// Names as in `ControlReading::name`.
    pub names: Vec<&'p str>,
    /// A revision from before profiles had to say so names controls for the marker and requires none: which of them a run
    /// has to have shown is not known, and none of them can show it to be valid.
    pub unsaid: bool,
}

impl Profile {
    /// Reads `profile.toml` in a model's folder.
    ///
    /// # Errors
    /// Every fault, with file, line and the nearest known name.
    pub fn load(folder: &Path) -> Result<Self, ProfileErrors> {
        Self::load_as(Asked::Today, folder)
    }

    /// Reads a model's folder by the rules of its time, as [`Self::read_kept`] does: to tell which revision it is.
    ///
    /// # Errors
    /// Every fault that was one from the beginning, with file, line and the nearest known name.
    pub fn load_kept(folder: &Path) -> Result<Self, ProfileErrors> {
        Self::load_as(Asked::OfItsTime, folder)
    }

    fn load_as(asked: Asked, folder: &Path) -> Result<Self, ProfileErrors> {
        let file = folder.join(PROFILE_FILE);
        let name = file.display().to_string();
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let files = read_files(folder).map_err(|error| unreadable(&name, &error))?;
                Self::read_as(asked, (&name, &text), &templates_in(&files))
            }
            Err(error) => Err(unreadable(&name, &error)),
        }
    }

    /// Reads a profile without templates from its text; `file` is the name that faults carry.
    ///
    /// # Errors
    /// Every fault, with file, line and the nearest known name.
    pub fn read(file: &str, text: &str) -> Result<Self, ProfileErrors> {
        Self::read_with(file, text, &BTreeMap::new())
    }

    /// Reads a profile from its text and the templates beside it, by their file names in the folder `orders`.
    ///
    /// # Errors
    /// Every fault, with file, line and the nearest known name.
    pub fn read_with(
        file: &str,
        text: &str,
        templates: &BTreeMap<String, String>,
    ) -> Result<Self, ProfileErrors> {
        Self::read_as(Asked::Today, (file, text), templates)
    }

    /// Reads a revision that a ledger keeps, as it was read when it was installed: what was asked of profiles only later is
    /// not asked of it, and what is missing of that ([`Self::unsaid`]) reads as it did then, so that a message can be read
    /// again years later and come out the same (laws 4 and 10). What it requires of controls is never less than it was:
    /// [`Self::required_controls`]. Nothing that is to be installed or activated may be read so.
    ///
    /// # Errors
    /// Every fault that was one from the beginning, with file, line and the nearest known name.
    pub fn read_kept(
        file: &str,
        text: &str,
        templates: &BTreeMap<String, String>,
    ) -> Result<Self, ProfileErrors> {
        Self::read_as(Asked::OfItsTime, (file, text), templates)
    }

    fn read_as(
        asked: Asked,
        (file, text): (&str, &str),
        templates: &BTreeMap<String, String>,
    ) -> Result<Self, ProfileErrors> {
        let mut faults = Faults::new(file, text);
        let Some(document) = schema::read(text, &mut faults) else { return faults.into_result(None) };
        Self::made_of(asked, &document, text, templates, faults)
    }

    /// A profile of a file whose tree was parsed before, for tests that read it again and again with something taken away.
    #[cfg(test)]
    pub(crate) fn of_tree(
        text: &str,
        tree: toml::Spanned<toml::de::DeTable<'_>>,
    ) -> Result<Self, ProfileErrors> {
        let faults = Faults::new(PROFILE_FILE, text);
        match schema::read_tree(tree) {
            Some(document) => Self::made_of(Asked::Today, &document, text, &BTreeMap::new(), faults),
            None => faults.into_result(None),
        }
    }

    fn made_of(
        asked: Asked,
        document: &schema::Document,
        text: &str,
        templates: &BTreeMap<String, String>,
        mut faults: Faults<'_>,
    ) -> Result<Self, ProfileErrors> {
        let Some(protocol) = document.protocol.as_ref().map(|protocol| *protocol.get_ref()) else {
            faults.add(&(0..0), "missing `protocol`: lis02, hl7v2 or delimited");
            return faults.into_result(None);
        };
        let parts = Builder::new(protocol, &mut faults, templates, asked).parts(document);
        let (open, unsaid) = (faults.take_open(), faults.take_unsaid());
        let profile = parts.map(|parts| Self {
            open,
            unsaid,
            uncounted_guards: document.uncounted_guards(),
            reference: ProfileRef { id: parts.id, revision: revision(text, templates) },
            protocol,
            maker: parts.maker,
            model: parts.model,
            link: parts.link,
            evidence: parts.evidence,
            content: Content { text: text.to_owned(), templates: templates.clone() },
            rules: parts.rules,
            orders: parts.orders,
        });
        faults.into_result(profile)
    }

    /// Its id and revision.
    #[must_use]
    pub fn reference(&self) -> &ProfileRef {
        &self.reference
    }

    /// What its revision is the hash of.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The wire format of its messages.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The maker's name.
    #[must_use]
    pub fn maker(&self) -> &Name {
        &self.maker
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &Name {
        &self.model
    }

    /// How it is connected.
    #[must_use]
    pub fn link(&self) -> &LinkSettings {
        &self.link
    }

    /// An index for messages that are laid out as this model has them.
    pub(crate) fn hl7_index(&self) -> hl7v2::Index {
        match &self.link {
            LinkSettings::Mllp(settings) => hl7v2::Index::of(settings.dialect.clone()),
            LinkSettings::Lis01(_)
            | LinkSettings::Unframed(_)
            | LinkSettings::PkBlocks(_)
            | LinkSettings::Directory(_) => hl7v2::Index::new(),
        }
    }

    /// Whether a line that was started with `other` runs as this one has it: as far as can be told, framing, answers and
    /// orders are the same, and only what results mean may differ.
    #[must_use]
    pub fn is_run_like(&self, other: &Self) -> bool {
        let orders =
            |profile: &Self| profile.asks() || profile.reads_orders() || profile.can_take_orders_unasked();
        self.link == other.link
            && self.protocol == other.protocol
            && self.characters() == other.characters()
            && !orders(self)
            && !orders(other)
    }

    /// The character set that it lays down for every message, whatever a message declares.
    #[must_use]
    pub fn characters(&self) -> Option<character_sets::CharacterSet> {
        self.rules.characters.always
    }

    /// What it rests on.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What its author has still to say, with file and line: codes, texts and how controls are told from donors. What
    /// is open is held.
    #[must_use]
    pub fn open_points(&self) -> &[Fault] {
        &self.open
    }

    /// How many guards it has, where it does not say so itself (`guards` in `[evidence]`): one that is lost goes unnoticed.
    #[must_use]
    pub fn uncounted_guards(&self) -> Option<u32> {
        self.uncounted_guards
    }

    /// What this release asks of a profile and this revision does not say, with line, since it is of another time. Only of
    /// one that a ledger keeps ([`Self::read_kept`]): it reads on as it did, and may not be activated anew.
    #[must_use]
    pub fn unsaid(&self) -> &[Fault] {
        &self.unsaid
    }

    /// Whether it reads results; else it is a dialect of orders alone, and messages with results are quarantined.
    #[must_use]
    pub fn reads_results(&self) -> bool {
        self.rules.reads_results
    }

    /// Whether its messages place orders.
    #[must_use]
    pub fn reads_orders(&self) -> bool {
        self.rules.order_in.is_some()
    }

    /// Whether its messages say whose material went into which pool.
    #[must_use]
    pub fn reads_poolings(&self) -> bool {
        self.rules.pooling.is_some()
    }

    /// The assays it knows, each with its marker, in the order of the profile.
    pub fn assays(&self) -> impl Iterator<Item = (Marker, &str)> {
        self.rules.tests.iter().filter_map(|test| match &test.body {
            rules::TestBody::Measures(measured) => Some((measured.marker, measured.assay.as_str())),
            rules::TestBody::Aside(_) => None,
        })
    }

    /// The controls a run must have shown for results of `marker`. Empty when the profile asks for none: then
    /// nothing in the analyser's own messages can show a run of it to be valid. A revision of another time requires those
    /// that it says, and each that it names and of which it does not say that runs are valid without it.
    #[must_use]
    pub fn required_controls(&self, marker: Marker) -> RequiredControls<'_> {
        let run = &self.rules.run;
        let mut names = rules::names_for(&run.requires, marker);
        // Of what is not said the stricter is taken: all of them.
        let spared_by_nothing = rules::names_for(&run.unsaid, marker);
        let unsaid = names.is_empty() && !spared_by_nothing.is_empty();
        names.extend(spared_by_nothing);
        names.sort_unstable();
        names.dedup();
        RequiredControls { names, unsaid }
    }
}

/// The templates among the files of a folder.
pub(crate) fn templates_in(files: &Files) -> BTreeMap<String, String> {
    let folder = format!("{ORDERS_FOLDER}/");
    let templates = files.iter().filter_map(|(name, bytes)| {
        Some((name.strip_prefix(&folder)?.to_owned(), String::from_utf8_lossy(bytes).into_owned()))
    });
    templates.collect()
}

fn unreadable(file: &str, error: &std::io::Error) -> ProfileErrors {
    let what = format!("the file cannot be read: {error}");
    ProfileErrors { faults: vec![Fault { file: file.to_owned(), line: 1, column: 1, what, nearest: None }] }
}

/// SHA-256 of the text, and of every template with its name: what an answer says is as much a part of a revision as
/// what a result means (law 10). Line ends do not count, so that a checkout on another system is the same revision.
fn revision(text: &str, templates: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    let mut lines = |text: &str| {
        for line in text.lines() {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
    };
    lines(text);
    for (name, text) in templates {
        // A form feed begins no line of a profile.
        lines(&format!("\u{c}{name}"));
        lines(text);
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        for half in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(half), 16));
        }
    }
    hex
}

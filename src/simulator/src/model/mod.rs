//! An analyser model as data: what it measures, under which codes, and how it writes a message.
//!
//! A catalogue entry carries `simulation.toml` and templates beside its profile; the caller reads the files and
//! hands over their text. Nothing here knows a maker.
//!
//! # `simulation.toml`
//!
//! ```toml
//! duties = ["serology-first"]      # parts it can play: serology-first, serology-second, nat, grouping-first,
//!                                  # grouping-second, chemistry
//! demonstrated = true              # chosen before others for the demonstration; default false
//! protocol = "lis02"               # lis02 (over LIS01), hl7v2 (over MLLP), delimited (a file in a directory)
//! message = "test"                 # what one message holds: a test, a specimen, or a whole run with its controls
//! messages_per_transfer = 10       # lis02: this many messages in one transfer; default 1
//! encoding = "UTF-8"               # default UTF-8; any name that character-sets knows
//! file_name = "{{ run.id }}.csv"   # delimited: a template, with the context below
//! line_end = "crlf"                # delimited only: crlf (default) or lf. Records and segments end with CR
//!
//! [templates]
//! results = "results.jinja"        # in the folder simulation/
//! controls = "controls.jinja"      # default: as results
//! question = "question.jinja"      # optional: what to do with specimens[0]; without it the model asks nothing
//!
//! [instrument]                     # anything; templates read it as instrument.serial and so on
//! serial = "SIM0001"
//!
//! [texts]                          # anything; templates read it as texts.reactive, or as result.text
//! reactive = "Reactive"
//! non_reactive = "Nonreactive"
//!
//! [[assay]]                        # one for each test code. A marker may come twice: replicate 2 takes the second
//! marker = "HBsAg"                 # one of vocabulary's markers
//! code = "11"
//! cutoff = "0.105"                 # optional: result.od = index × cutoff
//! signal_cutoff = "1250"           # optional: result.signal = index × signal_cutoff, a whole number
//! lot = "51104LI00"                # optional, with expires = "YYYYMMDD" (or 14 digits): a lot that messages
//!                                  # name; also in [[control]]
//! name = "HBsAg"                   # this and anything more: result.assay.name
//!
//! [[control]]                      # one for each control material
//! name = "positive"                # this and anything more: specimen.control.name
//! reads = { HBsAg = "reactive" }   # what it has to read: reactive, non_reactive, positive, negative, valid,
//!                                  # or a number in U/L
//! [[lot]]                          # a lot that belongs to none of them: role (reagent), lot, expires, name, anything
//! lot = "MO10-77"
//!
//! [unmapped]                       # the test that no profile maps, once a day; needed by chemistry only.
//! marker = "ALT"                   # keys as in [[assay]]; the marker only says what kind of value it has
//! code = "9999"
//! ```
//!
//! # What templates see
//!
//! A line of the rendered text is a record, a segment or a row; empty lines are dropped, blanks at both ends of a
//! line too. Undefined names are errors.
//!
//! - `control_id`: unique on the connection, 14 characters; `sequence`: counts messages from 1;
//!   `sent_at`: `YYYYMMDDHHMMSS`; `utc_offset`: `+0800`; `duty`; `kind`: `results`, `controls` or `question`;
//! - `run.id`, `run.number`, `run.started_at`; `instrument.*`; `texts.*`; `lots`: list of `[[lot]]`;
//! - `specimens`: list of `id` (empty on controls), `kind` (`patient`, `control`), `control.*` (on controls),
//!   `position` (counts from 1 in the run), `summary.abo` (`O`, `A`, `B`, `AB` or none when the columns disagree),
//!   `summary.rhd` (`positive`, `negative` or none), and `results`: list of
//!   - `marker`, `code`, `assay.*`, `replicate` (from 1), `position`, `well` (`A1`, `B1` … down the columns),
//!     `completed_at`; `corrected`: true where it takes the place of what was sent before;
//!   - `interpretation`: `reactive`, `non_reactive`, `positive`, `negative`, `valid`, `invalid` or none;
//!     `text`: `texts[interpretation]`, or none;
//!   - `value`: the plain number or grade, none without one; `index` (S/CO), `od`, `cutoff`, `signal`, `ct`,
//!     `control_ct`, `grade` (`0`, `w`, `1+` … `4+`, with ` mf`), `activity` (U/L): each none where it does not apply.
//!
//! `test` messages hold one specimen with one result. A control that fails reads the opposite of what it has to.
//! Filters beside minijinja's own: `time("%Y-%m-%d %H:%M:%S")` for 14 or 8 digits, and `esc`, which escapes
//! the delimiters that the header of its template names.

mod context;
mod file;
mod found;
mod messages;
mod render;

use file::{ControlReads, SimulationFile};

pub use messages::{Outgoing, OutgoingKind};
pub use render::RenderError;

use crate::scenario::Duty;
use character_sets::CharacterSet;
use std::collections::BTreeMap;
use vocabulary::{LotUse, Marker, Protocol};

/// An analyser model, checked: it can play its duties, and its templates compile.
#[derive(Debug)]
pub struct Model {
    id: String,
    file: SimulationFile,
    encoding: CharacterSet,
    lots: Vec<LotUse>,
    templates: render::Templates,
}

/// Why a model cannot be simulated: what is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not as the reference says.
    #[error("{model}/simulation.toml: {source}")]
    File {
        /// `maker/model`.
        model: String,
        /// With line and column.
        source: Box<toml::de::Error>,
    },
    /// A duty that it cannot do.
    #[error("{model}/simulation.toml: duty {duty} needs an [[assay]] for marker {marker}")]
    LacksAssay {
        /// `maker/model`.
        model: String,
        /// The duty.
        duty: &'static str,
        /// What it does not measure.
        marker: Marker,
    },
    /// Something that this kind of model needs.
    #[error("{model}/simulation.toml: {what}")]
    Lacks {
        /// `maker/model`.
        model: String,
        /// What, and what to do.
        what: String,
    },
    /// A template that is not there or does not compile.
    #[error("{model}/simulation: {source}")]
    Template {
        /// `maker/model`.
        model: String,
        /// With name and line.
        source: Box<minijinja::Error>,
    },
}

impl Model {
    /// Reads and checks a model. `templates` maps each file name in the folder `simulation/` to its text.
    ///
    /// # Errors
    /// [`ModelError`] when the file is not as the reference says, a template is missing or does not compile, or a
    /// duty needs a test that the model does not have.
    pub fn new(
        id: &str,
        simulation_toml: &str,
        templates: &BTreeMap<String, String>,
    ) -> Result<Self, ModelError> {
        let model = || id.to_owned();
        let file: SimulationFile = toml::from_str(simulation_toml)
            .map_err(|e| ModelError::File { model: model(), source: Box::new(e) })?;
        for duty in &file.duties {
            let lacking = duty.markers().iter().find(|m| !file.assays.iter().any(|a| a.marker == **m));
            if let Some(marker) = lacking {
                return Err(ModelError::LacksAssay { model: model(), duty: duty.name(), marker: *marker });
            }
        }
        let encoding = CharacterSet::from_name(&file.encoding);
        let lacks = |what: String| ModelError::Lacks { model: model(), what };
        let encoding = encoding.ok_or_else(|| lacks(format!("unknown encoding {:?}", file.encoding)))?;
        if file.protocol == Protocol::Delimited && file.file_name.is_none() {
            return Err(lacks("a delimited model needs file_name".to_owned()));
        }
        if file.duties.contains(&Duty::Chemistry) && file.unmapped.is_none() {
            return Err(lacks("a chemistry model needs [unmapped]".to_owned()));
        }
        let lots = file.lot_uses().map_err(lacks)?;
        let templates = render::Templates::new(&file, templates)
            .map_err(|e| ModelError::Template { model: model(), source: Box::new(e) })?;
        Ok(Self { id: model(), file, encoding, lots, templates })
    }

    /// `maker/model`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The parts it can play.
    #[must_use]
    pub fn duties(&self) -> &[Duty] {
        &self.file.duties
    }

    /// Whether the demonstration chooses it before other models that can play the same part.
    #[must_use]
    pub fn is_demonstrated(&self) -> bool {
        self.file.demonstrated
    }

    /// The wire format of its messages.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.file.protocol
    }

    /// Every lot that its messages name, for a laboratory's register.
    #[must_use]
    pub fn lots(&self) -> &[LotUse] {
        &self.lots
    }

    /// How many messages it puts in one LIS01 transfer.
    #[must_use]
    pub fn messages_per_transfer(&self) -> usize {
        usize::from(self.file.messages_per_transfer.get())
    }
}

#[cfg(test)]
pub(crate) mod tests;

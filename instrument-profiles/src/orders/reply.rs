//! What an analyser says to an order.

use super::rules::{ReplyRules, StepRules};
use crate::{
    interpret::Look,
    message::{self, Cursor, Document},
    path::Path,
    profile::Profile,
    schema,
};
use vocabulary::Protocol;

/// Its answer to one message of ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OrderAnswer {
    /// Whether it took the message.
    pub accepted: bool,
    /// Its own words, for people.
    pub text: String,
    /// What it said of single work steps.
    pub steps: Vec<StepAnswer>,
}

/// Its answer to one work step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StepAnswer {
    /// The step, as [`Step::id`](super::Step::id) named it; empty where the answer names none.
    pub step: String,
    /// What became of it; `None`: the profile does not know these words.
    pub meaning: Option<StepMeaning>,
    /// Its own words.
    pub text: String,
}

/// What became of a work step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepMeaning {
    /// It will do it.
    Accepted,
    /// It will not.
    Refused,
    /// It has taken it off its list.
    Cancelled,
    /// It could not.
    NotCancelled,
}

impl Profile {
    /// What an answer to an order says. Without `[reply]`, and where nothing can be read, it is not taken.
    #[must_use]
    pub fn order_answer(&self, raw: &[u8]) -> OrderAnswer {
        let decoded = self.decode(raw);
        let unread = || OrderAnswer {
            accepted: false,
            text: "the answer cannot be read".to_owned(),
            steps: Vec::new(),
        };
        match (&self.orders.reply, self.protocol()) {
            (Some(rules), Protocol::Hl7v2) => {
                let mut index = self.hl7_index();
                self.answer_in(rules, &message::read_hl7(&index.read(&decoded.text)))
            }
            (Some(rules), Protocol::Lis02) => {
                let mut index = lis02::Index::new();
                self.answer_in(rules, &message::read_lis02(&index.read(&decoded.text)))
            }
            (Some(_), Protocol::Delimited | Protocol::PkBlocks) | (None, _) => unread(),
        }
    }

    /// Whether a message answers an order.
    pub(crate) fn is_order_answer(&self, look: Look<'_>) -> bool {
        let rules = self.orders.reply.as_ref();
        rules.is_some_and(|rules| !rules.when.is_empty() && look.holds(Cursor::at(0), &rules.when))
    }

    fn answer_in(&self, rules: &ReplyRules, document: &Document<'_>) -> OrderAnswer {
        let look = Look { document, rules: &self.rules };
        let any = |path: &Path| match path {
            Path::Field(path) => {
                document.first(path).map(|piece| piece.text.into_owned()).unwrap_or_default()
            }
            Path::Column(_) | Path::Plate | Path::Specimen => String::new(),
        };
        let code = any(&rules.code);
        let mut words = vec![code.clone()];
        words.extend(rules.text.iter().map(any).filter(|text| !text.is_empty()));
        let steps = rules.step.as_ref().map_or_else(Vec::new, |step| steps(step, look));
        OrderAnswer { accepted: rules.accepted.contains(&code), text: words.join(" "), steps }
    }
}

/// Each record of a step with its status, and then each status that stands without such a record: in ORL^O34, OBR is
/// optional, and an order that is refused may have its ORC alone.
fn steps(rules: &StepRules, look: Look<'_>) -> Vec<StepAnswer> {
    let all = |name: &str| {
        let nodes = look.document.nodes.iter().enumerate();
        let of_name = nodes.filter(|(_, node)| node.name.is(name));
        of_name.map(|(at, _)| Cursor::at(at)).collect::<Vec<_>>()
    };
    let status = |path: &Path| match path {
        Path::Field(path) => Some(path.record.clone()),
        Path::Column(_) | Path::Plate | Path::Specimen => None,
    };
    let status = rules.status.iter().find_map(status);
    let records = all(&rules.record);
    let said: Vec<usize> = status
        .iter()
        .flat_map(|path| records.iter().map(move |at| (at, path)))
        .filter_map(|(at, path)| look.document.find(*at, path))
        .collect();
    let alone = status.map_or_else(Vec::new, |path| all(&path.name));
    let alone = alone.into_iter().filter(|at| !records.contains(at) && !said.contains(&at.node));
    let named = records.iter().map(|at| (look.text(*at, &rules.step).into_owned(), *at));
    let answers = named.chain(alone.map(|at| (String::new(), at))).map(|(step, cursor)| {
        let texts = rules.status.iter().map(|path| look.text(cursor, path));
        let text = texts.collect::<Vec<_>>().join(" ");
        let meaning = rules.meanings.get(text.trim()).map(|step| match step {
            schema::Step::Accepted => StepMeaning::Accepted,
            schema::Step::Refused => StepMeaning::Refused,
            schema::Step::Cancelled => StepMeaning::Cancelled,
            schema::Step::NotCancelled => StepMeaning::NotCancelled,
        });
        StepAnswer { step, meaning, text }
    });
    answers.collect()
}

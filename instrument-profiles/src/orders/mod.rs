//! Orders in an analyser's own words: what it asks, what it is answered, what it is sent, and what it says to that.
//!
//! ```text
//!  raw ──query──► Query ──(whoever keeps the orders)──► Outcome ──answer──► Written: direct + messages
//!                                                 Orders ──order──► messages
//!  raw ──order_answer──► OrderAnswer: taken or not, step by step
//!  raw ──orders_in──► OrderWish … ──(the same)──► Taken ──answer_orders──► Written
//! ```
//! The words are data: places and conditions in `profile.toml`, the messages themselves as templates in `orders/`.
//! Pure and total, as interpretation is: no clock, no store; the time and the control ids are arguments.

mod context;
mod delimiters;
mod question;
mod reply;
mod rules;
mod taken;
mod templates;
mod trial;
mod write;

pub(crate) use delimiters::Delimiters;
pub(crate) use rules::{
    AnswerRule, AnswerRules, OrderOutRules, OrderRules, Orderable, QueryRules, ReplyRules, StepRules, Writing,
};
pub(crate) use taken::TakenRules;
pub(crate) use templates::Templates;
pub(crate) use trial::try_templates;

pub use question::{AskedSpecimen, Query, QueryKind};
pub use reply::{OrderAnswer, StepAnswer, StepMeaning};
pub use taken::{JudgedOrder, NotTaken, Taken};
pub use write::{
    Covers, ForSpecimen, Host, OrderMessage, OrderPart, Outcome, Stamp, Step, WriteError, Written,
};

/// The folder beside `profile.toml` that holds the templates.
pub(crate) const ORDERS_FOLDER: &str = "orders";

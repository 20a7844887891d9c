//! Neutral: nobody has the line.

use super::{Context, Establishing, Receiving, State};
use crate::control::ENQ;
use crate::event::AnomalyKind;
use memchr::memchr;

#[derive(Debug)]
pub(crate) struct Neutral;

impl Neutral {
    /// Everything but ENQ is ignored, and counted.
    #[expect(clippy::unused_self, reason = "the state is used up, as every state is")]
    pub(super) fn read(self, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        let Some((noise, behind)) = memchr(ENQ, bytes).and_then(|at| bytes.split_at_checked(at)) else {
            cx.ignore(AnomalyKind::Noise, cx.at, bytes);
            return (State::Neutral(Self), bytes.len());
        };
        cx.ignore(AnomalyKind::Noise, cx.at, noise);
        let behind = behind.get(1..).unwrap_or_default();
        (Receiving::open(behind, cx), noise.len() + 1)
    }

    /// Asks for the line if there is something to send and no pause runs.
    pub(crate) fn ask(self, cx: &mut Context<'_>) -> State {
        if cx.shared.pause.is_some_and(|pause| !pause.is_over(cx.now)) {
            return State::Neutral(self);
        }
        cx.shared.pause = None;
        match cx.shared.outgoing.take() {
            Some(transfer) => Establishing::begin(transfer, cx),
            None => State::Neutral(self),
        }
    }
}

//! Neutral: nobody has the line.

use super::{Context, Establishing, Receiving, State};
use crate::control::{CR, ENQ, EOT, LF};
use crate::event::AnomalyKind;
use memchr::memchr;

#[derive(Debug)]
pub(crate) struct Neutral;

impl Neutral {
    /// Everything but ENQ is ignored, and counted; but EOT again right behind the end of a transfer is answered, where
    /// EOT is.
    pub(super) fn read(self, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        if cx.shared.ended_by_eot {
            match bytes.split_first() {
                Some((&EOT, behind)) => {
                    cx.answer_end(behind);
                    return (State::Neutral(self), 1);
                }
                Some((&(CR | LF), _)) => return (State::Neutral(self), 1),
                Some(_) | None => cx.shared.ended_by_eot = false,
            }
        }
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

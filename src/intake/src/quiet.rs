//! An analyser that says nothing for longer than it should: people are told, once; its line is never closed for it.

use crate::{board::Board, trace::Traced};
use std::{convert::Infallible, future::pending, time::Duration};
use vocabulary::ConnectionId;

/// How often it is looked whether a line is silent: a tenth of the limit, within these.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Watches one connection for as long as it is served.
pub(crate) async fn watch(board: &Board, id: &ConnectionId, limit: Option<Duration>) -> Infallible {
    let Some(limit) = limit else { return pending().await };
    let pause = (limit / 10).clamp(LOOK_AGAIN.0, LOOK_AGAIN.1);
    let mut told = false;
    loop {
        tokio::time::sleep(pause).await;
        let silent = board.standing(id).is_some_and(|standing| standing.silent);
        if silent && !told {
            tracing::warn!(connection = %id, ?limit, "the analyser says nothing; is it on, and has it work?");
            board.trace(id).note(0, Traced::Noted { what: format!("nothing has come for {limit:?}") });
        } else if told && !silent {
            tracing::info!(connection = %id, "the analyser is heard again");
        }
        told = silent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Said, board::Activity};

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_once_and_again_after_the_analyser_was_heard() {
        let board = Board::default();
        let id = ConnectionId::new("a").unwrap();
        board.stand(&id, Activity::Listening, Said::default(), String::new());
        let notes = || board.trace(&id).since(0).events.len();
        let limit = Duration::from_secs(5);
        let during = async {
            board.note(&id, |s| s.warn_when_silent_s = Some(5));
            for (last_bytes_ms, expect) in [(u64::MAX, 0), (0, 1), (u64::MAX, 1), (0, 2)] {
                board.note(&id, |s| s.last_bytes_ms = last_bytes_ms);
                tokio::time::sleep(Duration::from_mins(1)).await;
                assert_eq!(notes(), expect);
            }
        };
        tokio::select! {
            never = watch(&board, &id, Some(limit)) => match never {},
            () = during => {}
        }
    }
}

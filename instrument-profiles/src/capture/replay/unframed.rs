//! Records without a link.

use super::{Played, begin};
use crate::{
    capture::dialogue::{Dialogue, Speaker},
    link::UnframedSettings,
};
use std::{collections::BTreeSet, time::Duration};

/// Records without a link: whole messages, and nothing that is half of one.
pub(super) fn replay(dialogue: &Dialogue, settings: &UnframedSettings) -> Result<Played, Vec<String>> {
    let (mut stream, begin) = (lis02::Unframed::new(settings.config()), begin());
    let (mut messages, mut faults) = (Vec::new(), Vec::new());
    let mut take = |stream: &mut lis02::Unframed, line: usize| {
        while let Some(event) = stream.poll_event() {
            match event {
                lis02::UnframedEvent::Message(bytes) => messages.push(bytes),
                lis02::UnframedEvent::Half { why, .. } => {
                    faults.push(format!("line {line}: half a message: {why}"));
                }
                lis02::UnframedEvent::Skipped { .. } => {}
            }
        }
    };
    for turn in &dialogue.turns {
        if turn.speaker == Speaker::Desk {
            // What would leave is the plain message; no capture of such a line shows one yet.
            return Err(vec![format!("line {}: a capture of this link cannot send", turn.line)]);
        }
        let now = begin + Duration::from_millis(turn.at_ms);
        stream.handle_timeout(now);
        take(&mut stream, turn.line);
        let mut rest = turn.bytes.as_slice();
        while turn.speaker == Speaker::Analyser && !rest.is_empty() {
            let taken = stream.handle_input(rest, now);
            rest = rest.get(taken..).unwrap_or_default();
            take(&mut stream, turn.line);
        }
        if turn.speaker == Speaker::Host {
            take(&mut stream, turn.line);
        }
    }
    stream.handle_disconnect(true);
    take(&mut stream, dialogue.turns.last().map_or(0, |turn| turn.line));
    if faults.is_empty() { Ok(Played { messages, used: BTreeSet::new() }) } else { Err(faults) }
}

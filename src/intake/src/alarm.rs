//! The runtime's clock, and a timer that is set for every frame and hardly ever rings.

use std::{future::pending, pin::Pin};
use tokio::time::{Instant, Sleep, sleep_until};

/// The runtime's clock, which tests can hold, as the link machines take it.
pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// Deadlines that move later with every frame would take a timer out of the runtime's wheel and put it in again each
/// time. This one stays where it is while it is early, and moves when it rings too soon.
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// Rings at `at`, or at once when that has passed; never when there is none. May be dropped and asked again.
    pub(crate) async fn rings(&mut self, at: Option<Instant>) {
        let Some(at) = at else { return pending().await };
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() > at {
            sleep.as_mut().reset(at);
        }
        while Instant::now() < at {
            if sleep.is_elapsed() {
                sleep.as_mut().reset(at);
            }
            sleep.as_mut().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Asks for these deadlines one after another, `after` each other, and says when it rang for the last.
    async fn rang(deadlines: &[u64], after: u64) -> Duration {
        let begun = Instant::now();
        let mut alarm = Alarm::new();
        let at = |ms: u64| Some(begun + Duration::from_millis(ms));
        let (last, earlier) = deadlines.split_last().unwrap();
        for ms in earlier {
            let turned_away = tokio::time::timeout(Duration::from_millis(after), alarm.rings(at(*ms))).await;
            assert!(turned_away.is_err(), "{deadlines:?}: {ms} rang early");
        }
        alarm.rings(at(*last)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_rings_for_the_deadline_it_was_asked_for_last() {
        for (deadlines, after, expect) in [
            (vec![100], 0, 100),
            (vec![100, 300], 10, 300),
            (vec![300, 100], 10, 100),
            (vec![100, 200, 300, 50], 10, 50),
            (vec![100, 120, 140, 160, 180], 30, 180),
            (vec![500, 5], 10, 10),
        ] {
            let took = rang(&deadlines, after).await;
            assert_eq!(took.as_millis(), expect, "{deadlines:?} asked for every {after} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_it_never_rings() {
        let hour = Duration::from_hours(1);
        assert!(tokio::time::timeout(hour, Alarm::new().rings(None)).await.is_err());
    }
}

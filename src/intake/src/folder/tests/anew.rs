//! The same content once more, where it is news.

use super::rows::{
    Step::{self, Irregular, Look, Messages, Rename, Restart, RestartAs, RestartForOrders, Taken, Write},
    check,
};
use crate::Irregularity;
use vocabulary::Mode;

const ANEW: &[(&str, &[Step])] = &[
    (
        "taken in qualification, given again in production",
        &[
            RestartAs(Mode::Qualification, "0"),
            Write("a.csv", "1"),
            Look(4),
            RestartAs(Mode::Production, "0"),
            Rename("taken/a.csv", "a.csv"),
            Look(4),
            Messages(&["1", "1"]),
            Irregular(Irregularity::Repeated, 0),
            Write("b.csv", "1"),
            Look(4),
            Messages(&["1", "1"]),
            Irregular(Irregularity::Repeated, 1),
        ],
    ),
    (
        "given again when the profile was mended",
        &[
            Write("a.csv", "1"),
            Look(4),
            RestartAs(Mode::Production, "1"),
            Rename("taken/a.csv", "a.csv"),
            Look(4),
            Messages(&["1", "1"]),
            Restart,
            Rename("taken/a.csv", "a.csv"),
            Look(4),
            Messages(&["1", "1"]),
            Irregular(Irregularity::Repeated, 1),
        ],
    ),
    (
        "what listening left lying is no news to production",
        &[
            RestartAs(Mode::ListenOnly, "0"),
            Write("a.csv", "1"),
            Look(4),
            RestartAs(Mode::ListenOnly, "1"),
            Look(4),
            Messages(&["1"]),
            RestartAs(Mode::Production, "1"),
            Look(4),
            Messages(&["1"]),
            Taken(&["a.csv"]),
            Irregular(Irregularity::Repeated, 1),
        ],
    ),
    (
        "placed, cancelled, placed again",
        &[
            RestartForOrders,
            Write("a.csv", "place"),
            Look(4),
            Write("b.csv", "cancel"),
            Look(4),
            Write("c.csv", "place"),
            Look(4),
            Messages(&["place", "cancel", "place"]),
            Irregular(Irregularity::Repeated, 0),
            Restart,
            Write("d.csv", "place"),
            Look(4),
            Messages(&["place", "cancel", "place"]),
            Irregular(Irregularity::Repeated, 1),
            Rename("taken/b.csv", "b.csv"),
            Look(4),
            Rename("taken/a.csv", "a.csv"),
            Look(4),
            Messages(&["place", "cancel", "place", "cancel", "place"]),
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn content_that_another_reading_may_use_is_taken_again_and_so_is_an_order_after_another() {
    for (title, steps) in ANEW {
        check(title, Mode::Production, steps).await;
    }
}

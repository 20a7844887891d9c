//! What is written on after it was put away.

use super::rows::{
    Step::{
        self, Append, Irregular, Look, Messages, Quiet, Rename, RestartForOrders, Says, Taken, There, Write,
    },
    check,
};
use crate::Irregularity;
use vocabulary::Mode;

const GROWN: &[(&str, &[Step])] = &[
    (
        "a writer that pauses for longer than a file takes to settle",
        &[
            Write("a.csv", "1"),
            Look(4),
            Messages(&["1"]),
            // Whoever holds it open writes on where it lies now.
            Append("taken/a.csv", ",2"),
            Look(12),
            Irregular(Irregularity::File, 1),
            Says("a.csv waits: it was written to after it had been taken"),
            Append("taken/a.csv", ",3"),
            Look(30),
            Messages(&["1", "1,2,3"]),
            Irregular(Irregularity::File, 1),
            Quiet,
            Append("taken/a.csv", ",4"),
            Look(40),
            Messages(&["1", "1,2,3", "1,2,3,4"]),
            Irregular(Irregularity::File, 2),
            Taken(&["a.csv"]),
            There(&[]),
            Quiet,
        ],
    ),
    (
        "one that grows too long",
        &[
            Write("a.csv", "1"),
            Look(4),
            Append("taken/a.csv", "65 bytes of results, which is one byte more than a file may have."),
            Look(40),
            Messages(&["1"]),
            Irregular(Irregularity::File, 2),
            Quiet,
        ],
    ),
    (
        "another file in its place is none of it",
        &[
            Write("a.csv", "1"),
            Look(4),
            Write("b.txt", "9,9"),
            Rename("b.txt", "taken/a.csv"),
            Look(40),
            Messages(&["1"]),
            Irregular(Irregularity::File, 0),
        ],
    ),
    (
        "an order written over with itself is no new wish",
        &[
            RestartForOrders,
            Write("a.csv", "place"),
            Look(4),
            Write("b.csv", "cancel"),
            Look(4),
            Write("taken/a.csv", "place"),
            Look(40),
            Messages(&["place", "cancel"]),
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn what_is_written_on_after_it_was_put_away_is_told_and_taken_again() {
    for (title, steps) in GROWN {
        check(title, Mode::Production, steps).await;
    }
}

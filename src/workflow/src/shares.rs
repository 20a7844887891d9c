//! Work on many donations, shared among threads and put together in order.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

/// Pieces that are given out for each thread, or done and not told yet.
const AHEAD_PER_THREAD: u64 = 2;

/// Threads of this machine, at most `most`.
pub(crate) fn threads(most: usize) -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get).clamp(1, most.max(1))
}

/// Cuts `items` into as many shares as there are `states`, works on them, each thread with its own state, and puts what comes
/// out together in the order of the items. The first error in that order is the answer.
///
/// # Panics
/// Where `work` panics.
pub(crate) fn shared<T: Sync, S: Send, R: Send, E: Send>(
    items: &[T],
    states: &mut [S],
    work: impl Fn(&[T], &mut S) -> Result<Vec<R>, E> + Sync,
) -> Result<Vec<R>, E> {
    let share = items.len().div_ceil(states.len().max(1)).max(1);
    let mut shares = items.chunks(share);
    let mut all = Vec::with_capacity(items.len());
    in_order(
        states,
        || Ok(shares.next()),
        work,
        |some| {
            all.extend(some);
            Ok::<(), E>(())
        },
    )?;
    Ok(all)
}

/// Works on each piece that `next` gives, each thread with its own state, and tells what comes out in the order of the
/// pieces, while the next ones are worked on. No thread waits for another, but none is far ahead of what was told. The
/// first error in order is the answer.
///
/// # Panics
/// Where `work` panics.
pub(crate) fn in_order<T: Send, S: Send, R: Send, W: Send, E: From<W>>(
    states: &mut [S],
    mut next: impl FnMut() -> Result<Option<T>, E>,
    work: impl Fn(T, &mut S) -> Result<R, W> + Sync,
    mut tell: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let ahead = AHEAD_PER_THREAD * states.len().max(1) as u64;
    let (give, pieces) = mpsc::channel();
    let (bring, done) = mpsc::channel();
    let (pieces, work) = (Mutex::new(pieces), &work);
    let take = || pieces.lock().unwrap_or_else(PoisonError::into_inner).recv();
    thread::scope(|scope| {
        // Nothing more comes where this ends, however it ends.
        let give = give;
        for state in states {
            let bring = bring.clone();
            scope.spawn(move || {
                while let Ok((number, piece)) = take() {
                    let worked = catch_unwind(AssertUnwindSafe(|| work(piece, state)));
                    if bring.send((number, worked)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(bring);
        let (mut given, mut told, mut all_given) = (0, 0, false);
        let mut early = BTreeMap::new();
        loop {
            while !all_given && given < told + ahead {
                let piece = next()?;
                all_given = piece.is_none();
                if piece.is_some_and(|piece| give.send((given, piece)).is_ok()) {
                    given += 1;
                }
            }
            if told == given {
                return Ok(());
            }
            let (number, worked) = done.recv().unwrap_or_else(|gone| resume_unwind(Box::new(gone)));
            early.insert(number, worked);
            while let Some(worked) = early.remove(&told) {
                told += 1;
                tell(worked.unwrap_or_else(|panic| resume_unwind(panic))?)?;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, convert::Infallible};

    #[test]
    fn whatever_the_number_of_threads_everything_comes_once_and_in_order() {
        let items: Vec<u32> = (0..100).collect();
        for threads in 1..9 {
            for length in [0, 1, 2, 7, 99, 100] {
                let mut seen = vec![0; threads];
                let items = &items[..length];
                let doubled: Result<Vec<u32>, ()> = shared(items, &mut seen, |share, seen| {
                    *seen += share.len();
                    Ok(share.iter().map(|n| n * 2).collect())
                });
                let expect: Vec<u32> = items.iter().map(|n| n * 2).collect();
                assert_eq!((doubled, seen.iter().sum()), (Ok(expect), length), "{threads} {length}");
            }
        }
    }

    #[test]
    fn pieces_are_told_once_and_in_order_and_nobody_runs_far_ahead() {
        for threads in 1..6 {
            for length in [0, 1, 2, 7, 100_u64] {
                let (mut left, told) = (0..length, Cell::new(0));
                let next = || {
                    let piece = left.next();
                    assert!(piece.is_none_or(|n| n < told.get() + AHEAD_PER_THREAD * threads as u64));
                    Ok::<_, Infallible>(piece)
                };
                let slow = |n: u64, state: &mut u64| {
                    (0..n % 3).for_each(|_| thread::yield_now());
                    *state += 1;
                    Ok::<_, Infallible>(n)
                };
                let mut states = vec![0; threads];
                let tell = |n| {
                    assert_eq!(n, told.replace(n + 1));
                    Ok(())
                };
                in_order(&mut states, next, slow, tell).unwrap();
                assert_eq!((told.get(), states.iter().sum::<u64>()), (length, length), "{threads}");
            }
        }
    }

    #[test]
    fn the_first_piece_in_order_that_fails_is_the_answer_and_nothing_behind_it_is_told() {
        let (mut left, mut told) = (0..100_u64, Vec::new());
        let work = |n, (): &mut ()| if n == 7 || n == 8 { Err(n) } else { Ok(n) };
        let found = in_order(
            &mut [(); 3],
            || Ok(left.next()),
            work,
            |n| {
                told.push(n);
                Ok::<_, u64>(())
            },
        );
        assert_eq!((found, told), (Err(7), (0..7).collect()));
        let found = in_order(&mut [()], || Err::<Option<u64>, u64>(5), work, |_| Ok(()));
        assert_eq!(found, Err(5));
    }

    #[test]
    #[should_panic(expected = "number 3")]
    fn a_panic_at_work_is_one_of_whoever_asked() {
        let mut left = 0..9_u64;
        let work = |n, (): &mut ()| -> Result<(), u64> {
            assert!(n != 3, "number {n}");
            Ok(())
        };
        in_order(&mut [(); 2], || Ok(left.next()), work, |()| Ok::<_, u64>(())).unwrap();
    }

    #[test]
    fn the_first_error_in_order_is_the_answer() {
        let found: Result<Vec<u32>, u32> =
            shared(
                &[1, 2, 3, 4],
                &mut [(); 4],
                |share, ()| if share[0] > 2 { Err(share[0]) } else { Ok(vec![]) },
            );
        assert_eq!(found, Err(3));
        assert!((1..=2).contains(&threads(2)) && threads(0) == 1);
    }
}

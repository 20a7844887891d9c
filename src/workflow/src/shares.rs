//! Work on many donations, shared among threads and put together in order.

use std::{num::NonZeroUsize, thread};

/// Threads of this machine, at most `most`.
pub(crate) fn threads(most: usize) -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get).clamp(1, most.max(1))
}

/// Cuts `items` into as many shares as there are `states`, works on each with its own state, and puts what comes out
/// together in the order of the items. The first error in that order is the answer.
///
/// # Panics
/// Where `work` panics.
pub(crate) fn shared<T: Sync, S: Send, R: Send, E: Send>(
    items: &[T],
    states: &mut [S],
    work: impl Fn(&[T], &mut S) -> Result<Vec<R>, E> + Sync,
) -> Result<Vec<R>, E> {
    let share = items.len().div_ceil(states.len().max(1)).max(1);
    let work = &work;
    thread::scope(|scope| {
        let shares = items.chunks(share).zip(states);
        let threads: Vec<_> = shares.map(|(share, state)| scope.spawn(move || work(share, state))).collect();
        let mut all = Vec::with_capacity(items.len());
        for thread in threads {
            match thread.join() {
                Ok(some) => all.extend(some?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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

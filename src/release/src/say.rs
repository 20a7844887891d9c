//! What is said to people, in English and Chinese.

use std::borrow::Cow;

/// Something said: words of the program as they stand, or a sentence made with what it is about.
pub(crate) type Said = Cow<'static, str>;

/// A sentence made as `format!` makes it.
macro_rules! said {
    ($($sentence:tt)*) => { $crate::say::Said::Owned(format!($($sentence)*)) };
}
pub(crate) use said;

/// A typed message that can be said in both languages.
pub(crate) trait Say {
    /// In English.
    fn en(&self) -> Said;
    /// In Chinese.
    fn zh(&self) -> Said;
}

/// Several things said one after the other.
pub(crate) fn say_all<T: Say>(items: &[T]) -> (Said, Said) {
    (joined(items, T::en, "; "), joined(items, T::zh, "；"))
}

/// A list of things within a sentence.
pub(crate) fn listed<T: Say>(items: &[T]) -> (Said, Said) {
    (joined(items, T::en, ", "), joined(items, T::zh, "、"))
}

fn joined<T>(items: &[T], say: impl Fn(&T) -> Said, between: &str) -> Said {
    match items {
        [] => Said::Borrowed(""),
        [one] => say(one),
        [first, rest @ ..] => {
            let mut all = say(first).into_owned();
            for one in rest {
                all.push_str(between);
                all.push_str(&say(one));
            }
            Said::Owned(all)
        }
    }
}

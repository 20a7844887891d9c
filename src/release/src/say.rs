//! What is said to people, in English and Chinese.

/// A typed message that can be said in both languages.
pub(crate) trait Say {
    /// In English.
    fn en(&self) -> String;
    /// In Chinese.
    fn zh(&self) -> String;
}

/// Several things said one after the other.
pub(crate) fn say_all<T: Say>(items: &[T]) -> (String, String) {
    let en: Vec<String> = items.iter().map(Say::en).collect();
    let zh: Vec<String> = items.iter().map(Say::zh).collect();
    (en.join("; "), zh.join("；"))
}

/// A list of things within a sentence.
pub(crate) fn listed<T: Say>(items: &[T]) -> (String, String) {
    let en: Vec<String> = items.iter().map(Say::en).collect();
    let zh: Vec<String> = items.iter().map(Say::zh).collect();
    (en.join(", "), zh.join("、"))
}

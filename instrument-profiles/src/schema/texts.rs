//! The small words of the schema: a text with its place, and one text or a list of them.

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use std::fmt;
use toml::Spanned;

/// A text and where it stands.
pub(crate) type Text = Spanned<String>;

/// `"one"` or `["one", "or", "more"]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts(pub(crate) Vec<Text>);

impl Texts {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Text> {
        self.0.iter()
    }

    pub(crate) fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(|text| text.get_ref().clone()).collect()
    }
}

enum OneOrMany {
    One(String),
    Many(Vec<Text>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<Text>()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<OneOrMany>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(match spanned.into_inner() {
            OneOrMany::One(text) => Self(vec![Spanned::new(span, text)]),
            OneOrMany::Many(texts) => Self(texts),
        })
    }
}

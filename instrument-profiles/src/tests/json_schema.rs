//! The JSON Schema of `profile.toml` for editors, drawn from the schema's own types: each type is deserialized from a
//! source that writes down what it is asked for. The descriptions are the types' documentation.

use crate::schema::Document;
use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, Error, U64Deserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, env, fs, path::Path};
use vocabulary::Marker;

/// Written by `RECORD_SCHEMA=1 cargo test -p instrument-profiles json_schema`.
const COMMITTED: &str = "profile.schema.json";

#[test]
fn the_committed_json_schema_is_the_one_of_the_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let drawn = serde_json::to_string_pretty(&draw()).unwrap() + "\n";
    if env::var_os("RECORD_SCHEMA").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == drawn,
        "{COMMITTED} is not current: RECORD_SCHEMA=1 cargo test -p instrument-profiles json_schema"
    );
    assert_eq!(committed, crate::JSON_SCHEMA);
}

#[test]
fn every_key_of_the_catalogue_is_in_the_json_schema_and_a_misspelt_one_is_not() {
    let schema: Value = serde_json::from_str(crate::JSON_SCHEMA).unwrap();
    for profile in super::CATALOGUE.list() {
        let id = &profile.reference().id;
        let text = super::CATALOGUE.entry(id).unwrap().text("profile.toml").unwrap();
        let file: toml::Table = text.parse().unwrap();
        let misfits = misfits(&schema, &json!(file), id);
        assert!(misfits.is_empty(), "{misfits:#?}");
    }
    let wrong: toml::Table =
        "schema = 1\n[specimn]\nid = 7\n[[test]]\nmarker = 'HbSag'\n[flags]\nunknown = 'hodl'"
            .parse()
            .unwrap();
    let found = misfits(&schema, &json!(wrong), "x");
    for words in ["specimn", "marker: \"HbSag\"", "unknown: \"hodl\""] {
        assert!(found.iter().any(|misfit| misfit.contains(words)), "{words}: {found:#?}");
    }
}

/// What of a value the schema does not allow; as much of JSON Schema as ours uses.
fn misfits(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let each: Vec<Vec<String>> = any.iter().map(|one| misfits(one, value, at)).collect();
        return if each.iter().any(Vec::is_empty) { vec![] } else { each.concat() };
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return if words.contains(value) { vec![] } else { vec![format!("{at}: {value}")] };
    }
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::Null => "null",
    };
    if schema["type"] != kind {
        return vec![format!("{at}: {value} is no {}", schema["type"])];
    }
    let items = value.as_array().into_iter().flatten().flat_map(|item| misfits(&schema["items"], item, at));
    let fields = value.as_object().into_iter().flatten().flat_map(|(key, value)| {
        let at = format!("{at}.{key}");
        match (&schema["properties"][key], &schema["additionalProperties"]) {
            (Value::Object(known), _) => misfits(&Value::Object(known.clone()), value, &at),
            (_, Value::Object(every)) => misfits(&Value::Object(every.clone()), value, &at),
            _ => vec![format!("{at} is not known")],
        }
    });
    items.chain(fields).collect()
}

fn draw() -> Value {
    let mut shape = Shape::Text;
    Document::deserialize(Tracer { shape: &mut shape }).unwrap_or_else(|e| panic!("{e}"));
    let mut schema = shape.json(&documentation(), "");
    let head = schema.as_object_mut().unwrap();
    head.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    head.insert("title".to_owned(), json!("What one analyser model means by its fields (profile.toml)"));
    head.insert("required".to_owned(), json!(["schema", "id", "protocol", "names", "link", "evidence"]));
    schema
}

/// What a type asks for.
#[derive(Debug)]
enum Shape {
    Text,
    Texts,
    Flag,
    Number,
    Words(&'static [&'static str]),
    List(Box<Shape>),
    Map(Box<Shape>),
    Fields(&'static str, Vec<(&'static str, Shape)>),
}

impl Shape {
    fn json(&self, documentation: &BTreeMap<(String, String), String>, at: &str) -> Value {
        match self {
            Self::Text => match closed(at) {
                Some(words) => json!({"enum": words}),
                None => json!({"type": "string"}),
            },
            Self::Texts => {
                let one = Self::Text.json(documentation, at);
                json!({"anyOf": [one, {"type": "array", "items": one}]})
            }
            Self::Flag => json!({"type": "boolean"}),
            Self::Number => json!({"type": "integer"}),
            Self::Words(words) => json!({"enum": words}),
            Self::List(inner) => json!({"type": "array", "items": inner.json(documentation, at)}),
            Self::Map(inner) => {
                json!({"type": "object", "additionalProperties": inner.json(documentation, &format!("{at}.*"))})
            }
            Self::Fields(name, fields) => {
                let mut properties = Map::new();
                for (field, shape) in fields {
                    let mut of_field = shape.json(documentation, &format!("{at}.{field}"));
                    if let Some(text) = documentation.get(&((*name).to_owned(), (*field).to_owned())) {
                        of_field["description"] = json!(text);
                    }
                    properties.insert((*field).to_owned(), of_field);
                }
                json!({"type": "object", "properties": properties, "additionalProperties": false})
            }
        }
    }
}

/// Texts that the checks hold against a closed list.
fn closed(at: &str) -> Option<Vec<String>> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let meanings = || -> Vec<String> {
        crate::profile::INTERPRETATIONS.iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    match at {
        ".test.marker" | ".control.markers" | ".run.requires.markers" => {
            Some(Marker::ALL.iter().map(|marker| marker.name().to_owned()).collect())
        }
        ".values.*.*" => Some(meanings().into_iter().chain(owned(&["run_failed", "open"])).collect()),
        ".control.right" | ".flags.known.*.with" => Some(meanings()),
        ".numbers.comparators" => Some(owned(&["<", "<=", ">", ">="])),
        ".result.whole" | ".row.whole" | ".test.whole" => {
            Some(owned(&["interpretation", "grade", "number", "od", "cutoff", "confirmation"]))
        }
        _ => None,
    }
}

/// Type and field → what its documentation says.
fn documentation() -> BTreeMap<(String, String), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema");
    let mut found = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let (mut of, mut lines) = (String::new(), Vec::new());
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("/// ") {
                lines.push(text.to_owned());
            } else if let Some(name) = line.strip_prefix("pub(crate) struct ") {
                of = name.split([' ', '<', '(']).next().unwrap().to_owned();
                lines.clear();
            } else if let Some((field, _)) = line.strip_prefix("pub(crate) ").and_then(|l| l.split_once(": "))
            {
                if !lines.is_empty() {
                    found.insert((of.clone(), field.to_owned()), lines.join(" ").replace('`', ""));
                }
                lines.clear();
            } else if !line.starts_with("#[") {
                lines.clear();
            }
        }
    }
    found
}

/// A source that writes down what it is asked for.
struct Tracer<'s> {
    shape: &'s mut Shape,
}

macro_rules! plain {
    ($($method:ident $visit:ident $value:expr, $shape:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.shape = $shape;
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Error;

    plain! {
        deserialize_any visit_str "", Shape::Texts;
        deserialize_str visit_str "", Shape::Text;
        deserialize_string visit_str "", Shape::Text;
        deserialize_bool visit_bool false, Shape::Flag;
        deserialize_u8 visit_u8 0, Shape::Number;
        deserialize_u16 visit_u16 0, Shape::Number;
        deserialize_u32 visit_u32 0, Shape::Number;
        deserialize_u64 visit_u64 0, Shape::Number;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut inner = Shape::Text;
        let value = visitor.visit_seq(Once(Some(&mut inner)))?;
        *self.shape = Shape::List(Box::new(inner));
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut inner = Shape::Text;
        let value = visitor.visit_map(OneEntry { shape: Some(&mut inner) })?;
        *self.shape = Shape::Map(Box::new(inner));
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // A value with its place in the text: the place is not written by anybody.
        let spanned = name.contains("Spanned");
        let mut found = Vec::new();
        let value = visitor.visit_map(Every { fields, next: None, found: &mut found, spanned })?;
        *self.shape = match found.pop() {
            Some((_, only)) if spanned => only,
            last => {
                found.extend(last);
                Shape::Fields(name, found)
            }
        };
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.shape = Shape::Words(variants);
        visitor.visit_enum(First(variants[0]))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// A list of one.
struct Once<'s>(Option<&'s mut Shape>);

impl<'de> SeqAccess<'de> for Once<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|shape| seed.deserialize(Tracer { shape })).transpose()
    }
}

/// A map of one entry.
struct OneEntry<'s> {
    shape: Option<&'s mut Shape>,
}

impl<'de> MapAccess<'de> for OneEntry<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let mut key = Shape::Text;
        self.shape.as_ref().map(|_| seed.deserialize(Tracer { shape: &mut key })).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let shape = self.shape.take().ok_or_else(|| de::Error::custom("one entry"))?;
        seed.deserialize(Tracer { shape })
    }
}

/// Every field of a type.
struct Every<'s> {
    fields: &'static [&'static str],
    next: Option<&'static str>,
    found: &'s mut Vec<(&'static str, Shape)>,
    spanned: bool,
}

impl<'de> MapAccess<'de> for Every<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((first, rest)) = self.fields.split_first() else { return Ok(None) };
        self.fields = rest;
        self.next = Some(first);
        seed.deserialize(BorrowedStrDeserializer::new(first)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let name = self.next.take().unwrap_or_default();
        if self.spanned && !name.contains("value") {
            return seed.deserialize(U64Deserializer::new(0));
        }
        let mut shape = Shape::Text;
        let value = seed.deserialize(Tracer { shape: &mut shape })?;
        self.found.push((name, shape));
        Ok(value)
    }
}

/// The first word of a closed list.
struct First(&'static str);

impl<'de> EnumAccess<'de> for First {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(BorrowedStrDeserializer::new(self.0))?, self))
    }
}

impl<'de> VariantAccess<'de> for First {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(de::Error::custom("words only"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("words only"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("words only"))
    }
}

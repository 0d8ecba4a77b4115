//! JSON as receivers read it: the last member of a name counts unless it is `null`, names stand in
//! any letter case, text that is none has U+FFFD in it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Debug, PartialEq)]
pub enum Json {
    Null,
    Bool,
    /// A number that is written without point and exponent.
    Whole(i128),
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// The members in order, those of one name side by side.
#[derive(Debug, PartialEq)]
pub struct Object(Vec<(String, Json)>);

impl Object {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = without_surrogates(&String::from_utf8_lossy(bytes));
        match serde_json::from_str(&text).ok()? {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The last value of `name` (in lower case) that says something.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let mut named = self
            .0
            .iter()
            .rev()
            .filter(|(k, _)| k.to_lowercase() == name);
        let value = named.find(|(_, value)| *value != Json::Null);
        value.map(|(_, value)| value)
    }

    /// Whether it is said, be it that it is nothing.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(k, _)| k.to_lowercase() == name)
    }

    pub fn all(&self, fits: impl Fn(&Json) -> bool) -> bool {
        self.0.iter().all(|(_, value)| fits(value))
    }
}

/// Halves of a pair of surrogates stand for no character.
fn without_surrogates(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\ud").or_else(|| rest.find("\\uD")) {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        out.push_str("\\ufffd");
        rest = escape.get(6..).unwrap_or_default();
    }
    out + rest
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Bool)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Whole(number.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(Object(object)))
    }
}

//! Writes `session.json` anew and keeps what this version does not know in it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

use super::info::SessionInfo;

/// The text of `session.json` with what `info` says, and with the keys of `old` that are unknown here where they were.
///
/// # Errors
/// Where `old` is no JSON, or `info` has a number that JSON cannot hold.
pub(super) fn renewed(old: &[u8], info: &SessionInfo) -> serde_json::Result<String> {
    let new: Ordered = serde_json::from_str(&serde_json::to_string(info)?)?;
    let merged = merge(serde_json::from_slice(old)?, new);
    serde_json::to_string_pretty(&merged).map(|text| text + "\n")
}

/// JSON whose keys stay in the order of the file.
#[derive(Clone, Debug, PartialEq)]
enum Ordered {
    Object(Vec<(String, Ordered)>),
    Array(Vec<Ordered>),
    Plain(Value),
}

/// `new`, and of `old` the keys that `new` has not. Elements of lists go together by the file they name; without one, by
/// their places.
fn merge(old: Ordered, new: Ordered) -> Ordered {
    match (old, new) {
        (Ordered::Object(mut keys), Ordered::Object(new)) => {
            for (key, value) in new {
                match keys.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, place)) => *place = merge(std::mem::replace(place, Ordered::Plain(Value::Null)), value),
                    None => keys.push((key, value)),
                }
            }
            Ordered::Object(keys)
        }
        (Ordered::Array(old), Ordered::Array(new)) => {
            let mut old: Vec<Option<Ordered>> = old.into_iter().map(Some).collect();
            let merged = new.into_iter().enumerate().map(|(index, new)| {
                let place = match new.file() {
                    Some(file) => old.iter().position(|old| old.as_ref().and_then(Ordered::file) == Some(file)),
                    None => Some(index),
                };
                match place.and_then(|place| old.get_mut(place)?.take()) {
                    Some(old) => merge(old, new),
                    None => new,
                }
            });
            Ordered::Array(merged.collect())
        }
        (_, new) => new,
    }
}

impl Ordered {
    fn file(&self) -> Option<&str> {
        match self {
            Self::Object(keys) => keys.iter().find(|(key, _)| key == "file").and_then(|(_, value)| match value {
                Self::Plain(Value::String(file)) => Some(file.as_str()),
                _ => None,
            }),
            _ => None,
        }
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(keys) => {
                let mut map = serializer.serialize_map(Some(keys.len()))?;
                for (key, value) in keys {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Array(values) => values.serialize(serializer),
            Self::Plain(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut keys = Vec::new();
        while let Some(entry) = map.next_entry()? {
            keys.push(entry);
        }
        Ok(Ordered::Object(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ordered, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Ordered::Array(values))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Plain(value.into()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Plain(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Plain(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Plain(value.into()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Plain(value.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Ordered, E> {
        Ok(Ordered::Plain(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SessionEnd, SessionVideo};

    #[test]
    fn unknown_keys_stay_where_they_were() {
        let old = r#"{"weather": {"sun": [1, 2.5, -3, null, true]}, "schema": 1, "end": null,
            "source": {"gain": 3, "name": "HD"},
            "videos": [{"file": "clean.mp4", "bitrate": 1}, {"file": "video.mp4", "bitrate": 2}]}"#;
        let mut info: SessionInfo = serde_json::from_str(old).unwrap();
        info.end = Some(SessionEnd::Recovered);
        info.source.width = 640;
        info.videos = vec![SessionVideo { file: "video.mp4".to_owned(), ..SessionVideo::default() }];
        let text = renewed(old.as_bytes(), &info).unwrap();
        assert_eq!(serde_json::from_str::<SessionInfo>(&text).unwrap(), info);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["weather"]["sun"], serde_json::json!([1, 2.5, -3, null, true]));
        assert_eq!((&value["source"]["gain"], &value["source"]["width"]), (&3.into(), &640.into()));
        assert_eq!((&value["videos"][0]["bitrate"], value["videos"].as_array().unwrap().len()), (&2.into(), 1));
        assert!(text.find("weather") < text.find("schema") && text.find("schema") < text.find("\"end\""), "{text}");
        assert_eq!(renewed(text.as_bytes(), &info).unwrap(), text, "once more changes nothing");
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        assert!(renewed(b"{\"schema\":1,", &SessionInfo::default()).is_err());
    }
}

//! `session.json`, read key by key, so that one that cannot be used costs only itself.

use std::path::Path;

use facelens_base::bounded_file::{self, ReadErrorKind};
use serde_json::{Map, Value};

use super::SessionNotice;
use crate::info::{DATA_FILE, LONGEST_S, MAX_INFO_BYTES, SESSION_SCHEMA, SessionInfo};
use crate::names::is_own_name;

/// What the file says, or `None` where it says nothing that can be read.
pub(super) fn read(path: &Path, notices: &mut Vec<SessionNotice>) -> Option<SessionInfo> {
    let text = match bounded_file::read(path, MAX_INFO_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind == ReadErrorKind::NotFound => {
            notices.push(SessionNotice::NoInfo);
            return None;
        }
        Err(error) => {
            notices.push(SessionNotice::DamagedInfo(error.cause));
            return None;
        }
    };
    let object = match serde_json::from_slice(&text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => {
            notices.push(SessionNotice::DamagedInfo("it is not a JSON object".to_owned()));
            return None;
        }
        Err(error) => {
            notices.push(SessionNotice::DamagedInfo(error.to_string()));
            return None;
        }
    };
    let mut info = of_object(&object, notices);
    if !(0.0..=LONGEST_S).contains(&info.duration_s) {
        notices.push(SessionNotice::DamagedKeys(vec!["duration_s".to_owned()]));
        info.duration_s = 0.0;
    }
    // Only files in the folder belong to the session.
    if !is_own_name(&info.data) {
        notices.push(SessionNotice::DamagedKeys(vec!["data".to_owned()]));
        info.data = DATA_FILE.to_owned();
    }
    if info.gait.as_ref().is_some_and(|name| !is_own_name(name)) {
        notices.push(SessionNotice::DamagedKeys(vec!["gait".to_owned()]));
        info.gait = None;
    }
    if info.videos.iter().any(|video| !is_own_name(&video.file)) {
        notices.push(SessionNotice::DamagedKeys(vec!["videos".to_owned()]));
        info.videos.retain(|video| is_own_name(&video.file));
    }
    Some(info)
}

fn of_object(object: &Map<String, Value>, notices: &mut Vec<SessionNotice>) -> SessionInfo {
    let mut usable = Map::new();
    let mut damaged = Vec::new();
    for (key, value) in object {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        if serde_json::from_value::<SessionInfo>(Value::Object(alone)).is_ok() {
            usable.insert(key.clone(), value.clone());
        } else {
            damaged.push(key.clone());
        }
    }
    let info: SessionInfo = serde_json::from_value(Value::Object(usable.clone())).unwrap_or_default();
    let newer = info.schema > SESSION_SCHEMA;
    if newer {
        notices.push(SessionNotice::NewerSchema(info.schema));
    }
    if !damaged.is_empty() {
        notices.push(SessionNotice::DamagedKeys(damaged));
    }
    let mut unknown = Vec::new();
    if let Ok(known) = serde_json::to_value(&info) {
        unknown_keys(&Value::Object(usable), &known, "", &mut unknown);
    }
    // A newer schema has been told already.
    if !unknown.is_empty() && !newer {
        notices.push(SessionNotice::UnknownKeys(unknown));
    }
    info
}

/// The keys of `found` that `known` has not, as `source.gain`.
fn unknown_keys(found: &Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (found, known) {
        (Value::Object(found), Value::Object(known)) => {
            for (key, value) in found {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match known.get(key) {
                    Some(known) => unknown_keys(value, known, &path, unknown),
                    None => unknown.push(path),
                }
            }
        }
        (Value::Array(found), Value::Array(known)) => {
            for (found, known) in found.iter().zip(known) {
                unknown_keys(found, known, path, unknown);
            }
        }
        _ => {}
    }
    unknown.dedup();
}

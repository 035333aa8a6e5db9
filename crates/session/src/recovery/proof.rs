//! What proves that a folder is a session that was broken off and that facelens may finish.
//!
//! Finishing writes into files, and what a file says is not believed: a folder may be somebody else's, a finished session
//! may be damaged, and names may lead anywhere. So everything must hold that only an unfinished session has, and whatever
//! does not is left as it is and told.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::Path;

use facelens_base::bounded_file;
use serde_json::Value;

use super::super::file_error::{WriteError, WriteErrorKind};
use super::super::info::{INFO_FILE, LONGEST_S, MAX_INFO_BYTES, SESSION_SCHEMA, SessionInfo};
use super::super::names::name_problem;
use super::super::recording::LOCK_FILE;

/// A session that was broken off.
pub(super) struct Unfinished {
    /// What its `session.json` says.
    pub info: SessionInfo,
    /// The text of it, with what this version does not know.
    pub text: Vec<u8>,
}

/// Whether `folder` is a session that was broken off; `None` where it is one that was finished.
///
/// # Errors
/// `NotProven` where neither is sure.
pub(super) fn prove(folder: &Path) -> Result<Option<Unfinished>, WriteError> {
    let unproven = |cause: String| {
        let remedy = "nothing was changed; `facelens replay` and `facelens export` read what is there";
        WriteError::new(WriteErrorKind::NotProven, folder, cause, remedy)
    };
    let about_info = |cause: String| unproven(format!("{INFO_FILE}: {cause}"));
    match own_file(folder, INFO_FILE) {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Err(unproven(format!("without {INFO_FILE}, nothing proves that it is an interrupted recording")));
        }
        Err(cause) => return Err(unproven(cause)),
    }
    let text = bounded_file::read(&folder.join(INFO_FILE), MAX_INFO_BYTES).map_err(|error| about_info(error.cause))?;
    let value: Value = serde_json::from_slice(&text).map_err(|error| about_info(format!("it is damaged ({error})")))?;
    match value.get("end") {
        Some(Value::Null) => {}
        Some(_) => return Ok(None),
        None => return Err(about_info("it does not say whether the recording ended".to_owned())),
    }
    match value.get("schema").and_then(Value::as_u64) {
        Some(schema) if (1..=u64::from(SESSION_SCHEMA)).contains(&schema) => {}
        Some(schema) if schema > u64::from(SESSION_SCHEMA) => {
            let words = format!("it is of a newer facelens (schema {schema}, this one knows {SESSION_SCHEMA})");
            return Err(about_info(words));
        }
        _ => return Err(about_info("it does not say which schema it has".to_owned())),
    }
    let info: SessionInfo =
        serde_json::from_value(value).map_err(|error| about_info(format!("it is damaged ({error})")))?;
    if !(0.0..=LONGEST_S).contains(&info.duration_s) {
        return Err(about_info(format!("`duration_s` is {}, which is not the length of a recording", info.duration_s)));
    }
    if let Some(problem) = name_problem(&info) {
        return Err(about_info(problem));
    }
    own_file(folder, LOCK_FILE).map_err(unproven)?;
    for name in std::iter::once(&info.data).chain(info.videos.iter().map(|video| &video.file)) {
        let elsewhere = |file: Metadata| has_other_name(&file).then(|| format!("{name} is hard-linked elsewhere"));
        if let Some(cause) = own_file(folder, name).map_err(unproven)?.and_then(elsewhere) {
            return Err(unproven(cause));
        }
    }
    Ok(Some(Unfinished { info, text }))
}

/// The file `name` in `folder`; `None` where there is none. Links are not followed.
fn own_file(folder: &Path, name: &str) -> Result<Option<Metadata>, String> {
    match fs::symlink_metadata(folder.join(name)) {
        Ok(file) if file.is_file() => Ok(Some(file)),
        Ok(file) if file.is_symlink() => {
            Err(format!("{name} is a link, and what it leads to is not part of the session"))
        }
        Ok(file) if file.is_dir() => Err(format!("{name} is a folder")),
        Ok(_) => Err(format!("{name} is not a regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name} cannot be read ({error})")),
    }
}

/// Whether the file is known by another name, too (a hard link): what is written into it would be written there.
#[cfg(unix)]
fn has_other_name(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) > 1
}

/// The system does not say.
#[cfg(not(unix))]
fn has_other_name(_: &Metadata) -> bool {
    false
}

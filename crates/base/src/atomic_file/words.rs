//! Why a file cannot be written, in words.

use std::io::{Error, ErrorKind};

/// Why a file cannot be written: a full disk in plain words, everything else as the system says it.
pub fn cause(error: &Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::QuotaExceeded => "the user's disk quota is used up".to_owned(),
        ErrorKind::FileTooLarge => "the file would be larger than the disk or a limit allows".to_owned(),
        _ => error.to_string(),
    }
}

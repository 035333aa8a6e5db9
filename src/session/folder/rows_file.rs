//! The data of a session, with what is damaged passed over and counted.

use std::path::Path;

use super::SessionNotice;
use crate::session::csv::{read_csv, whole_lines};
use crate::session::rows::{FaceRow, FrameRow};

/// The rows of the file `name` in `folder`; none where there is no such file.
pub(super) fn read(folder: &Path, name: &str, notices: &mut Vec<SessionNotice>) -> Vec<FrameRow> {
    let bytes = match std::fs::read(folder.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            notices.push(SessionNotice::NoData(name.to_owned()));
            return Vec::new();
        }
        Err(error) => {
            notices.push(SessionNotice::DamagedData(format!("{name}: {error}")));
            return Vec::new();
        }
    };
    let whole = whole_lines(&bytes);
    let (mut rows, mut damaged, mut first) = (Vec::new(), 0, String::new());
    for row in read_csv(whole) {
        let row = row.map_err(|error| error.to_string()).and_then(|row| {
            let valid = row.time_s.is_finite() && row.time_s >= 0.0;
            if valid { Ok(cleaned(row)) } else { Err(format!("frame {} has no valid time", row.frame)) }
        });
        match row {
            Ok(row) => rows.push(row),
            Err(cause) => {
                if damaged == 0 {
                    first = cause;
                }
                damaged += 1;
            }
        }
    }
    if whole.len() < bytes.len() {
        notices.push(SessionNotice::CutRow);
    }
    if damaged > 0 {
        notices.push(SessionNotice::DamagedRows(damaged, first));
    }
    if !rows.is_sorted_by(|a: &FrameRow, b| a.time_s <= b.time_s) {
        notices.push(SessionNotice::Unsorted);
        rows.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    }
    rows
}

/// The row without numbers that are none: they would spoil plots and averages.
fn cleaned(mut row: FrameRow) -> FrameRow {
    row.faces.retain(|face| {
        let rect = &face.rect;
        [rect.x, rect.y, rect.width, rect.height, face.score].iter().all(|value| value.is_finite())
    });
    for face in &mut row.faces {
        let FaceRow { age, gender, pose, .. } = face;
        *age = age.filter(|age| age.years.is_finite() && age.spread.is_finite());
        *gender = gender.filter(|gender| gender.male.is_finite());
        *pose = pose.filter(|pose| [pose.yaw, pose.pitch, pose.roll].iter().all(|angle| angle.is_finite()));
    }
    row
}

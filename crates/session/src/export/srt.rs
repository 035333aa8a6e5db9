//! Subtitles in SubRip's format: the estimates of everybody in view, in words.

use std::fmt::Write as _;
use std::io::{self, Write};

use facelens_core::track::GenderNumber;

use crate::folder::SessionFolder;
use crate::overlay::{age_words, gender_words};
use crate::rows::{FaceRow, FrameRow};

/// A subtitle stands at least this long before the next one takes its place, seconds: nobody reads faster.
const LEAST_SECS: f64 = 1.0;

/// Angles are said in steps of this, degrees, so that a subtitle does not change while a head is still.
const ANGLE_STEP: f32 = 5.0;

/// A subtitle: from, to (seconds), words.
type Cue = (f64, f64, String);

/// Writes the subtitles of these rows of a session.
pub(super) fn write(rows: &[FrameRow], session: &SessionFolder, writer: &mut impl Write) -> io::Result<()> {
    write_cues(&cues(rows, session.duration_secs(), session.info.gender_number()), writer)
}

fn write_cues(cues: &[Cue], writer: &mut impl Write) -> io::Result<()> {
    for (index, &(from, to, ref words)) in cues.iter().enumerate() {
        writeln!(writer, "{}\n{} --> {}\n{words}\n", index + 1, clock(from), clock(to))?;
    }
    writer.flush()
}

/// The words change at most once a second; while they are the same, they are one subtitle.
fn cues(rows: &[FrameRow], duration_secs: f64, number: GenderNumber) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    let mut open: Option<(f64, String)> = None;
    let mut changed_at = f64::NEG_INFINITY;
    for row in rows {
        // A little less, because times are rounded to the millisecond.
        if row.time_s - changed_at < LEAST_SECS - 0.001 {
            continue;
        }
        let words = words(row, number);
        if open.as_ref().map_or("", |(_, words)| words.as_str()) == words {
            continue;
        }
        if let Some((from, words)) = open.take() {
            cues.push((from, row.time_s, words));
        }
        changed_at = row.time_s;
        open = (!words.is_empty()).then_some((row.time_s, words));
    }
    if let Some((from, words)) = open {
        let last = rows.last().map_or(0.0, |row| row.time_s);
        // Of a single frame nobody knows how long it stands.
        let end = duration_secs.max(last);
        cues.push((from, if end > from { end } else { from + LEAST_SECS }, words));
    }
    cues
}

/// One line for each person in view, empty for nobody.
fn words(row: &FrameRow, number: GenderNumber) -> String {
    let mut faces: Vec<&FaceRow> = row.faces.iter().collect();
    faces.sort_by_key(|face| face.id);
    let lines: Vec<String> = faces.into_iter().map(|face| line(face, number)).collect();
    lines.join("\n")
}

/// `#1: age 25–43, female, 9 in 10, yaw −10°, pitch 5°, roll 0°`.
fn line(face: &FaceRow, number: GenderNumber) -> String {
    let face = face.to_face(number);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(face.age.map(|age| age_words(age).text));
    parts.extend(face.gender.map(|gender| gender_words(gender).text));
    if let Some(pose) = face.pose {
        for (name, angle) in [("yaw", pose.yaw), ("pitch", pose.pitch), ("roll", pose.roll)] {
            let rough = ((angle / ANGLE_STEP).round() * ANGLE_STEP) as i32;
            let sign = if rough < 0 { "−" } else { "" };
            parts.push(format!("{name} {sign}{}°", rough.unsigned_abs()));
        }
    }
    let mut line = format!("#{}", face.id);
    if !parts.is_empty() {
        // Writing into a string cannot fail.
        let _ = write!(line, ": {}", parts.join(", "));
    }
    line
}

/// `01:02:03,456`.
fn clock(secs: f64) -> String {
    let millis = (secs.max(0.0) * 1000.0).round() as u64;
    let (secs, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02},{millis:03}", secs / 3600, secs / 60 % 60, secs % 60)
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::{Pose, Rect};

    use super::*;
    use crate::rows::AgeRow;

    fn row(time_s: f64, value: f32) -> FrameRow {
        let face = FaceRow {
            id: u64::MAX,
            rect: Rect::new(value, value, value, value),
            score: value,
            age: Some(AgeRow::with_spread(value, 13.0)),
            gender: None,
            pose: Some(Pose { yaw: value, pitch: -value, roll: value }),
        };
        FrameRow { input: String::new(), frame: 0, time_s, width: 1, height: 1, faces: vec![face] }
    }

    /// A damaged or hostile `faces.csv` may hold any number.
    #[test]
    fn no_number_stops_the_subtitles() {
        for value in [3e9, -3e9, f32::MAX, f32::NAN, f32::INFINITY] {
            for secs in [f64::MAX, f64::NAN, -1.0, 1e17] {
                let mut text = Vec::new();
                let cues = cues(&[row(0.0, value), row(secs, -value)], secs, GenderNumber::Score);
                write_cues(&cues, &mut text).unwrap();
                assert!(text.starts_with(b"1\n00:00:00,000 --> "), "{value} {secs}");
            }
        }
    }

    #[test]
    fn angles_are_said_in_steps_of_five_degrees() {
        assert!(line(&row(0.0, 12.4).faces[0], GenderNumber::Score).ends_with("yaw 10°, pitch −10°, roll 10°"));
    }
}

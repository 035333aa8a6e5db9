//! CSV: one line per face with the names of JSONL joined by `_`; a frame without a face has one line with those cells
//! empty.

use std::io::{self, Read, Write};

use serde::Deserialize;

use super::rows::{AgeRow, FaceRow, FrameRow, GenderRow};
use crate::geometry::{Pose, Rect};
use crate::track::GenderLabel;

/// The names in the first line.
pub const CSV_COLUMNS: [&str; 18] = [
    "input",
    "frame",
    "time_s",
    "width",
    "height",
    "id",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "score",
    "age_years",
    "age_spread",
    "gender_label",
    "gender_male",
    "pose_yaw",
    "pose_pitch",
    "pose_roll",
];

/// Writes frames as CSV. The first line goes out with the first row.
pub struct CsvWriter<W: Write> {
    csv: csv::Writer<W>,
    started: bool,
}

impl<W: Write> CsvWriter<W> {
    /// A writer into `writer`, which has nothing in it yet.
    pub fn new(writer: W) -> Self {
        Self { csv: csv::Writer::from_writer(writer), started: false }
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        self.csv.get_ref()
    }

    /// Writes the lines of one frame.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, row: &FrameRow) -> io::Result<()> {
        self.start()?;
        if row.faces.is_empty() {
            self.record(row, None)?;
        }
        for face in &row.faces {
            self.record(row, Some(face))?;
        }
        Ok(())
    }

    /// Writes the first line, where no row came, and hands everything to the system.
    ///
    /// # Errors
    /// What the writer says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.start()?;
        self.csv.flush()
    }

    fn start(&mut self) -> io::Result<()> {
        if !self.started {
            self.csv.write_record(CSV_COLUMNS).map_err(io_error)?;
            self.started = true;
        }
        Ok(())
    }

    fn record(&mut self, row: &FrameRow, face: Option<&FaceRow>) -> io::Result<()> {
        let FrameRow { input, frame, time_s, width, height, faces: _ } = row;
        let age = face.and_then(|face| face.age);
        let gender = face.and_then(|face| face.gender);
        let pose = face.and_then(|face| face.pose);
        let cells: [String; 18] = [
            input.clone(),
            frame.to_string(),
            format!("{time_s:.3}"),
            width.to_string(),
            height.to_string(),
            face.map(|face| face.id.to_string()).unwrap_or_default(),
            number(face.map(|face| face.rect.x)),
            number(face.map(|face| face.rect.y)),
            number(face.map(|face| face.rect.width)),
            number(face.map(|face| face.rect.height)),
            number(face.map(|face| face.score)),
            number(age.map(|age| age.years)),
            number(age.map(|age| age.spread)),
            gender.map(|gender| gender.label.name().to_owned()).unwrap_or_default(),
            number(gender.map(|gender| gender.male)),
            number(pose.map(|pose| pose.yaw)),
            number(pose.map(|pose| pose.pitch)),
            number(pose.map(|pose| pose.roll)),
        ];
        self.csv.write_record(cells).map_err(io_error)
    }
}

/// Reads the frames back. Lines of one frame must follow each other, as [`CsvWriter`] writes them.
pub fn read_csv(reader: impl Read) -> impl Iterator<Item = io::Result<FrameRow>> {
    let mut lines = csv::Reader::from_reader(reader).into_deserialize::<CsvLine>().peekable();
    std::iter::from_fn(move || {
        let mut row = match lines.next()? {
            Ok(line) => line.into_row(),
            Err(error) => return Some(Err(io_error(error))),
        };
        while let Some(Ok(line)) = lines.next_if(|next| {
            next.as_ref().is_ok_and(|line| line.id.is_some() && line.frame == row.frame && line.input == row.input)
        }) {
            row.faces.extend(line.into_row().faces);
        }
        Some(Ok(row))
    })
}

/// The whole lines at the beginning of a file: only a line's end ends one, because half a line may look like a whole one
/// whose last number is shorter.
pub(super) fn whole_lines(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    bytes.get(..length).unwrap_or_default()
}

/// One line as it stands in the file.
#[derive(Deserialize)]
struct CsvLine {
    input: String,
    frame: u64,
    time_s: f64,
    width: u32,
    height: u32,
    id: Option<u64>,
    box_x: Option<f32>,
    box_y: Option<f32>,
    box_width: Option<f32>,
    box_height: Option<f32>,
    score: Option<f32>,
    age_years: Option<f32>,
    age_spread: Option<f32>,
    gender_label: Option<GenderLabel>,
    gender_male: Option<f32>,
    pose_yaw: Option<f32>,
    pose_pitch: Option<f32>,
    pose_roll: Option<f32>,
}

impl CsvLine {
    fn into_row(self) -> FrameRow {
        let face = self.face();
        let Self { input, frame, time_s, width, height, .. } = self;
        FrameRow { input, frame, time_s, width, height, faces: face.into_iter().collect() }
    }

    fn face(&self) -> Option<FaceRow> {
        Some(FaceRow {
            id: self.id?,
            rect: Rect::new(self.box_x?, self.box_y?, self.box_width?, self.box_height?),
            score: self.score?,
            age: self.age_years.zip(self.age_spread).map(|(years, spread)| AgeRow { years, spread }),
            gender: self.gender_label.zip(self.gender_male).map(|(label, male)| GenderRow { label, male }),
            pose: self.pose(),
        })
    }

    fn pose(&self) -> Option<Pose> {
        Some(Pose { yaw: self.pose_yaw?, pitch: self.pose_pitch?, roll: self.pose_roll? })
    }
}

/// The shortest decimal number that is this `f32`; empty without one.
fn number(value: Option<f32>) -> String {
    value.map(|value| format!("{value:?}")).unwrap_or_default()
}

/// The system's own error out of the CSV library's, so that a closed pipe is still known as one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, csv_words(&other)),
    }
}

fn csv_words(kind: &csv::ErrorKind) -> String {
    match kind {
        csv::ErrorKind::Deserialize { pos: Some(pos), err } => format!("line {}: {err}", pos.line()),
        csv::ErrorKind::UnequalLengths { pos: Some(pos), expected_len, len } => {
            format!("line {}: {len} cells instead of {expected_len}", pos.line())
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::{analysis, face};
    use super::*;

    fn text(rows: &[FrameRow]) -> String {
        let mut bytes = Vec::new();
        let mut writer = CsvWriter::new(&mut bytes);
        for row in rows {
            writer.write(row).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_face_is_one_line_with_the_names_of_jsonl() {
        let row = FrameRow::new("clip.mp4", &analysis(vec![face()]));
        assert_eq!(
            text(&[row]),
            "input,frame,time_s,width,height,id,box_x,box_y,box_width,box_height,score,age_years,age_spread,\
             gender_label,gender_male,pose_yaw,pose_pitch,pose_roll\n\
             clip.mp4,3,0.100,4,2,1,201.5,99.0,120.0,120.0,0.98,31.2,4.1,female,0.08,-12.1,3.4,0.0\n"
        );
    }

    #[test]
    fn a_frame_without_a_face_is_one_line_with_empty_cells() {
        let text = text(&[FrameRow::new("a,b.mp4", &analysis(vec![]))]);
        assert_eq!(text.lines().nth(1), Some("\"a,b.mp4\",3,0.100,4,2,,,,,,,,,,,,,"));
    }

    #[test]
    fn no_frame_at_all_still_gives_the_first_line() {
        assert_eq!(text(&[]).lines().count(), 1);
    }

    #[test]
    fn rows_read_back_as_they_were_written() {
        let mut bare = face();
        (bare.id, bare.age, bare.gender, bare.pose) = (2, None, None, None);
        let mut next = FrameRow::new("a", &analysis(vec![]));
        next.frame = 4;
        let rows =
            [FrameRow::new("a", &analysis(vec![face(), bare])), next, FrameRow::new("b", &analysis(vec![face()]))];
        let read: Vec<_> = read_csv(text(&rows).as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(read, rows);
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = text(&[FrameRow::new("a", &analysis(vec![face()]))]).replace("female", "neither");
        let error = read_csv(broken.as_bytes()).next().unwrap().unwrap_err();
        assert!(error.to_string().starts_with("line 2: "), "{error}");
    }
}

//! CSV: one line per face with the names of JSONL joined by `_`; a frame without a face has one line with those cells
//! empty. It is read back by `csv_reader`.

use std::io::{self, Write};

use super::rows::{FaceRow, FrameRow};

/// The names in the first line.
pub const CSV_COLUMNS: [&str; 19] = [
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
    "age_low",
    "age_high",
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

    /// A writer that goes on behind rows that are there already.
    pub fn continuing(writer: W) -> Self {
        Self { csv: csv::Writer::from_writer(writer), started: true }
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
        let cells: [String; 19] = [
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
            number(age.map(|age| age.low)),
            number(age.map(|age| age.high)),
            gender.map(|gender| gender.label.name().to_owned()).unwrap_or_default(),
            number(gender.map(|gender| gender.male)),
            number(pose.map(|pose| pose.yaw)),
            number(pose.map(|pose| pose.pitch)),
            number(pose.map(|pose| pose.roll)),
        ];
        self.csv.write_record(cells).map_err(io_error)
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
        other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv_reader::read_csv;
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
            "input,frame,time_s,width,height,id,box_x,box_y,box_width,box_height,score,age_years,age_low,age_high,\
             gender_label,gender_male,pose_yaw,pose_pitch,pose_roll\n\
             clip.mp4,3,0.100,4,2,1,201.5,99.0,120.0,120.0,0.98,31.2,27.1,37.5,female,0.08,-12.1,3.4,0.0\n"
        );
    }

    #[test]
    fn a_frame_without_a_face_is_one_line_with_empty_cells() {
        let text = text(&[FrameRow::new("a,b.mp4", &analysis(vec![]))]);
        assert_eq!(text.lines().nth(1), Some("\"a,b.mp4\",3,0.100,4,2,,,,,,,,,,,,,,"));
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

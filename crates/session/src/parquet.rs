//! Apache Parquet: the columns of the CSV, typed, with nulls where the CSV has empty cells.

use std::io::{self, Write};
use std::sync::Arc;

use facelens_core::track::GenderLabel;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::columns::COLUMNS;
use crate::info::{SESSION_SCHEMA, SessionInfo};
use crate::rows::{FaceRow, FrameRow};

/// The types of the columns, in the order of [`COLUMNS`].
const SCHEMA: &str = "message facelens {
    REQUIRED BINARY input (UTF8);
    REQUIRED INT64 frame;
    REQUIRED DOUBLE time_s;
    REQUIRED INT32 width;
    REQUIRED INT32 height;
    OPTIONAL INT64 id;
    OPTIONAL FLOAT box_x;
    OPTIONAL FLOAT box_y;
    OPTIONAL FLOAT box_width;
    OPTIONAL FLOAT box_height;
    OPTIONAL FLOAT score;
    OPTIONAL FLOAT age_years;
    OPTIONAL FLOAT age_low;
    OPTIONAL FLOAT age_high;
    OPTIONAL BINARY gender_label (UTF8);
    OPTIONAL FLOAT gender_male;
    OPTIONAL FLOAT pose_yaw;
    OPTIONAL FLOAT pose_pitch;
    OPTIONAL FLOAT pose_roll;
}";

/// From so many lines on a group of the table is written: what a reader may take at once.
const GROUP_ROWS: usize = 100_000;

/// One line of the table: a frame and a face in it, if any.
type ParquetLine<'a> = (&'a FrameRow, Option<&'a FaceRow>);

/// Writes frames as a table of one line per face. The file can be read once [`finish`](Self::finish) has written its end.
pub struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    /// The rows of the next group.
    rows: Vec<FrameRow>,
    /// How many lines they make.
    lines: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// A writer into `writer`, which has nothing in it yet; the rows of a session come with what is known about it.
    ///
    /// # Errors
    /// What the writer says.
    pub fn new(writer: W, info: Option<&SessionInfo>) -> io::Result<Self> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(io_error)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("facelens {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(notes(info)))
            .build();
        let file = SerializedFileWriter::new(writer, schema, Arc::new(properties)).map_err(io_error)?;
        Ok(Self { file, rows: Vec::new(), lines: 0 })
    }

    /// Writes one frame, at the latest with [`finish`](Self::finish).
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, row: FrameRow) -> io::Result<()> {
        self.lines += row.faces.len().max(1);
        self.rows.push(row);
        if self.lines < GROUP_ROWS { Ok(()) } else { self.write_rows().map_err(io_error) }
    }

    /// Writes the end of the file and gives the writer back.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_rows().and_then(|()| self.file.into_inner()).map_err(io_error)
    }

    fn write_rows(&mut self) -> Result<(), ParquetError> {
        let lines: Vec<ParquetLine<'_>> = self.rows.iter().flat_map(lines_of).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        write_group(&lines, &mut group)?;
        group.close()?;
        self.rows.clear();
        self.lines = 0;
        Ok(())
    }
}

/// The system's own error out of the library's, so that a closed pipe is still known as one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(cause) => io::Error::other(cause),
        },
        other => io::Error::other(other),
    }
}

/// A frame without a face is one line, too.
fn lines_of(row: &FrameRow) -> impl Iterator<Item = ParquetLine<'_>> {
    let none = row.faces.is_empty().then_some((row, None));
    row.faces.iter().map(move |face| (row, Some(face))).chain(none)
}

/// What the file says about itself: the schema, `session.json` where there is one, and unit and meaning of each column.
fn notes(info: Option<&SessionInfo>) -> Vec<KeyValue> {
    let note = |key: String, value: String| KeyValue::new(key, Some(value));
    let mut notes = vec![note("facelens.schema".to_owned(), SESSION_SCHEMA.to_string())];
    if let Some(Ok(text)) = info.map(serde_json::to_string) {
        notes.push(note("facelens.session".to_owned(), text));
    }
    for column in COLUMNS {
        notes.push(note(format!("facelens.column.{}", column.name), column.meaning.to_owned()));
        if !column.unit.is_empty() {
            notes.push(note(format!("facelens.unit.{}", column.name), column.unit.to_owned()));
        }
    }
    notes
}

/// Writes the columns in the order of [`SCHEMA`]; the writer gives them one after the other.
fn write_group<W: Write + Send>(
    lines: &[ParquetLine<'_>],
    group: &mut SerializedRowGroupWriter<'_, W>,
) -> Result<(), ParquetError> {
    required::<ByteArrayType, _>(group, lines, |row| ByteArray::from(row.input.as_str()))?;
    required::<Int64Type, _>(group, lines, |row| row.frame.cast_signed())?;
    required::<DoubleType, _>(group, lines, |row| row.time_s)?;
    required::<Int32Type, _>(group, lines, |row| row.width.cast_signed())?;
    required::<Int32Type, _>(group, lines, |row| row.height.cast_signed())?;
    optional::<Int64Type, _>(group, lines, |face| Some(face.id.cast_signed()))?;
    optional::<FloatType, _>(group, lines, |face| Some(face.rect.x))?;
    optional::<FloatType, _>(group, lines, |face| Some(face.rect.y))?;
    optional::<FloatType, _>(group, lines, |face| Some(face.rect.width))?;
    optional::<FloatType, _>(group, lines, |face| Some(face.rect.height))?;
    optional::<FloatType, _>(group, lines, |face| Some(face.score))?;
    optional::<FloatType, _>(group, lines, |face| face.age.map(|age| age.years))?;
    optional::<FloatType, _>(group, lines, |face| face.age.map(|age| age.low))?;
    optional::<FloatType, _>(group, lines, |face| face.age.map(|age| age.high))?;
    optional::<ByteArrayType, _>(group, lines, |face| face.gender.map(|gender| label(gender.label)))?;
    optional::<FloatType, _>(group, lines, |face| face.gender.map(|gender| gender.male))?;
    optional::<FloatType, _>(group, lines, |face| face.pose.map(|pose| pose.yaw))?;
    optional::<FloatType, _>(group, lines, |face| face.pose.map(|pose| pose.pitch))?;
    optional::<FloatType, _>(group, lines, |face| face.pose.map(|pose| pose.roll))
}

fn label(label: GenderLabel) -> ByteArray {
    ByteArray::from(label.name())
}

fn required<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    lines: &[ParquetLine<'_>],
    value: impl Fn(&FrameRow) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = lines.iter().map(|(row, _)| value(row)).collect();
    write_column::<T, W>(group, &values, None)
}

fn optional<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    lines: &[ParquetLine<'_>],
    value: impl Fn(&FaceRow) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = lines.iter().map(|(_, face)| face.and_then(&value)).collect();
    // Parquet keeps a level for each cell (1: there is a value), and the values alone.
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    write_column::<T, W>(group, &values, Some(&levels))
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("the schema has too few columns".to_owned()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

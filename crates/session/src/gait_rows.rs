//! One stride of one walker as it is written: the same names and the same rounding in JSONL and in CSV.

use std::io::{self, Read, Write};

use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei, Stage, Stride};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use serde::{Deserialize, Serialize};

use super::columns::{Column, column};
use super::jsonl::write_line;
use super::rows::rounded;
use super::writer::RowFormat;

/// One line of JSONL: a stride. What cannot be told has no key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaitRow {
    /// The input as it was given.
    pub input: String,
    /// Identity of the walker, from 1; the face's where it was seen.
    pub id: u64,
    /// When the stride began, seconds, to the millisecond.
    pub start_s: f64,
    /// When it ended.
    pub end_s: f64,
    /// Time of one stride, seconds, to the millisecond.
    pub stride_s: f32,
    /// Frames of its gait energy image.
    pub frames: usize,
    /// Where the walker goes to, whole degrees: 0 towards the camera, 90 to the picture's right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction_deg: Option<u16>,
    /// Height of the silhouette, whole pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_px: Option<u32>,
    /// Steps a minute, to a tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cadence_per_min: Option<f32>,
    /// Length of a step over the length of the leg, to a hundredth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_over_leg: Option<f32>,
    /// Height of the head over the person's height, to a thousandth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_over_height: Option<f32>,
    /// Lean of the trunk, degrees forward, to a tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lean_deg: Option<f32>,
    /// File name of the gait energy image, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gei: Option<String>,
    /// Age by gait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<GaitAgeRow>,
    /// Part of life by gait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// How many strides the row holds: more than one where frames come slowly.
    pub strides: u32,
}

/// An age by gait as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaitAgeRow {
    /// Years, to a tenth.
    pub years: f32,
    /// Lower end of the 80 % range.
    pub low: f32,
    /// Upper end of the 80 % range.
    pub high: f32,
}

/// The columns of the strides in CSV, in their order.
pub const GAIT_COLUMNS: [Column; 18] = [
    column(
        "input",
        "",
        "Where the frames came from: the camera's name, the file as it was given, or `demo`. Never empty.",
    ),
    column(
        "id",
        "",
        "Number of the walker, from 1; kept through gaps of up to a second. For a person whose face was seen it is the \
         number of the face in `faces.csv`; strides before that have the walker's first number. Never empty.",
    ),
    column("start_s", "seconds", "When the stride began, to the millisecond, in the times of the frames. Never empty."),
    column("end_s", "seconds", "When it ended. Never empty."),
    column(
        "stride_s",
        "seconds",
        "Time of one stride: from a heel strike to the next of the same foot, two steps. Never empty.",
    ),
    column("frames", "", "Number of frames whose mean the gait energy image is, 12 or more. Never empty."),
    column(
        "direction_deg",
        "degrees",
        "Where the person walks to, 0 to 359: 0 towards the camera, 90 to the right of the unmirrored image, 180 away, \
         270 to the left. Empty: cannot be measured.",
    ),
    column("height_px", "pixels", "Height of the silhouette in the image. Empty: cannot be measured."),
    column("cadence_per_min", "steps a minute", "120 over `stride_s`. Empty: cannot be measured."),
    column(
        "step_over_leg",
        "",
        "Length of a step (ankle to ankle at its widest) over the length of the leg (hip to ankle). Given within 35 \
         degrees of a side view, else empty.",
    ),
    column(
        "head_over_height",
        "",
        "Height of the head (crown to chin) over the person's height: about 0.13 in adults. Empty: the face cannot be \
         located.",
    ),
    column(
        "lean_deg",
        "degrees",
        "Forward lean of the trunk from upright; below 0 backward. Given within 35 degrees of a side view, else empty.",
    ),
    column("gei", "", "File of the stride's gait energy image. Empty: none was written."),
    column(
        "age_years",
        "years",
        "Apparent age by gait, from all strides of the walker so far. Empty: no network for it, or its card does not \
         allow it.",
    ),
    column(
        "age_low",
        "years",
        "Lower end of the range that contains the age with a probability of 80 %. Empty as `age_years`.",
    ),
    column("age_high", "years", "Upper end of that range. Empty as `age_years`."),
    column("stage", "", "Life stage by gait: `child`, `adult`, `older` or `unsure`. Empty: no network for it."),
    column(
        "strides",
        "",
        "Number of strides in the row: above 1 if the frame rate is so low that one stride has fewer than 12 frames. \
         Never empty.",
    ),
];

impl GaitRow {
    /// The row of a stride of `input`; `gei` is the file of its image. `None` where its time is no finite number.
    pub fn new(input: impl Into<String>, stride: &Stride, gei: Option<String>) -> Option<Self> {
        let measures = &stride.measures;
        let milliseconds = |time: std::time::Duration| (time.as_secs_f64() * 1000.0).round() / 1000.0;
        let to = |value: Option<f32>, decimals| value.and_then(|value| rounded(value, decimals));
        let age = stride.age.and_then(|told| told.age).and_then(|age| {
            Some(GaitAgeRow { years: rounded(age.years, 1)?, low: rounded(age.low, 1)?, high: rounded(age.high, 1)? })
        });
        Some(Self {
            input: input.into(),
            id: stride.id,
            start_s: milliseconds(stride.start),
            end_s: milliseconds(stride.end),
            stride_s: to(measures.stride_s, 3)?,
            frames: stride.frames,
            // 359.6 is 0 again.
            direction_deg: to(measures.direction_deg, 0).map(|degrees| degrees.rem_euclid(360.0) as u16),
            height_px: to(measures.height_px, 0).map(|pixels| pixels.max(0.0) as u32),
            cadence_per_min: to(measures.cadence_per_min, 1),
            step_over_leg: to(measures.step_over_leg, 2),
            head_over_height: to(measures.head_over_height, 3),
            lean_deg: to(measures.lean_deg, 1),
            gei,
            age,
            stage: stride.age.map(|told| told.stage),
            strides: stride.strides,
        })
    }

    fn cells(&self) -> [String; GAIT_COLUMNS.len()] {
        let float = |value: Option<f32>| value.map(|value| format!("{value:?}")).unwrap_or_default();
        let age = |value: fn(&GaitAgeRow) -> f32| float(self.age.as_ref().map(value));
        [
            self.input.clone(),
            self.id.to_string(),
            format!("{:.3}", self.start_s),
            format!("{:.3}", self.end_s),
            float(Some(self.stride_s)),
            self.frames.to_string(),
            self.direction_deg.map(|value| value.to_string()).unwrap_or_default(),
            self.height_px.map(|value| value.to_string()).unwrap_or_default(),
            float(self.cadence_per_min),
            float(self.step_over_leg),
            float(self.head_over_height),
            float(self.lean_deg),
            self.gei.clone().unwrap_or_default(),
            age(|age| age.years),
            age(|age| age.low),
            age(|age| age.high),
            self.stage.map(|stage| stage.name().to_owned()).unwrap_or_default(),
            self.strides.to_string(),
        ]
    }

    /// The row in these cells, which lie as [`GAIT_COLUMNS`] do.
    fn of_cells(cells: &[Option<&str>]) -> Result<Self, String> {
        let cell = |name: &str| {
            let place = GAIT_COLUMNS.iter().position(|column| column.name == name);
            place.and_then(|place| cells[place]).map(str::trim).filter(|text| !text.is_empty())
        };
        fn number<T: std::str::FromStr>(name: &str, cell: Option<&str>) -> Result<Option<T>, String> {
            cell.map(|text| text.parse().map_err(|_| format!("{name} is {text:?}, not a number of this kind")))
                .transpose()
        }
        fn finite(name: &str, cell: Option<&str>) -> Result<Option<f32>, String> {
            match number::<f32>(name, cell)? {
                Some(value) if !value.is_finite() => Err(format!("{name} is not a finite number")),
                value => Ok(value),
            }
        }
        let needed = |name: &str| format!("{name} is missing");
        let seconds = |name: &'static str| {
            let value: f64 = number(name, cell(name))?.ok_or_else(|| needed(name))?;
            if (0.0..1e9).contains(&value) { Ok(value) } else { Err(format!("{name} is not a time: {value}")) }
        };
        let float = |name: &'static str| finite(name, cell(name));
        let age = match (float("age_years")?, float("age_low")?, float("age_high")?) {
            (Some(years), Some(low), Some(high)) => Some(GaitAgeRow { years, low, high }),
            _ => None,
        };
        let stages = [Stage::Child, Stage::Adult, Stage::Older, Stage::Unsure];
        let stage = cell("stage").map(|name| {
            stages.into_iter().find(|stage| stage.name() == name).ok_or(format!("there is no stage {name}"))
        });
        Ok(Self {
            input: cell("input").unwrap_or_default().to_owned(),
            id: number("id", cell("id"))?.ok_or_else(|| needed("id"))?,
            start_s: seconds("start_s")?,
            end_s: seconds("end_s")?,
            stride_s: float("stride_s")?.ok_or_else(|| needed("stride_s"))?,
            frames: number("frames", cell("frames"))?.unwrap_or_default(),
            direction_deg: number("direction_deg", cell("direction_deg"))?,
            height_px: number("height_px", cell("height_px"))?,
            cadence_per_min: float("cadence_per_min")?,
            step_over_leg: float("step_over_leg")?,
            head_over_height: float("head_over_height")?,
            lean_deg: float("lean_deg")?,
            gei: cell("gei").map(str::to_owned),
            age,
            stage: stage.transpose()?,
            strides: number("strides", cell("strides"))?.unwrap_or(1),
        })
    }
}

/// A gait energy image as a grey PNG.
///
/// # Errors
/// What the encoder says.
pub fn gei_png(gei: &Gei) -> io::Result<Vec<u8>> {
    let mut bytes = io::Cursor::new(Vec::new());
    PngEncoder::new(&mut bytes)
        .write_image(&gei.to_grey(), GEI_WIDTH as u32, GEI_HEIGHT as u32, ExtendedColorType::L8)
        .map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}

/// Writes strides in either format. The names of CSV go out with the first row, or with the flush.
pub struct GaitWriter<W: Write> {
    format: RowFormat,
    writer: W,
    started: bool,
}

impl<W: Write> GaitWriter<W> {
    /// A writer into `writer`, which has nothing in it yet.
    pub fn new(format: RowFormat, writer: W) -> Self {
        Self { format, writer, started: false }
    }

    /// What is written to.
    pub fn get_ref(&self) -> &W {
        &self.writer
    }

    /// Writes one stride, as one whole line.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, row: &GaitRow) -> io::Result<()> {
        match self.format {
            RowFormat::Jsonl => write_line(&mut self.writer, row),
            RowFormat::Csv => {
                self.start()?;
                self.record(&row.cells())
            }
        }
    }

    /// Writes the names, where no row came, and hands everything to the system.
    ///
    /// # Errors
    /// What the writer says.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.format == RowFormat::Csv {
            self.start()?;
        }
        self.writer.flush()
    }

    fn start(&mut self) -> io::Result<()> {
        if !self.started {
            self.record(&GAIT_COLUMNS.map(|column| column.name))?;
            self.started = true;
        }
        Ok(())
    }

    fn record<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(cells).map_err(|error| io::Error::other(error.to_string()))?;
        let line = csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        self.writer.write_all(&line)
    }
}

/// Reads strides back from CSV: columns in any order, by their names; more of them are passed over. A row that cannot be read
/// is an error of its own, and the next follows.
pub fn read_gait_csv(reader: impl Read) -> impl Iterator<Item = io::Result<GaitRow>> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let names: Vec<String> = match csv.headers() {
        Ok(names) => names.iter().map(|name| name.trim().trim_start_matches('\u{feff}').to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    let places = GAIT_COLUMNS.map(|column| names.iter().position(|name| name == column.name));
    csv.into_records().map(move |record| {
        let record = record.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = places.map(|place| place.and_then(|place| record.get(place)));
        GaitRow::of_cells(&cells)
            .map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {cause}")))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use facelens_gait::{GaitAge, GaitEstimate, Measures};

    use super::*;

    fn stride() -> Stride {
        Stride {
            id: 3,
            face: None,
            start: Duration::from_micros(4_200_400),
            end: Duration::from_millis(5310),
            strides: 1,
            frames: 34,
            gei: Gei::from_grey(44, 64, &[0; 44 * 64]).unwrap(),
            measures: Measures {
                stride_s: Some(1.11),
                cadence_per_min: Some(108.108),
                step_over_leg: Some(0.7912),
                head_over_height: Some(0.1403),
                lean_deg: Some(3.06),
                direction_deg: Some(92.3),
                height_px: Some(214.2),
            },
            age: None,
            likeness: 0.9,
        }
    }

    fn row() -> GaitRow {
        GaitRow::new("clip.mp4", &stride(), Some("clip-3-004.png".into())).unwrap()
    }

    fn text(format: RowFormat, rows: &[GaitRow]) -> String {
        let mut writer = GaitWriter::new(format, Vec::new());
        rows.iter().for_each(|row| writer.write(row).unwrap());
        writer.flush().unwrap();
        String::from_utf8(writer.writer).unwrap()
    }

    #[test]
    fn a_line_is_what_the_contract_shows() {
        assert_eq!(
            text(RowFormat::Jsonl, &[row()]),
            concat!(
                r#"{"input":"clip.mp4","id":3,"start_s":4.200,"end_s":5.310,"stride_s":1.11,"frames":34,"direction_deg":92,"#,
                r#""height_px":214,"cadence_per_min":108.1,"step_over_leg":0.79,"head_over_height":0.14,"lean_deg":3.1,"#,
                r#""gei":"clip-3-004.png","strides":1}"#,
                "\n"
            )
        );
        let mut known = stride();
        let age = GaitAge { years: 41.04, low: 22.0, high: 63.0, stage: Stage::Adult };
        known.age = Some(GaitEstimate { stage: age.stage, age: Some(age) });
        let line = text(RowFormat::Jsonl, &[GaitRow::new("a", &known, None).unwrap()]);
        assert!(line.contains(r#""age":{"years":41.0,"low":22.0,"high":63.0},"stage":"adult""#), "{line}");
    }

    #[test]
    fn rows_read_back_from_both_formats() {
        let mut frontal = stride();
        frontal.measures = Measures { stride_s: Some(1.0), direction_deg: Some(359.7), ..Measures::default() };
        frontal.age = Some(GaitEstimate { stage: Stage::Child, age: None });
        let rows = [row(), GaitRow::new("a \"b\", c.mp4", &frontal, None).unwrap()];
        assert_eq!(rows[1].direction_deg, Some(0));
        let csv = text(RowFormat::Csv, &rows);
        assert_eq!(csv.lines().count(), 3);
        let read: Vec<_> = read_gait_csv(csv.as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(read, rows);
        let jsonl = text(RowFormat::Jsonl, &rows);
        let read: Vec<GaitRow> = jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn without_a_stride_csv_has_its_first_line_and_jsonl_none() {
        assert_eq!(text(RowFormat::Csv, &[]).lines().count(), 1);
        assert_eq!(text(RowFormat::Jsonl, &[]), "");
    }

    #[test]
    fn a_broken_row_is_named_and_the_next_is_read() {
        let csv = text(RowFormat::Csv, &[row(), row(), row(), row()]);
        let broken: String = csv
            .lines()
            .enumerate()
            .map(|(number, line)| match number {
                1 => line.replace("4.200", "soon") + "\n",
                2 => line.replace("1.11", "NaN") + "\n",
                3 => "one cell\n".to_owned(),
                _ => format!("{line}\n"),
            })
            .collect();
        let read: Vec<_> = read_gait_csv(broken.as_bytes()).collect();
        let words: Vec<String> = read[..3].iter().map(|row| row.as_ref().unwrap_err().to_string()).collect();
        assert_eq!(
            words,
            [
                "line 2: start_s is \"soon\", not a number of this kind",
                "line 3: stride_s is not a finite number",
                "line 4: id is missing"
            ]
        );
        assert_eq!(read[3].as_ref().unwrap(), &row());
        assert!(read_gait_csv("".as_bytes()).next().is_none());
    }

    #[test]
    fn the_page_on_data_explains_every_column() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data.md");
        let page = std::fs::read_to_string(file).unwrap();
        let page = page.split("## Strides").nth(1).expect("a chapter on strides");
        for Column { name, unit, meaning } in GAIT_COLUMNS {
            let row = format!("| `{name}` | {unit} | {meaning} |").replace("|  |", "| |");
            assert!(page.contains(&row), "docs/data.md lacks:\n{row}");
        }
    }
}

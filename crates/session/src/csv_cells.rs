//! The cells of one line of the data, and what they mean.

use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::GenderLabel;

use super::csv::CSV_COLUMNS;
use super::info::LONGEST_S;
use super::rows::{AgeRow, FaceRow, FrameRow, GenderRow};

/// A longer line is no row of the data; the longest path that names an input has 4 KiB.
const LONGEST_LINE: usize = 16 << 10;
/// Most cells of a line.
const MOST_CELLS: usize = 512;
/// The largest whole number that a program which keeps numbers as floating point writes unchanged.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
/// The columns without which nothing of a frame and its faces can be told.
const NEEDED: &[&str] =
    &["input", "frame", "time_s", "width", "height", "id", "box_x", "box_y", "box_width", "box_height", "score"];
/// The column that schema 1 had in place of the two ends of an age's range: how far both are from the age, years.
const SPREAD: &str = "age_spread";
/// How programs write that there is no value, besides an empty cell.
const NO_VALUE: [&str; 6] = ["nan", "na", "n/a", "<na>", "null", "none"];

/// Splits lines into their cells.
pub(super) struct Splitter {
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Splitter {
    /// For lines with this character between the cells.
    pub(super) fn new(delimiter: u8) -> Self {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, text: vec![0; LONGEST_LINE], ends: vec![0; MOST_CELLS], count: 0 }
    }

    /// Splits the line at the beginning of `bytes`, which begins with no line end. Gives its length with its end, or
    /// `None` where it is too long.
    pub(super) fn split(&mut self, bytes: &[u8]) -> Option<usize> {
        self.reader.reset();
        self.count = 0;
        let window = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
        let (mut read, mut written, mut ends) = (0, 0, 0);
        loop {
            // Without any byte left, the reader takes the end of the file as the end of the line.
            let rest = &window[read..];
            if rest.is_empty() && window.len() < bytes.len() {
                return None;
            }
            let (result, taken, text, more) =
                self.reader.read_record(rest, &mut self.text[written..], &mut self.ends[ends..]);
            (read, written, ends) = (read + taken, written + text, ends + more);
            match result {
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => {
                    self.count = ends;
                    return Some(read);
                }
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::OutputFull | csv_core::ReadRecordResult::OutputEndsFull => return None,
            }
        }
    }

    /// The cells of the last line that was split.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|index| self.cell(index))
    }

    fn cell(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        if index < self.count { self.text.get(start..self.ends[index]).unwrap_or_default() } else { &[] }
    }
}

/// Which cell of a line is which column.
#[derive(Debug)]
pub(super) struct CsvColumns {
    /// Place of each of [`CSV_COLUMNS`] in a line.
    places: [Option<usize>; CSV_COLUMNS.len()],
    /// Place of [`SPREAD`] in a line of schema 1.
    spread: Option<usize>,
    count: usize,
    /// Columns with names that are not known here.
    pub unknown: Vec<String>,
    /// Known columns that are not there.
    pub missing: Vec<String>,
}

impl CsvColumns {
    /// How many of these names are columns of the data.
    pub(super) fn known(names: &[String]) -> usize {
        CSV_COLUMNS.iter().filter(|column| names.iter().any(|name| name == *column)).count()
    }

    /// The columns that the first line names.
    ///
    /// # Errors
    /// Where one is missing that is needed, or is there twice.
    pub(super) fn new(names: &[String]) -> Result<Self, String> {
        let mut places = [None; CSV_COLUMNS.len()];
        let mut missing = Vec::new();
        if Self::known(names) == 0 {
            return Err("it names none of the columns of facelens (input, frame, time_s and so on)".to_owned());
        }
        for (place, column) in places.iter_mut().zip(CSV_COLUMNS) {
            let mut there = names.iter().enumerate().filter(|(_, name)| *name == column);
            *place = there.next().map(|(index, _)| index);
            if there.next().is_some() {
                return Err(format!("there are two columns `{column}`"));
            }
            if place.is_none() {
                if NEEDED.contains(&column) {
                    return Err(format!("there is no column `{column}`"));
                }
                missing.push(column.to_owned());
            }
        }
        let mut spread = None;
        if missing.iter().any(|name| name == "age_low") && missing.iter().any(|name| name == "age_high") {
            spread = names.iter().position(|name| name == SPREAD);
        }
        if spread.is_some() {
            missing.retain(|name| name != "age_low" && name != "age_high");
        }
        let known = |name: &str| CSV_COLUMNS.contains(&name) || spread.is_some() && name == SPREAD;
        let unknown = names.iter().filter(|name| !name.is_empty() && !known(name));
        Ok(Self { places, spread, count: names.len(), unknown: unknown.cloned().collect(), missing })
    }

    /// What a line says.
    ///
    /// # Errors
    /// The column and what is wrong with its cell.
    pub(super) fn row(&self, line: &Splitter) -> Result<FrameRow, String> {
        if line.count < self.count || (self.count..line.count).any(|index| !line.cell(index).trim_ascii().is_empty()) {
            let cells = if line.count == 1 { "1 cell".to_owned() } else { format!("{} cells", line.count) };
            return Err(format!("it has {cells} instead of {}", self.count));
        }
        let mut cells = Cells { columns: self, line, mark: None };
        let needed = |name: &str| format!("`{name}` is empty");
        let frame = cells.whole("frame")?.ok_or_else(|| needed("frame"))?;
        let time_s: f64 = cells.number("time_s")?.ok_or_else(|| needed("time_s"))?;
        if !(0.0..=LONGEST_S).contains(&time_s) {
            return Err(format!("`time_s` is {time_s}, which is not a time of a recording"));
        }
        let mut side = |name: &str| -> Result<u32, String> {
            let side = cells.whole(name)?.ok_or_else(|| needed(name))?;
            u32::try_from(side).map_err(|_| format!("`{name}` is {side}, which is not the size of an image"))
        };
        let (width, height) = (side("width")?, side("height")?);
        Frame::check_size(width, height).map_err(|error| error.to_string())?;
        let faces = cells.face()?.into_iter().collect();
        let input = cells.text("input")?.to_owned();
        Ok(FrameRow { input, frame, time_s, width, height, faces })
    }
}

impl CsvColumns {
    /// The frame of a line that may be cut off; `None` unless another cell follows it.
    pub(super) fn whole_frame(&self, line: &Splitter) -> Option<u64> {
        let mut cells = Cells { columns: self, line, mark: None };
        let followed = cells.place("frame")? + 1 < line.count;
        cells.whole("frame").ok()?.filter(|_| followed)
    }
}

/// The cells of one line by their columns.
struct Cells<'a> {
    columns: &'a CsvColumns,
    line: &'a Splitter,
    /// The decimal mark of the numbers so far.
    mark: Option<char>,
}

impl<'a> Cells<'a> {
    fn face(&mut self) -> Result<Option<FaceRow>, String> {
        let id = self.whole("id")?;
        let names = ["box_x", "box_y", "box_width", "box_height", "score"];
        let all = self.all(names, id.is_some())?;
        let age = self.age()?;
        let label = self.gender()?;
        let male: Option<[f32; 1]> = self.all(["gender_male"], label.is_some())?;
        let pose = self.all(["pose_yaw", "pose_pitch", "pose_roll"], false)?;
        let (Some(id), Some([x, y, width, height, score])) = (id, all) else {
            let filled = [("box_x", all.is_some()), ("age_years", age.is_some()), ("pose_yaw", pose.is_some())];
            let gender = [("gender_label", label.is_some()), ("gender_male", male.is_some())];
            return match filled.into_iter().chain(gender).find(|(_, filled)| *filled) {
                Some((name, _)) => Err(format!("`id` is empty, though `{name}` is not")),
                None => Ok(None),
            };
        };
        if male.is_some() && label.is_none() && self.has("gender_label") {
            return Err("`gender_label` is empty, though `gender_male` is not".to_owned());
        }
        Ok(Some(FaceRow {
            id,
            rect: Rect::new(x, y, width, height),
            score,
            age,
            gender: label.zip(male).map(|(label, [male])| GenderRow { label, male }),
            pose: pose.map(|[yaw, pitch, roll]| Pose { yaw, pitch, roll }),
        }))
    }

    /// The numbers of columns that are empty together; `needed` where they must not be.
    fn all<const N: usize>(&mut self, names: [&'static str; N], needed: bool) -> Result<Option<[f32; N]>, String> {
        let mut values = [0.0; N];
        let (mut empty, mut filled) = (None, None);
        for (value, name) in values.iter_mut().zip(names) {
            match self.number::<f32>(name)? {
                Some(number) => (*value, filled) = (number, Some(name)),
                // A column that is not there says nothing of the others.
                None => empty = Some(name),
            }
        }
        match (empty, filled) {
            (None, _) => Ok(Some(values)),
            (Some(empty), _) if !self.has(empty) => Ok(None),
            (Some(empty), Some(filled)) => Err(format!("`{empty}` is empty, though `{filled}` is not")),
            (Some(empty), None) if needed => Err(format!("`{empty}` is empty, though there is a face")),
            (Some(_), None) => Ok(None),
        }
    }

    /// The age, with the range of this schema or the one distance of the first.
    fn age(&mut self) -> Result<Option<AgeRow>, String> {
        if self.columns.spread.is_some() {
            let age = self.all(["age_years", SPREAD], false)?;
            return Ok(age.map(|[years, spread]| AgeRow::with_spread(years, spread)));
        }
        let age = self.all(["age_years", "age_low", "age_high"], false)?;
        Ok(age.map(|[years, low, high]| AgeRow { years, low, high }))
    }

    fn gender(&self) -> Result<Option<GenderLabel>, String> {
        // Without its number, a label says as little as a number without its label.
        if !self.has("gender_label") || !self.has("gender_male") {
            return Ok(None);
        }
        let text = self.text("gender_label")?;
        if is_empty(text) {
            return Ok(None);
        }
        let labels = [GenderLabel::Female, GenderLabel::Male, GenderLabel::Unsure];
        let label = labels.into_iter().find(|label| label.name().eq_ignore_ascii_case(text));
        label.map(Some).ok_or_else(|| format!("`gender_label` is {text:?}, neither female, male nor unsure"))
    }

    fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn place(&self, name: &str) -> Option<usize> {
        if name == SPREAD {
            return self.columns.spread;
        }
        let index = CSV_COLUMNS.iter().position(|column| *column == name)?;
        self.columns.places.get(index).copied().flatten()
    }

    /// The cell's text without spaces around it; empty where the column is missing.
    fn text(&self, name: &str) -> Result<&'a str, String> {
        let cell = self.place(name).map(|place| self.line.cell(place)).unwrap_or_default();
        let text =
            std::str::from_utf8(cell).map_err(|_| format!("`{name}` is not UTF-8 text; save the table as UTF-8"))?;
        Ok(text.trim())
    }

    /// A whole number, which some programs write as `1.0`.
    fn whole(&mut self, name: &str) -> Result<Option<u64>, String> {
        if let Ok(whole) = self.text(name)?.parse::<u64>() {
            return Ok(Some(whole));
        }
        match self.number::<f64>(name)? {
            None => Ok(None),
            Some(value) if value.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&value) => Ok(Some(value as u64)),
            Some(_) => Err(format!("`{name}` is {:?}, not a whole number", self.text(name)?)),
        }
    }

    /// A number with a decimal point or comma, the same one in the whole line.
    fn number<T: std::str::FromStr + Into<f64> + Copy>(&mut self, name: &str) -> Result<Option<T>, String> {
        let text = self.text(name)?;
        if is_empty(text) {
            return Ok(None);
        }
        let mark = text.chars().find(|c| matches!(c, '.' | ','));
        if self.mark.zip(mark).is_some_and(|(before, mark)| before != mark) {
            return Err(format!("`{name}` is {text:?}, but other numbers of the row have another decimal mark"));
        }
        self.mark = self.mark.or(mark);
        let number = text.replacen(',', ".", 1).parse::<T>().ok().filter(|&number| number.into().is_finite());
        number.map(Some).ok_or_else(|| format!("`{name}` is {text:?}, not a number"))
    }
}

fn is_empty(text: &str) -> bool {
    text.is_empty() || NO_VALUE.iter().any(|word| text.eq_ignore_ascii_case(word))
}

//! The labels of `eval`: a CSV with `file` and any of `age` | `age_min`,`age_max`, `gender`, `yaw`,`pitch`,`roll`.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use csv::StringRecord;
use facelens_base::bounded_file;
use facelens_core::geometry::Pose;
use facelens_core::model::Task;

/// Largest file of labels: those of five million pictures.
const MAX_BYTES: u64 = 256 << 20;

/// What is known of one picture. An empty cell is an unknown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    /// The picture's name in the folder or tar, with `/` between folders.
    pub file: String,
    /// Age.
    pub age: Option<AgeLabel>,
    /// Whether the face is labelled male.
    pub male: Option<bool>,
    /// Head pose in degrees.
    pub pose: Option<Pose>,
}

/// An age as a set of labels gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum AgeLabel {
    /// Years.
    Years(f32),
    /// Completed years from `min` to `max`, both included; without `max` the bin is open.
    Bin {
        /// First year.
        min: u16,
        /// Last year.
        max: Option<u16>,
    },
}

/// All labels, in the file's order.
#[derive(Debug)]
pub(super) struct Labels {
    rows: Vec<Label>,
    by_file: HashMap<String, usize>,
}

impl Labels {
    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read, has no column `file`, no column with a label, or a cell that is no such label.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let bytes = bounded_file::read(file, MAX_BYTES)?;
        Self::parse(bytes.as_slice()).with_context(|| format!("{}: the labels cannot be read", file.display()))
    }

    fn parse(reader: impl Read) -> anyhow::Result<Self> {
        let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let columns = Columns::new(csv.headers()?)?;
        let (mut rows, mut by_file) = (Vec::new(), HashMap::new());
        for record in csv.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let label = columns.label(&record).with_context(|| format!("line {line}"))?;
            let double = by_file.insert(label.file.clone(), rows.len());
            ensure!(double.is_none(), "line {line}: `{}` is there twice", label.file);
            rows.push(label);
        }
        ensure!(!rows.is_empty(), "there is no line below the first one");
        Ok(Self { rows, by_file })
    }

    /// The labels in the file's order.
    pub fn rows(&self) -> &[Label] {
        &self.rows
    }

    /// Which label belongs to a picture; its name as [`tidy_name`] gives it.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_file.get(name).copied()
    }

    /// Whether any picture has a label for this task.
    pub fn have(&self, task: Task) -> bool {
        self.rows.iter().any(|label| match task {
            Task::Age => label.age.is_some(),
            Task::Gender => label.male.is_some(),
            Task::Pose => label.pose.is_some(),
        })
    }
}

/// A picture's name as it is compared: `/` between folders, no `./` before it.
pub(super) fn tidy_name(name: &str) -> String {
    let name = name.replace('\\', "/");
    name.trim_start_matches("./").to_owned()
}

/// Where the labels stand in a line.
struct Columns {
    file: usize,
    age: Option<usize>,
    age_bin: Option<(usize, usize)>,
    gender: Option<usize>,
    pose: Option<[usize; 3]>,
}

impl Columns {
    fn new(header: &StringRecord) -> anyhow::Result<Self> {
        let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let columns = Self {
            file: find("file").ok_or_else(|| {
                anyhow!("there is no column `file` in the first line ({})", header.iter().collect::<Vec<_>>().join(","))
            })?,
            age: find("age"),
            age_bin: find("age_min").zip(find("age_max")),
            gender: find("gender"),
            pose: match (find("yaw"), find("pitch"), find("roll")) {
                (Some(yaw), Some(pitch), Some(roll)) => Some([yaw, pitch, roll]),
                (None, None, None) => None,
                _ => bail!("a head pose needs the three columns yaw, pitch and roll"),
            },
        };
        ensure!(
            columns.age.is_none() || columns.age_bin.is_none(),
            "there are both `age` and `age_min`,`age_max`; keep one of them"
        );
        ensure!(
            columns.age_bin.is_some() || (find("age_min").is_none() && find("age_max").is_none()),
            "an age bin needs the two columns age_min and age_max (empty for an open end)"
        );
        ensure!(
            columns.age.is_some() || columns.age_bin.is_some() || columns.gender.is_some() || columns.pose.is_some(),
            "there is no label; the columns are `age` or `age_min`,`age_max`, `gender`, `yaw`,`pitch`,`roll`"
        );
        Ok(columns)
    }

    fn label(&self, record: &StringRecord) -> anyhow::Result<Label> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let file = tidy_name(cell(self.file));
        ensure!(!file.is_empty(), "the cell `file` is empty");
        let age = match (self.age, self.age_bin) {
            (Some(column), _) => number(cell(column), "age")?.map(AgeLabel::Years),
            (None, Some((min, max))) => age_bin(cell(min), cell(max))?,
            (None, None) => None,
        };
        if let Some(AgeLabel::Years(years)) = age {
            ensure!((0.0..=150.0).contains(&years), "an age of {years} years");
        }
        let male = match self.gender.map(cell).unwrap_or_default() {
            "" => None,
            text if text.eq_ignore_ascii_case("male") || text.eq_ignore_ascii_case("m") => Some(true),
            text if text.eq_ignore_ascii_case("female") || text.eq_ignore_ascii_case("f") => Some(false),
            text => bail!("the gender `{text}` is neither `female` nor `male`"),
        };
        let pose = match self.pose {
            None => None,
            Some([yaw, pitch, roll]) => {
                match (number(cell(yaw), "yaw")?, number(cell(pitch), "pitch")?, number(cell(roll), "roll")?) {
                    (Some(yaw), Some(pitch), Some(roll)) => Some(Pose { yaw, pitch, roll }),
                    (None, None, None) => None,
                    _ => bail!("of yaw, pitch and roll some are empty"),
                }
            }
        };
        Ok(Label { file, age, male, pose })
    }
}

fn age_bin(min: &str, max: &str) -> anyhow::Result<Option<AgeLabel>> {
    if min.is_empty() && max.is_empty() {
        return Ok(None);
    }
    let years = |text: &str, name: &str| {
        text.parse::<u16>().map_err(|_| anyhow!("{name} is `{text}`, not a whole number of years"))
    };
    let min = years(min, "age_min")?;
    let max = if max.is_empty() { None } else { Some(years(max, "age_max")?) };
    ensure!(max.is_none_or(|max| max >= min), "age_max is below age_min");
    Ok(Some(AgeLabel::Bin { min, max }))
}

fn number(text: &str, name: &str) -> anyhow::Result<Option<f32>> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(anyhow!("{name} is `{text}`, not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<Labels> {
        Labels::parse(text.as_bytes())
    }

    #[test]
    fn bins_exact_ages_and_empty_cells_are_read() {
        let labels =
            parse("file,age_min,age_max,gender\n./val/1.webp,30,39,male\nval/2.webp,70,,Female\nc,,,\n").unwrap();
        let [first, open, unknown] = labels.rows() else { panic!("three rows") };
        assert_eq!(first.age, Some(AgeLabel::Bin { min: 30, max: Some(39) }));
        assert_eq!((first.file.as_str(), first.male), ("val/1.webp", Some(true)));
        assert_eq!((open.age, open.male), (Some(AgeLabel::Bin { min: 70, max: None }), Some(false)));
        assert_eq!((unknown.age, unknown.male), (None, None));
        assert_eq!(labels.index_of("val/2.webp"), Some(1));
        assert!(labels.have(Task::Age) && labels.have(Task::Gender) && !labels.have(Task::Pose));

        let exact = parse("roll,file,age,pitch,yaw\n3,a,27.5,2,-1\n").unwrap();
        assert_eq!(exact.rows()[0].age, Some(AgeLabel::Years(27.5)));
        assert_eq!(exact.rows()[0].pose, Some(Pose { yaw: -1.0, pitch: 2.0, roll: 3.0 }));
    }

    #[test]
    fn what_is_no_label_is_named_with_its_line() {
        for (text, words) in [
            ("name,age\na,3\n", "no column `file`"),
            ("file,colour\na,red\n", "there is no label"),
            ("file,age,age_min,age_max\na,3,3,4\n", "keep one of them"),
            ("file,age_min\na,3\n", "age_min and age_max"),
            ("file,yaw,pitch\na,3,4\n", "three columns"),
            ("file,age\na,3\na,4\n", "line 3: `a` is there twice"),
            ("file,age\na,old\n", "line 2: age is `old`"),
            ("file,age\na,-3\n", "line 2: an age of -3"),
            ("file,age_min,age_max\na,30,20\n", "line 2: age_max is below"),
            ("file,gender\na,neither\n", "line 2: the gender `neither`"),
            ("file,yaw,pitch,roll\na,1,,2\n", "line 2: of yaw"),
            ("file,age\n", "no line below"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}

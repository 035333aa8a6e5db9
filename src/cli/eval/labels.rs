//! The labels of `eval`: a CSV with `file` and any of `age` | `age_min`,`age_max`, `gender`, `yaw`,`pitch`,`roll`.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use csv::StringRecord;
use facelens_base::bounded_file;
use facelens_core::geometry::Pose;
use facelens_core::model::Task;

use facelens_media::labels::{self, AgeCell, GenderColumn, Sheet, is_unknown, tidy_name, whole_years};

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
        Self::parse(&bytes).with_context(|| format!("{}: the labels cannot be read", file.display()))
    }

    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let sheet = Sheet::new(bytes);
        let mut csv = sheet.reader();
        let header = csv.headers()?.clone();
        let columns = LabelColumns::new(&header)?;
        let (mut rows, mut by_file) = (Vec::new(), HashMap::new());
        for record in csv.records() {
            let record = record?;
            if labels::is_empty(&record) {
                continue;
            }
            let line = sheet.line(record.position().map_or(0, csv::Position::line));
            // Cells beyond the header may be empty, as spreadsheets add them.
            let (cells, columns_there) = (record.iter().filter(|cell| !cell.is_empty()).count(), header.len());
            ensure!(
                record.len() >= columns_there && record.iter().skip(columns_there).all(str::is_empty),
                "line {line}: it has {} cells ({cells} of them filled) where the first line has {columns_there}",
                record.len()
            );
            let label = columns.label(&record).with_context(|| format!("line {line}"))?;
            let double = by_file.insert(label.file.clone(), rows.len());
            ensure!(double.is_none(), "line {line}: `{}` appears twice", label.file);
            rows.push(label);
        }
        ensure!(!rows.is_empty(), "there is no line after the first one");
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

/// Where the labels stand in a line.
struct LabelColumns {
    file: usize,
    age: Option<usize>,
    age_bin: Option<(usize, usize)>,
    gender: Option<GenderColumn>,
    pose: Option<[usize; 3]>,
}

impl LabelColumns {
    fn new(header: &StringRecord) -> anyhow::Result<Self> {
        let find = |name: &str| labels::column(header, name);
        let columns = Self {
            file: find("file").ok_or_else(|| {
                anyhow!("there is no column `file` in the first line ({})", header.iter().collect::<Vec<_>>().join(","))
            })?,
            age: find("age"),
            age_bin: find("age_min").zip(find("age_max")),
            gender: GenderColumn::find(header),
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
            (Some(column), _) => age(cell(column))?,
            (None, Some((min, max))) => age_bin(cell(min), cell(max))?,
            (None, None) => None,
        };
        if let Some(AgeLabel::Years(years)) = age {
            ensure!((0.0..=150.0).contains(&years), "an age of {years} years");
        }
        let male = match self.gender {
            None => None,
            Some(column) => column.is_male(record).map_err(|words| anyhow!("{words}"))?,
        };
        let pose = match self.pose {
            None => None,
            Some([yaw, pitch, roll]) => {
                match (number(cell(yaw), "yaw")?, number(cell(pitch), "pitch")?, number(cell(roll), "roll")?) {
                    (Some(yaw), Some(pitch), Some(roll)) => Some(Pose { yaw, pitch, roll }),
                    (None, None, None) => None,
                    _ => bail!("some of yaw, pitch and roll are empty"),
                }
            }
        };
        Ok(Label { file, age, male, pose })
    }
}

fn age(text: &str) -> anyhow::Result<Option<AgeLabel>> {
    if is_unknown(text) {
        return Ok(None);
    }
    match labels::age_text(text) {
        Some(AgeCell::Years(years)) => Ok(Some(AgeLabel::Years(years as f32))),
        Some(AgeCell::Bin(min, max)) => {
            ensure!(max.is_none_or(|max| max >= min), "the age `{text}` ends before it begins");
            Ok(Some(AgeLabel::Bin { min, max }))
        }
        None => Err(anyhow!("age is `{text}`, not a number")),
    }
}

fn age_bin(min: &str, max: &str) -> anyhow::Result<Option<AgeLabel>> {
    if is_unknown(min) && is_unknown(max) {
        return Ok(None);
    }
    let years = |text: &str, name: &str| {
        whole_years(text).ok_or_else(|| anyhow!("{name} is `{text}`, not a whole number of years"))
    };
    let min = years(min, "age_min")?;
    let max = if is_unknown(max) { None } else { Some(years(max, "age_max")?) };
    ensure!(max.is_none_or(|max| max >= min), "age_max is below age_min");
    Ok(Some(AgeLabel::Bin { min, max }))
}

fn number(text: &str, name: &str) -> anyhow::Result<Option<f32>> {
    if is_unknown(text) {
        return Ok(None);
    }
    let value = labels::number(text).ok_or_else(|| anyhow!("{name} is `{text}`, not a number"))?;
    Ok(Some(value as f32))
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
    fn tables_of_other_programs_are_read() {
        for text in [
            "file;age;gender\r\na.jpg;42,5;Woman\r\n",
            "sep=\t\nfile\tage\tgender\na.jpg\t42.5\tF\n",
            "file,age,gender\na.jpg,42.5,female\n,,\n,,\n",
            "\"file\",\"age\",\"sex\",\"\"\n\"a.jpg\",\"42,5\",\"f\",\"\"\n",
            "file,age,male\na.jpg,42.5,0\n",
        ] {
            let labels = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:#}"));
            let [label] = labels.rows() else { panic!("{text:?}: {labels:?}") };
            assert_eq!((label.age, label.male), (Some(AgeLabel::Years(42.5)), Some(false)), "{text:?}");
        }
        let bins = parse("file,age_min,age_max\na,30.0,39.0\nb,70.0,\nc,NA,NA\n").unwrap();
        let ages: Vec<_> = bins.rows().iter().map(|label| label.age).collect();
        let bin = |min, max| Some(AgeLabel::Bin { min, max });
        assert_eq!(ages, [bin(30, Some(39)), bin(70, None), None]);
        assert_eq!(parse("file,age\na,NA\nb,20-29\n").unwrap().rows()[1].age, bin(20, Some(29)));
        let utf_16: Vec<u8> = "\u{feff}file,age\nü,4\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Labels::parse(&utf_16).unwrap().rows()[0].file, "ü");
        assert_eq!(Labels::parse(b"file,age\n\xfc,4\n").unwrap().rows()[0].file, "ü");
    }

    #[test]
    fn what_is_no_label_is_named_with_its_line() {
        for (text, words) in [
            ("name,age\na,3\n", "no column `file`"),
            ("file,colour\na,red\n", "there is no label"),
            ("file,age,age_min,age_max\na,3,3,4\n", "keep one of them"),
            ("file,age_min\na,3\n", "age_min and age_max"),
            ("file,yaw,pitch\na,3,4\n", "three columns"),
            ("file,age\na,3\na,4\n", "line 3: `a` appears twice"),
            ("file,age\na,old\n", "line 2: age is `old`"),
            ("file,age\na,-3\n", "line 2: an age of -3"),
            ("file,age_min,age_max\na,30,20\n", "line 2: age_max is below"),
            ("file,gender\na,neither\n", "line 2: the gender `neither`"),
            ("file,gender\na,1\n", "line 2: the gender `1` is a number"),
            ("sep=;\nfile;age\na;old\n", "line 3: age is `old`"),
            ("file,age\na,30,5\n", "line 2: it has 3 cells"),
            ("file,age,gender\na,30\n", "line 2: it has 2 cells"),
            ("file,yaw,pitch,roll\na,1,,2\n", "line 2: some of yaw"),
            ("file,age\n", "no line after"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}

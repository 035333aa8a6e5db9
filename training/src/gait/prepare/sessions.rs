//! Recorded sessions: of a walker whose face was seen, too, the face's age becomes the label of the gait.
//!
//! ```text
//! SESSION/faces.csv    id, age_low, age_high, gender_male: what the face said in each frame
//! SESSION/gait.csv     id, gei, direction_deg, stride_s: the strides
//! SESSION/gei/NAME     their gait energy images
//! ```

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use facelens_base::bounded_file;

use super::images::{Unusable, read_gei};
use super::{GaitPrepareError, GaitReport, Maker, NamedColumns};
use crate::gait::set::GaitSample;

/// Largest table of a session, bytes.
const MAX_TABLE_BYTES: u64 = 2 << 30;
/// So many frames must have seen a face before its age is believed.
const FEWEST_FACES: usize = 10;
/// Oldest age that a face may have, years.
const OLDEST: f32 = 150.0;

/// What the face of one person said.
#[derive(Default)]
struct FacePrediction {
    low: Vec<f32>,
    high: Vec<f32>,
    male: Vec<f32>,
}

/// Writes the strides of these sessions' walkers whose faces were seen as the gait set `output`: the label is the interval from
/// the median lower to the median upper end of the face's 80 % range, and the median chance of a man.
///
/// Sessions of an earlier version, whose faces have no range, are left out.
///
/// # Errors
/// Where a table cannot be read, nothing can be used, or the set cannot be written.
pub fn sessions(folders: &[PathBuf], output: &Path) -> Result<GaitReport, GaitPrepareError> {
    let mut maker = Maker::create(output)?;
    let mut persons = 0_u32;
    for folder in folders {
        let said = faces(&folder.join("faces.csv"), &mut maker)?;
        let mut numbers: BTreeMap<u64, u32> = BTreeMap::new();
        strides(folder, &mut maker, |maker, stride, name| {
            let Some(said) = said.get(&stride.id) else {
                maker.leave_out("no face of its walker was seen", &name, "");
                return Ok(());
            };
            if said.low.len() < FEWEST_FACES {
                let seen = format!("in {} frames", said.low.len());
                maker.leave_out("the face of its walker was seen too seldom", &name, &seen);
                return Ok(());
            }
            match read_gei(&stride.file) {
                Ok(gei) => {
                    let person = *numbers.entry(stride.id).or_insert_with(|| {
                        persons = persons.saturating_add(1);
                        persons - 1
                    });
                    let sample = GaitSample {
                        age_min: median(&said.low),
                        age_max: median(&said.high),
                        male: median(&said.male),
                        person,
                        view_degrees: stride.direction_deg,
                        stride_s: stride.stride_s,
                        source: name,
                    };
                    maker.push(sample, &gei)
                }
                Err(Unusable::Missing) => {
                    maker.leave_out("its image is missing", &name, "");
                    Ok(())
                }
                Err(Unusable::Bad(cause)) => {
                    maker.leave_out("its image cannot be read", &name, &cause);
                    Ok(())
                }
            }
        })?;
    }
    let source = folders.first().map_or(Path::new(""), PathBuf::as_path);
    maker.finish(source)
}

/// The middle one; `None` without any.
fn median(numbers: &[f32]) -> Option<f32> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// The lines of a table.
type Records = csv::StringRecordsIntoIter<std::io::Cursor<Vec<u8>>>;

/// The columns of a table, which must have those that are needed, and its lines.
fn table(file: &Path, needed: &[&str]) -> Result<(NamedColumns, Records), GaitPrepareError> {
    let failed = |cause: String| GaitPrepareError::Labels { file: file.display().to_string(), cause };
    let bytes = bounded_file::read(file, MAX_TABLE_BYTES).map_err(|error| failed(error.cause))?;
    let mut csv =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(std::io::Cursor::new(bytes));
    let columns = NamedColumns::of(csv.headers().map_err(|error| failed(error.to_string()))?);
    match needed.iter().find(|name| columns.find(&[**name]).is_none()) {
        Some(name) => Err(failed(format!("there is no column `{name}` in its first line"))),
        None => Ok((columns, csv.into_records())),
    }
}

/// What each face of a session said.
fn faces(file: &Path, maker: &mut Maker) -> Result<BTreeMap<u64, FacePrediction>, GaitPrepareError> {
    let (columns, records) = table(file, &["id", "age_low", "age_high"])?;
    let places = ["id", "age_low", "age_high", "gender_male"].map(|name| columns.find(&[name]));
    let mut said: BTreeMap<u64, FacePrediction> = BTreeMap::new();
    for (line, record) in records.enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                maker.leave_out(
                    "its line cannot be read",
                    &format!("{}, line {}", file.display(), line + 2),
                    &error.to_string(),
                );
                continue;
            }
        };
        let cell = |place: usize| places[place].and_then(|place| record.get(place)).unwrap_or_default();
        let number = |place: usize, most: f32| cell(place).parse().ok().filter(|value| (0.0..=most).contains(value));
        // A frame without a face, or a face without an age yet.
        let (Ok(id), Some(low), Some(high)) = (cell(0).parse::<u64>(), number(1, OLDEST), number(2, OLDEST)) else {
            continue;
        };
        if low <= high {
            let said = said.entry(id).or_default();
            said.low.push(low);
            said.high.push(high);
            said.male.extend(number(3, 1.0));
        }
    }
    Ok(said)
}

/// One stride of a session.
struct RecordedStride {
    id: u64,
    file: PathBuf,
    direction_deg: Option<f32>,
    stride_s: Option<f32>,
}

/// Gives each stride of a session that has an image to `take`, with its name.
fn strides(
    folder: &Path,
    maker: &mut Maker,
    mut take: impl FnMut(&mut Maker, RecordedStride, String) -> Result<(), GaitPrepareError>,
) -> Result<(), GaitPrepareError> {
    let file = folder.join("gait.csv");
    let (columns, records) = table(&file, &["id", "gei"])?;
    let places = ["id", "gei", "direction_deg", "stride_s"].map(|name| columns.find(&[name]));
    for (line, record) in records.enumerate() {
        let named = format!("{}, line {}", file.display(), line + 2);
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                maker.leave_out("its line cannot be read", &named, &error.to_string());
                continue;
            }
        };
        let cell = |place: usize| places[place].and_then(|place| record.get(place)).unwrap_or_default();
        let number = |place: usize| cell(place).parse::<f32>().ok().filter(|value| value.is_finite());
        let gei = cell(1);
        // A name leads to no other folder.
        let plain = matches!(Path::new(gei).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
        match cell(0).parse() {
            Ok(_) if gei.is_empty() => maker.leave_out("it has no image", &named, ""),
            Ok(id) if plain => {
                let stride_s = number(3).filter(|stride| *stride > 0.0);
                let stride =
                    RecordedStride { id, file: folder.join("gei").join(gei), direction_deg: number(2), stride_s };
                take(maker, stride, format!("{}/gei/{gei}", folder.display()))?;
            }
            _ => maker.leave_out("its line cannot be read", &named, "it names no walker or no file"),
        }
    }
    Ok(())
}

//! OULP-Age (C. Xu et al., "The OU-ISIR gait database comprising the large population dataset with age and performance evaluation
//! of age estimation", IPSJ Trans. CVA 9:24, 2017), as distributed to those who signed its agreement:
//!
//! ```text
//! Age_gender_info.csv      id, age in completed years, M or F
//! GEI_IDList_train.txt     an id a line
//! GEI_IDList_test.txt
//! GEI/<id>.png             88 x 128 pixels, grey; from the side
//! ```

use std::collections::{HashMap, HashSet};
use std::path::Path;

use facelens_base::bounded_file::{self, ReadErrorKind};

use super::images::{Unusable, read_gei};
use super::{GaitPrepareError, GaitReport, Maker, NamedColumns};
use crate::gait::set::GaitSample;

/// Largest list, bytes: ten times that of 63,846 people.
const MAX_LIST_BYTES: u64 = 32 << 20;
/// The oldest person whose age is documented was 122.
const OLDEST: u32 = 122;

/// Which people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OulpPart {
    /// Those of `GEI_IDList_train.txt`.
    Train,
    /// Those of `GEI_IDList_test.txt`.
    Test,
    /// All of `Age_gender_info.csv`.
    All,
}

/// What the table says of a person.
struct OulpRow {
    id: String,
    age: Result<u32, String>,
    male: Option<f32>,
}

/// Writes the people of OULP-Age in `folder` as the gait set `output`. An age of 34 completed years is an interval of 34 to 35.
/// People without an age or a picture, lines that cannot be read and ids that come twice are counted and named.
///
/// # Errors
/// Where a list cannot be read, nothing can be used, or the set cannot be written.
pub fn oulp_age(folder: &Path, part: OulpPart, output: &Path) -> Result<GaitReport, GaitPrepareError> {
    let mut maker = Maker::create(output)?;
    let labels = read_labels(&folder.join("Age_gender_info.csv"), &mut maker)?;
    let places: HashMap<&str, usize> =
        labels.iter().enumerate().map(|(place, label)| (plain(&label.id), place)).collect();
    let ids: Vec<String> = match part {
        OulpPart::All => labels.iter().map(|label| label.id.clone()).collect(),
        OulpPart::Train => read_ids(&folder.join("GEI_IDList_train.txt"))?,
        OulpPart::Test => read_ids(&folder.join("GEI_IDList_test.txt"))?,
    };
    let mut seen = HashSet::new();
    for id in &ids {
        let name = format!("GEI/{id}.png");
        let Some(&place) = places.get(plain(id)) else {
            maker.leave_out("its id is not in the table", &name, "");
            continue;
        };
        if !seen.insert(place) {
            maker.leave_out("its id is in the list twice", &name, "");
            continue;
        }
        let label = &labels[place];
        let age = match &label.age {
            Ok(age) => *age as f32,
            Err(text) => {
                maker.leave_out("no age is known", &name, text);
                continue;
            }
        };
        // The table and the list may write an id with another number of zeros in front.
        let files = [folder.join(&name), folder.join("GEI").join(format!("{}.png", label.id))];
        let found = match read_gei(&files[0]) {
            Err(Unusable::Missing) => read_gei(&files[1]),
            found => found,
        };
        match found {
            Ok(gei) => {
                let sample = GaitSample {
                    age_min: Some(age),
                    age_max: Some(age + 1.0),
                    male: label.male,
                    person: u32::try_from(place).unwrap_or(u32::MAX),
                    // From the side, but the table does not say from which.
                    view_degrees: None,
                    stride_s: None,
                    source: name,
                };
                maker.push(sample, &gei)?;
            }
            Err(Unusable::Missing) => maker.leave_out("its image is missing", &name, ""),
            Err(Unusable::Bad(cause)) => maker.leave_out("its image cannot be read", &name, &cause),
        }
    }
    maker.finish(folder)
}

/// An id without the zeros in front.
fn plain(id: &str) -> &str {
    let short = id.trim_start_matches('0');
    if short.is_empty() { id } else { short }
}

fn read_list(file: &Path) -> Result<String, GaitPrepareError> {
    bounded_file::read_text(file, MAX_LIST_BYTES).map_err(|error| {
        let cause = match error.kind {
            ReadErrorKind::NotFound => "it is not there; give the folder of OULP-Age that holds it".to_owned(),
            _ => error.cause,
        };
        GaitPrepareError::Labels { file: file.display().to_string(), cause }
    })
}

/// The ids of a list, one a line.
fn read_ids(file: &Path) -> Result<Vec<String>, GaitPrepareError> {
    let text = read_list(file)?;
    // A file name or a second column may stand in the line, too.
    let first = |line: &str| line.split([',', ' ', '\t']).next().unwrap_or_default().trim().to_owned();
    let id = |line: &str| first(line.trim_start_matches('\u{feff}')).trim_end_matches(".png").to_owned();
    Ok(text.lines().map(id).filter(|id| !id.is_empty()).collect())
}

/// The table: with or without names in its first line.
fn read_labels(file: &Path, maker: &mut Maker) -> Result<Vec<OulpRow>, GaitPrepareError> {
    let text = read_list(file)?;
    let mut csv =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let (mut labels, mut known) = (Vec::new(), HashSet::new());
    let mut places = [0, 1, 2];
    for (line, record) in csv.records().enumerate() {
        let named = format!("{}, line {}", file.display(), line + 1);
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                maker.leave_out("its line cannot be read", &named, &error.to_string());
                continue;
            }
        };
        let columns = NamedColumns::of(&record);
        if line == 0
            && let (Some(id), Some(age), Some(gender)) = (
                columns.find(&["id", "subject", "subjectid"]),
                columns.find(&["age"]),
                columns.find(&["gender", "sex"]),
            )
        {
            places = [id, age, gender];
            continue;
        }
        let cell = |place: usize| record.get(places[place]).unwrap_or_default().trim_start_matches('\u{feff}');
        let id = cell(0).to_owned();
        let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !is_id {
            maker.leave_out("its line cannot be read", &named, "it begins with no id");
        } else if !known.insert(plain(&id).to_owned()) {
            maker.leave_out("its id is in the table twice", &named, &id);
        } else {
            let text = cell(1);
            let age = text.parse().ok().filter(|age| *age <= OLDEST);
            let age =
                age.ok_or_else(|| if text.is_empty() { "the cell is empty".to_owned() } else { format!("`{text}`") });
            let male = match cell(2) {
                text if text.eq_ignore_ascii_case("m") || text.eq_ignore_ascii_case("male") => Some(1.0),
                text if text.eq_ignore_ascii_case("f") || text.eq_ignore_ascii_case("female") => Some(0.0),
                _ => None,
            };
            labels.push(OulpRow { id, age, male });
        }
    }
    if labels.is_empty() {
        let cause = "it holds no line with an id, an age and M or F".to_owned();
        return Err(GaitPrepareError::Labels { file: file.display().to_string(), cause });
    }
    Ok(labels)
}

//! What each column of the data means: in `docs/data.md`, and beside the columns of a Parquet file.

/// A column of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV and Parquet; in JSONL, `_` stands for the way into an object.
    pub name: &'static str,
    /// Unit of its numbers; empty where they have none.
    pub unit: &'static str,
    /// What it means: sign, range, and what an empty cell says.
    pub meaning: &'static str,
}

pub(super) const fn column(name: &'static str, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, unit, meaning }
}

/// The columns in their order, as schema 2 has them.
pub const COLUMNS: [Column; 19] = [
    column(
        "input",
        "",
        "Where the frame came from: the camera's name, the file as it was given, or `demo`. Never empty.",
    ),
    column(
        "frame",
        "",
        "Number of the frame in its source, from 0. Frames that were left out leave gaps. Never empty.",
    ),
    column(
        "time_s",
        "seconds",
        "Time of the frame, to the millisecond: in a recording since its first frame, as in its videos; in `analyze` \
         the input's own time. It rises from frame to frame; an image of a folder counts as 1 s in `analyze` and as \
         2 s in a recording. Never empty.",
    ),
    column("width", "pixels", "Width of the unmirrored source image. Never empty."),
    column("height", "pixels", "Height of the unmirrored source image. Never empty."),
    column(
        "id",
        "",
        "Number of the person, from 1; kept through gaps of up to a second. Empty: no face in this frame.",
    ),
    column(
        "box_x",
        "pixels",
        "Left edge of the face's box in the unmirrored image, from the left edge; below 0 if the box begins outside. \
         Empty: no face.",
    ),
    column("box_y", "pixels", "Upper edge of the face's box, from the upper edge down. Empty: no face."),
    column("box_width", "pixels", "Width of the face's box, above 0. Empty: no face."),
    column("box_height", "pixels", "Height of the face's box, above 0. Empty: no face."),
    column("score", "", "The detector's score, 0 to 1; not a probability. Empty: no face."),
    column(
        "age_years",
        "years",
        "Apparent age, 0 to 116: a robust mean over the person's last half minute. Empty: no face, no age model, or no \
         estimate yet.",
    ),
    column(
        "age_low",
        "years",
        "Lower end of the range in which the true age is meant to lie four times out of five: by the model's calibration; \
         without one, by the model's known error and the scatter seen so far. Empty as `age_years`.",
    ),
    column(
        "age_high",
        "years",
        "Upper end of that range; not always as far from `age_years` as the lower one. Empty as `age_years`.",
    ),
    column(
        "gender_label",
        "",
        "Apparent gender: `female`, `male`, or `unsure` if the number is between 0.3 and 0.7 or fluctuates. Empty: no \
         face, no gender model, or no estimate yet.",
    ),
    column(
        "gender_male",
        "",
        "0 (female) to 1 (male): the probability by the model's calibration; without one, a score that is not a \
         probability (`gender_male` in `session.json` says which). Empty as `gender_label`.",
    ),
    column(
        "pose_yaw",
        "degrees",
        "Rotation about the vertical axis, -180 to 180 (reliable to about 75 either way); above 0 the nose points to \
         the left edge of the unmirrored image (to the person's own right). Empty: no face or no head-pose model.",
    ),
    column(
        "pose_pitch",
        "degrees",
        "Rotation about the horizontal axis, -180 to 180; above 0 the nose points up. Empty as `pose_yaw`.",
    ),
    column(
        "pose_roll",
        "degrees",
        "In-plane rotation, -180 to 180; above 0 clockwise in the unmirrored image. Empty as \
         `pose_yaw`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CSV_COLUMNS, SESSION_SCHEMA, SessionInfo, SessionModel, SessionVideo};

    fn page() -> String {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data.md");
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn every_column_of_csv_is_explained_in_its_order() {
        assert_eq!(COLUMNS.map(|column| column.name), CSV_COLUMNS);
    }

    #[test]
    fn the_page_on_data_explains_every_column() {
        let page = page();
        for Column { name, unit, meaning } in COLUMNS {
            let row = format!("| `{name}` | {unit} | {meaning} |").replace("|  |", "| |");
            assert!(page.contains(&row), "docs/data.md lacks:\n{row}");
        }
        assert!(page.contains(&format!("schema {SESSION_SCHEMA}")));
    }

    /// The keys of an object and of the objects in it, as `source.name` and `videos[].file`.
    fn keys(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(object) => {
                for (key, value) in object {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    keys(value, &path, found);
                    found.push(path);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, &format!("{path}[]"), found)),
            _ => {}
        }
    }

    #[test]
    fn the_page_on_data_explains_every_key_of_session_json() {
        let info = SessionInfo {
            end: Some(crate::SessionEnd::Failed { error: String::new() }),
            models: vec![SessionModel::default()],
            videos: vec![SessionVideo::default()],
            ..SessionInfo::default()
        };
        let (page, mut found) = (page(), Vec::new());
        keys(&serde_json::to_value(&info).unwrap(), "", &mut found);
        assert!(found.len() > 20, "{found:?}");
        for key in found {
            assert!(page.contains(&format!("| `{key}` |")), "docs/data.md does not explain the key {key}");
        }
    }
}

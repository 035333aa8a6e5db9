//! The strides of a session.

use std::path::Path;

use facelens_base::bounded_file::{self, ReadErrorKind};
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei};

use super::SessionNotice;
use crate::gait_rows::{GaitRow, read_gait_csv};
use crate::info::GEI_FOLDER;
use crate::names::is_own_name;

/// Largest table of strides, bytes: of 20 people for three days.
const MAX_BYTES: u64 = 256 << 20;
/// Largest image of a stride, bytes; a usual one has 2 KiB.
const MAX_IMAGE_BYTES: u64 = 64 << 10;

/// The strides in the file `name` of `folder`, by their beginnings. What cannot be read becomes a notice.
pub(super) fn read(folder: &Path, name: &str, notices: &mut Vec<SessionNotice>) -> Vec<GaitRow> {
    let bytes = match bounded_file::read(&folder.join(name), MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            let cause = if error.kind == ReadErrorKind::NotFound { "it is missing".to_owned() } else { error.cause };
            notices.push(SessionNotice::DamagedStrides(format!("{name}: {cause}")));
            return Vec::new();
        }
    };
    let (mut rows, mut damaged, mut first) = (Vec::new(), 0, String::new());
    for row in read_gait_csv(bytes.as_slice()) {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => {
                if damaged == 0 {
                    first = error.to_string();
                }
                damaged += 1;
            }
        }
    }
    if damaged > 0 {
        notices.push(SessionNotice::DamagedStrides(format!("{name}: {damaged} of its rows, {first}")));
    }
    rows.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
    rows
}

/// The image of a stride, which its row names; `None` where it is not there, or no such image.
pub(super) fn image(folder: &Path, row: &GaitRow) -> Option<Gei> {
    let name = row.gei.as_deref()?.strip_prefix(GEI_FOLDER)?.strip_prefix('/').filter(|name| is_own_name(name))?;
    let bytes = bounded_file::read(&folder.join(GEI_FOLDER).join(name), MAX_IMAGE_BYTES).ok()?;
    let mut reader = image::ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(GEI_WIDTH as u32), Some(GEI_HEIGHT as u32));
    reader.limits(limits);
    let grey = reader.decode().ok()?.to_luma8();
    Gei::from_grey(grey.width() as usize, grey.height() as usize, grey.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "input,id,start_s,end_s,stride_s,frames,gei\n\
                         cam,2,4.000,5.100,1.1,33,gei/2-0001.png\n\
                         cam,1,1.000,2.000,1.0,30,\n\
                         cam,1,broken,2.000,1.0,30,\n";

    #[test]
    fn strides_are_sorted_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("gait.csv"), TABLE).unwrap();
        let mut notices = Vec::new();
        let rows = read(folder.path(), "gait.csv", &mut notices);
        assert_eq!(rows.iter().map(|row| (row.id, row.start_s)).collect::<Vec<_>>(), [(1, 1.0), (2, 4.0)]);
        let [SessionNotice::DamagedStrides(words)] = notices.as_slice() else { panic!("{notices:?}") };
        assert!(words.starts_with("gait.csv: 1 of its rows, line 4: start_s"), "{words}");
        assert!(read(folder.path(), "other.csv", &mut notices).is_empty());
        assert_eq!(notices.len(), 2);
    }

    #[test]
    fn images_are_those_of_the_folder_alone_and_of_their_size() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("gei")).unwrap();
        let save = |path: &str, width: u32| {
            image::GrayImage::from_pixel(width, 64, image::Luma([51])).save(folder.path().join(path)).unwrap();
        };
        save("gei/2-0001.png", 44);
        save("gei/wide.png", 440);
        save("outside.png", 44);
        let mut row = read(folder.path(), "gait.csv", &mut Vec::new()).pop();
        assert!(row.is_none());
        std::fs::write(folder.path().join("gait.csv"), TABLE).unwrap();
        row = read(folder.path(), "gait.csv", &mut Vec::new()).pop();
        let mut row = row.unwrap();
        assert!((image(folder.path(), &row).unwrap().pixels()[0] - 0.2).abs() < 1e-3);
        for name in ["gei/wide.png", "gei/../outside.png", "outside.png", "gei/none.png", "/etc/passwd", ""] {
            row.gei = Some(name.to_owned());
            assert!(image(folder.path(), &row).is_none(), "{name}");
        }
    }
}

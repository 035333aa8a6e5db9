//! What the tests of the readers share.

use std::path::{Path, PathBuf};

/// Writes a tar with these files into `folder`.
pub(super) fn tar(folder: &Path, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join(name);
    let mut archive = tar::Builder::new(std::fs::File::create(&path).unwrap());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.finish().unwrap();
    path
}

/// A PNG of the astronaut's head and shoulders (NASA, public domain), `side` pixels wide. The detector finds the face.
pub(super) fn astronaut(side: u32) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/astronaut.png");
    let picture = image::open(file).unwrap().to_rgb8();
    let head = image::imageops::crop_imm(&picture, 96, 0, 256, 256).to_image();
    png(&image::imageops::resize(&head, side, side, image::imageops::FilterType::Triangle))
}

/// A PNG without a face.
pub(super) fn plain(width: u32, height: u32) -> Vec<u8> {
    png(&image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 90])))
}

/// A picture as a PNG.
pub(super) fn png(picture: &image::RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

//! Prints every face that every detector finds in pictures, as CSV, for calibrating boxes:
//! `cargo run --example detector_boxes -- PICTURE... > boxes.csv`

use std::io::Write;

use anyhow::{Context, Result};
use facelens_core::detect::{DetectorKind, create};
use facelens_core::frame::Frame;

fn main() -> Result<()> {
    let mut detectors = DetectorKind::ALL.map(create).into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "file,detector,score,x,y,side")?;
    for file in std::env::args_os().skip(1) {
        let file = std::path::PathBuf::from(file);
        let picture = image::open(&file).with_context(|| format!("reading {}", file.display()))?.to_rgb8();
        let frame = Frame::from_rgb(picture.width(), picture.height(), picture.into_raw())?;
        for detector in &mut detectors {
            let name = detector.kind().name();
            for face in detector.detect(&frame)? {
                let (score, rect) = (face.score, face.rect);
                writeln!(out, "{},{name},{score:.3},{:.2},{:.2},{:.2}", file.display(), rect.x, rect.y, rect.width)?;
            }
        }
    }
    Ok(())
}

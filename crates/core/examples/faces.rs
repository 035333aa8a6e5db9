//! Prints the faces in a picture: `cargo run -p facelens-core --example faces -- PICTURE`.

#![allow(clippy::print_stdout, reason = "an example says what it found")]

use std::sync::Arc;

use facelens_core::detect::{self, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::model::ModelSet;
use facelens_core::{Analyser, Faces};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: faces PICTURE")?;
    let picture = image::open(file)?.to_rgb8();
    let frame = Frame::from_rgb(picture.width(), picture.height(), picture.into_raw())?;

    let detector = detect::create(DetectorKind::BlazeBack)?;
    let mut analyser = Analyser::new(Faces::Detect(detector), ModelSet::shipped()?);
    for face in analyser.analyse(Arc::new(frame))?.faces {
        println!("{:?}: {:?}, {:?}, {:?}", face.rect, face.age, face.gender, face.pose);
    }
    Ok(())
}

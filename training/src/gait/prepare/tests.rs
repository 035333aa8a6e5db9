//! Readers on folders that are made here.

use std::path::{Path, PathBuf};

use image::GrayImage;

use super::*;
use crate::gait::GaitSet;

/// A picture of this size, all of one grey.
fn picture(file: &Path, width: u32, height: u32, level: u8) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    GrayImage::from_pixel(width, height, image::Luma([level])).save(file).unwrap();
}

fn write(file: PathBuf, text: &str) {
    std::fs::write(file, text).unwrap();
}

#[test]
fn oulp_age_becomes_a_set_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(
        at("Age_gender_info.csv"),
        "ID,Age,Gender\n0000001,34,M\n0000002,7,F\n0000003,,F\n0000004,200,M\n0000005,9,X\n0000006,60,F\n0000001,35,M\n,1,M\n",
    );
    write(at("GEI_IDList_train.txt"), "0000001\r\n0000002\n0000003\n0000004\n0000009\n0000002\n\n");
    write(at("GEI_IDList_test.txt"), "5\n0000006\n");
    picture(&at("GEI/0000001.png"), 88, 128, 255);
    picture(&at("GEI/0000002.png"), 88, 128, 51);
    picture(&at("GEI/0000005.png"), 44, 64, 102);
    picture(&at("GEI/0000006.png"), 100, 100, 102);
    let output = at("train.gaits");
    let report = oulp_age(folder.path(), OulpPart::Train, &output).unwrap();
    let set = GaitSet::read(&output).unwrap();
    let known: Vec<_> = set.samples.iter().map(|s| (s.age_min, s.age_max, s.male, s.source.as_str())).collect();
    assert_eq!(
        known,
        [(Some(34.0), Some(35.0), Some(1.0), "GEI/0000001.png"), (Some(7.0), Some(8.0), Some(0.0), "GEI/0000002.png")]
    );
    assert_eq!((set.picture(0)[0], set.picture(1)[2000]), (255, 51));
    assert_ne!(set.samples[0].person, set.samples[1].person);
    let counts: Vec<_> = report.left_out.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [
            ("its id is in the list twice", 1),
            ("its id is in the table twice", 1),
            ("its id is not in the table", 1),
            ("its line cannot be read", 1),
            ("no age is known", 2)
        ]
    );
    assert_eq!(set.left_out, report.left_out);
    assert!(report.named.contains(&"GEI/0000004.png: no age is known: `200`".to_owned()), "{:?}", report.named);

    // Ids with other zeros in front; a gender that nobody knows; a picture of another size.
    let report = oulp_age(folder.path(), OulpPart::Test, &output).unwrap();
    let set = GaitSet::read(&output).unwrap();
    assert_eq!((set.len(), set.samples[0].male, report.persons), (1, None, 1));
    assert!(report.named.iter().any(|line| line.contains("GEI/0000006.png") && line.contains("100 x 100")));
    let report = oulp_age(folder.path(), OulpPart::All, &output).unwrap();
    assert_eq!(report.written, 3);

    std::fs::remove_file(at("GEI_IDList_test.txt")).unwrap();
    let error = oulp_age(folder.path(), OulpPart::Test, &at("none.gaits")).unwrap_err().to_string();
    assert!(error.contains("GEI_IDList_test.txt") && error.contains("it is not there"), "{error}");
    std::fs::remove_dir_all(at("GEI")).unwrap();
    let error = oulp_age(folder.path(), OulpPart::Train, &at("none.gaits")).unwrap_err().to_string();
    assert!(error.contains("2 its image is missing"), "{error}");
    assert!(!at("none.gaits").exists());
}

#[test]
fn the_face_of_a_session_labels_the_gait_of_the_same_person() {
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().join("session");
    std::fs::create_dir(&session).unwrap();
    let mut faces = "input,frame,id,age_years,age_low,age_high,gender_male\n".to_owned();
    for frame in 0..12 {
        // The age settles after a few frames.
        let low = if frame < 3 { 10 } else { 25 };
        faces += &format!("camera,{frame},1,30,{low},{},0.875\n", low + 12);
        faces += &format!("camera,{frame},,,,,\n");
        if frame < 4 {
            faces += &format!("camera,{frame},2,30,20,40,0.2\n");
        }
    }
    write(session.join("faces.csv"), &faces);
    write(
        session.join("gait.csv"),
        "id,stride_s,gei,direction_deg\n1,1.1,1-001.png,92\n1,1.05,1-002.png,\n2,1.2,2-001.png,90\n3,1.2,3-001.png,90\n\
         1,1.1,,90\n1,1.1,../faces.csv,90\n1,1.1,1-009.png,90\n",
    );
    picture(&session.join("gei/1-001.png"), 44, 64, 10);
    picture(&session.join("gei/1-002.png"), 44, 64, 20);
    let output = folder.path().join("own.gaits");
    let report = sessions(&[session.clone(), session.clone()], &output).unwrap();
    let set = GaitSet::read(&output).unwrap();
    assert_eq!((set.len(), report.persons), (4, 2), "a person of another session is another person");
    let sample = &set.samples[0];
    assert_eq!((sample.age_min, sample.age_max, sample.male), (Some(25.0), Some(37.0), Some(0.875)));
    assert_eq!((sample.view_degrees, sample.stride_s, set.samples[1].view_degrees), (Some(92.0), Some(1.1), None));
    assert_eq!(set.samples.iter().map(|s| s.person).collect::<Vec<_>>(), [0, 0, 1, 1]);
    let counts: Vec<_> = report.left_out.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [
            ("it has no image", 2),
            ("its image is missing", 2),
            ("its line cannot be read", 2),
            ("no face of its walker was seen", 2),
            ("the face of its walker was seen too seldom", 2)
        ]
    );

    write(session.join("faces.csv"), "id,age_years,age_spread\n1,30,5\n");
    let error = sessions(&[session], &output).unwrap_err().to_string();
    assert!(error.contains("faces.csv") && error.contains("`age_low`"), "{error}");
}

#[test]
fn walks_of_silhouettes_become_strides_without_ages() {
    let folder = tempfile::tempdir().unwrap();
    let frame = |view: &Path, index: u32, swing: f32| {
        let mut picture = GrayImage::new(60, 80);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            let (x, y) = (x as f32 - 30.0, y as f32);
            let leg = swing * (y - 40.0) / 40.0;
            let inside = if y < 40.0 { x.abs() < 5.0 } else { (x - leg).abs() < 3.0 || (x + 0.6 * leg).abs() < 3.0 };
            *pixel = image::Luma([if inside { 255 } else { 0 }]);
        }
        picture.save(view.join(format!("{index}.png"))).unwrap();
    };
    for walk in ["001/nm-01/090", "001/nm-02/090", "002/nm-01/036"] {
        let view = folder.path().join(walk);
        std::fs::create_dir_all(&view).unwrap();
        // A stride of 1.12 s, 28 frames; the names sort as numbers do.
        for index in 0..63 {
            frame(&view, index, 11.0 * (std::f32::consts::TAU * index as f32 / 28.0).sin());
        }
    }
    let short = folder.path().join("003/nm-01/090");
    std::fs::create_dir_all(&short).unwrap();
    (0..9).for_each(|index| frame(&short, index, 3.0));
    write(short.join("broken.png"), "no image");
    GrayImage::new(20, 20).save(short.join("empty.png")).unwrap();
    let output = folder.path().join("casia.gaits");
    let report = silhouettes(folder.path(), 25.0, &output).unwrap();
    let set = GaitSet::read(&output).unwrap();
    assert_eq!((set.len(), report.persons), (6, 2));
    assert_eq!(set.samples.iter().map(|s| s.person).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1]);
    assert!(set.samples.iter().all(|s| s.age_min.is_none() && (s.stride_s.unwrap() - 1.12).abs() < 0.06));
    assert_eq!(set.samples[5].source, "002/nm-01/036");
    let counts: Vec<_> = report.left_out.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [("frames that cannot be read", 1), ("frames without anybody", 1), ("walks without a complete stride", 1)]
    );
}

//! One frame at a time.

use std::sync::Arc;

use facelens_core::analyser::estimates_of;
use facelens_core::geometry::Rect;
use facelens_core::model::{ModelSet, Task, TaskModel};
use facelens_core::{AnalyseError, Analyser, Faces};

use crate::pipeline::fakes::*;

#[test]
fn faces_come_by_identity_with_estimates_and_timings() {
    let (left, right) = (Rect::new(0.0, 2.0, 5.0, 5.0), Rect::new(9.0, 2.0, 5.0, 5.0));
    let mut analyser = analyser(move |frame| {
        Ok(if frame.sequence == 0 { vec![found(left), found(right)] } else { vec![found(right), found(left)] })
    });
    for sequence in 0..2 {
        let analysis = analyser.analyse(Arc::new(frame(sequence))).unwrap();
        assert_eq!(analysis.frame.sequence, sequence);
        assert_eq!(analysis.faces.iter().map(|face| (face.id, face.rect)).collect::<Vec<_>>(), [(1, left), (2, right)]);
        let timings = analysis.timings;
        assert_eq!((timings.crop, timings.age, timings.gender, timings.pose), (2.0, 4.0, 6.0, 8.0));
        assert!((timings.total() - timings.detect - timings.track - 20.0).abs() < 1e-4);
    }
}

#[test]
fn a_reset_starts_identities_and_averages_anew() {
    let mut analyser = one_face();
    for sequence in 0..5 {
        analyser.analyse(Arc::new(frame(sequence))).unwrap();
    }
    analyser.reset();
    let face = analyser.analyse(Arc::new(frame(77))).unwrap().faces.remove(0);
    assert_eq!((face.id, face.age.map(|age| age.years)), (1, Some(77.0)));
    analyser.set_estimates(Box::new(Numbering), Some(5.0));
    let face = analyser.analyse(Arc::new(frame(90))).unwrap().faces.remove(0);
    assert_eq!((face.id, face.age.map(|age| age.years)), (1, Some(90.0)), "identity stays, average does not");
}

#[test]
fn a_ready_crop_is_one_sure_face_over_the_whole_picture() {
    let mut analyser = Analyser::with(Faces::WholePicture, Box::new(Numbering), None);
    let face = analyser.analyse(Arc::new(frame(30))).unwrap().faces.remove(0);
    assert_eq!((face.id, face.score, face.rect), (1, 1.0, Rect::new(0.0, 0.0, 16.0, 12.0)));
    assert_eq!(face.age.map(|age| age.years), Some(30.0));
    assert!(face.gender.is_some(), "only estimate_crop gives one here");
}

#[test]
fn a_frame_that_fails_is_an_error_and_the_next_one_works() {
    let mut analyser = analyser(|frame| if frame.sequence == 1 { Err(detect_error()) } else { Ok(vec![found(FACE)]) });
    assert_eq!(analyser.analyse(Arc::new(frame(0))).unwrap().faces[0].id, 1);
    assert_eq!(analyser.analyse(Arc::new(frame(1))).unwrap_err(), AnalyseError::Detect(detect_error()));
    assert_eq!(analyser.analyse(Arc::new(frame(2))).unwrap().faces[0].id, 1);
}

#[test]
fn the_range_knows_the_error_that_the_cards_state() {
    let model = |accuracy: &str| {
        let card = format!(
            r#"
            name = "net"
            task = "age"
            files = ["net.onnx"]
            sha256 = ["00"]
            source = "a test"
            licence = "MIT"
            training_data = "none"
            input = {{ width = 64, height = 64, layout = "NHWC", channels = "BGR", scaling = {{ kind = "min-max" }} }}
            crop = {{ margin = 0.4, relative_to = "facelens", resize = "bilinear" }}
            output = {{ kind = "years" }}
            accuracy = [{accuracy}]
            "#
        );
        Arc::new(TaskModel { card: toml::from_str(&card).unwrap(), nets: Vec::new() })
    };
    let known = r#"
        { data = "A", measure = "MAE in years", value = 5.0 },
        { data = "B", measure = "MAE in years", value = 13.0 },
        { data = "B, under 20", measure = "MAE in years, under 20", value = 21.0 },
        { data = "B", measure = "accuracy", value = 0.8 }"#;
    let error_of = |age: Vec<Arc<TaskModel>>| estimates_of(ModelSet { age, ..ModelSet::default() }).1;
    assert_eq!(error_of(vec![model(known)]), Some(13.0), "the worst on a whole set");
    assert_eq!(error_of(vec![model(known), model(r#"{ data = "A", measure = "MAE", value = 7.0 }"#)]), Some(10.0));
    assert_eq!(error_of(vec![model("")]), None);
    let of_both = r#"
        { data = "A", measure = "MAE", value = 0.2, task = "gender" },
        { data = "A", measure = "MAE", value = 7.5, task = "age" }"#;
    let mut both = Arc::unwrap_or_clone(model(of_both));
    both.card.tasks = vec![Task::Age, Task::Gender];
    assert_eq!(error_of(vec![Arc::new(both)]), Some(7.5), "the other task's figure does not count");
}

use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;

use facelens_core::geometry::Pose;
use facelens_core::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
    sha256_hex,
};

use super::*;
use crate::data::LabelledFace;
use crate::testing::{fsa_net, picture};

/// A head pose model with its card in `folder`.
fn teacher_file(folder: &Path, name: &str, seed: u32) -> PathBuf {
    let onnx = fsa_net(seed, false).to_onnx().unwrap();
    let card = ModelCard {
        name: name.to_owned(),
        tasks: vec![Task::Pose],
        files: vec![format!("{name}.onnx")],
        sha256: vec![sha256_hex(&onnx)],
        source: "a test".to_owned(),
        licence: "MIT".to_owned(),
        training_data: "none".to_owned(),
        input: InputSpec {
            width: 64,
            height: 64,
            layout: Layout::Nchw,
            channels: ChannelOrder::Rgb,
            scaling: Scaling::MeanStd { mean: [127.5; 3], std: [127.5; 3] },
        },
        crop: CropSpec {
            margin: 0.25,
            relative_to: BoxStyle::Facelens,
            resize: ResizeFilter::Triangle,
            ..CropSpec::default()
        },
        output: OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
        select: None,
        calibration: None,
        accuracy: Vec::new(),
        notes: String::new(),
    };
    std::fs::write(folder.join(format!("{name}.onnx")), onnx).unwrap();
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, card.to_toml().unwrap()).unwrap();
    file
}

fn set_file(folder: &Path, count: usize) -> PathBuf {
    let file = folder.join("drawn.faces");
    let mut writer = SetWriter::create(&file).unwrap();
    for number in 0..count {
        let face =
            LabelledFace { name: format!("{number}.png"), male: Some(number % 2 == 0), ..LabelledFace::default() };
        writer.push(face, &picture(number)).unwrap();
    }
    writer.leave_out("no face was found");
    writer.finish().unwrap();
    file
}

static GO: AtomicBool = AtomicBool::new(false);
const ONE: LabelOptions = LabelOptions { threads: 1, max_spread: None, views: VIEWS.len() };

#[test]
fn a_label_is_the_mean_of_the_teachers_over_all_views() {
    let folder = tempfile::tempdir().unwrap();
    let files = [teacher_file(folder.path(), "one", 1), teacher_file(folder.path(), "two", 2)];
    let (set, output) = (set_file(folder.path(), 3), folder.path().join("out.faces"));
    let teacher = Teacher::load(&files).unwrap();
    let summary = label(&set, &output, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    assert_eq!((summary.len(), summary.unsure), (3, 0));

    let labelled = FaceSet::read(&output).unwrap();
    let plain = FaceSet::read(&set).unwrap();
    assert_eq!((&labelled.pixels, &labelled.left_out), (&plain.pixels, &plain.left_out));
    let mut alone: Vec<Teacher> = files.iter().map(|file| Teacher::load(std::slice::from_ref(file)).unwrap()).collect();
    for (index, face) in labelled.faces.iter().enumerate() {
        assert_eq!(
            face.clone(),
            LabelledFace { pose: face.pose, pose_spread: face.pose_spread, ..plain.faces[index].clone() }
        );
        let poses = VIEWS.map(|view| {
            let shown = view.of(plain.picture(index), SIDE);
            let mut ask = |teacher: &mut Teacher| teacher.pose(shown.clone(), SIDE, plain.context).unwrap().unwrap();
            let seen: Vec<Pose> = alone.iter_mut().map(&mut ask).collect();
            view.undo(Pose::mean(&seen).unwrap())
        });
        let (got, mean) = (face.pose.unwrap(), Pose::mean(&poses).unwrap());
        assert!(got.rotation().angle_to(mean.rotation()) < 1e-3, "{got:?} instead of {mean:?}");
    }
    assert_ne!(labelled.faces[0].pose, labelled.faces[1].pose, "the teachers look at the image");
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_set_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = Teacher::load(&[teacher_file(folder.path(), "one", 3)]).unwrap();
    let set = set_file(folder.path(), 20);
    let (whole, torn) = (folder.path().join("whole.faces"), folder.path().join("torn.faces"));
    let three = LabelOptions { threads: 3, ..ONE };
    label(&set, &whole, &teacher, three, &GO, |_, _| {}).unwrap().unwrap();

    let stop = AtomicBool::new(false);
    let stop_after_a_batch = |done: usize, _: usize| stop.store(done > 0, SeqCst);
    assert_eq!(label(&set, &torn, &teacher, three, &stop, stop_after_a_batch).unwrap(), None);
    assert!(!torn.exists(), "a set is not there before it is whole");
    let labels = folder.path().join("torn.faces.labels.csv");
    let mut text = std::fs::read(&labels).unwrap();
    assert!(text.iter().filter(|byte| **byte == b'\n').count() == 18);
    text.truncate(text.len() - 5);
    std::fs::write(&labels, text).unwrap();
    label(&set, &torn, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    assert!(std::fs::read(&torn).unwrap() == std::fs::read(&whole).unwrap(), "the same set to the byte");
}

#[test]
fn faces_that_the_teachers_are_unsure_of_get_no_pose_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = Teacher::load(&[teacher_file(folder.path(), "one", 4)]).unwrap();
    let (set, output) = (set_file(folder.path(), 6), folder.path().join("out.faces"));
    label(&set, &output, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    let text = std::fs::read_to_string(folder.path().join("out.faces.labels.csv")).unwrap();
    let spreads: Vec<f32> =
        text.lines().skip(2).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect();
    let mut sorted = spreads.clone();
    sorted.sort_by(f32::total_cmp);
    assert!(sorted[3] < sorted[4], "{spreads:?}");
    let sure = |index: &usize| spreads[*index] <= sorted[3];

    // They stay for what else is known of them.
    let options = LabelOptions { max_spread: Some(sorted[3]), ..ONE };
    let summary = label(&set, &output, &teacher, options, &GO, |_, _| {}).unwrap().unwrap();
    assert_eq!((summary.len(), summary.unsure), (4, 2));
    let labelled = FaceSet::read(&output).unwrap();
    let with_pose: Vec<_> = (0..labelled.len()).filter(|index| labelled.faces[*index].pose.is_some()).collect();
    assert_eq!((labelled.len(), with_pose), (6, (0..6).filter(sure).collect()));

    // Where nothing is, they are left out.
    let mut writer = SetWriter::create(&set).unwrap();
    (0..6).for_each(|number| writer.push(LabelledFace::default(), &picture(number)).unwrap());
    writer.finish().unwrap();
    label(&set, &output, &teacher, options, &GO, |_, _| {}).unwrap().unwrap();
    let labelled = FaceSet::read(&output).unwrap();
    assert_eq!((labelled.len(), labelled.left_out.values().sum::<usize>()), (4, 2));
}

#[test]
fn what_cannot_be_labelled_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = teacher_file(folder.path(), "one", 5);
    let teacher = Teacher::load(std::slice::from_ref(&file)).unwrap();
    let (set, output) = (set_file(folder.path(), 1), folder.path().join("out.faces"));
    let refused = |set: &Path, output: &Path, teacher: &Teacher| {
        label(set, output, teacher, ONE, &GO, |_, _| {}).unwrap_err().to_string()
    };
    assert!(refused(&set, &folder.path().join("./drawn.faces"), &teacher).contains("the set itself"));
    assert!(refused(&file, &output, &teacher).contains("one.toml is not a set of faces"));
    assert!(refused(&folder.path().join("none.faces"), &output, &teacher).contains("none.faces"));

    label(&set, &output, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    let other = Teacher::load(&[teacher_file(folder.path(), "two", 6)]).unwrap();
    let two = LabelOptions { views: 2, ..ONE };
    let others = label(&set, &output, &teacher, two, &GO, |_, _| {}).unwrap_err().to_string();
    assert!(others.contains("labels of other teachers"), "other views: {others}");
    assert!(refused(&set, &output, &other).contains("labels of other teachers"));

    let age = Teacher::load(&[PathBuf::from("ssrnet-age-imdb")]).err().unwrap().to_string();
    assert!(age.contains("for age, not for pose"), "{age}");
}

#[test]
fn a_model_is_checked_against_another_and_against_itself() {
    let folder = tempfile::tempdir().unwrap();
    let files = [teacher_file(folder.path(), "one", 7), teacher_file(folder.path(), "two", 8)];
    let mut faces = FaceSet::read(&set_file(folder.path(), 3)).unwrap();
    let [one, two] = files.map(|file| Teacher::load(&[file]).unwrap());
    let same = check(&faces, &one, Some(&one), 2, &GO, |_| {}).unwrap().unwrap();
    assert_eq!(same.to_reference.unwrap().mean.mean, 0.0);
    assert_eq!((same.faces, same.to_labels, same.mirrored), (3, None, same.reference_mirrored));
    assert_eq!((same.turned.unwrap().n, same.turned), (6, same.reference_turned));

    // By hand: what one says of each face, less what two says of it.
    let whole = View { mirrored: false, clockwise: 0.0 };
    let (mut first, mut second) = (one.fork(), two.fork());
    let yaw_of = |teacher: &mut Teacher, index: usize| teacher.pose_in(&whole, &faces, index).unwrap().yaw;
    let differences: Vec<f64> =
        (0..3).map(|i| f64::from((yaw_of(&mut first, i) - yaw_of(&mut second, i)).abs())).collect();
    let other = check(&faces, &one, Some(&two), 1, &GO, |_| {}).unwrap().unwrap();
    assert!((other.to_reference.unwrap().yaw.mean - differences.iter().sum::<f64>() / 3.0).abs() < 1e-6);
    assert!(other.to_reference.unwrap().yaw.mean > 0.0);
    assert_ne!(other.mirrored, other.reference_mirrored);
    assert!(other.to_string().contains("to the reference"), "{other}");

    faces.truncate(2);
    faces.faces[1].pose = Some(first.pose_in(&whole, &faces, 1).unwrap());
    let labelled = check(&faces, &one, None, 1, &GO, |_| {}).unwrap().unwrap();
    assert_eq!(labelled.to_labels.map(|d| (d.mean.mean, d.n)), Some((0.0, 1)));
    assert_eq!((labelled.faces, labelled.to_reference), (2, None));
    assert_eq!(check(&faces, &one, None, 1, &AtomicBool::new(true), |_| {}).unwrap(), None);
}

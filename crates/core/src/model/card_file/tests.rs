use super::*;
use crate::geometry::Pose;
use crate::model::{
    Accuracy, Alignment, Angle, BoxStyle, ChannelOrder, CropSpec, Direction, Edge, GenderClass, Layout, Maps,
    QuaternionOrder, ResizeFilter, Selection, TaskModel,
};

fn card() -> ModelCard {
    ModelCard {
        name: "fsanet-capsule".into(),
        tasks: vec![Task::Pose],
        files: vec!["a.onnx".into(), "b.onnx".into()],
        sha256: vec![sha256_hex(b"a"), sha256_hex(b"b")],
        source: "a test".into(),
        licence: "MIT".into(),
        training_data: "300W-LP".into(),
        input: InputSpec {
            width: 64,
            height: 48,
            layout: Layout::Nhwc,
            channels: ChannelOrder::Bgr,
            scaling: Scaling::MeanStd { mean: [127.5, 0.1, -3.0], std: [128.0, 1.0, 0.5] },
        },
        crop: CropSpec {
            margin: 0.6,
            relative_to: BoxStyle::Lbp,
            resize: ResizeFilter::Bilinear,
            ..CropSpec::default()
        },
        output: OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
        select: None,
        calibration: None,
        accuracy: vec![Accuracy { data: "AFLW2000".into(), measure: "MAE in degrees".into(), value: 5.07, task: None }],
        notes: "two\nlines".into(),
    }
}

/// The error for a card changed by `change`.
fn problem(change: impl FnOnce(&mut ModelCard)) -> String {
    let mut card = card();
    change(&mut card);
    let error = card.validate(Path::new("dir/x.toml")).unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::BadCard);
    error.to_string()
}

#[test]
fn what_is_written_reads_back() {
    let mut card = card();
    let five = OutputForm::YearsMaleScoreAndAngles { order: [Angle::Roll, Angle::Yaw, Angle::Pitch] };
    let six = OutputForm::YearsMaleScoreAnglesAndLogScale { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] };
    let axes = [Direction::Right, Direction::Up, Direction::Towards];
    let order = [Angle::Yaw, Angle::Pitch, Angle::Roll];
    let maps = Maps::CameraToHead;
    for output in [
        card.output.clone(),
        OutputForm::RotationMatrix { axes: None, maps: None },
        OutputForm::RotationMatrix { axes: Some(axes), maps: Some(maps) },
        OutputForm::Rotation6d { axes: None, maps: None },
        OutputForm::PoseMatrix { columns: 4, axes, maps },
        OutputForm::Quaternion { order: QuaternionOrder::Wxyz, axes, maps: Maps::HeadToCamera },
        OutputForm::Bins { order, bins: [66, 66, 60], first: [-97.5, -97.5, -90.0], width: [3.0, 3.0, -1.5] },
        OutputForm::AgeBins { years: vec![0.25, 1.0, 2.0] },
        OutputForm::GenderClasses { order: [GenderClass::Male, GenderClass::Female] },
        five,
        six,
    ] {
        card.tasks = output.tasks().to_vec();
        card.accuracy[0].task = (card.tasks.len() > 1).then_some(Task::Pose);
        let brighten = Scaling::Brighten { quantile: 0.9, below: 127.0, to: 0.45, subtract: 0.5 };
        for scaling in [card.input.scaling.clone(), Scaling::MinMax, brighten] {
            card.output = output.clone();
            card.input.scaling = scaling;
            let text = card.to_toml().unwrap();
            assert_eq!(ModelCard::parse(&text, Path::new("x.toml")).unwrap(), card, "{text}");
        }
    }
    assert!(card.to_toml().unwrap().contains("margin = 0.6\n"), "floats are written as they were given");
    let text = card.to_toml().unwrap();
    for key in ["down", "edge", "align", "select"] {
        assert!(!text.contains(key), "what is not used is not written: {key}");
    }
    card.crop = CropSpec { down: -0.1, edge: Edge::Repeat, align: Some(Alignment::arcface()), ..card.crop };
    card.select = Some(Selection { outputs: vec!["y".into()], first: 3, mean: vec![1.0], std: vec![2.0] });
    let text = card.to_toml().unwrap();
    assert_eq!(ModelCard::parse(&text, Path::new("x.toml")).unwrap(), card, "{text}");
}

#[test]
fn one_number_may_stand_for_three() {
    let mut grey = card();
    grey.input.channels = ChannelOrder::Grey;
    grey.input.scaling = Scaling::MeanStd { mean: [127.5; 3], std: [128.0; 3] };
    let text = grey.to_toml().unwrap();
    let (mean, std) =
        ("mean = [\n    127.5,\n    127.5,\n    127.5,\n]", "std = [\n    128.0,\n    128.0,\n    128.0,\n]");
    assert!(text.contains(mean) && text.contains(std), "{text}");
    for (of_mean, of_std) in [("127.5", "128"), ("[127.5]", "[128.0]")] {
        let short = text.replace(mean, &format!("mean = {of_mean}")).replace(std, &format!("std = {of_std}"));
        assert_eq!(ModelCard::parse(&short, Path::new("x.toml")).unwrap(), grey);
    }
    for wrong in ["[1.0, 2.0]", "[1, 2, 3, 4]", "\"grey\"", "[]"] {
        let text = text.replace(mean, &format!("mean = {wrong}"));
        let error = ModelCard::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("a number or a list of three numbers"), "{wrong}: {error}");
    }
}

#[test]
fn what_is_wrong_with_a_crop_or_an_output_is_said_by_its_key() {
    let align = |change: fn(&mut Alignment)| {
        problem(|card| {
            let mut align = Alignment::arcface();
            change(&mut align);
            card.crop.align = Some(align);
        })
    };
    assert!(problem(|card| card.crop.down = 2.0).contains("`crop.down` must lie between -1 and 1"));
    assert!(problem(|card| card.crop.down = f32::NAN).contains("`crop.down`"));
    assert!(align(|align| align.width = 0.0).contains("`crop.align.width` must be above 0"));
    assert!(align(|align| align.padding = -0.1).contains("`crop.align.padding` must"));
    assert!(align(|align| align.mouth_left = None).contains("needs both of `mouth_left` and `mouth_right`"));
    assert!(align(|align| align.mouth = Some([50.0, 90.0])).contains("both `mouth` and its corners"));
    assert!(align(|align| align.nose = Some([f32::NAN, 0.0])).contains("use one unit"));
    assert!(align(|align| align.width = 1.0).contains("use one unit"));
    let one = |align: &mut Alignment| {
        *align = Alignment { width: 1.0, height: 1.0, nose: Some([0.5; 2]), ..Alignment::default() };
    };
    assert!(align(one).contains("needs two points or more"));
    assert!(
        align(|align| *align = Alignment { width: 1.0, height: 1.0, ..Alignment::default() }).contains("two points")
    );

    let axes = [Direction::Right, Direction::Up, Direction::Towards];
    let output = |output: OutputForm| problem(|card| card.output = output);
    let order = [Angle::Yaw, Angle::Pitch, Angle::Roll];
    let maps = Maps::HeadToCamera;
    assert!(output(OutputForm::PoseMatrix { columns: 5, axes, maps }).contains("`output.columns` must be 3 or 4"));
    let up_twice = [Direction::Down, Direction::Up, Direction::Away];
    assert!(output(OutputForm::PoseMatrix { columns: 3, axes: up_twice, maps }).contains("`output.axes` must name"));
    let lone = OutputForm::Rotation6d { axes: None, maps: Some(maps) };
    assert!(output(lone).contains("`output.maps` needs `output.axes`"));
    let bins = |bins, width| OutputForm::Bins { order, bins: [bins; 3], first: [0.0; 3], width: [width; 3] };
    assert!(output(bins(1, 3.0)).contains("`output.bins` must give 2 to 1024"));
    assert!(output(bins(u32::MAX, 3.0)).contains("`output.bins` must give 2 to 1024"));
    assert!(output(bins(66, 0.0)).contains("`output.width` must not be 0"));
    assert!(output(bins(66, f32::NAN)).contains("`output.width` must lie"));
    let ages =
        |years: Vec<f32>| problem(|card| (card.tasks, card.output) = (vec![Task::Age], OutputForm::AgeBins { years }));
    assert!(ages(vec![1.0]).contains("`output.years` must give 2 to 1024 numbers, but gives 1"));
    assert!(ages(vec![1.0, 200.0]).contains("`output.years` must lie between 0 and 150, but one is 200"));
    let genders = OutputForm::GenderClasses { order: [GenderClass::Male; 2] };
    assert!(
        problem(|card| (card.tasks, card.output) = (vec![Task::Gender], genders)).contains("female and male once each")
    );

    let grey = |card: &mut ModelCard| card.input.channels = ChannelOrder::Grey;
    assert!(problem(grey).contains("`input.channels` is GREY; give one number"));
    let quantile = |quantile| Scaling::Brighten { quantile, below: 127.0, to: 0.45, subtract: 0.5 };
    assert!(problem(|card| card.input.scaling = quantile(1.0)).contains("`input.scaling.quantile` must lie above 0"));
    assert!(problem(|card| card.input.scaling = quantile(f32::NAN)).contains("`input.scaling.quantile`"));
    let select = |select: Selection| problem(|card| card.select = Some(select));
    let mean = Selection { mean: vec![0.0; 4], ..Selection::default() };
    assert!(select(mean).contains("`select.mean` has 4 numbers, but the output form 3; give one for each"));
    assert!(select(Selection { std: vec![0.0], ..Selection::default() }).contains("`select.std` must not contain 0"));
    assert!(select(Selection { outputs: vec![String::new()], ..Selection::default() }).contains("`select.outputs`"));
}

/// The cards in the page about them.
fn cards_of_the_page() -> Vec<ModelCard> {
    let page = include_str!("../../../../../docs/cards.md");
    let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| ModelCard::parse(block, Path::new("docs/cards.md")).unwrap()).collect()
}

#[test]
fn every_card_in_the_page_about_them_is_one() {
    let cards = cards_of_the_page();
    let names: Vec<_> = cards.iter().map(|card| card.name.as_str()).collect();
    let expected = ["opentrack-0.4-small", "3ddfa-v2-mb05", "shaw-b66", "dlib-age-v1", "dlib-gender-v1"];
    assert_eq!(names, expected);
}

#[test]
fn the_networks_of_the_pages_cards_load_and_say_what_onnx_runtime_says() {
    let Some(shared) = crate::testing::shared() else { return };
    // By ONNX Runtime on the same numbers, read as the authors' programs do: yaw, pitch and roll. The 8-bit network
    // without the runtime's optimisations: they reckon with integers where the graph says floats.
    let expected = [
        ("opentrack-0.4-small", [6.951, 2.529, -6.598]),
        ("3ddfa-v2-mb05", [-25.833, 0.463, -4.879]),
        ("shaw-b66", [7.343, -15.855, 6.072]),
    ];
    for (name, [yaw, pitch, roll]) in expected {
        let card = cards_of_the_page().into_iter().find(|card| card.name == name).unwrap();
        let file = shared.join("reference/pose-teachers").join(&card.files[0]);
        let onnx = std::fs::read(&file).unwrap();
        let count = card.input.shape().iter().product();
        let model = TaskModel::prepare(card, &[(&onnx, &file)]).unwrap();
        let input: Vec<f32> = (0..count).map(|place: usize| ((place * 37 % 101) as f32) / 101.0 - 0.5).collect();
        let told = model.answers(&input).unwrap().pose.unwrap();
        let off = told.rotation().angle_to(Pose { yaw, pitch, roll }.rotation());
        assert!(off < 0.01, "{name}: {told:?}, {off} degrees off");
    }
}

#[test]
fn a_card_for_two_tasks_says_of_each_figure_what_it_is_about() {
    let mut card = card();
    card.tasks = vec![Task::Age, Task::Gender];
    card.output = OutputForm::YearsAndMaleScore;
    let error = card.validate(Path::new("x.toml")).unwrap_err().to_string();
    assert!(
        error.contains("`accuracy`: the number for \"AFLW2000\" needs a `task`, as the model is for age and gender")
    );
    let figure = |measure: &str, task| Accuracy { measure: measure.into(), task, ..card.accuracy[0].clone() };
    card.accuracy = vec![figure("share of right genders", Some(Task::Gender)), figure("MAE", Some(Task::Age))];
    let text = card.to_toml().unwrap();
    assert!(
        text.contains("task = [\n    \"age\",\n    \"gender\",\n]\n")
            || text.contains("task = [\"age\", \"gender\"]\n"),
        "{text}"
    );
    assert!(text.contains("kind = \"years-and-male-score\"\n"), "{text}");
    assert_eq!(ModelCard::parse(&text, Path::new("x.toml")).unwrap(), card);
    let measures = |task| card.accuracy_of(task).map(|figure| figure.measure.as_str()).collect::<Vec<_>>();
    assert_eq!(measures(Task::Age), ["MAE"]);
    assert_eq!(measures(Task::Gender), ["share of right genders"]);
    assert!(measures(Task::Pose).is_empty());
}

#[test]
fn each_contradiction_names_its_key() {
    assert!(problem(|card| card.name = "../up".into()).starts_with("dir/x.toml: `name` must"));
    assert!(problem(|card| card.files[0] = "../up.onnx".into()).contains("`files` must be plain names"));
    assert!(problem(|card| card.files[0] = "C:\\up.onnx".into()).contains("`files` must be plain names"));
    assert!(problem(|card| card.files[1] = "a.onnx".into()).contains("`files` names \"a.onnx\" twice"));
    assert!(problem(|card| drop(card.sha256.pop())).contains("`sha256` has 1 entries for 2 files"));
    assert!(problem(|card| card.sha256[0] = "ABC".into()).contains("64 digits"));
    assert!(problem(|card| card.files.clear()).contains("`files` must name"));
    assert!(problem(|card| card.input.width = 0).contains("`input.width` must"));
    assert!(problem(|card| card.input.height = 1 << 20).contains("`input.height` must"));
    assert!(problem(|card| card.crop.margin = -0.1).contains("`crop.margin` must"));
    assert!(problem(|card| card.crop.margin = f32::NAN).contains("`crop.margin` must"));
    assert!(problem(|card| card.tasks = vec![Task::Age]).contains("`output.kind` is for pose, but `task` is age"));
    assert!(problem(|card| card.output = OutputForm::Angles { order: [Angle::Yaw; 3] }).contains("once each"));
    let pair = |card: &mut ModelCard| card.tasks = vec![Task::Age, Task::Gender];
    assert!(problem(pair).contains("`output.kind` is for pose, but `task` is age and gender"));
    assert!(problem(|card| card.tasks.clear()).contains("`output.kind` is for pose, but `task` is nothing"));
    assert!(problem(|card| card.output = OutputForm::YearsAndMaleScore).contains("is for age and gender, but"));
    assert!(problem(|card| card.tasks = vec![Task::Pose; 2]).contains("`task` is pose and pose"));
    assert!(problem(|card| card.accuracy[0].task = Some(Task::Age)).contains("is for age, but the model is for pose"));
    let zero = Scaling::MeanStd { mean: [0.0; 3], std: [1.0, 0.0, 1.0] };
    assert!(problem(|card| card.input.scaling = zero).contains("`input.scaling.std` must not contain 0"));
    assert!(problem(|card| card.source.push('\u{1b}')).contains("`source` must not contain control"));
    assert!(problem(|card| card.notes.push('\r')).contains("`notes` must not contain control"));
    assert!(problem(|card| card.accuracy[0].value = f32::INFINITY).contains("`accuracy`"));
}

#[test]
fn a_mistake_in_the_text_names_line_and_key() {
    let text = card().to_toml().unwrap();
    let cause = |text: &str| ModelCard::parse(text, Path::new("x.toml")).unwrap_err().to_string();
    let line = text.lines().position(|line| line.starts_with("margin")).unwrap() + 1;
    let wrong = cause(&text.replace("margin = 0.6", "margin = \"wide\""));
    assert!(wrong.starts_with(&format!("x.toml: line {line}, key `margin`: ")), "{wrong}");
    let unknown = cause(&text.replace("margin = ", "border = "));
    assert!(unknown.contains(&format!("line {line}, key `border`: unknown field `border`")), "{unknown}");
    let missing = cause(&text.replace("licence = \"MIT\"\n", ""));
    assert!(missing.contains("missing field `licence`"), "{missing}");
    assert!(cause("name = [").contains("line 1"));
    assert!(!cause("this is no card\n").contains('\n'), "one sentence");
}

#[test]
fn another_file_than_the_card_says_shows_both_sums() {
    assert_eq!(card().verify(0, b"a", Path::new("a.onnx")), Ok(()));
    let error = card().verify(0, b"b", Path::new("a.onnx")).unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::HashMismatch);
    assert!(error.to_string().contains(&sha256_hex(b"a")[..12]), "{error}");
    assert!(error.to_string().contains(&sha256_hex(b"b")[..12]), "{error}");
}

//! `facelens-training` from a folder of gait energy images to a judged model.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use image::GrayImage;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("facelens-training"));
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// A folder like OULP-Age: children are wide, grown people narrow.
fn draw(folder: &Path) {
    std::fs::create_dir_all(folder.join("GEI")).unwrap();
    let (mut table, mut list) = ("ID,Age,Gender\n".to_owned(), String::new());
    for person in 1..=24_u32 {
        let (age, half) = if person % 2 == 0 { (8, 30) } else { (45, 14) };
        table += &format!("{person:07},{age},{}\n", if person % 3 == 0 { "F" } else { "M" });
        list += &format!("{person:07}\n");
        let picture = GrayImage::from_fn(88, 128, |x, y| {
            let inside = x.abs_diff(44) < half && y > person % 5;
            image::Luma([if inside { 220 } else { 0 }])
        });
        picture.save(folder.join(format!("GEI/{person:07}.png"))).unwrap();
    }
    std::fs::write(folder.join("Age_gender_info.csv"), table).unwrap();
    std::fs::write(folder.join("GEI_IDList_train.txt"), &list).unwrap();
    std::fs::write(folder.join("GEI_IDList_test.txt"), list + "0000077\n").unwrap();
}

#[test]
fn from_a_folder_to_a_judged_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    draw(&folder.path().join("oulp"));
    let prepared = run(&["prepare", "oulp-age", &at("oulp"), "--people", "test", "-o", &at("test.gaits")]);
    assert!(prepared.status.success(), "{}", words(&prepared));
    assert!(words(&prepared).contains("24 images of 24 walkers"), "{}", words(&prepared));
    assert!(words(&prepared).contains("GEI/0000077.png: its id is not in the table"), "{}", words(&prepared));

    let settings = "epochs = 2\nbatch = 8\n[network]\nglobal = [2, 3]\nlocal = [2, 2]\njoined = 3\nhidden = [8, 8]\n";
    std::fs::write(at("small.toml"), settings).unwrap();
    let train = ["gait", "train", "--run", &at("run"), "--config", &at("small.toml"), "--set", &at("test.gaits")];
    let stopped = run(&[&train[..], &["--until", "1"]].concat());
    assert!(stopped.status.success() && words(&stopped).contains("--resume continues"), "{}", words(&stopped));
    let again = run(&train);
    assert!(again.status.code() == Some(1) && words(&again).contains("already exists"), "{}", words(&again));
    let resumed = run(&["gait", "train", "--run", &at("run"), "--resume"]);
    assert!(resumed.status.success(), "{}", words(&resumed));
    let wrong = run(&["gait", "train", "--run", &at("other"), "--set", &at("test.gaits"), "--epochs", "0"]);
    assert!(wrong.status.code() == Some(2) && words(&wrong).contains("epochs"), "{}", words(&wrong));

    let exported = run(&["gait", "export", &at("run"), "-o", &at("models"), "--name", "a-gait"]);
    assert!(exported.status.success(), "{}", words(&exported));
    assert!(words(&exported).contains("tract agrees with burn on 24 images"), "{}", words(&exported));

    // Two strides of one walker, as `facelens gait --gei` names them.
    std::fs::create_dir(at("gei")).unwrap();
    for stride in ["clip-1-001.png", "clip-1-002.png"] {
        std::fs::copy(at("oulp/GEI/0000001.png"), folder.path().join("gei").join(stride)).unwrap();
    }
    let card = at("models/a-gait.toml");
    let judged = run(&["gait", "eval", &card, "--set", &at("test.gaits"), "--walkers", &at("gei"), "--write"]);
    assert!(judged.status.success(), "{}", words(&judged));
    let text = words(&judged);
    assert!(text.contains("test: 24 ages,") && text.contains("40 to 65"), "{text}");
    assert!(text.contains("2 images of 1 walkers") && text.contains("1 of 1 walkers"), "{text}");
    assert!(text.contains("not judged") && text.contains("shows = \"measures\""), "{text}");
    let written = std::fs::read_to_string(&card).unwrap();
    assert!(written.contains("shows = \"measures\"") && written.contains("MAE in years"), "{written}");
    let empty = run(&["gait", "eval", &card, "--walkers", &at("oulp")]);
    assert!(empty.status.code() == Some(1) && words(&empty).contains("no image of a walker"), "{}", words(&empty));
}

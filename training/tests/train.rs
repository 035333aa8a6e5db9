//! `facelens-training train` as a user calls it, on drawn faces.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use facelens_training::data::{AgeRange, LabelledFace, SIDE, SetWriter};

fn train(run: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("facelens-training"));
    command.arg("train").arg("--run").arg(run).args(options).stdin(Stdio::null());
    command
}

/// Exit code and what it said.
fn ended(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    assert!(output.stdout.is_empty(), "training gives no data");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Faces whose brightness is their age.
fn draw_faces(folder: &Path, count: usize) -> PathBuf {
    let file = folder.join("drawn.faces");
    let mut writer = SetWriter::create(&file).unwrap();
    for index in 0..count {
        let age = (index * 37 % 80) as f32;
        let age_range = Some(AgeRange { min: age, max: Some(age) });
        let picture: Vec<u8> = (0..SIDE * SIDE * 3).map(|place| (age * 2.0) as u8 + (place % 31) as u8).collect();
        writer
            .push(LabelledFace { name: index.to_string(), age: age_range, ..LabelledFace::default() }, &picture)
            .unwrap();
    }
    writer.finish().unwrap();
    file
}

/// A run of four epochs with a narrow net.
fn options(set: &Path) -> Vec<&str> {
    let set = set.to_str().unwrap();
    let shape = ["--task", "age", "--widths", "4,4,4", "--epochs", "4", "--batch", "8"];
    [&["--set", set, "--validate", set][..], &shape].concat()
}

/// A run's losses, without the columns that tell times.
fn losses(run: &Path) -> Vec<String> {
    let table = std::fs::read_to_string(run.join("history.csv")).unwrap();
    table.lines().map(|row| row.split(',').nth(2).unwrap().to_owned()).collect()
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_result_of_an_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 48);
    let (unbroken, killed) = (folder.path().join("unbroken"), folder.path().join("killed"));
    let (code, text) = ended(train(&unbroken, &options(&set)));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("epoch 4/4") && text.contains("drawn: age"), "{text}");
    assert_eq!(losses(&unbroken).len(), 5);

    let mut child = train(&killed, &options(&set)).stderr(Stdio::null()).spawn().unwrap();
    while !killed.join("state/progress.json").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, text) = ended(train(&killed, &["--resume"]));
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(losses(&killed), losses(&unbroken));
    let (killed, unbroken) = (numbers(&killed), numbers(&unbroken));
    let differing = killed.iter().zip(&unbroken).filter(|(a, b)| a != b).count();
    assert_eq!((differing, killed.len()), (0, unbroken.len()));
}

/// The bits of the trained net.
fn numbers(run: &Path) -> Vec<u32> {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Tensor};

    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f32>().map(f32::to_bits));
        }
    }
    let (_, net) = facelens_training::train::load(run, &Device::flex()).unwrap();
    let mut bits = Bits(Vec::new());
    net.visit(&mut bits);
    bits.0
}

#[test]
fn wrong_usage_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 16);
    let run = folder.path().join("run");
    let refused = |code: i32, run: &Path, options: &[&str], words: &[&str]| {
        let (got, text) = ended(train(run, options));
        assert_eq!(got, Some(code), "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    refused(1, &run, &["--resume"], &["no run in"]);
    refused(2, &run, &["--set", set.to_str().unwrap()], &["--task"]);
    refused(2, &run, &["--widths", "4,4"], &["three, four or nine numbers"]);
    refused(2, &run, &["--task", "age"], &["no set of faces"]);
    refused(1, &run, &["--task", "age", "--set", "missing.faces"], &["missing.faces"]);
    refused(1, &run, &["--task", "pose", "--set", set.to_str().unwrap()], &["has a label for pose"]);
    let age = ["--task", "age", "--network", "fsa-net", "--set", set.to_str().unwrap()];
    refused(2, &run, &age, &["the network estimates pose where tasks says age"]);
    refused(1, &run, &["--task", "gender", "--set", set.to_str().unwrap()], &["has a label for gender"]);
    refused(2, &run, &[&options(&set)[..], &["--balance", "1.5"]].concat(), &["loss.balance", "0 to 1"]);
    assert!(!run.exists(), "nothing is left of a run that did not begin");

    let (code, text) = ended(train(&run, &[&options(&set)[..], &["--until", "1"]].concat()));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("epoch 1 is kept") && text.contains("--resume"), "{text}");
    refused(1, &run, &options(&set), &["already exists", "--resume"]);
    refused(2, &run, &["--resume", "--epochs", "7", "--margin", "0.25"], &["other settings (epochs)"]);
    let (code, text) = ended(train(&run, &[&options(&set)[..], &["--resume", "--until", "2"]].concat()));
    assert_eq!(code, Some(0), "the same settings may be given again: {text}");
}

#[test]
fn settings_come_from_a_file_and_options_go_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 16);
    let run = folder.path().join("run");
    let file = folder.path().join("settings.toml");
    let text = "tasks = [\"age\"]\nepochs = 9\nbatch = 8\n[network]\nkind = \"ssr-net\"\nrelu_channels = 3\n\
                [schedule]\naverage = 0.0\n[augmentation]\nmirror = false\n";
    std::fs::write(&file, text).unwrap();
    let set = set.to_str().unwrap();
    let given = ["--config", file.to_str().unwrap(), "--set", set, "--epochs", "1", "--learning-rate", "0.01"];
    let (code, text) = ended(train(&run, &given));
    assert_eq!(code, Some(0), "{text}");
    let kept = std::fs::read_to_string(run.join("run.toml")).unwrap();
    for line in ["epochs = 1", "relu_channels = 3", "tanh_channels = 16", "mirror = false", "learning_rate = 0.01"] {
        assert!(kept.contains(line), "{line}: {kept}");
    }
    assert!(!run.join("state/average-1.bpk").exists());
    assert!(!numbers(&run).is_empty(), "without an average the net itself is taken");

    let further = folder.path().join("further");
    let from = ["--from", run.to_str().unwrap(), "--set", set, "--epochs", "1", "--batch", "8"];
    let (code, text) = ended(train(&further, &from));
    assert_eq!(code, Some(0), "tasks and network come from that run: {text}");
    let taken = std::fs::read_to_string(further.join("run.toml")).unwrap();
    assert!(taken.contains("relu_channels = 3") && taken.contains("epochs = 1"), "{taken}");

    std::fs::write(&file, "epochs = 1\nbatch = 8\n[network]\nkind = \"ssr-net\"\n").unwrap();
    let partly = folder.path().join("partly");
    let from = ["--config", file.to_str().unwrap(), "--from", run.to_str().unwrap(), "--set", set];
    let (code, text) = ended(train(&partly, &from));
    assert_eq!(code, Some(0), "what the file leaves open of the network comes from that run: {text}");

    std::fs::write(&file, "tasks = [\"age\"]\nepoch = 9\n").unwrap();
    let (code, text) = ended(train(&folder.path().join("other"), &given));
    assert!(code == Some(2) && text.contains("epoch"), "{text}");
}

#[cfg(unix)]
#[test]
fn an_interruption_keeps_the_last_epoch_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 48);
    let run = folder.path().join("run");
    let many = [&options(&set)[..8], &["--epochs", "1000", "--batch", "8"]].concat();
    let mut child = train(&run, &many).stderr(Stdio::piped()).spawn().unwrap();
    while !run.join("state/progress.json").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("is kept") && text.contains("--resume"), "{text}");
}

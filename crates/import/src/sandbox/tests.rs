//! The parent's side: how each end of a child is told, and what is remembered.

use facelens_core::model::ModelErrorKind;
use facelens_core::model::graphs::{save_card, small_card};

use super::*;

#[test]
fn without_a_child_files_are_read_here() {
    let folder = tempfile::tempdir().unwrap();
    save_card(folder.path(), &small_card("good"));
    let opened = Sandbox::in_process().open(&folder.path().join("good.toml"), None).unwrap();
    assert_eq!(opened.card, small_card("good"));
}

#[test]
fn what_ships_is_not_tried_whatever_its_file_and_card_are_called() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let nobody = Sandbox::of_program("/nobody/facelens", Limits::default(), None);
    let card = models.join("ssrnet-age-imdb.toml");
    assert!(nobody.open(&card, None).is_ok());
    let error = nobody.open(&card, Some(Task::Pose)).unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::WrongTask);
    // The same network for another input is another network.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(models.join("ssrnet-age-imdb.onnx"), folder.path().join("ssrnet-age-imdb.onnx")).unwrap();
    let other = folder.path().join("other.toml");
    let text = std::fs::read_to_string(&card).unwrap();
    assert!(text.contains("width = 64"));
    std::fs::write(&other, text.replace("width = 64", "width = 1024")).unwrap();
    assert!(nobody.open(&other, None).unwrap_err().cause.contains("a separate process"));
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    /// A folder with a model and a program that does `script` instead of trying it.
    fn folder(script: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_card("good"));
        let program = folder.path().join("program");
        // Written by another process: a file that this one has open for writing cannot be run by a child of it.
        let text = format!("#!/bin/sh\n{script}\n");
        let status = std::process::Command::new("sh")
            .args(["-c", "printf %s \"$2\" > \"$1\"", "sh"])
            .arg(&program)
            .arg(text)
            .status()
            .unwrap();
        assert!(status.success());
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    fn sandbox(folder: &TempDir, elapsed_time: Duration) -> Sandbox {
        let limits = Limits { memory_bytes: 1 << 30, processor_time: Duration::from_secs(3), elapsed_time };
        Sandbox::of_program(folder.path().join("program"), limits, Some(&folder.path().join("cache")))
    }

    fn error(script: &str, time: Duration) -> ModelError {
        let folder = folder(script);
        let error = sandbox(&folder, time).open(&folder.path().join("good.toml"), Some(Task::Age)).unwrap_err();
        assert!(error.to_string().contains("good.toml: "), "{error}");
        assert!(!folder.path().join("cache").exists(), "what is refused is not remembered");
        error
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn each_end_of_a_child_has_its_sentence() {
        let late = error("exec sleep 60", Duration::from_millis(200));
        assert_eq!((late.kind, late.cause.as_str()), (ModelErrorKind::TooLarge, "the network takes more than 0.2 s"));
        let late = error("kill -XCPU $$", LONG);
        assert_eq!(
            (late.kind, late.cause.as_str()),
            (ModelErrorKind::TooLarge, "the network takes more than 3 s of processor time")
        );
        let large = error("echo 'memory allocation of 24000000000 bytes failed' >&2; kill -ABRT $$", LONG);
        assert_eq!(large.cause, "the network takes more than 1 GiB of memory");
        let large = error("echo '\"OutOfMemory\"'", LONG);
        assert_eq!(
            (large.kind, large.cause.as_str()),
            (ModelErrorKind::TooLarge, "the network takes more than 1 GiB of memory")
        );
        for crash in ["kill -SEGV $$", "kill -KILL $$", "exit 3", "", "yes | head -c 1000000", "echo '{\"Opened\":{}}'"]
        {
            let crash = error(crash, LONG);
            assert_eq!(crash.kind, ModelErrorKind::Corrupt);
            assert_eq!(crash.cause, "the network crashed while it was tested");
        }
        let refused =
            r#"echo '{"Refused":{"kind":"WrongShape","file":"x/good.toml","cause":"a cause","remedy":"do this"}}'"#;
        let refused = error(refused, LONG);
        assert_eq!(
            (refused.kind, refused.to_string().as_str()),
            (ModelErrorKind::WrongShape, "x/good.toml: a cause; do this")
        );
    }

    #[test]
    fn the_child_is_told_the_file_the_task_and_the_limits() {
        let folder = folder("echo \"$@\" > \"$(dirname \"$0\")/said\"");
        let card = folder.path().join("good.toml");
        sandbox(&folder, Duration::from_millis(1500)).open(&card, Some(Task::Age)).unwrap_err();
        let said = fs::read_to_string(folder.path().join("said")).unwrap();
        let expected = format!(
            "try-model --memory-bytes=1073741824 --processor-seconds=3 --seconds=1.5 --task=age -- {}\n",
            card.display()
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn a_pass_is_remembered_until_the_card_or_the_limits_change() {
        // The answer of a real child, recorded.
        let folder = folder("cat \"$(dirname \"$0\")/answer\"");
        let card = folder.path().join("good.toml");
        let verdict = answer::Verdict::Opened(Box::new(Opened::file(&card, None).unwrap()));
        let mut bytes = Vec::new();
        answer::write(&verdict, &mut bytes).unwrap();
        fs::write(folder.path().join("answer"), bytes).unwrap();
        assert_eq!(sandbox(&folder, LONG).open(&card, None).unwrap().card, small_card("good"));

        fs::remove_file(folder.path().join("answer")).unwrap();
        assert_eq!(sandbox(&folder, LONG).open(&card, None).unwrap().card, small_card("good"));
        assert!(sandbox(&folder, LONG / 2).open(&card, None).is_err(), "other limits");
        let text = fs::read_to_string(&card).unwrap();
        fs::write(&card, text.replace("licence = \"MIT\"", "licence = \"GPL\"")).unwrap();
        assert!(sandbox(&folder, LONG).open(&card, None).is_err(), "another card");
        fs::write(&card, text).unwrap();
        fs::remove_dir_all(folder.path().join("cache")).unwrap();
        assert!(sandbox(&folder, LONG).open(&card, None).is_err(), "nothing is remembered any more");
    }
}

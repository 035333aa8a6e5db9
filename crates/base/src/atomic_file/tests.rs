use std::io::Read as _;

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_whole_or_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    fs::write(&file, "old").unwrap();
    let mut new = AtomicFile::create(&file, Access::Usual).unwrap();
    new.write_all(b"half").unwrap();
    drop(new);
    assert_eq!((fs::read(&file).unwrap(), names(folder.path())), (b"old".to_vec(), vec!["a".to_owned()]));

    let mut new = AtomicFile::create(&file, Access::Usual).unwrap();
    new.write_all(b"new").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"old", "not before it is whole");
    new.commit().unwrap();
    assert_eq!((fs::read(&file).unwrap(), names(folder.path())), (b"new".to_vec(), vec!["a".to_owned()]));
}

#[test]
fn two_writers_of_one_file_share_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    let (mut first, mut second) =
        (AtomicFile::create(&file, Access::Usual).unwrap(), AtomicFile::create(&file, Access::Usual).unwrap());
    first.write_all(&[b'1'; 100]).unwrap();
    second.write_all(&[b'2'; 10]).unwrap();
    first.commit().unwrap();
    assert_eq!(fs::read(&file).unwrap(), [b'1'; 100]);
    second.commit().unwrap();
    assert_eq!((fs::read(&file).unwrap(), names(folder.path()).len()), (vec![b'2'; 10], 1));
}

#[test]
fn a_new_file_never_takes_the_place_of_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    let mut drafts: Vec<_> = (0..2).map(|_| AtomicFile::create(&file, Access::Usual).unwrap()).collect();
    for (draft, text) in drafts.iter_mut().zip(["first", "second"]) {
        draft.write_all(text.as_bytes()).unwrap();
    }
    let second = drafts.pop().unwrap();
    drafts.pop().unwrap().commit_new().unwrap();
    assert_eq!(second.commit_new().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!((fs::read(&file).unwrap(), names(folder.path()).len()), (b"first".to_vec(), 1));
}

#[test]
fn a_folder_in_the_place_and_a_missing_folder_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |path: &Path| write(path, b"a", Access::Usual).unwrap_err().kind();
    assert_eq!(kind(folder.path()), io::ErrorKind::IsADirectory);
    assert_eq!(kind(&folder.path().join("none/a")), io::ErrorKind::NotFound);
    assert!(names(folder.path()).is_empty());
    let words = write(&folder.path().join("none/a"), b"a", Access::Usual).unwrap_err().to_string();
    assert!(!words.contains(DRAFT_PREFIX), "{words}");
}

#[test]
fn one_file_is_known_by_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
    fs::write(&a, "").unwrap();
    fs::write(&c, "").unwrap();
    fs::hard_link(&a, &b).unwrap();
    assert!(is_same_file(&a, &b) && is_same_file(&a, &folder.path().join("./a")));
    let none = folder.path().join("none");
    assert!(!is_same_file(&a, &c) && !is_same_file(&a, &none));
    assert!(is_same_file(&none, &folder.path().join("./none")), "it is one file once it is written");
}

#[test]
fn a_full_disk_is_named() {
    assert_eq!(cause(&io::ErrorKind::StorageFull.into()), "the disk is full");
    assert!(cause(&io::ErrorKind::PermissionDenied.into()).contains("permission denied"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn links_are_followed_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        fs::write(path("real/file"), "old").unwrap();
        symlink("real/file", path("second")).unwrap();
        symlink(path("second"), path("first")).unwrap();
        symlink("real/none", path("dangling")).unwrap();
        for (link, file) in [("first", "real/file"), ("dangling", "real/none")] {
            write(&path(link), b"new", Access::Usual).unwrap();
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
            assert_eq!(fs::read(path(file)).unwrap(), b"new", "{link}");
        }
        assert_eq!(names(&path("real")), ["file", "none"]);
        symlink("circle", path("circle")).unwrap();
        assert!(write(&path("circle"), b"new", Access::Usual).unwrap_err().to_string().contains("loop"));
    }

    #[test]
    fn what_is_no_regular_file_is_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link] {
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || {
                    let mut text = String::new();
                    File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                    text
                }
            });
            write(path, b"through the pipe", Access::Private).unwrap();
            assert_eq!(reader.join().unwrap(), "through the pipe");
            assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        }
        assert_eq!(names(folder.path()), ["link", "pipe"]);
    }

    #[test]
    fn permissions_are_kept_and_new_private_files_are_the_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("old"), "old").unwrap();
        fs::set_permissions(path("old"), fs::Permissions::from_mode(0o640)).unwrap();
        for access in [Access::Usual, Access::Private] {
            write(&path("old"), b"new", access).unwrap();
            assert_eq!(mode(&path("old")), 0o640);
        }
        write(&path("private"), b"", Access::Private).unwrap();
        create_private(&path("stream")).unwrap();
        create_private_folder(&path("folder")).unwrap();
        assert_eq!([mode(&path("private")), mode(&path("stream")), mode(&path("folder"))], [0o600, 0o600, 0o700]);
        // Like any new file of this user.
        fs::write(path("usual"), "").unwrap();
        write(&path("atomic"), b"", Access::Usual).unwrap();
        assert_eq!(mode(&path("atomic")), mode(&path("usual")));
    }

    #[test]
    fn a_file_that_may_not_be_written_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine");
        fs::write(&file, "mine").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        if File::options().write(true).open(&file).is_ok() {
            // An administrator may write everything; there is nothing to refuse.
            return;
        }
        assert_eq!(write(&file, b"new", Access::Usual).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!((fs::read(&file).unwrap(), names(folder.path()).len()), (b"mine".to_vec(), 1));
    }

    /// On a file system of its own, in a namespace that goes with the shell.
    #[test]
    fn a_full_disk_leaves_the_old_file_and_no_draft() {
        const FOLDER: &str = "FACELENS_TEST_FULL_DISK";
        if let Some(folder) = std::env::var_os(FOLDER) {
            let file = Path::new(&folder).join("a");
            fs::write(&file, "old").unwrap();
            let error = write(&file, &vec![7; 1 << 20], Access::Usual).unwrap_err();
            assert_eq!(cause(&error), "the disk is full");
            assert_eq!((fs::read(&file).unwrap(), names(Path::new(&folder)).len()), (b"old".to_vec(), 1));
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let test = "atomic_file::tests::unix::a_full_disk_leaves_the_old_file_and_no_draft";
        let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" || exit 77; exec \"$0\" --exact \"$2\"";
        let status = Command::new("unshare")
            .args(["-rm", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .args([folder.path(), Path::new(test)])
            .env(FOLDER, folder.path())
            .output();
        match status {
            Ok(output) if output.status.code() == Some(77) => eprintln!("skipped: no file system may be mounted here"),
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
            Err(error) => eprintln!("skipped: unshare is not there ({error})"),
        }
    }
}

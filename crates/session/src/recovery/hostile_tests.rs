//! Folders that are not what they seem: nothing outside is written, and nothing whole is lost.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::names::COPY_SUFFIX;
use crate::testing::session::{FRAMES, rows, write};
use crate::{SessionFolder, SessionInfo};

const BOTH: &[(&str, bool)] = &[("video.mp4", true), ("clean.mp4", false)];

/// `session-a` in a folder with a file of somebody else, broken off by `edit`.
struct Place {
    parent: tempfile::TempDir,
    session: PathBuf,
}

impl Place {
    fn new(videos: &[(&str, bool)], edit: impl FnOnce(&mut Value)) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let session = parent.path().join("session-a");
        write(&session, &rows(), videos);
        fs::write(parent.path().join("victim.txt"), "precious\n").unwrap();
        let place = Self { parent, session };
        place.edit(|info| {
            info["end"] = Value::Null;
            edit(info);
        });
        place
    }

    fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut value = self.info();
        edit(&mut value);
        fs::write(self.file(INFO_FILE), serde_json::to_string_pretty(&value).unwrap()).unwrap();
    }

    fn info(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file(INFO_FILE)).unwrap()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.session.join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap()
    }

    /// Everything in the folder and below: content, or where a link leads.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.parent.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let (path, kind) = (entry.path(), entry.file_type().unwrap());
                let content = if kind.is_symlink() {
                    fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
                } else if kind.is_file() {
                    fs::read(&path).unwrap()
                } else {
                    Vec::new()
                };
                if kind.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path, content);
            }
        }
        found
    }

    /// Recovery must refuse with these words, and change nothing.
    fn refused(&self, words: &str) {
        let before = self.everything();
        let error = recover(&self.session).unwrap_err();
        assert_eq!(error.kind, WriteErrorKind::NotProven, "{error}");
        assert!(error.to_string().contains(words), "`{words}` is missing in: {error}");
        assert_eq!(unfinished(self.parent.path()), Vec::<PathBuf>::new(), "{words}");
        assert!(before == self.everything(), "{words}: something was changed");
    }

    fn recovered(&self) -> Recovered {
        assert_eq!(unfinished(self.parent.path()), [self.session.as_path()]);
        recover(&self.session).unwrap().unwrap()
    }
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused_on_every_system() {
    let outside = Place::new(&[], |_| {}).parent.path().join("victim.txt");
    for name in ["../victim.txt", "..", ".", "", "sub/faces.csv", "..\\victim.txt", "C:\\victim.txt", "faces.csv:b"]
        .into_iter()
        .chain(outside.to_str())
    {
        Place::new(&[], |info| info["data"] = name.into()).refused("`data` names");
        Place::new(&[("video.mp4", true)], |info| info["videos"][0]["file"] = name.into()).refused("`videos` names");
    }
}

#[test]
fn names_that_are_another_file_of_the_session_are_refused() {
    for name in ["session.json", "SESSION.JSON", "recording.lock", "session.json.part"] {
        Place::new(&[], |info| info["data"] = name.into()).refused("which is not a file of a session");
    }
    Place::new(BOTH, |info| info["data"] = "video.mp4".into()).refused("twice");
    Place::new(BOTH, |info| info["videos"][1]["file"] = "video.mp4".into()).refused("twice");
    Place::new(BOTH, |info| info["videos"][1]["file"] = "VIDEO.mp4".into()).refused("twice");
}

#[test]
fn a_session_of_another_session_is_refused() {
    let place = Place::new(&[], |info| info["data"] = "../session-b/faces.csv".into());
    write(&place.parent.path().join("session-b"), &rows(), &[]);
    place.refused("`data` names");
}

#[cfg(unix)]
#[test]
fn links_of_either_kind_are_refused() {
    use std::os::unix::fs::symlink;
    for name in ["faces.csv", "video.mp4", "session.json", "recording.lock"] {
        let place = Place::new(BOTH, |_| {});
        let linked = place.parent.path().join("linked");
        if name == "recording.lock" {
            // Taking the lock would make the file to which it leads.
            symlink(&linked, place.file(name)).unwrap();
        } else {
            let bytes = place.read(name);
            fs::write(&linked, &bytes[..bytes.len() - if name == "session.json" { 0 } else { 7 }]).unwrap();
            fs::remove_file(place.file(name)).unwrap();
            symlink("../linked", place.file(name)).unwrap();
        }
        place.refused(&format!("{name} is a link"));
        assert_eq!(linked.exists(), name != "recording.lock");
    }
    for name in ["faces.csv", "clean.mp4"] {
        let place = Place::new(BOTH, |_| {});
        fs::hard_link(place.file(name), place.parent.path().join("linked")).unwrap();
        place.refused(&format!("{name} is hard-linked elsewhere"));
    }
}

#[cfg(unix)]
#[test]
fn a_link_among_the_sessions_is_not_entered() {
    let place = Place::new(&[], |_| {});
    let sessions = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&place.session, sessions.path().join("session-b")).unwrap();
    assert_eq!(survey(sessions.path()), Survey::default());
    assert_eq!(unfinished(place.parent.path()).len(), 1);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_and_nothing_waits_for_it() {
    for name in ["faces.csv", "video.mp4", "session.json", "recording.lock"] {
        let place = Place::new(BOTH, |_| {});
        let _ = fs::remove_file(place.file(name));
        assert!(std::process::Command::new("mkfifo").arg(place.file(name)).status().unwrap().success());
        place.refused(&format!("{name} is not a regular file"));
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    for name in ["faces.csv", "session.json", "recording.lock", "clean.mp4"] {
        let place = Place::new(BOTH, |_| {});
        let _ = fs::remove_file(place.file(name));
        fs::create_dir(place.file(name)).unwrap();
        place.refused(&format!("{name} is a folder"));
    }
}

#[test]
fn what_does_not_say_that_it_is_unfinished_and_of_this_schema_is_left_alone() {
    Place::new(BOTH, |info| drop(info.as_object_mut().unwrap().remove("end"))).refused("whether the recording ended");
    for schema in [json!(0), json!(-1), json!("1"), json!(1.5), Value::Null] {
        Place::new(BOTH, |info| info["schema"] = schema).refused("which schema");
    }
    Place::new(BOTH, |info| info["schema"] = 3.into()).refused("newer facelens (schema 3, this one knows 2)");
    Place::new(BOTH, |info| info["schema"] = u64::MAX.into()).refused("newer facelens");
    for (key, value) in [("counts", json!({"written": 1e300})), ("counts", json!(3)), ("videos", json!("video.mp4"))] {
        Place::new(BOTH, |info| info[key] = value).refused("it is damaged");
    }
    Place::new(BOTH, |info| info["duration_s"] = 1e300.into()).refused("`duration_s`");
}

#[test]
fn a_session_json_that_is_cut_off_or_too_large_is_left_alone() {
    let place = Place::new(BOTH, |info| info["end"] = json!({"how": "stopped"}));
    let text = place.read(INFO_FILE);
    fs::write(place.file(INFO_FILE), &text[..200]).unwrap();
    place.refused("it is damaged");
    fs::File::create(place.file(INFO_FILE)).unwrap().set_len(1 << 40).unwrap();
    let error = recover(&place.session).unwrap_err();
    assert!(error.to_string().contains("larger than 4 MiB"), "{error}");
}

#[test]
fn somebody_elses_files_stay_and_nothing_is_put_beside_them() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("faces.csv"), "name,age\nann,3\n").unwrap();
    let error = recover(parent.path()).unwrap_err();
    assert!(error.to_string().contains("nothing proves that it is an interrupted recording"), "{error}");
    assert_eq!(fs::read(parent.path().join("faces.csv")).unwrap(), b"name,age\nann,3\n");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    // Even where everything else is a session's.
    let place = Place::new(&[], |_| {});
    fs::write(place.file("faces.csv"), "name,age\nann,3\nbe").unwrap();
    let recovered = place.recovered();
    assert!(recovered.repairs.to_string().contains("it names none of the columns"), "{}", recovered.repairs);
    assert_eq!(place.read("faces.csv"), b"name,age\nann,3\nbe");
}

#[test]
fn numbers_at_the_edge_of_what_a_file_can_say_do_no_harm() {
    let most = u64::MAX;
    let place = Place::new(&[("video.mp4", true)], |info| {
        info["counts"] = json!({"captured": most, "analysed": most, "written": most, "dropped": most});
        info["source"]["width"] = 0.into();
    });
    let text = String::from_utf8(place.read("faces.csv")).unwrap();
    let text = text.replace("HD Webcam,149,", &format!("HD Webcam,{most},"));
    fs::write(place.file("faces.csv"), text).unwrap();
    assert_eq!(place.recovered().frames, FRAMES);
    let counts = &place.info()["counts"];
    assert_eq!((counts["captured"].as_u64(), counts["written"].as_u64()), (Some(most), Some(FRAMES)));
}

#[test]
fn more_columns_and_keys_are_kept() {
    let place = Place::new(BOTH, |info| {
        info["weather"] = json!({"sun": [1, 2]});
        info["source"]["gain"] = 3.into();
        info["videos"][1]["bitrate"] = 5.into();
        info["counts"]["late"] = 7.into();
    });
    let text = String::from_utf8(place.read("faces.csv")).unwrap();
    let more: String = text
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{line},{}\n", if at == 0 { "emotion" } else { "1" }))
        .collect();
    fs::write(place.file("faces.csv"), more.clone() + "HD Web").unwrap();
    let recovered = place.recovered();
    assert_eq!((recovered.frames, recovered.repairs.troubles.len()), (FRAMES, 0), "{}", recovered.repairs);
    let kept = place.read("faces.csv");
    assert!(more.as_bytes().starts_with(&kept) && kept.len() + 200 > more.len());
    assert_eq!(place.read("faces.csv.before-recovery"), (more + "HD Web").as_bytes());
    let info = place.info();
    assert_eq!((&info["weather"]["sun"][1], &info["source"]["gain"]), (&2.into(), &3.into()));
    assert_eq!((&info["videos"][1]["bitrate"], &info["counts"]["late"]), (&5.into(), &7.into()));
    assert_eq!(info["end"]["how"], "recovered");
}

#[test]
fn a_damaged_row_costs_nothing_but_itself() {
    for (from, to) in [("HD Webcam,108,", "HD Webcam,x,"), ("HD Webcam,108,", "\"HD Webcam,108,")] {
        let place = Place::new(BOTH, |_| {});
        let damaged = String::from_utf8(place.read("faces.csv")).unwrap().replace(from, to);
        fs::write(place.file("faces.csv"), &damaged).unwrap();
        let recovered = place.recovered();
        let words = recovered.repairs.to_string();
        assert!(words.contains("1 row of faces.csv cannot be read") && words.contains("line 10: "), "{words}");
        assert_eq!((recovered.frames, recovered.repairs.troubles.len()), (FRAMES - 1, 1));
        assert_eq!(place.read("faces.csv"), damaged.as_bytes(), "nothing is taken from it");
        let session = SessionFolder::open(&place.session).unwrap();
        assert_eq!((session.rows.len() as u64, session.videos.len()), (FRAMES - 1, 2));
    }
}

#[test]
fn a_damaged_video_costs_nothing_of_the_other_and_of_the_data() {
    let place = Place::new(BOTH, |_| {});
    let mut bytes = place.read("clean.mp4");
    let third = bytes.len() / 3;
    let at = third + bytes[third..].windows(4).position(|name| name == b"moof").unwrap();
    for (place_of_damage, value) in [(at, 0), (at - 2, 0xff), (at + 30, 0xff)] {
        let before = std::mem::replace(&mut bytes[place_of_damage], value);
        fs::write(place.file("clean.mp4"), &bytes).unwrap();
        let others = ["video.mp4", "faces.csv"].map(|name| place.read(name));
        place.edit(|info| info["end"] = Value::Null);
        let recovered = place.recovered();
        let words = recovered.repairs.to_string();
        assert!(words.contains("clean.mp4 is damaged in 1 place and was left as it is"), "{place_of_damage}: {words}");
        assert!(place.read("clean.mp4") == bytes, "it was left as it is");
        assert!(["video.mp4", "faces.csv"].map(|name| place.read(name)) == others);
        assert_eq!((recovered.frames, recovered.duration), (FRAMES, Duration::from_secs(5)));
        bytes[place_of_damage] = before;
    }
    // Its beginning.
    fs::write(place.file("clean.mp4"), [&b"junk"[..], &bytes[4..]].concat()).unwrap();
    place.edit(|info| info["end"] = Value::Null);
    let words = place.recovered().repairs.to_string();
    assert!(words.contains("the beginning of the video is damaged"), "{words}");
    let info: SessionInfo = serde_json::from_value(place.info()).unwrap();
    assert_eq!(info.videos.len(), 2, "it stays in the list");
    assert!(
        !fs::read_dir(&place.session)
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains(COPY_SUFFIX) })
    );
}

#[test]
fn a_session_that_went_through_a_spreadsheet_loses_nothing() {
    let place = Place::new(&[], |_| {});
    let text = String::from_utf8(place.read("faces.csv")).unwrap();
    let changed = text.replace(',', ";").replace('.', ",").replace('\n', "\r\n");
    fs::write(place.file("faces.csv"), format!("\u{feff}{changed}")).unwrap();
    let recovered = place.recovered();
    assert_eq!((recovered.frames, recovered.repairs), (FRAMES, Repairs::default()));
    assert_eq!(place.read("faces.csv"), format!("\u{feff}{changed}").as_bytes());
    assert_eq!(SessionFolder::open(&place.session).unwrap().rows, rows());
}

#[test]
fn a_full_list_of_copies_stops_recovery_before_it_cuts() {
    let place = Place::new(&[], |_| {});
    let torn = [place.read("faces.csv"), b"HD Web".to_vec()].concat();
    fs::write(place.file("faces.csv"), &torn).unwrap();
    fs::write(place.file("faces.csv.before-recovery"), "").unwrap();
    for number in 2..=100 {
        fs::write(place.file(&format!("faces.csv.before-recovery-{number}")), "").unwrap();
    }
    let error = recover(&place.session).unwrap_err();
    assert!(error.kind == WriteErrorKind::Io && error.to_string().contains("100 copies"), "{error}");
    assert_eq!((place.read("faces.csv"), place.info()["end"].is_null()), (torn, true), "it can be done again");
    fs::remove_file(place.file("faces.csv.before-recovery")).unwrap();
    assert_eq!(place.recovered().frames, FRAMES);
}

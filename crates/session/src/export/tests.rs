use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::Field;
use facelens_media::{Mode, Next, SourceSpec};

use super::*;
use crate::testing::session::{FRAMES, SIZE, face, rows, write};
use crate::{AgeRow, COLUMNS, CSV_COLUMNS, SessionInfo, read_csv, read_jsonl};

fn session(videos: &[(&str, bool)]) -> (tempfile::TempDir, SessionFolder) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &rows(), videos);
    let session = SessionFolder::open(folder.path()).unwrap();
    (folder, session)
}

fn text(session: &SessionFolder, format: ExportFormat, people: &[u64]) -> String {
    let mut bytes = Vec::new();
    write_data(session, format, people, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_formats_are_known_by_name_and_by_ending() {
    for format in ExportFormat::ALL {
        let file = format!("a.{}", format.extension().to_uppercase());
        let by_ending = ExportFormat::of_extension(Path::new(&file)).unwrap();
        assert!(by_ending == format || format == ExportFormat::OpenFace, "{file}");
    }
    assert_eq!(ExportFormat::of_extension(Path::new("a.txt")), None);
}

#[test]
fn csv_and_jsonl_read_back_as_the_session() {
    let (_folder, session) = session(&[]);
    let csv: Vec<_> = read_csv(text(&session, ExportFormat::Csv, &[]).as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(csv, rows());
    let jsonl = text(&session, ExportFormat::Jsonl, &[]);
    assert_eq!(read_jsonl(jsonl.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap(), rows());
}

#[test]
fn one_person_alone_keeps_every_frame() {
    let (_folder, session) = session(&[]);
    let jsonl = text(&session, ExportFormat::Jsonl, &[2]);
    let read: Vec<_> = read_jsonl(jsonl.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(read.len(), FRAMES as usize);
    assert!(read.iter().flat_map(|row| &row.faces).all(|face| face.id == 2));
    assert_eq!(read.iter().filter(|row| !row.faces.is_empty()).count(), 20);
}

/// The rows of a Parquet file, by the columns' names.
fn parquet_rows(bytes: &[u8]) -> (Vec<HashMap<String, Field>>, HashMap<String, String>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let notes = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let notes = notes.iter().map(|note| (note.key.clone(), note.value.clone().unwrap())).collect();
    let columns: Vec<_> = reader.metadata().file_metadata().schema_descr().columns().to_vec();
    assert_eq!(columns.iter().map(|column| column.name()).collect::<Vec<_>>(), CSV_COLUMNS);
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns().into_iter().collect());
    (rows.collect(), notes)
}

#[test]
fn parquet_reads_back_with_types_nulls_and_notes() {
    let folder = tempfile::tempdir().unwrap();
    let mut data = rows();
    data[0].faces[0].age = None;
    data[1].faces[0].pose = None;
    write(folder.path(), &data, &[]);
    let session = SessionFolder::open(folder.path()).unwrap();
    let mut bytes = Vec::new();
    write_data(&session, ExportFormat::Parquet, &[], &mut bytes).unwrap();
    let (table, notes) = parquet_rows(&bytes);
    assert_eq!(table.len(), data.iter().map(|row| row.faces.len().max(1)).sum::<usize>());
    let lines = data.iter().flat_map(|row| {
        let none = row.faces.is_empty().then_some((row, None));
        row.faces.iter().map(move |face| (row, Some(face))).chain(none)
    });
    for (line, (row, face)) in table.iter().zip(lines) {
        let float = |value: Option<f32>| value.map_or(Field::Null, Field::Float);
        assert_eq!(line["input"], Field::Str(row.input.clone()));
        assert_eq!(line["frame"], Field::Long(row.frame as i64));
        assert_eq!(line["time_s"], Field::Double(row.time_s));
        assert_eq!((&line["width"], &line["height"]), (&Field::Int(160), &Field::Int(96)));
        assert_eq!(line["id"], face.map_or(Field::Null, |face| Field::Long(face.id as i64)));
        assert_eq!(line["box_width"], float(face.map(|face| face.rect.width)));
        assert_eq!(line["age_years"], float(face.and_then(|face| face.age).map(|age| age.years)));
        assert_eq!(line["age_low"], float(face.and_then(|face| face.age).map(|age| age.low)));
        assert_eq!(line["age_high"], float(face.and_then(|face| face.age).map(|age| age.high)));
        assert_eq!(line["gender_label"], face.map_or(Field::Null, |_| Field::Str("female".to_owned())));
        assert_eq!(line["pose_yaw"], float(face.and_then(|face| face.pose).map(|pose| pose.yaw)));
        assert_eq!(line["pose_roll"], float(face.and_then(|face| face.pose).map(|pose| pose.roll)));
    }
    assert_eq!(notes["facelens.schema"], "2");
    assert_eq!(serde_json::from_str::<SessionInfo>(&notes["facelens.session"]).unwrap(), session.info);
    for column in COLUMNS {
        assert_eq!(notes[&format!("facelens.column.{}", column.name)], column.meaning);
    }
    assert_eq!(notes["facelens.unit.pose_yaw"], "degrees");
}

#[test]
fn a_parquet_file_without_a_row_is_a_table_with_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[], &[]);
    let session = SessionFolder::open(folder.path()).unwrap();
    let mut bytes = Vec::new();
    write_data(&session, ExportFormat::Parquet, &[], &mut bytes).unwrap();
    assert_eq!(parquet_rows(&bytes).0.len(), 0);
}

#[test]
fn openface_has_its_own_names_radians_and_signs() {
    let (_folder, session) = session(&[]);
    let text = text(&session, ExportFormat::OpenFace, &[]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("frame,face_id,timestamp,confidence,success,pose_Rx,pose_Ry,pose_Rz"));
    // Yaw -20, pitch 5, roll -3.5 degrees.
    assert_eq!(lines.next(), Some("1,1,0.000,0.9,1,-0.08727,-0.34907,-0.06109"));
    assert_eq!(text.lines().last(), Some("50,,4.900,0,0,,,"));
    assert_eq!(text.lines().count(), 1 + 45 + 20 + 5);
}

/// Subtitles by the rules of SubRip: number, times, lines of words, an empty line.
fn parse_srt(text: &str) -> Vec<(f64, f64, Vec<String>)> {
    let secs = |clock: &str| {
        let (time, millis) = clock.split_once(',').unwrap();
        assert_eq!((time.len(), millis.len()), (8, 3), "{clock}");
        let whole = time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap());
        whole + millis.parse::<f64>().unwrap() / 1000.0
    };
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let parsed = blocks.enumerate().map(|(index, block)| {
        let mut lines = block.lines();
        assert_eq!(lines.next().unwrap().parse::<usize>().unwrap(), index + 1);
        let (from, to) = lines.next().unwrap().split_once(" --> ").unwrap();
        (secs(from), secs(to), lines.map(str::to_owned).collect())
    });
    parsed.collect()
}

#[test]
fn subtitles_change_at_most_once_a_second_and_never_overlap() {
    let (_folder, session) = session(&[]);
    let cues = parse_srt(&text(&session, ExportFormat::Srt, &[]));
    assert_eq!(cues[0].2, ["#1: age 26–34, female, yaw −20°, pitch 5°, roll −5°"]);
    assert_eq!((cues[0].0, cues[0].1), (0.0, 1.0));
    assert_eq!((cues[1].2.len(), cues[1].2[1].split(':').next().unwrap()), (2, "#2"), "the second one comes at 1 s");
    for pair in cues.windows(2) {
        assert!(pair[0].1 <= pair[1].0 && pair[1].0 - pair[0].0 >= 0.999, "{pair:?}");
        assert_ne!(pair[0].2, pair[1].2);
    }
    assert!(cues.iter().all(|(from, to, lines)| to > from && !lines.is_empty()));
    assert!(cues.last().unwrap().1 <= 5.0);
}

#[test]
fn subtitles_that_stay_the_same_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut data = rows();
    for row in &mut data {
        row.faces = vec![face(1, 0)];
    }
    data[30].faces[0].age = Some(AgeRow::with_spread(30.2, 4.0));
    write(folder.path(), &data, &[]);
    let session = SessionFolder::open(folder.path()).unwrap();
    let cues = parse_srt(&text(&session, ExportFormat::Srt, &[]));
    assert_eq!(cues.iter().map(|(from, to, _)| (*from, *to)).collect::<Vec<_>>(), [(0.0, 5.0)]);
    assert_eq!(text(&session, ExportFormat::Srt, &[99]), "");
}

#[test]
fn the_video_is_planned_by_what_is_there() {
    let (_a, both) = session(&[("video.mp4", true), ("clean.mp4", false)]);
    assert!(matches!(plan_video(&both, true, &[1]), Ok(VideoPlan::Draw(video)) if video.file == "clean.mp4"));
    assert!(matches!(plan_video(&both, false, &[]), Ok(VideoPlan::Copy(video)) if video.file == "clean.mp4"));
    let (_b, annotated) = session(&[("video.mp4", true)]);
    assert!(matches!(plan_video(&annotated, true, &[]), Ok(VideoPlan::Copy(video)) if video.file == "video.mp4"));
    for (overlay, people) in [(false, &[][..]), (true, &[1])] {
        let error = plan_video(&annotated, overlay, people).unwrap_err();
        assert!(matches!(error, VideoExportError::OnlyAnnotated(_)), "{error}");
    }
    let (_c, none) = session(&[]);
    assert!(matches!(plan_video(&none, true, &[]), Err(VideoExportError::NoVideo(_))));
}

#[test]
fn the_overlay_is_drawn_for_the_chosen_and_the_times_stay() {
    let (folder, session) = session(&[("clean.mp4", false)]);
    let Ok(VideoPlan::Draw(video)) = plan_video(&session, true, &[2]) else { panic!("no plan") };
    let to = folder.path().join("out.mp4");
    let mut export = VideoExport::new(&session, &video, &[2], &to).unwrap();
    while export.step().unwrap() {}
    let summary = export.finish().unwrap().unwrap();
    assert_eq!((summary.frames, summary.duration.as_millis()), (FRAMES, 5000));
    let mut source = facelens_media::open(&SourceSpec::Path(to), Mode::Batch).unwrap();
    let mut frames = Vec::new();
    while let Next::Frame(frame) = source.next().unwrap() {
        frames.push(frame);
    }
    // How far one channel is above another at most in a part of the picture: the picture itself is grey.
    let most = |frame: usize, columns: std::ops::Range<usize>, above: usize, below: usize| {
        let places = (26..74).flat_map(|y| columns.clone().map(move |x| (y * SIZE.0 as usize + x) * 3));
        let rgb = frames[frame].rgb();
        places.map(|place| i32::from(rgb[place + above]) - i32::from(rgb[place + below])).max().unwrap()
    };
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame.time, Duration::from_millis(100 * index as u64));
        // Person 1 at (20, 30) would be blue, person 2 at (80, 30) is orange.
        assert!(most(index, 16..60, 2, 0) < 40, "person 1 is not drawn in frame {index}");
        let there = (10..20).contains(&index) || (35..45).contains(&index);
        assert_eq!(most(index, 76..124, 0, 2) > 80, there, "person 2 in frame {index}");
    }
}

fn request(folder: &Path, format: ExportFormat) -> ExportRequest {
    let file = folder.join(format!("new.{}", format.extension()));
    ExportRequest { format, people: Vec::new(), overlay: true, file, replace: false }
}

#[test]
fn a_video_is_exported_with_progress_and_a_cancelled_one_leaves_nothing() {
    let (folder, session) = session(&[("clean.mp4", false)]);
    let request = request(folder.path(), ExportFormat::Mp4);
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = names();
    let mut seen = Vec::new();
    let end = export_to_file(&session, &request, &mut |progress| {
        seen.push((progress.done, progress.all));
        if progress.done == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(end, Ok(ExportEnd::Cancelled));
    assert_eq!(seen, (0..=7).map(|done| (done, FRAMES)).collect::<Vec<_>>());
    assert_eq!(names(), before, "neither a part of it nor a draft");

    let mut last = 0;
    let end = export_to_file(&session, &request, &mut |progress| {
        last = progress.done;
        ControlFlow::Continue(())
    });
    assert_eq!((end, last), (Ok(ExportEnd::Written), FRAMES));
    assert!(facelens_media::VideoReader::open(&request.file).unwrap().times().len() as u64 == FRAMES);
}

#[test]
fn an_export_replaces_nothing_unasked_and_never_the_session() {
    let (folder, session) = session(&[]);
    let mut go_on = |_| ControlFlow::Continue(());
    let mut wanted = request(folder.path(), ExportFormat::Jsonl);
    std::fs::write(&wanted.file, "mine").unwrap();
    let kind = |result| match result {
        Err(SessionExportError::Write(error)) => error.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(export_to_file(&session, &wanted, &mut go_on)), crate::WriteErrorKind::Exists);
    assert_eq!(std::fs::read(&wanted.file).unwrap(), b"mine");
    wanted.replace = true;
    let mut cancel = |_| ControlFlow::Break(());
    assert_eq!(export_to_file(&session, &wanted, &mut cancel), Ok(ExportEnd::Cancelled));
    assert_eq!(std::fs::read(&wanted.file).unwrap(), b"mine");
    assert_eq!(export_to_file(&session, &wanted, &mut go_on), Ok(ExportEnd::Written));
    assert_eq!(std::fs::read(&wanted.file).unwrap().iter().filter(|byte| **byte == b'\n').count() as u64, FRAMES);
    wanted.file = folder.path().join("faces.csv");
    let before = std::fs::read(&wanted.file).unwrap();
    assert_eq!(kind(export_to_file(&session, &wanted, &mut go_on)), crate::WriteErrorKind::Exists);
    assert_eq!(std::fs::read(&wanted.file).unwrap(), before);
}

#[test]
fn data_that_cannot_be_read_whole_are_not_exported() {
    let (folder, _) = session(&[]);
    std::fs::remove_file(folder.path().join("faces.csv")).unwrap();
    let session = SessionFolder::open(folder.path()).unwrap();
    let request = request(folder.path(), ExportFormat::Parquet);
    let error = export_to_file(&session, &request, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("faces.csv is missing") && !request.file.exists(), "{error}");
}

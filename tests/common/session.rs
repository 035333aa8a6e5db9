//! Small sessions for tests: the folder that a recording leaves behind.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::GenderLabel;
use facelens_session::video::{VideoOptions, VideoWriter};
use facelens_session::{
    AgeRow, CsvWriter, FaceRow, FrameRow, GenderRow, SessionEnd, SessionInfo, SessionSource, SessionVideo,
};

/// Size of the pictures.
pub const SIZE: (u32, u32) = (160, 96);

/// Frames a second.
pub const FPS: u64 = 10;

/// Frames of a session: 5 s.
pub const FRAMES: u64 = 50;

/// A face with every estimate.
pub fn face(id: u64, frame: u64) -> FaceRow {
    FaceRow {
        id,
        rect: Rect::new(20.0 + 60.0 * (id - 1) as f32, 30.0, 40.0, 40.0),
        score: 0.9,
        age: Some(AgeRow::with_spread(20.0 + 10.0 * id as f32, 4.0)),
        gender: Some(GenderRow { label: GenderLabel::Female, male: 0.1 }),
        pose: Some(Pose { yaw: frame as f32 - 20.0, pitch: 5.0, roll: -3.5 }),
    }
}

/// The data: person 1 is there from the beginning to the end, person 2 from 1 s to 2 s and from 3.5 s on; nobody in the
/// last half second.
pub fn rows() -> Vec<FrameRow> {
    let row = |frame: u64| {
        let second = (10..20).contains(&frame) || frame >= 35;
        let ids: &[u64] = if frame >= 45 {
            &[]
        } else if second {
            &[1, 2]
        } else {
            &[1]
        };
        FrameRow {
            input: "HD Webcam".to_owned(),
            frame: 100 + frame,
            time_s: frame as f64 / FPS as f64,
            width: SIZE.0,
            height: SIZE.1,
            faces: ids.iter().map(|id| face(*id, frame)).collect(),
        }
    };
    (0..FRAMES).map(row).collect()
}

/// The picture of a frame: grey, lighter from frame to frame.
pub fn picture(frame: u64) -> Vec<u8> {
    vec![40 + (3 * frame % 200) as u8; (SIZE.0 * SIZE.1 * 3) as usize]
}

/// Writes a session with these data into `folder`, and these videos (file, whether it has the overlay); an overlay is a
/// white bar at the top here, so that tests tell it from one drawn by facelens.
pub fn write(folder: &Path, rows: &[FrameRow], videos: &[(&str, bool)]) -> SessionInfo {
    fs::create_dir_all(folder).unwrap();
    let mut csv = CsvWriter::new(File::create(folder.join("faces.csv")).unwrap());
    rows.iter().for_each(|row| csv.write(row).unwrap());
    csv.flush().unwrap();
    for (file, overlay) in videos {
        let mut video = VideoWriter::create(&folder.join(file), SIZE.0, SIZE.1, VideoOptions::default()).unwrap();
        for (index, row) in rows.iter().enumerate() {
            let mut rgb = picture(index as u64);
            if *overlay {
                rgb[..(SIZE.0 * 8 * 3) as usize].fill(255);
            }
            video.write(&rgb, Duration::from_secs_f64(row.time_s)).unwrap();
        }
        video.finish().unwrap();
    }
    let info = SessionInfo {
        started: "2026-01-02T03:04:05+01:00[Europe/Zurich]".to_owned(),
        end: Some(SessionEnd::Stopped),
        duration_s: rows.last().map_or(0.0, |row| row.time_s + 1.0 / FPS as f64),
        source: SessionSource { name: "HD Webcam".to_owned(), width: SIZE.0, height: SIZE.1, ..Default::default() },
        videos: videos
            .iter()
            .map(|(file, overlay)| SessionVideo { file: (*file).to_owned(), overlay: *overlay, ..Default::default() })
            .collect(),
        ..SessionInfo::default()
    };
    fs::write(folder.join("session.json"), serde_json::to_string_pretty(&info).unwrap()).unwrap();
    info
}

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Pose, Rect};
use facelens_core::track::Face;
use facelens_media::{SourceError, SourceErrorKind, SourceKind};

use super::*;
use crate::outputs::JsonlTarget;

/// A face of this identity and side around the middle of a picture of 640x480.
fn face(id: u64, side: f32, yaw: f32) -> Face {
    let rect = Rect::square(Point { x: 320.0, y: 240.0 }, side);
    let pose = Some(Pose { yaw, pitch: 0.0, roll: 0.0 });
    Face { id, rect, score: 0.9, age: None, gender: None, pose }
}

fn analysis(number: u64, faces: Vec<Face>) -> Arc<Analysis> {
    let frame = Frame::from_rgb(640, 480, vec![0; 640 * 480 * 3]).unwrap();
    let frame = frame.at(number, Duration::from_millis(33 * number));
    Arc::new(Analysis { frame: Arc::new(frame), faces, timings: Default::default() })
}

/// Somebody who listens on this machine.
fn listener() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

fn yaw(socket: &UdpSocket) -> f64 {
    let bytes = received(socket);
    assert_eq!(bytes.len(), 48);
    let degrees = f64::from_le_bytes(bytes[24..32].try_into().unwrap());
    (degrees * 1e6).round() / 1e6
}

#[test]
fn opentrack_gets_the_head_of_the_largest_face_and_of_whom_is_chosen() {
    let (socket, address) = listener();
    let outputs = LiveOutputs::start(OutputOptions { opentrack: Some(address), ..OutputOptions::default() }).unwrap();
    outputs.send(&analysis(0, vec![face(1, 100.0, 11.0), face(2, 150.0, 22.0)]));
    assert_eq!(yaw(&socket), 22.0);
    // Hardly larger is no reason to jump; much larger is.
    outputs.send(&analysis(1, vec![face(1, 155.0, 11.0), face(2, 150.0, 22.0)]));
    assert_eq!(yaw(&socket), 22.0);
    outputs.send(&analysis(2, vec![face(1, 250.0, 11.0), face(2, 150.0, 22.0)]));
    assert_eq!(yaw(&socket), 11.0);
    outputs.follow(Follow::Person(2));
    outputs.send(&analysis(3, vec![face(1, 250.0, 11.0), face(2, 150.0, 22.0)]));
    assert_eq!(yaw(&socket), 22.0);
    // Whom it follows is away: nothing goes out, then they are back.
    outputs.send(&analysis(4, vec![face(1, 250.0, 11.0)]));
    outputs.centre();
    outputs.send(&analysis(5, vec![face(2, 150.0, 30.0)]));
    assert_eq!(yaw(&socket), 0.0, "centred on the head of the next frame");
    outputs.send(&analysis(6, vec![face(2, 150.0, 25.0)]));
    assert_eq!(yaw(&socket), -5.0);
    // The figures follow the datagram.
    while outputs.status().heads < 6 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(outputs.status(), OutputStatus { heads: 6, followed: Some(2), ..OutputStatus::default() });
}

#[test]
fn json_lines_are_those_of_the_files() {
    let (socket, address) = listener();
    let jsonl = Some(JsonlTarget::Udp(address));
    let outputs = LiveOutputs::start(OutputOptions { jsonl, ..OutputOptions::default() }).unwrap();
    outputs.source_opened(&SourceInfo {
        name: "demo".into(),
        kind: SourceKind::Video,
        size: None,
        fps: None,
        frame_count: None,
        duration: None,
        format: String::new(),
    });
    let shown = analysis(7, vec![face(3, 120.0, -4.0)]);
    outputs.send(&shown);
    let line = received(&socket);
    assert_eq!(line.last(), Some(&b'\n'));
    let row: FrameRow = serde_json::from_slice(&line).unwrap();
    assert_eq!(row, FrameRow::new("demo", &shown));
}

#[test]
fn a_port_where_nobody_listens_is_no_error() {
    let (socket, address) = listener();
    drop(socket);
    let outputs = LiveOutputs::start(OutputOptions { opentrack: Some(address), ..OutputOptions::default() }).unwrap();
    for number in 0..3 {
        outputs.send(&analysis(number, vec![face(1, 100.0, 0.0)]));
        // The newest wins: each is waited for.
        while outputs.status().heads <= number {
            assert_eq!(outputs.status().head_error, None);
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn makers(stdout: MakeStdout) -> OutputMakers {
    OutputMakers {
        stdout,
        camera: |_, _| Err(SourceError::new(SourceErrorKind::NoCamera, "virtual camera", "it is none", "")),
    }
}

/// A standard output that takes nothing until it is let go, and then fails.
struct Stuck(&'static AtomicBool);

impl Write for Stuck {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        while !self.0.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_is_stuck_costs_lines_and_nothing_else() {
    static GO: AtomicBool = AtomicBool::new(false);
    let (socket, address) = listener();
    let jsonl = Some(JsonlTarget::Stdout);
    let options = OutputOptions { opentrack: Some(address), jsonl, ..OutputOptions::default() };
    let outputs = LiveOutputs::start_with(options, makers(|| Box::new(Stuck(&GO)))).unwrap();
    for number in 0..200 {
        let turn = number as f32 / 8.0;
        outputs.send(&analysis(number, vec![face(1, 100.0, turn)]));
        assert_eq!(yaw(&socket), f64::from(turn), "the head of frame {number}");
    }
    // 64 wait, and one is in the thread's hands.
    assert_eq!(outputs.status().dropped, 200 - 64 - 1, "{:?}", outputs.status());
    GO.store(true, Ordering::SeqCst);
    while outputs.status().line_error.is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    let status = outputs.status();
    assert!(status.line_error.unwrap().contains("standard output accepts no more lines"));
    assert_eq!((status.lines, status.head_error), (0, None));
    // What nobody reads any more is not dropped.
    outputs.send(&analysis(200, vec![]));
    assert_eq!(outputs.status().dropped, status.dropped);
}

#[test]
fn closing_does_not_wait_for_a_reader_that_is_stuck() {
    static NEVER: AtomicBool = AtomicBool::new(false);
    let options = OutputOptions { jsonl: Some(JsonlTarget::Stdout), ..OutputOptions::default() };
    let outputs = LiveOutputs::start_with(options.clone(), makers(|| Box::new(Stuck(&NEVER)))).unwrap();
    for number in 0..70 {
        outputs.send(&analysis(number, vec![]));
    }
    let status = Arc::clone(&outputs.status);
    let closing = Instant::now();
    // Switching off does not even wait a moment, and on again it has a thread of its own.
    outputs.change(OutputOptions::default()).unwrap();
    outputs.change(options).unwrap();
    outputs.send(&analysis(70, vec![]));
    assert!(closing.elapsed() < CLOSING, "{:?}", closing.elapsed());
    drop(outputs);
    assert!(closing.elapsed() < Duration::from_secs(5));
    let lost = status.get().dropped;
    assert!((6..=7).contains(&lost), "five or six gave way, and one was never read: {lost}");
}

#[test]
fn another_source_has_nobody_to_follow_yet() {
    let (socket, address) = listener();
    let outputs = LiveOutputs::start(OutputOptions { opentrack: Some(address), ..OutputOptions::default() }).unwrap();
    outputs.follow(Follow::Person(2));
    outputs.source_changed();
    // Their number 2 is somebody else.
    outputs.send(&analysis(0, vec![face(1, 200.0, 11.0), face(2, 100.0, 22.0)]));
    assert_eq!(yaw(&socket), 11.0);
    outputs.send(&analysis(1, vec![]));
    while outputs.status().followed.is_some() || outputs.status().heads == 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn another_output_changes_nothing_of_the_first() {
    let (socket, address) = listener();
    let (script, script_address) = listener();
    let opentrack = OutputOptions { opentrack: Some(address), ..OutputOptions::default() };
    let outputs = LiveOutputs::start(opentrack.clone()).unwrap();
    outputs.follow(Follow::Person(2));
    outputs.centre();
    let faces = |yaw| vec![face(1, 250.0, 5.0), face(2, 100.0, yaw)];
    outputs.send(&analysis(0, faces(20.0)));
    assert_eq!(yaw(&socket), 0.0);
    let both = OutputOptions { jsonl: Some(JsonlTarget::Udp(script_address)), ..opentrack.clone() };
    let from = |socket: &UdpSocket| socket.peek_from(&mut [0; 64]).unwrap().1;
    outputs.send(&analysis(1, faces(20.0)));
    let own = from(&socket);
    assert_eq!(yaw(&socket), 0.0);
    outputs.change(both.clone()).unwrap();
    outputs.send(&analysis(2, faces(23.0)));
    assert_eq!(from(&socket), own, "the other output keeps its socket");
    assert_eq!(yaw(&socket), 3.0, "still from the centre and of the same person");
    assert_eq!(serde_json::from_slice::<FrameRow>(&received(&script)).unwrap().frame, 2);
    // Elsewhere, it is the same head.
    let (moved, moved_address) = listener();
    outputs.change(OutputOptions { opentrack: Some(moved_address), ..OutputOptions::default() }).unwrap();
    outputs.send(&analysis(3, faces(24.0)));
    assert_eq!(yaw(&moved), 4.0);
    while outputs.status().heads < 4 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(outputs.status(), OutputStatus { heads: 4, lines: 1, followed: Some(2), ..OutputStatus::default() });
    // Without opentrack nobody is followed.
    outputs.change(OutputOptions { opentrack: None, ..both }).unwrap();
    while outputs.status().followed.is_some() {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_virtual_camera_that_is_none_is_told_and_holds_up_nothing() {
    let (socket, address) = listener();
    let camera = Some(facelens_media::CameraChoice::Any);
    let options = OutputOptions { opentrack: Some(address), jsonl: None, camera };
    let outputs = LiveOutputs::start_with(options.clone(), makers(|| Box::new(io::sink()))).unwrap();
    let mut number = 0;
    while outputs.status().camera_error.is_none() {
        outputs.send(&analysis(number, vec![face(1, 100.0, 5.0)]));
        assert_eq!(yaw(&socket), 5.0);
        number += 1;
    }
    assert_eq!(outputs.status().errors().collect::<Vec<_>>(), ["virtual camera: it is none"]);
    outputs.change(OutputOptions { camera: None, ..options }).unwrap();
    assert_eq!(outputs.status().camera_error, None, "switched off, it is nobody's any more");
}

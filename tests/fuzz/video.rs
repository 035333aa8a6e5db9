//! MP4, H.264, and what ffmpeg and ffprobe say.

use std::io::BufReader;
use std::time::Duration;

use facelens::fuzzing;
use facelens_media::VideoReader;
use facelens_session::video::{VideoOptions, VideoWriter};
use image::{Rgb, RgbImage};

use crate::common::clip::mp4;
use crate::harness::{InputFile, Target, fuzz};

const BOXES: [&[u8]; 24] = [
    b"moov", b"moof", b"mdat", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1", b"avcC", b"stts", b"ctts",
    b"stsc", b"stsz", b"stco", b"co64", b"stss", b"edts", b"elst", b"tkhd", b"traf", b"tfhd", b"trun", b"tfdt",
];

fn picture(index: u8) -> RgbImage {
    RgbImage::from_fn(32, 16, |x, y| Rgb([x as u8 * 7, y as u8 * 15, index * 60]))
}

/// A clip as phones write it, and one as facelens records.
fn videos() -> Vec<Vec<u8>> {
    let clip = mp4(&[(picture(0), 40), (picture(1), 20), (picture(2), 100)]);
    let file = InputFile::new("video.mp4");
    let path = file.holding(b"");
    let mut writer = VideoWriter::create(&path, 32, 16, VideoOptions::default()).unwrap();
    for index in 0..4 {
        writer.write(picture(index).as_raw(), Duration::from_millis(700 * u64::from(index))).unwrap();
    }
    writer.finish().unwrap();
    vec![clip, std::fs::read(path).unwrap()]
}

#[test]
fn mp4_boxes() {
    let target = Target { name: "mp4_boxes", corpus: videos(), words: &BOXES, repair: None, cost: 1 };
    fuzz(&target, |input| fuzzing::mp4_index(BufReader::new(std::io::Cursor::new(input))));
}

#[test]
fn mp4_pictures() {
    let target = Target { name: "mp4_pictures", corpus: videos(), words: &BOXES, repair: None, cost: 4 };
    let file = InputFile::new("clip.mp4");
    fuzz(&target, |input| {
        let Ok(mut reader) = VideoReader::open(&file.holding(input)) else { return false };
        let last = reader.times().len().saturating_sub(1);
        // Damaged in one place, it may be whole in another.
        [last, 0, 1, last / 2].into_iter().filter(|&number| reader.picture(number).is_ok()).count() > 0
    });
}

#[test]
fn mp4_repair() {
    let target = Target { name: "mp4_repair", corpus: vec![videos().remove(1)], words: &BOXES, repair: None, cost: 4 };
    let file = InputFile::new("video.mp4");
    fuzz(&target, |input| fuzzing::finish_video(&file.holding(input)));
}

#[test]
fn h264_parameter_sets() {
    // High profile with the colours of BT.709, 10 bits, interlaced: written by x264. Baseline: by OpenH264.
    let sets: [&[u8]; 4] = [
        b"\x67\x64\x00\x1e\xac\xd9\x40\xa0\x3d\xb0\x16\xa0\x20\x20\x28\x00\x00\x03\x00\x08\x00\x00\x03\x01\xe0\x78\xb1\
          \x6c\xb0",
        b"\x67\x6e\x00\x0d\xa6\xcd\x94\x14\x1f\xb0\x11\x00\x00\x03\x00\x01\x00\x00\x03\x00\x3c\x0f\x14\x29\x96",
        b"\x67\x64\x00\x15\xac\xd9\x41\x41\x0f\xcb\x80\x88\x00\x00\x03\x00\x08\x00\x00\x03\x00\xe0\xf8\xa1\x4c\xb0",
        b"\x67\x42\xc0\x0a\x8c\x8d\x40\x83\x20\x10\x00",
    ];
    let corpus = sets.map(<[u8]>::to_vec).to_vec();
    let target = Target { name: "h264_sps", corpus, words: &[b"\0\0\x03", b"\xff\xff"], repair: None, cost: 1 };
    fuzz(&target, fuzzing::h264_parameter_set);
}

#[test]
fn h264_samples() {
    let corpus = vec![b"\0\0\0\x03\x65\x01\x02\0\0\0\x01\x06".to_vec()];
    let target = Target { name: "h264_samples", corpus, words: &[], repair: None, cost: 1 };
    fuzz(&target, |input| (1..=4).any(|length_size| fuzzing::h264_sample(input, length_size)));
}

#[test]
fn containers() {
    let heads: [&[u8]; 5] = [
        b"\0\0\0\x20ftypisom",
        b"RIFF\x10\0\0\0AVI LIST",
        b"\x1a\x45\xdf\xa3\x9f",
        b"\0\0\0\x01\x67\x64",
        b"II*\0\x08",
    ];
    let corpus = heads.map(<[u8]>::to_vec).to_vec();
    let target = Target { name: "containers", corpus, words: &[b"G", b"ftyp", b"AVI "], repair: None, cost: 1 };
    fuzz(&target, fuzzing::container);
}

#[test]
fn words_of_ffmpeg() {
    let log =
        b"[info]   title : x\n[showinfo@1 @ 0x5] [info] n:   0 pts:  40000 pts_time:0.04 fmt:rgb24 sar:1/1 s:320x240 \
                i:P\n[avi @ 0x1] [error] overread 8\n[fatal] no\n";
    let words: [&[u8]; 5] = [b"[error] ", b" pts:", b" s:", b" n:", b"[showinfo@1 @ 0x5] "];
    let target = Target { name: "ffmpeg_log", corpus: vec![log.to_vec()], words: &words, repair: None, cost: 1 };
    fuzz(&target, |input| fuzzing::ffmpeg_log(input, "showinfo@1"));
}

#[test]
fn words_of_ffprobe() {
    let json = br#"{"streams":[{"index":1,"codec_name":"vp9","avg_frame_rate":"30000/1001","nb_frames":"20",
        "duration":"0.8","disposition":{"default":1,"attached_pic":0}}],"format":{"duration":"0.8"}}"#;
    let target =
        Target { name: "ffprobe", corpus: vec![json.to_vec()], words: &[b"null", b"[", b"{"], repair: None, cost: 1 };
    fuzz(&target, fuzzing::ffprobe);
}

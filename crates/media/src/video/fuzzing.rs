//! The private parsers of videos, as the fuzz tests call them: bytes in, and whether they were taken.

use std::io::{BufReader, Read, Seek};
use std::path::Path;

use super::ffmpeg;
use super::mp4::Movie;
use super::sps::Sps;

/// The index of an MP4.
pub fn mp4_index(reader: BufReader<impl Read + Seek>) -> bool {
    Movie::of(reader, Path::new("input.mp4")).is_ok_and(|movie| {
        // What is worked out of it must not fail either.
        let times = movie.samples.iter().filter_map(|sample| Some(movie.duration(sample.shown_at?)));
        movie.fps().is_none_or(f32::is_finite) && times.count() == movie.shown().len()
    })
}

/// A sequence parameter set of H.264.
pub fn h264_parameter_set(nal: &[u8]) -> bool {
    Sps::read(nal).is_some()
}

/// A sample of H.264 in MP4.
pub fn h264_sample(sample: &[u8], length_size: u8) -> bool {
    super::avc::nals(sample, length_size).is_some()
}

/// The beginning of any file.
pub fn container(head: &[u8]) -> bool {
    super::container::container(head).is_some()
}

/// What ffmpeg says on standard error; `filter` is the name of the filter that tells of frames.
pub fn ffmpeg_log(log: &[u8], filter: &str) -> bool {
    ffmpeg::reads_log(log, filter)
}

/// What ffprobe says.
pub fn ffprobe(json: &[u8]) -> bool {
    ffmpeg::reads_probe(json)
}

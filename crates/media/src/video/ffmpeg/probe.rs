//! What `ffprobe` says of a video: as JSON, which no name or title in the file can break out of.

use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;

use super::programs::{Programs, input, quiet};

/// The track that a player shows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Probed {
    /// Its number in the file.
    pub index: Option<u32>,
    /// Its codec, e.g. `hevc`.
    pub codec: Option<String>,
    /// Mean frames a second.
    pub fps: Option<f32>,
    /// How many frames the file says that it shows.
    pub frames: Option<u64>,
    /// How long the file says that it lasts, seconds.
    pub duration_secs: Option<f64>,
}

#[derive(Deserialize)]
struct ProbeOutput {
    #[serde(default)]
    streams: Vec<ProbedStream>,
    #[serde(default)]
    format: Length,
}

#[derive(Default, Deserialize)]
struct Length {
    duration: Option<String>,
}

#[derive(Deserialize)]
struct ProbedStream {
    index: u32,
    codec_name: Option<String>,
    avg_frame_rate: Option<String>,
    nb_frames: Option<String>,
    duration: Option<String>,
    #[serde(default)]
    disposition: Disposition,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Disposition {
    default: u8,
    attached_pic: u8,
    timed_thumbnails: u8,
}

const ENTRIES: &str = "stream=index,codec_name,avg_frame_rate,nb_frames,duration:\
                       stream_disposition=default,attached_pic,timed_thumbnails:format=duration";

/// Asks; nothing is known where there is no `ffprobe` or it cannot read the file.
pub(super) fn probe(path: &Path, demuxer: &str, programs: &Programs) -> Probed {
    let mut command = quiet(&programs.ffprobe);
    command.args(["-v", "quiet", "-select_streams", "v", "-of", "json", "-show_entries", ENTRIES]);
    command.args(input(path, demuxer)).stdin(Stdio::null());
    let has_edits = demuxer == "mov";
    command.output().ok().and_then(|output| read(&output.stdout, has_edits)).unwrap_or_default()
}

/// Reads it. Where the container has lists of edits, a track may hold more frames than it shows.
pub(super) fn read(json: &[u8], has_edits: bool) -> Option<Probed> {
    let output: ProbeOutput = serde_json::from_slice(json).ok()?;
    let is_film =
        |stream: &&ProbedStream| stream.disposition.attached_pic == 0 && stream.disposition.timed_thumbnails == 0;
    let films = || output.streams.iter().filter(is_film);
    let stream = films().find(|stream| stream.disposition.default == 1).or_else(|| films().next())?;
    let secs = |text: &Option<String>| text.as_deref()?.parse::<f64>().ok().filter(|secs| secs.is_finite());
    let own_secs = secs(&stream.duration);
    let fps = stream.avg_frame_rate.as_deref().and_then(ratio);
    let listed = stream.nb_frames.as_deref().and_then(|count| count.parse::<u64>().ok());
    let shown = own_secs.filter(|_| has_edits).zip(fps).map(|(secs, fps)| (secs * f64::from(fps)).round() as u64);
    Some(Probed {
        index: Some(stream.index),
        codec: stream.codec_name.clone(),
        fps,
        frames: listed.map(|listed| shown.map_or(listed, |shown| shown.min(listed))),
        duration_secs: own_secs.or_else(|| secs(&output.format.duration)),
    })
}

/// `30000/1001` as a number.
fn ratio(text: &str) -> Option<f32> {
    let (over, under) = text.split_once('/')?;
    let value = over.parse::<f32>().ok()? / under.parse::<f32>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_ratios() {
        assert_eq!(ratio("30/1"), Some(30.0));
        assert!((ratio("30000/1001").unwrap() - 29.97).abs() < 0.001);
        assert_eq!((ratio("0/0"), ratio("x")), (None, None));
    }

    #[test]
    fn the_track_is_the_default_one_and_no_cover() {
        let stream = |index: u32, default: u8, cover: u8| {
            format!(
                r#"{{"index":{index},"codec_name":"c{index}","avg_frame_rate":"25/1","nb_frames":"20","duration":"0.4",
                "disposition":{{"default":{default},"attached_pic":{cover},"timed_thumbnails":0}}}}"#
            )
        };
        let index = |streams: &[String]| {
            read(format!(r#"{{"streams":[{}],"format":{{"duration":"1.5"}}}}"#, streams.join(",")).as_bytes(), true)
        };
        let found = index(&[stream(0, 0, 1), stream(1, 0, 0), stream(2, 1, 0)]).unwrap();
        assert_eq!((found.index, found.codec.as_deref()), (Some(2), Some("c2")));
        // Ten of the twenty lie in the part that is shown.
        assert_eq!((found.frames, found.duration_secs), (Some(10), Some(0.4)));
        assert_eq!(index(&[stream(0, 0, 1), stream(1, 0, 0)]).unwrap().index, Some(1));
        assert_eq!(index(&[stream(0, 1, 1)]), None);
        assert_eq!(read(b"no JSON", true), None);
    }
}

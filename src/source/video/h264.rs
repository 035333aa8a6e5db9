//! H.264 in MP4 by the built-in decoder.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource as _;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::avc::{push_nal, push_sample};
use super::mp4::Movie;
use super::sps::Sps;
use super::{NotBuiltIn, unreadable};
use crate::frame::{self, Frame};
use crate::source::guard::no_panic;
use crate::source::{Next, Source, SourceError, SourceInfo, SourceKind};

/// The largest coded picture that is read (an uncompressed one of 64 megapixels would be 96 MiB).
const MAX_SAMPLE_BYTES: u32 = 96 * 1024 * 1024;

/// How the decoder's pictures become RGB.
#[derive(Clone, Copy, Debug)]
struct Colours {
    matrix: YuvStandardMatrix,
    range: YuvRange,
}

/// A video that is decoded picture by picture.
pub(super) struct H264Video {
    path: PathBuf,
    info: SourceInfo,
    file: File,
    movie: Movie,
    decoder: Decoder,
    colours: Colours,
    /// The next sample to decode.
    sample: usize,
    /// Presentation times of samples that went in and have not come out.
    times: BinaryHeap<Reverse<i64>>,
    /// Decoded and not yet asked for.
    ready: VecDeque<Frame>,
    /// Pictures before this time are decoded, because others need them, but not given out.
    wanted_from: i64,
    /// Frames that were decoded so far.
    decoded: u64,
    over: bool,
    failure: Option<SourceError>,
    buffer: Vec<u8>,
}

impl H264Video {
    /// Opens an MP4 and decodes its first picture, so that what does not play is known at once.
    pub(super) fn open(path: &Path) -> Result<Self, NotBuiltIn> {
        let movie = Movie::read(path)?;
        let sps = movie.parameter_sets.iter().find_map(|nal| Sps::read(nal));
        let Some(sps) = sps.filter(|sps| sps.plain) else {
            return Err(NotBuiltIn::Codec("this kind of H.264 (10 bit, 4:2:2 or interlaced)".to_owned()));
        };
        Frame::check_size(sps.width, sps.height)
            .map_err(|error| NotBuiltIn::Broken(unreadable(path, error.to_string(), "")))?;
        let file = File::open(path).map_err(|error| NotBuiltIn::Broken(SourceError::from_io(path, &error)))?;
        let decoder = decoder().map_err(NotBuiltIn::Codec)?;
        // ITU-T H.264, table E-5; where nothing is said, players take BT.709 for HD.
        let matrix = match sps.matrix {
            Some(1) => YuvStandardMatrix::Bt709,
            Some(4..=6) => YuvStandardMatrix::Bt601,
            Some(7) => YuvStandardMatrix::Smpte240,
            Some(9 | 10) => YuvStandardMatrix::Bt2020,
            _ if sps.height >= 720 => YuvStandardMatrix::Bt709,
            _ => YuvStandardMatrix::Bt601,
        };
        let range = if sps.full_range { YuvRange::Full } else { YuvRange::Limited };
        let mut buffer = Vec::new();
        movie.parameter_sets.iter().for_each(|nal| push_nal(&mut buffer, nal));
        let info = SourceInfo {
            name: path.display().to_string(),
            kind: SourceKind::Video,
            size: None,
            fps: movie.fps(),
            frame_count: Some(movie.samples.len() as u64),
            format: String::new(),
        };
        let mut video = Self {
            path: path.to_owned(),
            info,
            file,
            movie,
            decoder,
            colours: Colours { matrix, range },
            sample: 0,
            times: BinaryHeap::new(),
            ready: VecDeque::new(),
            wanted_from: i64::MIN,
            decoded: 0,
            over: false,
            failure: None,
            buffer,
        };
        while video.ready.is_empty() && !video.over {
            video.step();
        }
        let Some(first) = video.ready.front() else {
            // Nothing at all came out: another decoder may do better.
            return Err(match video.failure.take() {
                Some(error) if video.movie.samples.is_empty() => NotBuiltIn::Broken(error),
                _ => NotBuiltIn::Codec("this kind of H.264".to_owned()),
            });
        };
        let (width, height) = (first.width(), first.height());
        video.info.size = Some((width, height));
        video.info.format = match video.info.fps {
            Some(fps) => format!("H.264 {width}x{height} at {} fps", Trimmed(fps)),
            None => format!("H.264 {width}x{height}"),
        };
        Ok(video)
    }

    /// Decodes one more sample, or ends.
    fn step(&mut self) {
        let result = match self.movie.samples.get(self.sample) {
            Some(_) => self.decode_sample(),
            None => {
                self.over = true;
                self.flush()
            }
        };
        if let Err(cause) = result {
            self.over = true;
            // What the decoder holds back is whole.
            let _ = self.flush();
            let at = self.movie.samples[..self.sample].iter().map(|sample| sample.time).max().unwrap_or(0);
            let secs = at.max(0) as f64 / f64::from(self.movie.timescale);
            let remedy = "what comes before is read; copy the file again";
            self.failure =
                Some(unreadable(&self.path, format!("the video breaks off after {secs:.1} s: {cause}"), remedy));
        }
        self.sample += 1;
    }

    fn decode_sample(&mut self) -> Result<(), String> {
        let sample = self.movie.samples[self.sample];
        if sample.size > MAX_SAMPLE_BYTES {
            return Err("a picture's data is too large to be true".to_owned());
        }
        let mut data = vec![0; sample.size as usize];
        self.file.seek(SeekFrom::Start(sample.offset)).and_then(|_| self.file.read_exact(&mut data)).map_err(
            |error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "the file is cut off".to_owned(),
                _ => error.to_string(),
            },
        )?;
        push_sample(&mut self.buffer, &data, self.movie.length_size).ok_or("its data is damaged")?;
        self.times.push(Reverse(sample.time));
        let picture = self.decoder.decode(&self.buffer).map_err(|_| "its data is damaged")?;
        self.buffer.clear();
        let Some(picture) = picture else { return Ok(()) };
        // The decoder puts pictures into display order, so this one belongs to the smallest time that is waiting.
        let Some(Reverse(time)) = self.times.pop() else { return Ok(()) };
        let frame = match time >= self.wanted_from {
            true => Some(to_rgb(&picture, self.colours, self.movie.quarter_turns)?),
            false => None,
        };
        self.push(frame, time);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        let pictures = self.decoder.flush_remaining().map_err(|error| error.to_string())?;
        let frames: Result<Vec<Frame>, String> =
            pictures.iter().map(|picture| to_rgb(picture, self.colours, self.movie.quarter_turns)).collect();
        for frame in frames? {
            let Some(Reverse(time)) = self.times.pop() else { break };
            self.push(Some(frame).filter(|_| time >= self.wanted_from), time);
        }
        Ok(())
    }

    /// Counts a picture as decoded; gives it out unless it is only needed for others.
    fn push(&mut self, frame: Option<Frame>, time: i64) {
        if let Some(frame) = frame {
            self.ready.push_back(frame.at(self.decoded, self.movie.duration(time)));
        }
        self.decoded += 1;
    }

    /// The container's index.
    pub(super) fn movie(&self) -> &Movie {
        &self.movie
    }

    /// The number of the next picture that is given out, where nothing is sought.
    pub(super) fn position(&self) -> u64 {
        self.ready.front().map_or(self.decoded, |frame| frame.sequence)
    }

    /// Whether no picture follows, because the file is over or broken.
    pub(super) fn is_over(&self) -> bool {
        self.ready.is_empty() && self.over
    }

    /// Gives out nothing before `time`, in units of the timescale; goes on decoding from where it is.
    pub(super) fn skip_to(&mut self, number: u64, time: i64) {
        self.wanted_from = time;
        while self.ready.front().is_some_and(|frame| frame.sequence < number) {
            self.ready.pop_front();
        }
    }

    /// Begins anew at the keyframe `sample`, which is the `number`-th picture that is shown.
    ///
    /// # Errors
    /// Where the decoder cannot be made anew.
    pub(super) fn begin_at(&mut self, sample: usize, number: u64) -> Result<(), SourceError> {
        self.decoder = decoder().map_err(|cause| unreadable(&self.path, cause, ""))?;
        self.buffer.clear();
        self.movie.parameter_sets.iter().for_each(|nal| push_nal(&mut self.buffer, nal));
        self.times.clear();
        self.ready.clear();
        (self.sample, self.decoded) = (sample, number);
        (self.over, self.failure) = (false, None);
        Ok(())
    }
}

fn decoder() -> Result<Decoder, String> {
    let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
    Decoder::with_api_config(OpenH264API::from_source(), config).map_err(|error| format!("H.264 ({error})"))
}

impl Source for H264Video {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        let path = self.path.clone();
        no_panic(&path, || {
            while self.ready.is_empty() && !self.over {
                self.step();
            }
            match (self.ready.pop_front(), self.failure.take()) {
                (Some(mut frame), failure) => {
                    self.failure = failure;
                    frame.captured_at = std::time::Instant::now();
                    Ok(Next::Frame(frame))
                }
                (None, Some(error)) => Err(error),
                (None, None) => Ok(Next::End),
            }
        })
    }
}

/// A rate with as many decimals as it needs, two at most.
struct Trimmed(f32);

impl std::fmt::Display for Trimmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn to_rgb(picture: &DecodedYUV<'_>, colours: Colours, quarter_turns: u8) -> Result<Frame, String> {
    let (width, height) = picture.dimensions();
    let (y_stride, u_stride, v_stride) = picture.strides();
    let (width, height) = (width as u32, height as u32);
    Frame::check_size(width, height).map_err(|error| error.to_string())?;
    let planes = YuvPlanarImage {
        y_plane: picture.y(),
        y_stride: y_stride as u32,
        u_plane: picture.u(),
        u_stride: u_stride as u32,
        v_plane: picture.v(),
        v_stride: v_stride as u32,
        width,
        height,
    };
    let mut rgb = frame::buffer(width as usize * height as usize * 3);
    yuv::yuv420_to_rgb(&planes, &mut rgb, width * 3, colours.range, colours.matrix)
        .map_err(|error| error.to_string())?;
    let upright = turned(width, height, rgb, quarter_turns).ok_or("its picture has a wrong size")?;
    Frame::from_rgb(upright.width(), upright.height(), upright.into_raw()).map_err(|error| error.to_string())
}

/// The picture turned clockwise.
fn turned(width: u32, height: u32, rgb: Vec<u8>, quarter_turns: u8) -> Option<image::RgbImage> {
    let picture = image::RgbImage::from_raw(width, height, rgb)?;
    Some(match quarter_turns {
        1 => image::imageops::rotate90(&picture),
        2 => image::imageops::rotate180(&picture),
        3 => image::imageops::rotate270(&picture),
        _ => picture,
    })
}

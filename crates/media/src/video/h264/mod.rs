//! H.264 in MP4 by the built-in decoder.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use facelens_core::frame::Frame;
use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig, Flush};

use self::picture::Conversion;
use super::avc::{nals, push_nal};
use super::mp4::Movie;
use super::sps::Sps;
use super::{NotBuiltIn, unreadable};
use crate::guard::no_panic;
use crate::{Next, Source, SourceError, SourceInfo, SourceKind};

#[cfg(target_os = "linux")]
mod live;
mod picture;

#[cfg(target_os = "linux")]
pub(crate) use live::LiveH264;

/// The largest coded picture that is read (an uncompressed one of 64 megapixels would be 96 MiB).
const MAX_SAMPLE_BYTES: u32 = 96 * 1024 * 1024;

/// After so many pictures in a row that cannot be decoded, the rest is not tried any more.
const MAX_LOST_IN_A_ROW: u64 = 600;

/// A video that is decoded picture by picture. Pictures are numbered in the order in which they are shown.
pub(super) struct H264Video {
    path: PathBuf,
    info: SourceInfo,
    file: File,
    movie: Movie,
    /// For each sample, the number of its picture; `None` where it is not shown.
    numbers: Vec<Option<u64>>,
    decoder: Decoder,
    /// The sequence parameter set that the decoder works by.
    parameter_set: Vec<u8>,
    conversion: Conversion,
    /// The next sample to decode.
    sample: usize,
    /// Times and places of samples that went in and have not come out.
    waiting: BinaryHeap<Reverse<(i64, usize)>>,
    /// Decoded and not yet asked for.
    ready: VecDeque<Frame>,
    /// Pictures before this number are decoded, because others need them, but not given out.
    wanted_from: u64,
    /// The number that follows the last picture that was decoded.
    position: u64,
    lost: LostFrames,
    /// Samples are passed over up to the next keyframe, because the decoder has lost its way.
    astray: bool,
    /// Pictures of a time before this need some that were lost.
    whole_from: i64,
    over: bool,
    failure: Option<SourceError>,
    buffer: Vec<u8>,
}

/// Pictures that could not be decoded.
#[derive(Debug, Default)]
struct LostFrames {
    /// All that were to be shown.
    count: u64,
    in_a_row: u64,
    /// The first of them.
    first: Option<u64>,
}

impl H264Video {
    /// Opens an MP4 and decodes its first picture, so that what does not play is known at once.
    pub(super) fn open(path: &Path) -> Result<Self, NotBuiltIn> {
        let movie = Movie::read(path)?;
        let sets = movie.parameter_sets.iter().filter_map(|nal| Some((nal, Sps::read(nal)?)));
        let Some((parameter_set, sps)) = sets.into_iter().find(|(_, sps)| sps.plain) else {
            return Err(NotBuiltIn::Codec("this kind of H.264 (10 bit, 4:2:2 or interlaced)".to_owned()));
        };
        Frame::check_size(sps.width, sps.height)
            .map_err(|error| NotBuiltIn::Broken(unreadable(path, error.to_string(), "")))?;
        let file = File::open(path).map_err(|error| NotBuiltIn::Broken(SourceError::from_io(path, &error)))?;
        let decoder = decoder().map_err(NotBuiltIn::Codec)?;
        let shown = movie.shown();
        let mut numbers = vec![None; movie.samples.len()];
        for (number, &sample) in shown.iter().enumerate() {
            numbers[sample] = Some(number as u64);
        }
        let info = SourceInfo {
            name: path.display().to_string(),
            kind: SourceKind::Video,
            size: None,
            fps: movie.fps(),
            frame_count: Some(shown.len() as u64),
            duration: Some(movie.length()),
            format: String::new(),
        };
        let mut video = Self {
            path: path.to_owned(),
            info,
            file,
            numbers,
            decoder,
            parameter_set: parameter_set.clone(),
            conversion: Conversion::new(&sps, movie.pixel_aspect, movie.orientation),
            sample: 0,
            waiting: BinaryHeap::new(),
            ready: VecDeque::new(),
            wanted_from: 0,
            position: 0,
            lost: LostFrames::default(),
            astray: false,
            whole_from: i64::MIN,
            over: false,
            failure: None,
            buffer: Vec::new(),
            movie,
        };
        video.begin_stream();
        while video.ready.is_empty() && !video.over {
            video.step();
        }
        let Some(first) = video.ready.front() else {
            // Nothing at all came out: another decoder may do better.
            return Err(NotBuiltIn::Codec("this kind of H.264".to_owned()));
        };
        let (width, height) = (first.width(), first.height());
        video.info.size = Some((width, height));
        video.info.format = match video.info.fps {
            Some(fps) => format!("H.264 {width}x{height} at {} fps", Trimmed(fps)),
            None => format!("H.264 {width}x{height}"),
        };
        Ok(video)
    }

    /// The parameter sets go before the first sample.
    fn begin_stream(&mut self) {
        self.buffer.clear();
        self.movie.parameter_sets.iter().for_each(|nal| push_nal(&mut self.buffer, nal));
    }

    /// Decodes one more sample, or ends.
    fn step(&mut self) {
        let result = match self.movie.samples.get(self.sample) {
            Some(_) => self.decode_sample(),
            None => {
                self.over = true;
                self.flush();
                self.count_lost();
                Ok(())
            }
        };
        if let Err(cause) = result {
            self.over = true;
            // What the decoder holds back is whole.
            self.flush();
            let shown = self.movie.samples[..self.sample].iter().filter_map(|sample| sample.shown_at);
            let secs = shown.max().unwrap_or(0) as f64 / f64::from(self.movie.timescale);
            let remedy = "the part before that is used; copy the file again";
            self.failure =
                Some(unreadable(&self.path, format!("the video is cut off after {secs:.1} s: {cause}"), remedy));
        }
        self.sample += 1;
    }

    /// Reads and decodes a sample. A damaged one is counted as lost; an error is the end of the video.
    fn decode_sample(&mut self) -> Result<(), String> {
        let sample = self.movie.samples[self.sample];
        if self.astray && sample.keyframe {
            self.begin_stream();
            (self.astray, self.whole_from) = (false, sample.time);
        }
        if self.astray || sample.time < self.whole_from {
            return self.lose(self.sample);
        }
        if sample.size > MAX_SAMPLE_BYTES {
            return Err("the data of a frame are implausibly large".to_owned());
        }
        let mut data = vec![0; sample.size as usize];
        self.file.seek(SeekFrom::Start(sample.offset)).and_then(|_| self.file.read_exact(&mut data)).map_err(
            |error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "the file is cut off".to_owned(),
                _ => error.to_string(),
            },
        )?;
        let Some(nals) = nals(&data, self.movie.length_size) else { return self.go_astray() };
        if let Some(set) = nals.iter().find(|nal| nal.first().is_some_and(|first| first & 31 == 7)) {
            self.change_parameter_set(set)?;
        }
        nals.iter().for_each(|nal| push_nal(&mut self.buffer, nal));
        self.waiting.push(Reverse((sample.time, self.sample)));
        let decoded = self.decoder.decode(&self.buffer);
        self.buffer.clear();
        match decoded {
            Ok(Some(picture)) => {
                // The decoder puts pictures into display order, so this one belongs to the smallest time that is waiting.
                let Some(Reverse((_, from))) = self.waiting.pop() else { return Ok(()) };
                let frame = wanted(self.numbers[from], self.wanted_from)
                    .then(|| self.conversion.frame(&picture))
                    .transpose()?;
                self.lost.in_a_row = 0;
                self.give(from, frame);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(_) => {
                self.waiting.retain(|Reverse((_, waiting))| *waiting != self.sample);
                self.go_astray()
            }
        }
    }

    /// This sample is damaged. The decoder gives what it holds back; what needs this sample is lost with it.
    fn go_astray(&mut self) -> Result<(), String> {
        self.flush();
        let waiting = std::mem::take(&mut self.waiting);
        for Reverse((_, sample)) in waiting {
            self.lose(sample)?;
        }
        self.decoder = decoder()?;
        self.buffer.clear();
        self.astray = true;
        self.lose(self.sample)
    }

    /// Counts a picture as lost, where it was to be shown.
    fn lose(&mut self, sample: usize) -> Result<(), String> {
        if let Some(number) = self.numbers[sample] {
            self.lost.first = Some(self.lost.first.map_or(number, |first| first.min(number)));
            self.lost.count += 1;
        }
        self.lost.in_a_row += 1;
        if self.lost.in_a_row > MAX_LOST_IN_A_ROW {
            return Err("its data are damaged".to_owned());
        }
        Ok(())
    }

    /// A set in the middle of the stream, mostly one of another size: what the decoder holds back is of the old one and
    /// would be lost in it.
    fn change_parameter_set(&mut self, set: &[u8]) -> Result<(), String> {
        if set == self.parameter_set.as_slice() {
            return Ok(());
        }
        let Some(sps) = Sps::read(set) else { return Ok(()) };
        Frame::check_size(sps.width, sps.height).map_err(|error| error.to_string())?;
        if self.sample > 0 {
            self.flush();
            self.waiting.clear();
            self.decoder = decoder()?;
        }
        set.clone_into(&mut self.parameter_set);
        self.conversion = Conversion::new(&sps, self.movie.pixel_aspect, self.movie.orientation);
        Ok(())
    }

    /// Takes what the decoder holds back. Where it cannot be had, it is lost.
    fn flush(&mut self) {
        let mut frames = Vec::new();
        if let Ok(pictures) = self.decoder.flush_remaining() {
            for picture in &pictures {
                let Some(Reverse((_, from))) = self.waiting.pop() else { break };
                let is_wanted = wanted(self.numbers[from], self.wanted_from);
                frames.push((from, is_wanted.then(|| self.conversion.frame(picture)).and_then(Result::ok)));
            }
        }
        for (from, frame) in frames {
            self.give(from, frame);
        }
    }

    /// Counts a picture as decoded; gives it out unless it is only needed for others.
    fn give(&mut self, sample: usize, frame: Option<Frame>) {
        let Some((number, time)) = self.numbers[sample].zip(self.movie.samples[sample].shown_at) else { return };
        if let Some(frame) = frame {
            self.ready.push_back(frame.at(number, self.movie.duration(time)));
        }
        self.position = number + 1;
    }

    /// Says at the end how many pictures are missing.
    fn count_lost(&mut self) {
        let LostFrames { count, first, .. } = self.lost;
        if let Some(first) = first {
            let all = self.info.frame_count.unwrap_or(0);
            let time = self
                .numbers
                .iter()
                .position(|number| *number == Some(first))
                .and_then(|at| self.movie.samples[at].shown_at);
            let secs = self.movie.duration(time.unwrap_or(0)).as_secs_f64();
            let cause =
                format!("{count} of its {all} frames cannot be read, from {secs:.1} s on: its data are damaged");
            self.failure = Some(unreadable(&self.path, cause, "the readable part is used; copy the file again"));
        }
    }

    /// Whether the next picture to give out is one that was lost.
    pub(super) fn is_at_damage(&mut self) -> bool {
        while self.ready.is_empty() && !self.over && self.lost.count == 0 {
            self.step();
        }
        self.lost.first.is_some_and(|first| self.ready.front().is_none_or(|frame| frame.sequence > first))
    }

    /// The container's index.
    pub(super) fn movie(&self) -> &Movie {
        &self.movie
    }

    /// The number of a sample's picture, where it is shown.
    pub(super) fn number(&self, sample: usize) -> Option<u64> {
        self.numbers.get(sample).copied().flatten()
    }

    /// The number of the next picture that is given out, where nothing is sought.
    pub(super) fn position(&self) -> u64 {
        self.ready.front().map_or(self.position, |frame| frame.sequence)
    }

    /// Nothing before this picture is given out.
    pub(super) fn wanted_from(&self) -> u64 {
        self.wanted_from
    }

    /// Whether no picture follows, because the file is over or broken.
    pub(super) fn is_over(&self) -> bool {
        self.ready.is_empty() && self.over
    }

    /// Gives out nothing before this picture; goes on decoding from where it is.
    pub(super) fn skip_to(&mut self, number: u64) {
        self.wanted_from = number;
        while self.ready.front().is_some_and(|frame| frame.sequence < number) {
            self.ready.pop_front();
        }
    }

    /// Makes the picture `number` the next one: decodes from the keyframe before it, or goes on from where it is where that
    /// is nearer. `shown` is [`Movie::shown`].
    ///
    /// # Errors
    /// Where the decoder cannot be made anew.
    pub(super) fn go_to(&mut self, shown: &[usize], number: usize) -> Result<(), SourceError> {
        let Some(&target) = shown.get(number) else { return Ok(()) };
        let keyframe = self.movie.samples[..=target].iter().rposition(|sample| sample.keyframe).unwrap_or(0);
        let (keyframe_number, number) = (self.number(keyframe).unwrap_or(0), number as u64);
        let near = (keyframe_number..=number).contains(&self.position());
        if !near || self.is_over() {
            self.begin_at(keyframe)?;
        }
        self.skip_to(number);
        Ok(())
    }

    /// Begins anew at the keyframe `sample`.
    ///
    /// # Errors
    /// Where the decoder cannot be made anew.
    pub(super) fn begin_at(&mut self, sample: usize) -> Result<(), SourceError> {
        self.decoder = decoder().map_err(|cause| unreadable(&self.path, cause, ""))?;
        self.begin_stream();
        self.waiting.clear();
        self.ready.clear();
        self.sample = sample;
        self.position = self.number(sample).unwrap_or(0);
        (self.over, self.failure, self.lost) = (false, None, LostFrames::default());
        (self.astray, self.whole_from) = (false, i64::MIN);
        Ok(())
    }
}

fn wanted(number: Option<u64>, from: u64) -> bool {
    number.is_some_and(|number| number >= from)
}

fn decoder() -> Result<Decoder, String> {
    let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
    Decoder::with_api_config(OpenH264API::from_source(), config).map_err(|error| format!("H.264 ({error})"))
}

impl Source for H264Video {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        let shown = self.movie.shown();
        let begins = |&sample: &usize| self.movie.duration(self.movie.samples[sample].shown_at.unwrap_or(0));
        let number = shown.partition_point(|sample| begins(sample) <= time).saturating_sub(1);
        self.go_to(&shown, number)
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

//! `--camera-format`: which of a camera's formats is meant.

use std::fmt;
use std::str::FromStr;

use super::format::{CameraPixels, Format, Offer, letters};
use super::interval::{Interval, rate};

/// A format of a camera, as it is asked for: `1280x720@30:MJPG`. Each of the three parts may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraFormat {
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames a second.
    pub fps: Option<f64>,
    /// What the driver calls the pixels, in capitals.
    pub fourcc: Option<[u8; 4]>,
}

const FORM: &str = "expected WIDTHxHEIGHT@RATE:PIXELS, e.g. 1280x720@30:MJPG; each part may be left out";

impl FromStr for CameraFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || FORM.to_owned();
        let mut wish = Self::default();
        let (rest, pixels) = match text.split_once(':') {
            Some((rest, pixels)) => (rest, Some(pixels)),
            // Pixels alone.
            None if !text.contains(['x', '@']) => ("", Some(text)),
            None => (text, None),
        };
        let (size, fps) = rest.split_once('@').map_or((rest, None), |(size, fps)| (size, Some(fps)));
        if !size.is_empty() {
            let (width, height) = size.split_once(['x', 'X', '×']).ok_or_else(wrong)?;
            let side = |text: &str| text.parse().ok().filter(|side| (1..=65_536).contains(side)).ok_or_else(wrong);
            wish.size = Some((side(width)?, side(height)?));
        }
        if let Some(fps) = fps {
            let fps: f64 = fps.strip_suffix("fps").unwrap_or(fps).parse().map_err(|_| wrong())?;
            wish.fps = Some(fps).filter(|fps| (0.01..=10_000.0).contains(fps));
            wish.fps.ok_or_else(wrong)?;
        }
        if let Some(pixels) = pixels {
            wish.fourcc = Some(fourcc(pixels).ok_or_else(wrong)?);
        }
        if wish == Self::default() { Err(wrong()) } else { Ok(wish) }
    }
}

/// What can be chosen of an offer: a format for each of its rates.
pub(super) fn choices(offer: &Offer) -> Vec<CameraFormat> {
    let Offer { fourcc, width, height, .. } = *offer;
    let choice = |format: Format| CameraFormat {
        size: Some((width, height)),
        // To two decimals, as it is written and found again.
        fps: format.interval.fps().map(|fps| (fps * 100.0).round() / 100.0),
        fourcc: Some(fourcc),
    };
    offer.formats().map(choice).collect()
}

/// Four letters; the names that facelens shows count, too.
fn fourcc(text: &str) -> Option<[u8; 4]> {
    let text = text.to_ascii_uppercase();
    Some(match text.as_str() {
        "MJPEG" | "MJPG" => *b"MJPG",
        "H.264" => *b"H264",
        "RGB" => *b"RGB3",
        "BGR" => *b"BGR3",
        "GRAY" => *b"GREY",
        _ => {
            let letters = text.as_bytes();
            let mut fourcc = [b' '; 4];
            fourcc.get_mut(..letters.len())?.copy_from_slice(letters);
            if !letters.is_ascii() || !letters.iter().any(u8::is_ascii_alphabetic) {
                return None;
            }
            fourcc
        }
    })
}

/// As [`CameraFormat`] is read.
impl fmt::Display for CameraFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((width, height)) = self.size {
            write!(f, "{width}x{height}")?;
        }
        if let Some(fps) = self.fps {
            write!(f, "@{}", rate(fps))?;
        }
        match self.fourcc {
            Some(fourcc) => write!(f, ":{}", letters(fourcc)),
            None => Ok(()),
        }
    }
}

impl CameraFormat {
    /// The formats that fit, of all that are offered.
    pub(super) fn among<'a>(&'a self, offers: &'a [Offer]) -> impl Iterator<Item = Format> + 'a {
        offers.iter().filter(|offer| self.allows(offer)).flat_map(|offer| {
            let intervals = match self.fps {
                Some(fps) => offer.rates.of(fps).into_iter().collect(),
                None => offer.rates.choices(),
            };
            let pixels = offer.pixels;
            intervals.into_iter().filter_map(move |interval| {
                Some(Format { pixels: pixels?, width: offer.width, height: offer.height, interval })
            })
        })
    }

    fn allows(&self, offer: &Offer) -> bool {
        self.size.is_none_or(|size| size == (offer.width, offer.height))
            && self
                .fourcc
                .is_none_or(|fourcc| fourcc == offer.fourcc || CameraPixels::of_fourcc(fourcc) == offer.pixels)
    }

    /// A size that is not among those that were listed may be one of a range: it is worth a try in each of the pixels.
    pub(super) fn unlisted(&self, offers: &[Offer]) -> Vec<Format> {
        let Some((width, height)) = self.size else { return Vec::new() };
        let mut pixels: Vec<CameraPixels> = Vec::new();
        let of_other_size = Self { size: None, fps: None, ..self.clone() };
        for offer in offers.iter().filter(|offer| of_other_size.allows(offer)) {
            pixels.extend(offer.pixels.filter(|kind| !pixels.contains(kind)));
        }
        let interval = self
            .fps
            .map_or(Interval::UNKNOWN, |fps| super::interval::Rates::Unknown.of(fps).unwrap_or(Interval::UNKNOWN));
        pixels.into_iter().map(|pixels| Format { pixels, width, height, interval }).collect()
    }

    /// Whether a camera gives what was asked for.
    pub(super) fn is_met_by(&self, format: &Format) -> bool {
        self.size.is_none_or(|size| size == (format.width, format.height))
            && self.fourcc.is_none_or(|fourcc| CameraPixels::of_fourcc(fourcc) == Some(format.pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::super::interval::Rates;
    use super::*;

    fn wish(text: &str) -> CameraFormat {
        text.parse().unwrap()
    }

    #[test]
    fn every_part_may_be_missing() {
        let all = CameraFormat { size: Some((1280, 720)), fps: Some(30.0), fourcc: Some(*b"MJPG") };
        assert_eq!(wish("1280x720@30:MJPG"), all);
        assert_eq!(wish("1280x720@30:mjpeg"), all);
        assert_eq!(wish("640x480"), CameraFormat { size: Some((640, 480)), ..CameraFormat::default() });
        assert_eq!(wish("@29.97"), CameraFormat { fps: Some(29.97), ..CameraFormat::default() });
        assert_eq!(wish("YUYV"), CameraFormat { fourcc: Some(*b"YUYV"), ..CameraFormat::default() });
        assert_eq!(wish(":Y16").fourcc, Some(*b"Y16 "));
        for text in ["1280x720@29.97:MJPG", "640x480", "@7.5", ":Y16"] {
            assert_eq!(wish(text).to_string(), text);
        }
        for text in
            ["", "x", "640", "0x480", "640x480@", "640x480@0", "640x480@x", "640x480:", ":LETTERS", "a x b", "@nan"]
        {
            assert!(text.parse::<CameraFormat>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_formats_that_fit_are_found() {
        let offer = |fourcc: &[u8; 4], width, height, rates: &[(u32, u32)]| Offer {
            fourcc: *fourcc,
            pixels: CameraPixels::of_fourcc(*fourcc),
            width,
            height,
            rates: Rates::Each(rates.iter().map(|&(over, under)| Interval::new(over, under)).collect()),
        };
        let offers = [
            offer(b"MJPG", 1280, 720, &[(1, 60), (1001, 30_000)]),
            offer(b"YUYV", 640, 480, &[(1, 30), (1, 15)]),
            offer(b"HEVC", 640, 480, &[(1, 30)]),
        ];
        let found = |text: &str| wish(text).among(&offers).map(|format| format.to_string()).collect::<Vec<_>>();
        assert_eq!(found("1280x720@29.97:MJPG"), ["MJPEG 1280x720 at 29.97 fps"]);
        assert_eq!(found("640x480"), ["YUYV 640x480 at 30 fps", "YUYV 640x480 at 15 fps"]);
        assert_eq!(found("@60"), ["MJPEG 1280x720 at 60 fps"]);
        assert!(found("640x480:MJPG").is_empty() && found("HEVC").is_empty());
        let tried = wish("800x600@20").unlisted(&offers);
        let tried: Vec<_> = tried.iter().map(Format::to_string).collect();
        assert_eq!(tried, ["MJPEG 800x600 at 20 fps", "YUYV 800x600 at 20 fps"]);
    }
}

//! What is asked of an output device, behind a trait: the tests play one.

use std::io;
use std::path::{Path, PathBuf};

/// A device that may take pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputNode {
    /// Its number.
    pub index: u32,
    /// Where it is in `/dev`.
    pub path: PathBuf,
    /// The system's name of it.
    pub name: Option<String>,
    /// No hardware is behind it. Such a device may be opened without waking a camera.
    pub is_virtual: bool,
}

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutputCard {
    pub name: String,
    pub driver: String,
    /// It takes pictures. A loopback device says that it does not, once somebody gives it some.
    pub takes: bool,
}

/// A format as a driver took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetOutput {
    pub fourcc: [u8; 4],
    pub width: u32,
    pub height: u32,
    /// Bytes from one row of the first plane to the next; 0 where the driver does not say it.
    pub stride: u32,
}

/// An open device.
pub(super) trait OutputDevice: Send {
    fn card(&self) -> io::Result<OutputCard>;

    fn set(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<SetOutput>;

    /// Hands over a picture; gives how many bytes were taken. Never waits: an error of the kind `WouldBlock` where there
    /// is no room.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// The devices of the system.
pub(super) trait OutputSystem {
    /// All devices for video, by number.
    fn nodes(&self) -> io::Result<Vec<OutputNode>>;

    fn open(&self, path: &Path) -> io::Result<Box<dyn OutputDevice>>;
}

/// The kinds of pixels that can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputPixels {
    /// 4:2:2 in the order Y U Y V: what every program reads.
    Yuyv,
    /// 4:2:0: a plane of Y, then one of U and V by turns.
    Nv12,
    /// 4:2:0 in three planes: Y, U, V.
    I420,
    /// Three bytes a pixel, red first.
    Rgb,
}

impl OutputPixels {
    /// All kinds, the best first.
    pub(super) const ALL: [Self; 4] = [Self::Yuyv, Self::Nv12, Self::I420, Self::Rgb];

    /// What Video4Linux calls them.
    pub(super) const fn fourcc(self) -> [u8; 4] {
        *match self {
            Self::Yuyv => b"YUYV",
            Self::Nv12 => b"NV12",
            Self::I420 => b"YU12",
            Self::Rgb => b"RGB3",
        }
    }

    /// Its name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::I420 => "YU12",
            Self::Rgb => "RGB",
        }
    }

    /// Bytes of one pixel in a row of the first plane.
    pub(super) const fn bytes(self) -> u32 {
        match self {
            Self::Yuyv => 2,
            Self::Nv12 | Self::I420 => 1,
            Self::Rgb => 3,
        }
    }
}

/// A format in which pictures are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceFormat {
    pub pixels: OutputPixels,
    pub width: u32,
    pub height: u32,
    /// Bytes from one row of the first plane to the next.
    pub stride: u32,
}

impl DeviceFormat {
    /// What a driver took; `None` where that is nothing that can be given.
    pub(super) fn of(set: &SetOutput) -> Option<Self> {
        let SetOutput { fourcc, width, height, stride } = *set;
        let pixels = OutputPixels::ALL.into_iter().find(|pixels| pixels.fourcc() == fourcc)?;
        let sides = [width, height].into_iter().all(|side| (2..=16_384).contains(&side));
        let even = pixels == OutputPixels::Rgb || (width % 2 == 0 && height % 2 == 0);
        let stride = stride.max(width.checked_mul(pixels.bytes())?);
        (sides && even && stride % 2 == 0 && stride <= 1 << 20).then_some(Self { pixels, width, height, stride })
    }
}

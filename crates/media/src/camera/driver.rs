//! What is asked of a driver of Video4Linux, behind a trait: cameras differ in what they answer, and the tests play them.

use std::io;
use std::time::{Duration, Instant};

use super::interval::{Interval, Rates};

/// Who a device is, and whether it is a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub name: String,
    /// Where it is plugged in.
    pub bus: String,
    /// It gives pictures, and they can be streamed. Nodes for metadata, codecs and outputs do not.
    pub captures: bool,
}

/// A size that a driver offers, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sizes {
    One(u32, u32),
    /// From the smallest to the largest in steps, each of width and height.
    Range {
        smallest: (u32, u32),
        largest: (u32, u32),
        step: (u32, u32),
    },
}

/// A format as a driver took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub fourcc: [u8; 4],
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next; 0 where the driver does not say it.
    pub stride: u32,
    pub full_range: bool,
    pub hd: bool,
}

/// The clocks at the time when a picture was fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    pub now: Instant,
    /// Since the machine started.
    pub monotonic: Option<Duration>,
    /// Since 1970.
    pub wall: Option<Duration>,
}

/// A picture in a driver's buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer<'a> {
    pub bytes: &'a [u8],
    /// How many of the bytes the driver says that it filled.
    pub used: u32,
    /// The driver's number of it.
    pub number: u32,
    /// The driver's time of it, by whatever clock.
    pub stamp: Duration,
    /// The driver says that it is damaged.
    pub is_damaged: bool,
    pub clocks: Clocks,
}

/// A control of a device that a driver lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DriverControl {
    /// The kernel's number of it.
    pub id: u32,
    pub smallest: i64,
    pub largest: i64,
    pub step: i64,
    pub default: i64,
    /// It tells something and cannot be set.
    pub is_read_only: bool,
    /// Of a menu: the items that the driver has.
    pub items: Vec<i64>,
}

/// An open device. What a driver does not know is an error of the system.
pub(super) trait Driver {
    fn card(&self) -> io::Result<Card>;

    /// Its kinds of pixels; empty where it does not say them.
    fn fourccs(&self) -> Vec<[u8; 4]>;

    fn sizes(&self, fourcc: [u8; 4]) -> io::Result<Vec<Sizes>>;

    fn rates(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Rates>;

    /// The format that it has now.
    fn current(&self) -> io::Result<Set>;

    /// What [`Driver::set`] would come to.
    fn probe(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Set>;

    fn set(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Set>;

    fn interval(&self) -> io::Result<Interval>;

    fn set_interval(&self, interval: Interval) -> io::Result<Interval>;

    /// What can be set; also while it streams.
    fn controls(&self) -> io::Result<Vec<DriverControl>>;

    /// The value of a control.
    fn control(&self, id: u32) -> io::Result<i64>;

    fn set_control(&self, id: u32, value: i64) -> io::Result<()>;

    fn start(&self) -> io::Result<Box<dyn Stream>>;
}

/// Pictures, one after the other.
pub(super) trait Stream {
    /// Waits a moment for the next picture; an error of the kind `TimedOut` where none comes.
    fn next(&mut self) -> io::Result<Buffer<'_>>;
}

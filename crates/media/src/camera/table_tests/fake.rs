//! Drivers that are played: each answers as one that there is.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::camera::driver::{Buffer, Card, Clocks, Driver, DriverControl, Set, Sizes, Stream};
use crate::camera::interval::{Interval, Rates};

/// How many pictures each camera gives.
pub(super) const PICTURES: u32 = 12;
/// How long after it was taken a picture is fetched.
const DELAY: Duration = Duration::from_millis(3);

/// What a driver stamps pictures by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Clock {
    Monotonic,
    Wall,
    Own,
    None,
}

/// What becomes of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Good,
    /// Marked by the driver.
    Marked,
    /// Only its first half comes.
    Half,
    /// The driver says that it filled nothing.
    Empty,
    /// The system says that it cannot be read.
    Unreadable,
    /// Nobody fetched it in time.
    Dropped,
    /// It comes after three times that nothing came.
    Late,
}

/// How a driver behaves.
#[derive(Clone)]
pub(super) struct FakeDriver {
    /// The pixels, sizes and rates that it lists.
    pub modes: Vec<([u8; 4], (u32, u32), Rates)>,
    pub lists_formats: bool,
    pub lists_sizes: bool,
    pub size_range: Option<Sizes>,
    pub lists_rates: bool,
    pub can_probe: bool,
    pub can_set_rate: bool,
    pub can_get_rate: bool,
    /// The rate that it has, whatever was asked for.
    pub rate: Option<Interval>,
    /// The mode that it takes, whatever was asked for.
    pub takes: Option<usize>,
    /// A mode that it lists and does not take.
    pub refuses: Option<usize>,
    pub stride: u32,
    pub full_range: bool,
    pub clock: Clock,
    pub counts: bool,
    pub fate: fn(u32) -> Fate,
    /// What can be set at it, with the present values.
    pub controls: Vec<(DriverControl, i64)>,
    /// What it gives, by pixels, size and the picture's number.
    #[expect(clippy::type_complexity, reason = "one place")]
    pub picture: Rc<dyn Fn([u8; 4], u32, u32, u32) -> Vec<u8>>,
}

pub(super) const EXPOSURE: u32 = 0x009a_0902;
pub(super) const EXPOSURE_AUTO: u32 = 0x009a_0901;
pub(super) const WHITE_BALANCE: u32 = 0x0098_091a;
pub(super) const WHITE_BALANCE_AUTO: u32 = 0x0098_090c;

fn no_such() -> io::Error {
    io::Error::from_raw_os_error(25)
}

impl FakeDriver {
    fn set_of(&self, mode: usize) -> Set {
        let (fourcc, (width, height), _) = &self.modes[mode];
        self.set_to(*fourcc, *width, *height)
    }

    fn set_to(&self, fourcc: [u8; 4], width: u32, height: u32) -> Set {
        Set { fourcc, width, height, stride: self.stride, full_range: self.full_range, hd: false }
    }
}

/// An open one. What is set stays set.
pub(super) struct FakeCamera {
    pub fake: FakeDriver,
    pub set: std::cell::Cell<Set>,
    pub interval: std::cell::Cell<Interval>,
    pub values: std::cell::RefCell<Vec<(DriverControl, i64)>>,
}

impl FakeCamera {
    pub(super) fn new(fake: FakeDriver) -> Self {
        let set = fake.set_of(0);
        let interval = fake.rate.unwrap_or(Interval::of_fps(30));
        let values = fake.controls.clone().into();
        Self { fake, set: set.into(), interval: interval.into(), values }
    }
}

impl Driver for FakeCamera {
    fn card(&self) -> io::Result<Card> {
        Ok(Card { name: "Fake".into(), bus: "usb-1".into(), captures: true })
    }

    fn fourccs(&self) -> Vec<[u8; 4]> {
        let mut fourccs: Vec<[u8; 4]> = self.fake.modes.iter().map(|mode| mode.0).collect();
        fourccs.dedup();
        if self.fake.lists_formats { fourccs } else { Vec::new() }
    }

    fn sizes(&self, fourcc: [u8; 4]) -> io::Result<Vec<Sizes>> {
        if !self.fake.lists_sizes {
            return Err(no_such());
        }
        if let Some(range) = self.fake.size_range {
            return Ok(vec![range]);
        }
        let of_these = self.fake.modes.iter().filter(|mode| mode.0 == fourcc);
        Ok(of_these.map(|(_, (width, height), _)| Sizes::One(*width, *height)).collect())
    }

    fn rates(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Rates> {
        let any_size = self.fake.size_range.is_some();
        let mode = self.fake.modes.iter().find(|mode| mode.0 == fourcc && (any_size || mode.1 == (width, height)));
        mode.filter(|_| self.fake.lists_rates).map(|mode| mode.2.clone()).ok_or_else(no_such)
    }

    fn current(&self) -> io::Result<Set> {
        Ok(self.set.get())
    }

    fn probe(&self, fourcc: [u8; 4], _: u32, _: u32) -> io::Result<Set> {
        let mode = self.fake.modes.iter().position(|mode| mode.0 == fourcc).filter(|_| self.fake.can_probe);
        mode.map(|mode| self.fake.set_of(mode)).ok_or_else(no_such)
    }

    fn set(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Set> {
        let FakeDriver { modes, refuses, takes, size_range, .. } = &self.fake;
        let exact = modes.iter().position(|mode| (mode.0, mode.1) == (fourcc, (width, height)));
        if exact.is_some() && exact == *refuses {
            return Err(io::Error::from_raw_os_error(22));
        }
        let set = match (takes, exact) {
            (&Some(mode), _) | (None, Some(mode)) => self.fake.set_of(mode),
            (None, None) if size_range.is_some() => self.fake.set_to(fourcc, width, height),
            (None, None) => self.fake.set_of(modes.iter().position(|mode| mode.0 == fourcc).unwrap_or(0)),
        };
        self.set.set(set);
        Ok(set)
    }

    fn interval(&self) -> io::Result<Interval> {
        if self.fake.can_get_rate { Ok(self.interval.get()) } else { Err(no_such()) }
    }

    fn set_interval(&self, interval: Interval) -> io::Result<Interval> {
        if !self.fake.can_set_rate {
            return Err(no_such());
        }
        self.interval.set(self.fake.rate.unwrap_or(interval));
        Ok(self.interval.get())
    }

    fn controls(&self) -> io::Result<Vec<DriverControl>> {
        let values = self.values.borrow();
        if values.is_empty() { Err(no_such()) } else { Ok(values.iter().map(|(control, _)| control.clone()).collect()) }
    }

    fn control(&self, id: u32) -> io::Result<i64> {
        let values = self.values.borrow();
        values.iter().find(|(control, _)| control.id == id).map(|(_, value)| *value).ok_or_else(no_such)
    }

    /// Takes no exposure and no white balance while the camera chooses them, as UVC cameras do.
    fn set_control(&self, id: u32, value: i64) -> io::Result<()> {
        let chosen_by = match id {
            EXPOSURE => self.control(EXPOSURE_AUTO).is_ok_and(|auto| auto != 1),
            WHITE_BALANCE => self.control(WHITE_BALANCE_AUTO).is_ok_and(|auto| auto != 0),
            _ => false,
        };
        let mut values = self.values.borrow_mut();
        let (control, now) = values.iter_mut().find(|(control, _)| control.id == id).ok_or_else(no_such)?;
        let fits = (control.smallest..=control.largest).contains(&value)
            && (control.items.is_empty() || control.items.contains(&value));
        if chosen_by || !fits {
            return Err(io::Error::from_raw_os_error(if chosen_by { 13 } else { 34 }));
        }
        *now = value;
        Ok(())
    }

    fn start(&self) -> io::Result<Box<dyn Stream>> {
        let (fake, set, interval) = (self.fake.clone(), self.set.get(), self.interval.get());
        let begin = Instant::now();
        Ok(Box::new(Playing { fake, set, interval, begin, number: 0, waited: 0, bytes: Vec::new() }))
    }
}

struct Playing {
    fake: FakeDriver,
    set: Set,
    interval: Interval,
    begin: Instant,
    number: u32,
    waited: u32,
    bytes: Vec<u8>,
}

impl Stream for Playing {
    fn next(&mut self) -> io::Result<Buffer<'_>> {
        while self.number < PICTURES && (self.fake.fate)(self.number) == Fate::Dropped {
            self.number += 1;
        }
        let number = self.number;
        if number >= PICTURES {
            return Err(io::Error::from_raw_os_error(19));
        }
        let fate = (self.fake.fate)(number);
        if fate == Fate::Late && self.waited < 3 {
            self.waited += 1;
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.number += 1;
        if fate == Fate::Unreadable {
            return Err(io::Error::from_raw_os_error(5));
        }
        let Set { fourcc, width, height, .. } = self.set;
        self.bytes = (self.fake.picture)(fourcc, width, height, number);
        let whole = self.bytes.len();
        let used = match fate {
            Fate::Half => whole / 2,
            Fate::Empty => 0,
            _ => whole,
        };
        let taken = Duration::from_secs_f64(f64::from(number) / self.interval.fps().unwrap_or(30.0));
        let (since_start, since_1970) = (Duration::from_secs(5000) + taken, Duration::from_secs(1_700_000_000) + taken);
        let clocks = Clocks {
            now: self.begin + taken + DELAY,
            monotonic: Some(since_start + DELAY),
            wall: Some(since_1970 + DELAY),
        };
        let stamp = match self.fake.clock {
            Clock::Monotonic => since_start,
            Clock::Wall => since_1970,
            Clock::Own => Duration::from_secs(9) + taken,
            Clock::None => Duration::ZERO,
        };
        Ok(Buffer {
            bytes: &self.bytes,
            used: used as u32,
            number: if self.fake.counts { number } else { 0 },
            stamp,
            is_damaged: fate == Fate::Marked,
            clocks,
        })
    }
}

//! The playhead: time, speed, steps, jumps, and whose overlay is shown.

use crate::folder::{Appearance, SessionFolder, SessionPerson};

/// The speeds that can be chosen.
pub const SPEEDS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// Times within this are the same, seconds: those of the data are rounded to the millisecond.
const SAME_SECS: f64 = 0.0005;

/// A session that is played back. Time does not pass by itself: the window says how much did.
#[derive(Clone, Debug)]
pub struct Playback {
    /// Times of the frames, rising, seconds.
    times: Vec<f64>,
    duration_s: f64,
    people: Vec<SessionPerson>,
    position_s: f64,
    playing: bool,
    /// The playhead is held by the pointer: time stands still meanwhile.
    held: bool,
    speed: f64,
    only: Option<u64>,
}

impl Playback {
    /// A session at its beginning, not playing.
    pub fn new(session: &SessionFolder) -> Self {
        Self {
            times: session.rows.iter().map(|row| row.time_s).collect(),
            duration_s: session.duration_secs(),
            people: session.people(),
            position_s: 0.0,
            playing: false,
            held: false,
            speed: 1.0,
            only: None,
        }
    }

    /// Takes the pictures' times where the data have none: a session without data still plays.
    pub fn take_picture_times(&mut self, times: impl IntoIterator<Item = f64>) {
        if self.times.is_empty() {
            self.times.extend(times);
            self.duration_s = self.duration_s.max(self.times.last().copied().unwrap_or(0.0));
        }
    }

    /// Seconds since the first frame.
    pub fn position_s(&self) -> f64 {
        self.position_s
    }

    /// Length of the session in seconds.
    pub fn duration_s(&self) -> f64 {
        self.duration_s
    }

    /// Times the true speed.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Whether time passes.
    pub fn is_playing(&self) -> bool {
        self.playing
    }

    /// The one person whose overlay is shown; everybody's with `None`.
    pub fn only(&self) -> Option<u64> {
        self.only
    }

    /// Everybody in the session, by identity.
    pub fn people(&self) -> &[SessionPerson] {
        &self.people
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.times.len()
    }

    /// The frame that is shown now, from 0.
    pub fn frame(&self) -> Option<usize> {
        self.begun().checked_sub(1)
    }

    /// How many frames have begun.
    fn begun(&self) -> usize {
        self.times.partition_point(|time| *time <= self.position_s + SAME_SECS)
    }

    /// Seconds of true time until the next frame is due; `None` where time stands still or after the last one.
    pub fn next_frame_in(&self) -> Option<f64> {
        let next = self.times.get(self.begun())?;
        (self.playing && !self.held).then(|| (next - self.position_s).max(0.0) / self.speed)
    }

    /// Lets `secs` of true time pass. Stops at the end.
    pub fn pass(&mut self, secs: f64) {
        if self.playing && !self.held && secs > 0.0 {
            self.position_s += secs * self.speed;
            if self.position_s >= self.duration_s {
                (self.position_s, self.playing) = (self.duration_s, false);
            }
        }
    }

    /// Plays or holds; at the end, plays from the beginning.
    pub fn toggle(&mut self) {
        if !self.playing && self.position_s >= self.last_time() - SAME_SECS {
            self.position_s = 0.0;
        }
        // Nothing moves in a session without a length.
        self.playing = !self.playing && self.duration_s > 0.0;
    }

    /// Goes to a time.
    pub fn seek(&mut self, time_s: f64) {
        if time_s.is_finite() {
            self.position_s = time_s.clamp(0.0, self.duration_s);
        }
    }

    /// Goes to a time with the pointer, which holds the playhead until [`release`](Self::release).
    pub fn scrub(&mut self, time_s: f64) {
        self.held = true;
        self.seek(time_s);
    }

    /// Lets the playhead go.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Goes so many frames on, or back where below 0, and holds there.
    pub fn step(&mut self, frames: isize) {
        self.playing = false;
        let Some(last) = self.times.len().checked_sub(1) else { return };
        let target = self.frame().map_or(0, |frame| frame.saturating_add_signed(frames).min(last));
        self.position_s = self.times[target];
    }

    /// Goes to the last frame and holds there.
    pub fn end(&mut self) {
        self.playing = false;
        self.position_s = self.last_time();
    }

    /// Takes one of [`SPEEDS`], or the nearest to it.
    pub fn set_speed(&mut self, speed: f64) {
        let nearest = SPEEDS.into_iter().min_by(|a, b| (a - speed).abs().total_cmp(&(b - speed).abs()));
        self.speed = nearest.unwrap_or(1.0);
    }

    /// The next speed up or down; the fastest and the slowest stay.
    pub fn change_speed(&mut self, faster: bool) {
        let place = SPEEDS.iter().position(|speed| *speed == self.speed).unwrap_or(2);
        let next = if faster { (place + 1).min(SPEEDS.len() - 1) } else { place.saturating_sub(1) };
        self.speed = SPEEDS[next];
    }

    /// Shows this person's overlay alone; the same one again, or `None`: everybody's. Who never appears is nobody.
    pub fn show_only(&mut self, id: Option<u64>) {
        let known = id.filter(|id| self.people.iter().any(|person| person.id == *id));
        self.only = known.filter(|_| known != self.only);
    }

    /// Goes to where a person comes.
    pub fn jump(&mut self, appearance: &Appearance) {
        self.seek(appearance.from_s);
    }

    /// Goes to the next time that somebody comes (of those shown), or to the one before. Stays where there is none.
    pub fn jump_next(&mut self, forwards: bool) {
        let shown = self.people.iter().filter(|person| self.only.is_none_or(|only| only == person.id));
        let comings = shown.flat_map(|person| &person.appearances).map(|appearance| appearance.from_s);
        let now = self.position_s;
        let target = if forwards {
            comings.filter(|time| *time > now + SAME_SECS).min_by(f64::total_cmp)
        } else {
            comings.filter(|time| *time < now - SAME_SECS).max_by(f64::total_cmp)
        };
        if let Some(time) = target {
            self.seek(time);
        }
    }

    fn last_time(&self) -> f64 {
        self.times.last().copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session::{rows, write};

    /// 50 frames, 10 a second; person 2 is there from 1.0 to 1.9 s and from 3.5 to 4.4 s.
    fn playback() -> Playback {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &rows(), &[]);
        Playback::new(&SessionFolder::open(folder.path()).unwrap())
    }

    #[test]
    fn time_passes_at_the_chosen_speed_and_stops_at_the_end() {
        let mut playback = playback();
        playback.pass(1.0);
        assert_eq!(playback.position_s(), 0.0, "it does not play by itself");
        playback.toggle();
        playback.pass(0.35);
        assert_eq!((playback.position_s(), playback.frame()), (0.35, Some(3)));
        assert!((playback.next_frame_in().unwrap() - 0.05).abs() < 1e-9);
        playback.set_speed(4.0);
        assert!((playback.next_frame_in().unwrap() - 0.0125).abs() < 1e-9);
        playback.pass(0.5);
        assert_eq!(playback.position_s(), 2.35);
        playback.scrub(2.35);
        assert_eq!(playback.next_frame_in(), None, "held, it does not come");
        playback.release();
        playback.pass(0.65);
        assert_eq!((playback.frame(), playback.next_frame_in()), (Some(49), None), "it is the last one");
        playback.pass(10.0);
        assert_eq!((playback.position_s(), playback.is_playing(), playback.frame()), (5.0, false, Some(49)));
        playback.toggle();
        assert_eq!((playback.position_s(), playback.is_playing()), (0.0, true), "it begins again");
    }

    #[test]
    fn steps_stop_at_both_ends_and_hold() {
        let mut playback = playback();
        playback.toggle();
        playback.step(-1);
        assert_eq!((playback.frame(), playback.is_playing()), (Some(0), false));
        playback.step(1);
        playback.step(1);
        assert_eq!((playback.frame(), playback.position_s()), (Some(2), 0.2));
        playback.seek(0.25);
        playback.step(-1);
        assert_eq!(playback.frame(), Some(1));
        playback.end();
        playback.step(1);
        assert_eq!((playback.frame(), playback.position_s()), (Some(49), 4.9));
    }

    #[test]
    fn every_frame_is_reached_by_steps() {
        let mut playback = playback();
        for frame in 0..50 {
            assert_eq!(playback.frame(), Some(frame));
            playback.step(1);
        }
        for frame in (0..50).rev() {
            assert_eq!(playback.frame(), Some(frame));
            playback.step(-1);
        }
    }

    #[test]
    fn scrubbing_holds_the_time_and_stays_inside() {
        let mut playback = playback();
        playback.toggle();
        playback.scrub(-3.0);
        playback.pass(1.0);
        assert_eq!(playback.position_s(), 0.0);
        playback.scrub(99.0);
        assert_eq!(playback.position_s(), 5.0);
        playback.scrub(f64::NAN);
        assert_eq!(playback.position_s(), 5.0);
        playback.scrub(2.0);
        playback.release();
        playback.pass(0.5);
        assert_eq!((playback.position_s(), playback.is_playing()), (2.5, true), "it goes on playing");
    }

    #[test]
    fn speeds_go_up_and_down_and_stop() {
        let mut playback = playback();
        let up: Vec<_> = std::iter::repeat_with(|| {
            playback.change_speed(true);
            playback.speed()
        })
        .take(3)
        .collect();
        assert_eq!(up, [2.0, 4.0, 4.0]);
        for expected in [2.0, 1.0, 0.5, 0.25, 0.25] {
            playback.change_speed(false);
            assert_eq!(playback.speed(), expected);
        }
        playback.set_speed(3.9);
        assert_eq!(playback.speed(), 4.0);
    }

    #[test]
    fn one_person_is_chosen_and_let_go() {
        let mut playback = playback();
        playback.show_only(Some(2));
        assert_eq!(playback.only(), Some(2));
        playback.show_only(Some(1));
        assert_eq!(playback.only(), Some(1));
        playback.show_only(Some(1));
        assert_eq!(playback.only(), None);
        playback.show_only(Some(7));
        assert_eq!(playback.only(), None);
    }

    #[test]
    fn jumps_go_from_coming_to_coming() {
        let mut playback = playback();
        let second = playback.people()[1].appearances[1];
        playback.jump(&second);
        assert_eq!((playback.position_s(), playback.frame()), (3.5, Some(35)));
        playback.jump_next(true);
        assert_eq!(playback.position_s(), 3.5, "nobody comes later");
        for expected in [1.0, 0.0, 0.0] {
            playback.jump_next(false);
            assert_eq!(playback.position_s(), expected);
        }
        playback.show_only(Some(2));
        playback.jump_next(true);
        assert_eq!(playback.position_s(), 1.0);
        playback.jump_next(false);
        assert_eq!(playback.position_s(), 1.0, "person 2 does not come earlier");
    }

    #[test]
    fn a_session_without_data_plays_by_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[], &[]);
        let mut playback = Playback::new(&SessionFolder::open(folder.path()).unwrap());
        playback.toggle();
        playback.step(1);
        assert_eq!((playback.is_playing(), playback.frame(), playback.frames()), (false, None, 0));
        playback.take_picture_times([0.0, 0.5, 1.0]);
        playback.step(1);
        assert_eq!((playback.frame(), playback.duration_s()), (Some(1), 1.0));
        playback.take_picture_times([7.0]);
        assert_eq!(playback.frames(), 3, "the times are taken once");
    }
}

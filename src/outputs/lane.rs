//! A thread and the bounded way to it: whoever hands something over never waits, and the newest always finds room.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

/// One output's way out. Dropping it switches it off: the thread ends by itself.
pub(super) struct Lane<T> {
    /// `None` once nothing more comes.
    sender: Option<Sender<T>>,
    waiting: Receiver<T>,
    on: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Whether a [`Lane`] is on, for its work.
#[derive(Clone)]
pub(super) struct Switch(Arc<AtomicBool>);

impl Switch {
    #[cfg(test)]
    pub(super) fn on() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What comes to a [`Lane`]'s thread.
pub(super) struct Items<T> {
    waiting: Receiver<T>,
    switch: Switch,
}

/// What there is to do.
#[derive(Debug, PartialEq)]
pub(super) enum NextItem<T> {
    Item(T),
    /// None came in time.
    Pause,
    /// The lane is switched off or closed.
    End,
}

impl<T> Items<T> {
    pub(super) fn switch(&self) -> Switch {
        self.switch.clone()
    }

    /// Waits for the next item, no longer than `pause`.
    pub(super) fn next(&self, pause: Duration) -> NextItem<T> {
        let next = match self.waiting.recv_timeout(pause) {
            Ok(item) => NextItem::Item(item),
            Err(RecvTimeoutError::Timeout) => NextItem::Pause,
            Err(RecvTimeoutError::Disconnected) => NextItem::End,
        };
        if self.switch.is_on() { next } else { NextItem::End }
    }
}

impl<T: Send + 'static> Lane<T> {
    /// Starts the thread `name`, which does `work` on each item until it breaks off or the lane is switched off; at most
    /// `capacity` items wait.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn start(
        name: &str,
        capacity: usize,
        mut work: impl FnMut(T, &Switch) -> ControlFlow<()> + Send + 'static,
    ) -> io::Result<Self> {
        Self::run(name, capacity, move |items| {
            while let Ok(item) = items.waiting.recv() {
                if !items.switch.is_on() || work(item, &items.switch).is_break() {
                    return;
                }
            }
        })
    }

    /// The same for work that fetches its items by itself.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn run(name: &str, capacity: usize, work: impl FnOnce(&Items<T>) + Send + 'static) -> io::Result<Self> {
        let (sender, waiting) = bounded::<T>(capacity);
        let on = Arc::new(AtomicBool::new(true));
        let items = Items { waiting: waiting.clone(), switch: Switch(Arc::clone(&on)) };
        let thread = thread::Builder::new().name(name.into()).spawn(move || work(&items))?;
        Ok(Self { sender: Some(sender), waiting, on, thread: Some(thread) })
    }

    /// Hands over an item. Where there is no room the oldest gives way; gives how many did. Never waits.
    pub(super) fn offer(&self, mut item: T) -> u64 {
        let mut lost = 0;
        loop {
            // A thread that broke off takes nothing more, and nobody misses it.
            let Some(sender) = self.sender.as_ref().filter(|_| !self.is_finished()) else { return 0 };
            match sender.try_send(item) {
                Ok(()) => return lost,
                Err(TrySendError::Disconnected(_)) => return 0,
                Err(TrySendError::Full(refused)) => {
                    item = refused;
                    lost += u64::from(self.waiting.try_recv().is_ok());
                }
            }
        }
    }

    /// Ends the thread after what waits, at the latest at `deadline`; gives how many items were not done then.
    pub(super) fn close(mut self, deadline: Instant) -> u64 {
        self.sender = None;
        while !self.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        if !self.is_finished() {
            // It waits in a write and is left to the end of the program, without what it would have had to do.
            return 1 + self.waiting.try_iter().count() as u64;
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of an output ended by a panic");
        }
        0
    }

    fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl<T> Drop for Lane<T> {
    fn drop(&mut self) {
        self.on.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A lane for two whose thread waits for a word before each item.
    fn gated() -> (Lane<u32>, mpsc::Sender<()>, mpsc::Receiver<u32>) {
        let ((go, wait), (done, items)) = (mpsc::channel::<()>(), mpsc::channel());
        let lane = Lane::start("lane", 2, move |item, _| {
            let _ = done.send(item);
            if wait.recv().is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (lane.unwrap(), go, items)
    }

    #[test]
    fn the_newest_find_room_and_the_oldest_that_wait_are_lost() {
        let (lane, go, items) = gated();
        assert_eq!(lane.offer(0), 0);
        assert_eq!(items.recv().unwrap(), 0);
        assert_eq!((1..=5).map(|item| lane.offer(item)).collect::<Vec<_>>(), [0, 0, 1, 1, 1]);
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        assert_eq!(lane.close(Instant::now() + Duration::from_secs(20)), 0);
        assert_eq!(items.iter().collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn closing_does_not_wait_for_a_thread_that_is_stuck_and_counts_what_it_leaves() {
        let (lane, _go, items) = gated();
        lane.offer(0);
        assert_eq!(items.recv().unwrap(), 0);
        lane.offer(1);
        lane.offer(2);
        let closing = Instant::now();
        assert_eq!(lane.close(Instant::now() + Duration::from_millis(20)), 3);
        assert!(closing.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_thread_that_fetches_its_items_sees_pauses_and_the_end() {
        let (done, seen) = mpsc::channel();
        let lane: Lane<u32> = Lane::run("lane", 2, move |items| {
            loop {
                let next = items.next(Duration::from_millis(1));
                let is_end = next == NextItem::End;
                if done.send(next).is_err() || is_end {
                    return;
                }
            }
        })
        .unwrap();
        assert_eq!(seen.recv().unwrap(), NextItem::Pause);
        lane.offer(7);
        assert!(seen.iter().any(|next| next == NextItem::Item(7)));
        drop(lane);
        assert!(seen.iter().any(|next| next == NextItem::End));
    }

    #[test]
    fn a_thread_that_broke_off_misses_nothing() {
        let (lane, go, items) = gated();
        drop(go);
        lane.offer(0);
        assert_eq!(items.recv().unwrap(), 0);
        while !lane.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!((0..5).map(|item| lane.offer(item)).sum::<u64>(), 0);
    }
}

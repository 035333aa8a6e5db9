//! How one thread hands things to another: commands that jump the queue, jobs that wait or give way to newer ones.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What a thread finds in its inbox.
#[derive(Debug, PartialEq)]
pub(super) enum Message<C, J> {
    /// An order; all orders come before any job.
    Command(C),
    /// The oldest job.
    Job(J),
    /// Nothing came before the deadline.
    Nothing,
    /// The inbox is closed: end now, whatever still lies in it.
    Closed,
}

/// Why a job was not taken.
#[derive(Debug, PartialEq)]
pub(super) enum Refused<J> {
    /// There was no room before the deadline; here is the job again.
    Full(J),
    /// The inbox is closed.
    Closed,
}

struct InboxState<C, J> {
    commands: VecDeque<C>,
    jobs: VecDeque<J>,
    closed: bool,
}

/// The inbox of one worker. Any thread may put something in.
pub(super) struct Inbox<C, J> {
    state: Mutex<InboxState<C, J>>,
    changed: Condvar,
}

impl<C, J> Inbox<C, J> {
    /// An open, empty inbox.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(InboxState { commands: VecDeque::new(), jobs: VecDeque::new(), closed: false }),
            changed: Condvar::new(),
        }
    }

    /// A thread that panicked never leaves a queue half changed, so its lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, InboxState<C, J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves an order. Never waits; lost where the inbox is closed.
    pub(super) fn command(&self, command: C) {
        let mut state = self.lock();
        if !state.closed {
            state.commands.push_back(command);
            self.changed.notify_all();
        }
    }

    /// Leaves a job in place of all waiting jobs that `gives_way` names, and gives those back. Never waits.
    pub(super) fn replace(&self, job: J, gives_way: impl FnMut(&J) -> bool) -> Vec<J> {
        let mut state = self.lock();
        if state.closed {
            return Vec::new();
        }
        let (replaced, kept): (VecDeque<J>, VecDeque<J>) =
            std::mem::take(&mut state.jobs).into_iter().partition(gives_way);
        state.jobs = kept;
        state.jobs.push_back(job);
        self.changed.notify_all();
        replaced.into()
    }

    /// Leaves a job as soon as fewer than `capacity` jobs wait.
    pub(super) fn offer(&self, job: J, capacity: usize, deadline: Option<Instant>) -> Result<(), Refused<J>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(Refused::Closed);
            }
            if state.jobs.len() < capacity.max(1) {
                state.jobs.push_back(job);
                self.changed.notify_all();
                return Ok(());
            }
            match self.wait(state, deadline) {
                Some(woken) => state = woken,
                None => return Err(Refused::Full(job)),
            }
        }
    }

    /// Leaves an order, and throws away the jobs that wait: they belong to what was before it.
    pub(super) fn command_afresh(&self, command: C) {
        let mut state = self.lock();
        if !state.closed {
            state.jobs.clear();
            state.commands.push_back(command);
            self.changed.notify_all();
        }
    }

    /// Takes the next message; without a deadline it waits for as long as it takes.
    pub(super) fn receive(&self, deadline: Option<Instant>) -> Message<C, J> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Message::Closed;
            }
            if let Some(command) = state.commands.pop_front() {
                return Message::Command(command);
            }
            if let Some(job) = state.jobs.pop_front() {
                self.changed.notify_all();
                return Message::Job(job);
            }
            match self.wait(state, deadline) {
                Some(woken) => state = woken,
                None => return Message::Nothing,
            }
        }
    }

    /// Closes the inbox: whoever waits at either end is woken at once. Jumps all queues.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether nobody takes or leaves anything any more.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for a change; `None` where the deadline has passed.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, InboxState<C, J>>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, InboxState<C, J>>> {
        let Some(deadline) = deadline else {
            return Some(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
        };
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        Some(self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// Closes an inbox when it goes out of scope, also when its scope is left by a panic.
pub(super) struct CloseOnDrop<'a, C, J>(pub(super) &'a Inbox<C, J>);

impl<C, J> Drop for CloseOnDrop<'_, C, J> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(5))
    }

    #[test]
    fn commands_jump_the_queue() {
        let inbox = Inbox::new();
        inbox.offer(1, 8, None).unwrap();
        inbox.command("now");
        assert_eq!(inbox.receive(None), Message::Command("now"));
        assert_eq!(inbox.receive(None), Message::Job(1));
        assert_eq!(inbox.receive(soon()), Message::Nothing);
    }

    #[test]
    fn a_newer_job_replaces_those_that_give_way_and_counts_them() {
        let inbox: Inbox<(), i32> = Inbox::new();
        for job in [-1, 2, 3] {
            inbox.offer(job, 8, None).unwrap();
        }
        assert_eq!(inbox.replace(4, |old| *old > 0), [2, 3]);
        assert_eq!(inbox.receive(None), Message::Job(-1));
        assert_eq!(inbox.receive(None), Message::Job(4));
    }

    #[test]
    fn a_full_inbox_gives_the_job_back_and_takes_it_when_there_is_room() {
        let inbox: Arc<Inbox<(), i32>> = Arc::new(Inbox::new());
        inbox.offer(1, 1, None).unwrap();
        assert_eq!(inbox.offer(2, 1, soon()), Err(Refused::Full(2)));
        let other = Arc::clone(&inbox);
        let giver = std::thread::spawn(move || other.offer(2, 1, None));
        assert_eq!(inbox.receive(None), Message::Job(1));
        assert_eq!(inbox.receive(None), Message::Job(2));
        assert_eq!(giver.join().unwrap(), Ok(()));
    }

    #[test]
    fn closing_wakes_both_ends_before_anything_that_lies_in_it() {
        let inbox: Arc<Inbox<i32, i32>> = Arc::new(Inbox::new());
        inbox.offer(1, 1, None).unwrap();
        let other = Arc::clone(&inbox);
        let giver = std::thread::spawn(move || other.offer(2, 1, None));
        inbox.close();
        assert_eq!(giver.join().unwrap(), Err(Refused::Closed));
        inbox.command(3);
        assert_eq!(inbox.receive(None), Message::Closed);
    }
}

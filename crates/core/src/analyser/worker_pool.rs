//! Several faces at once: a worker for the calling thread, and a few more on threads of their own.
//!
//! rayon in its place was measured (two cores shared with other work, medians of 120 turns with pauses as between frames) and
//! was never faster: two jobs of 1 ms took 0.82 ms here and 0.84 to 0.86 ms there, two of 4 ms 2.9 to 7.9 ms here and 5.6 to
//! 14.7 ms there.
//! Besides, each thread here has a worker with the networks' buffers, which rayon's threads would have to share out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

/// More threads than this find too little to do.
const MOST_HELPERS: usize = 3;

/// Can be had once more, for another thread.
pub(super) trait Another: Sized {
    /// One that gives the same results, with buffers of its own. `None`: there is only this one.
    fn another(&self) -> Option<Self>;
}

/// A worker, and helpers that start when there is more than one job for the first time. One job alone is always done by
/// the calling thread.
pub(super) struct WorkerPool<W> {
    own: W,
    most_helpers: usize,
    helpers: Option<Helpers<W>>,
}

type PoolTask<W> = Box<dyn FnOnce(&mut W) + Send>;

impl<W: Another + Send + 'static> WorkerPool<W> {
    /// A team with a thread for each processor.
    pub(super) fn new(own: W) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self::with_helpers(own, (processors - 1).min(MOST_HELPERS))
    }

    /// A team with at most so many threads beside the calling one.
    pub(super) fn with_helpers(own: W, most_helpers: usize) -> Self {
        Self { own, most_helpers, helpers: None }
    }

    /// What `work` gives for each of `jobs`, in their order. A panic in a job goes on in the calling thread when all jobs
    /// are done.
    pub(super) fn map<J: Send + 'static, R: Send + 'static>(
        &mut self,
        jobs: Vec<J>,
        work: fn(&mut W, &J) -> R,
    ) -> Vec<R> {
        if jobs.len() > 1 && self.most_helpers > 0 && self.helpers.is_none() {
            self.helpers = Helpers::start(&self.own, self.most_helpers);
            // Where there is no further worker or no thread it is not tried again for each frame.
            self.most_helpers = self.helpers.as_ref().map_or(0, |_| self.most_helpers);
        }
        match &self.helpers {
            Some(helpers) if jobs.len() > 1 => helpers.map(&mut self.own, jobs, work),
            _ => jobs.iter().map(|job| work(&mut self.own, job)).collect(),
        }
    }
}

struct Helpers<W> {
    /// `None` while the threads are told to end.
    tasks: Option<Sender<PoolTask<W>>>,
    waiting: Receiver<PoolTask<W>>,
    threads: Vec<JoinHandle<()>>,
}

impl<W: Another + Send + 'static> Helpers<W> {
    fn start(own: &W, most: usize) -> Option<Self> {
        let (tasks, waiting) = unbounded::<PoolTask<W>>();
        let threads: Vec<_> = (0..most)
            .map_while(|number| {
                let (mut worker, waiting) = (own.another()?, waiting.clone());
                let run = move || waiting.iter().for_each(|task| task(&mut worker));
                thread::Builder::new().name(format!("faces-{number}")).spawn(run).ok()
            })
            .collect();
        (!threads.is_empty()).then_some(Self { tasks: Some(tasks), waiting, threads })
    }

    fn map<J: Send + 'static, R: Send + 'static>(
        &self,
        own: &mut W,
        jobs: Vec<J>,
        work: fn(&mut W, &J) -> R,
    ) -> Vec<R> {
        let count = jobs.len();
        let (done, results) = bounded::<(usize, Result<R, Box<dyn Any + Send>>)>(count);
        for (index, job) in jobs.into_iter().enumerate() {
            let done = done.clone();
            let task: PoolTask<W> = Box::new(move |worker| {
                let result = catch_unwind(AssertUnwindSafe(|| work(worker, &job)));
                drop(job);
                let _ = done.send((index, result));
            });
            if let Some(tasks) = &self.tasks {
                let _ = tasks.send(task);
            }
        }
        drop(done);
        // This thread takes its share; nothing stays behind even if no helper wakes up.
        while let Ok(task) = self.waiting.try_recv() {
            task(own);
        }
        let mut ordered: Vec<_> = results.iter().collect();
        ordered.sort_by_key(|(index, _)| *index);
        let unpack = |(_, result): (usize, Result<R, _>)| result.unwrap_or_else(|panic| resume_unwind(panic));
        ordered.into_iter().map(unpack).collect()
    }
}

impl<W> Drop for Helpers<W> {
    fn drop(&mut self) {
        self.tasks = None;
        for thread in self.threads.drain(..) {
            // Its tasks catch their own panics.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counter {
        alone: bool,
    }

    impl Another for Counter {
        fn another(&self) -> Option<Self> {
            (!self.alone).then_some(Self { alone: false })
        }
    }

    fn name(_: &mut Counter, job: &usize) -> (usize, Option<String>) {
        (*job * 10, thread::current().name().map(str::to_owned))
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let mut worker_pool = WorkerPool::with_helpers(Counter { alone: false }, 3);
        for count in [0, 1, 2, 5, 40] {
            let results: Vec<usize> = worker_pool.map((0..count).collect(), |_, job| job * 10);
            assert_eq!(results, (0..count).map(|job| job * 10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn two_jobs_run_at_the_same_time_and_one_stays_on_the_calling_thread() {
        static BOTH: Barrier = Barrier::new(2);
        let mut worker_pool = WorkerPool::with_helpers(Counter { alone: false }, 1);
        // Each waits for the other: on one thread this would never end.
        worker_pool.map(vec![0, 1], |_, _| BOTH.wait().is_leader());
        let here = thread::current().name().map(str::to_owned);
        assert_eq!(worker_pool.map(vec![7], name), [(70, here)]);
    }

    #[test]
    fn a_worker_that_cannot_be_had_twice_does_all_jobs() {
        let here = thread::current().name().map(str::to_owned);
        let mut worker_pool = WorkerPool::with_helpers(Counter { alone: true }, 3);
        assert_eq!(worker_pool.map(vec![1, 2], name), [(10, here.clone()), (20, here.clone())]);
        let mut worker_pool = WorkerPool::with_helpers(Counter { alone: false }, 0);
        assert_eq!(worker_pool.map(vec![1, 2], name), [(10, here.clone()), (20, here)]);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_next_jobs_are_done() {
        let mut worker_pool = WorkerPool::with_helpers(Counter { alone: false }, 2);
        let broken = catch_unwind(AssertUnwindSafe(|| {
            worker_pool.map((0..6).collect(), |_, job| if *job == 3 { panic!("job three") } else { *job })
        }));
        assert_eq!(broken.unwrap_err().downcast_ref::<&str>(), Some(&"job three"));
        assert_eq!(worker_pool.map(vec![4, 5], |_, job: &usize| *job), [4, 5]);
    }

    #[test]
    fn its_threads_end_with_it() {
        static ALIVE: AtomicUsize = AtomicUsize::new(0);
        struct Alive;
        impl Another for Alive {
            fn another(&self) -> Option<Self> {
                ALIVE.fetch_add(1, Ordering::SeqCst);
                Some(Self)
            }
        }
        impl Drop for Alive {
            fn drop(&mut self) {
                ALIVE.fetch_sub(1, Ordering::SeqCst);
            }
        }
        ALIVE.fetch_add(1, Ordering::SeqCst);
        let mut worker_pool = WorkerPool::with_helpers(Alive, 3);
        worker_pool.map(vec![1, 2, 3], |_, _| ());
        assert_eq!(ALIVE.load(Ordering::SeqCst), 4);
        drop(worker_pool);
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    }
}

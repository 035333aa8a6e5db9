//! The thread `outputs`: what it is handed goes out at once, and whoever hands it over never waits.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::head::{Head, Offsets};
use super::options::{Follow, JsonlTarget, OutputOptions};
use crate::pipeline::{Analysis, Tap};
use crate::session::{FrameRow, write_jsonl};
use crate::source::SourceInfo;
use crate::track::Face;

/// Analyses that may wait for a slow reader of standard output; what comes then is dropped and counted.
const WAITING: usize = 64;
/// A face takes over from the one that is followed when it is larger by this factor: two people side by side would
/// otherwise have the head jump between them.
const LARGER: f32 = 1.3;
/// How long closing waits for the last lines.
const CLOSING: Duration = Duration::from_millis(200);
/// The largest datagram that IPv4 and IPv6 carry everywhere.
const LARGEST_DATAGRAM: usize = 65_507;

/// How the outputs do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputStatus {
    /// Heads that went to opentrack.
    pub heads: u64,
    /// Analyses that went out as JSONL.
    pub lines: u64,
    /// Analyses that came while too many were waiting.
    pub dropped: u64,
    /// Whose head went to opentrack last; `None` while there is nobody to follow.
    pub followed: Option<u64>,
    /// What could not be sent last, in words; gone with the next success.
    pub error: Option<String>,
}

/// The running outputs. Dropping them ends the thread without waiting for a reader that is stuck.
pub struct LiveOutputs {
    sender: Option<Sender<Work>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

enum Work {
    /// What was analysed, and the source's name.
    Analysis(Arc<str>, Arc<Analysis>),
    /// What goes out from now on.
    Sockets(Sockets),
}

/// What goes out, ready to be used.
struct Sockets {
    opentrack: Option<Datagrams>,
    jsonl: Option<Lines>,
}

struct Shared {
    status: Mutex<OutputStatus>,
    steering: Mutex<Steering>,
    input: Mutex<Arc<str>>,
}

/// What the user asked for since the last frame.
#[derive(Clone, Copy, Default)]
struct Steering {
    follow: Follow,
    centre: bool,
}

impl LiveOutputs {
    /// Starts the thread. A receiver that is not there is no error: datagrams go out unheard until it comes.
    ///
    /// # Errors
    /// Where the system gives no socket or no thread.
    pub fn start(options: OutputOptions) -> io::Result<Self> {
        Self::start_with(options, Box::new(io::stdout()))
    }

    /// As [`start`](Self::start), with another standard output.
    fn start_with(options: OutputOptions, stdout: Box<dyn Write + Send>) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { status: Mutex::default(), steering: Mutex::default(), input: Mutex::new("".into()) });
        let sockets = Sockets::open(options)?;
        let (sender, work) = bounded(WAITING);
        let mut worker =
            Worker { sockets, stdout, offsets: Offsets::default(), last: None, shared: Arc::clone(&shared) };
        let thread = thread::Builder::new().name("outputs".into()).spawn(move || worker.run(&work))?;
        Ok(Self { sender: Some(sender), shared, thread: Some(thread) })
    }

    /// From the next frame on this goes out. What counts as straight ahead stays, and so do the figures. `false` where
    /// the thread is stuck with a reader of standard output: only other outputs in the place of these can help.
    ///
    /// # Errors
    /// Where the system gives no socket; everything stays as it was then.
    pub fn change(&self, options: OutputOptions) -> io::Result<bool> {
        let Some(sender) = &self.sender else { return Ok(false) };
        Ok(sender.try_send(Work::Sockets(Sockets::open(options)?)).is_ok())
    }

    /// Hands over one analysis; never waits.
    pub fn send(&self, analysis: &Arc<Analysis>) {
        let Some(sender) = &self.sender else { return };
        let work = Work::Analysis(Arc::clone(&lock(&self.shared.input)), Arc::clone(analysis));
        match sender.try_send(work) {
            Ok(()) => {}
            // The thread ends only when the outputs are dropped.
            Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => self.shared.change(|status| status.dropped += 1),
        }
    }

    /// From the next frame on this person's head goes to opentrack.
    pub fn follow(&self, follow: Follow) {
        lock(&self.shared.steering).follow = follow;
    }

    /// The head in the next frame counts as straight ahead.
    pub fn centre(&self) {
        lock(&self.shared.steering).centre = true;
    }

    /// How the outputs do.
    pub fn status(&self) -> OutputStatus {
        lock(&self.shared.status).clone()
    }
}

impl Tap for LiveOutputs {
    fn analysed(&self, analysis: &Arc<Analysis>) {
        self.send(analysis);
    }

    /// Identities start anew, so nobody in particular is followed any more. What counts as straight ahead stays.
    fn source_changed(&self) {
        self.follow(Follow::Largest);
        self.shared.change(|status| status.followed = None);
    }

    /// The `input` of the next lines.
    fn source_opened(&self, info: &SourceInfo) {
        *lock(&self.shared.input) = info.name.as_str().into();
    }
}

impl Drop for LiveOutputs {
    fn drop(&mut self) {
        self.sender = None;
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + CLOSING;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        // Where the reader of standard output takes nothing any more, the thread waits in a write: it is left to the end
        // of the program.
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("the thread outputs ended by a panic");
        }
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut OutputStatus)) {
        change(&mut lock(&self.status));
    }
}

/// Figures and wishes are whole at any moment, also where their last user panicked.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Datagrams to one address.
struct Datagrams {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Datagrams {
    fn to(address: SocketAddr) -> io::Result<Self> {
        let own: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(own)?;
        // A full buffer of the system is no reason to wait: the next datagram is newer anyway.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    fn send(&self, bytes: &[u8]) -> Result<(), String> {
        // Not connected, so that a port where nobody listens yet gives no error.
        self.socket.send_to(bytes, self.address).map(drop).map_err(|error| {
            format!("nothing can be sent to {}: {error}; check the address and the network", self.address)
        })
    }
}

/// Where JSON lines go.
enum Lines {
    Stdout,
    Datagrams(Datagrams),
}

impl Sockets {
    fn open(options: OutputOptions) -> io::Result<Self> {
        let jsonl = match options.jsonl {
            None => None,
            Some(JsonlTarget::Stdout) => Some(Lines::Stdout),
            Some(JsonlTarget::Udp(address)) => Some(Lines::Datagrams(Datagrams::to(address)?)),
        };
        Ok(Self { opentrack: options.opentrack.map(Datagrams::to).transpose()?, jsonl })
    }
}

struct Worker {
    sockets: Sockets,
    stdout: Box<dyn Write + Send>,
    offsets: Offsets,
    /// The person whose head went out last.
    last: Option<u64>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(&mut self, work: &Receiver<Work>) {
        for work in work {
            match work {
                Work::Analysis(input, analysis) => {
                    self.head(&analysis);
                    self.line(&input, &analysis);
                }
                Work::Sockets(sockets) => {
                    self.sockets = sockets;
                    // It was about the old ones; so is who is followed where opentrack went.
                    let followed = self.sockets.opentrack.as_ref().and(self.last);
                    self.shared.change(|status| (status.error, status.followed) = (None, followed));
                }
            }
        }
    }

    fn head(&mut self, analysis: &Analysis) {
        let Some(opentrack) = &self.sockets.opentrack else { return };
        let Steering { follow, centre } = *lock(&self.shared.steering);
        let last = self.last;
        let face = chosen(&analysis.faces, follow, last);
        self.shared.change(|status| status.followed = face.map(|face| face.id));
        let Some(face) = face else { return };
        self.last = Some(face.id);
        let size = (analysis.frame.width(), analysis.frame.height());
        let head = Head::new(face.rect, face.pose, size);
        if centre {
            lock(&self.shared.steering).centre = false;
            self.offsets.centre(head);
        }
        let sent = opentrack.send(&self.offsets.apply(head).datagram());
        self.report(sent, |status| status.heads += 1);
    }

    fn line(&mut self, input: &str, analysis: &Analysis) {
        let Some(lines) = &self.sockets.jsonl else { return };
        let row = FrameRow::new(input, analysis);
        let mut bytes = Vec::new();
        let written = write_jsonl(&mut bytes, &row).map_err(|error| error.to_string());
        let sent = written.and_then(|()| match lines {
            Lines::Datagrams(_) if bytes.len() > LARGEST_DATAGRAM => {
                Err(format!("{} faces are too many for one datagram; send JSONL to standard output", row.faces.len()))
            }
            Lines::Datagrams(datagrams) => datagrams.send(&bytes),
            Lines::Stdout => self
                .stdout
                .write_all(&bytes)
                .and_then(|()| self.stdout.flush())
                .map_err(|error| format!("standard output takes no more lines: {error}; start facelens again")),
        });
        if sent.is_err() && matches!(lines, Lines::Stdout) {
            // A closed pipe does not open again.
            self.sockets.jsonl = None;
        }
        self.report(sent, |status| status.lines += 1);
    }

    fn report(&self, sent: Result<(), String>, count: impl FnOnce(&mut OutputStatus)) {
        self.shared.change(|status| match sent {
            Ok(()) => {
                status.error = None;
                count(status);
            }
            Err(error) => {
                if status.error.as_ref() != Some(&error) {
                    tracing::warn!("{error}");
                }
                status.error = Some(error);
            }
        });
    }
}

/// The face whose head goes out.
fn chosen(faces: &[Face], follow: Follow, last: Option<u64>) -> Option<&Face> {
    match follow {
        Follow::Person(id) => faces.iter().find(|face| face.id == id),
        Follow::Largest => {
            let largest = faces.iter().max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()))?;
            let followed = faces.iter().find(|face| Some(face.id) == last);
            followed.filter(|face| face.rect.area() * LARGER >= largest.rect.area()).or(Some(largest))
        }
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;

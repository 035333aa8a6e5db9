//! Every analysis as a line of JSON, to standard output or by datagrams.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use facelens_session::{FrameRow, write_jsonl};

use super::datagrams::{Datagrams, LARGEST_DATAGRAM};
use super::lane::{Lane, Switch};
use super::options::JsonlTarget;
use super::status::SharedStatus;

/// Lines that may wait for a slow reader; where more come, the oldest are dropped and counted.
pub(super) const WAITING: usize = 64;

/// Makes a writer to standard output; another one in tests.
pub(super) type MakeStdout = fn() -> Box<dyn Write + Send>;

/// The way of the lines.
pub(super) struct LineLane {
    lane: Lane<FrameRow>,
    status: Arc<SharedStatus>,
}

impl LineLane {
    /// Starts the thread that writes to `target`.
    ///
    /// # Errors
    /// The system gives no socket or no thread.
    pub(super) fn start(target: JsonlTarget, stdout: MakeStdout, status: Arc<SharedStatus>) -> io::Result<Self> {
        let mut out = match target {
            JsonlTarget::Stdout => LinesOutput::Stdout(stdout()),
            JsonlTarget::Udp(address) => LinesOutput::Datagrams(Datagrams::to(address)?),
        };
        let of_thread = Arc::clone(&status);
        let lane = Lane::start("lines", WAITING, move |row, switch: &Switch| out.write(&row, switch, &of_thread))?;
        Ok(Self { lane, status })
    }

    /// Hands over a line.
    pub(super) fn offer(&self, row: FrameRow) {
        let lost = self.lane.offer(row);
        if lost > 0 {
            self.status.change(|status| status.dropped += lost);
        }
    }

    /// Ends it, at the latest at `deadline`; lines that are not taken by then count as dropped.
    pub(super) fn close(self, deadline: std::time::Instant) {
        let lost = self.lane.close(deadline);
        self.status.change(|status| status.dropped += lost);
    }
}

enum LinesOutput {
    Stdout(Box<dyn Write + Send>),
    Datagrams(Datagrams),
}

impl LinesOutput {
    fn write(&mut self, row: &FrameRow, switch: &Switch, status: &SharedStatus) -> ControlFlow<()> {
        let mut bytes = Vec::new();
        let sent =
            write_jsonl(&mut bytes, row).map_err(|error| error.to_string()).and_then(|()| self.send(&bytes, row));
        let failed = sent.is_err();
        status.change(|status| match sent {
            Ok(sent) => {
                status.lines += u64::from(sent);
                status.dropped += u64::from(!sent);
                status.line_error = None;
            }
            // Switched off meanwhile, it is nobody's any more.
            Err(error) => status.line_error = Some(error).filter(|_| switch.is_on()),
        });
        // A closed pipe does not open again.
        if failed && matches!(self, Self::Stdout(_)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// `false` where the system has no room for a datagram.
    fn send(&mut self, bytes: &[u8], row: &FrameRow) -> Result<bool, String> {
        match self {
            Self::Datagrams(_) if bytes.len() > LARGEST_DATAGRAM => {
                Err(format!("{} faces are too many for one datagram; send JSONL to standard output", row.faces.len()))
            }
            Self::Datagrams(datagrams) => datagrams.send(bytes),
            Self::Stdout(stdout) => match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
                Ok(()) => Ok(true),
                Err(error) => Err(format!("standard output accepts no more lines: {error}; start facelens again")),
            },
        }
    }
}

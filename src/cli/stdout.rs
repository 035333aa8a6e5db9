//! Standard output behind a thread of its own, so that a reader that takes nothing does not hold the program for ever.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// How often a writer that waits looks whether the program is to end.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the reader has for what it was given once the program is to end.
const PATIENCE: Duration = Duration::from_millis(500);
/// Bytes that are gathered before the thread gets them.
const CHUNK: usize = 64 * 1024;

/// A writer that waits for its reader as any pipe does, until the program is asked to end.
pub(super) struct PatientWriter {
    stop: &'static AtomicBool,
    gathered: Vec<u8>,
    chunks: Sender<Vec<u8>>,
    written: Receiver<io::Result<()>>,
    /// The reader was given up.
    given_up: bool,
}

impl PatientWriter {
    /// Standard output.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn stdout(stop: &'static AtomicBool) -> io::Result<Self> {
        Self::new(io::stdout(), stop)
    }

    fn new(mut out: impl Write + Send + 'static, stop: &'static AtomicBool) -> io::Result<Self> {
        let (chunks, given) = bounded::<Vec<u8>>(1);
        let (done, written) = bounded(1);
        // It is not joined: where the reader takes nothing it waits until the program ends.
        thread::Builder::new().name("stdout".into()).spawn(move || {
            for chunk in given {
                let result = out.write_all(&chunk).and_then(|()| out.flush());
                let failed = result.is_err();
                if done.send(result).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self { stop, gathered: Vec::new(), chunks, written, given_up: false })
    }
}

impl Write for PatientWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() >= CHUNK {
            self.flush()?;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Returns when the system has all of it.
    fn flush(&mut self) -> io::Result<()> {
        if self.given_up {
            return Err(takes_nothing());
        }
        if self.gathered.is_empty() {
            return Ok(());
        }
        // The thread takes one chunk at a time and ends with the first error, which was returned then.
        self.chunks.send(std::mem::take(&mut self.gathered)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        let mut asked_at = None;
        loop {
            match self.written.recv_timeout(LOOK_EVERY) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("its thread ended by a panic")),
                Err(RecvTimeoutError::Timeout) if !self.stop.load(Ordering::SeqCst) => {}
                Err(RecvTimeoutError::Timeout) => {
                    if asked_at.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                        self.given_up = true;
                        return Err(takes_nothing());
                    }
                }
            }
        }
    }
}

fn takes_nothing() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the reader has stopped reading; what it has not read is lost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Takes a chunk for each word that it is sent.
    struct Reader {
        go: mpsc::Receiver<()>,
        taken: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            self.taken.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writer(stop: &'static AtomicBool) -> (PatientWriter, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
        let ((go, wait), (taken, took)) = (mpsc::channel(), mpsc::channel());
        (PatientWriter::new(Reader { go: wait, taken }, stop).unwrap(), go, took)
    }

    #[test]
    fn what_is_flushed_was_taken_and_a_closed_pipe_is_told() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let (mut writer, go, took) = writer(&STOP);
        go.send(()).unwrap();
        writer.write_all(b"one").unwrap();
        writer.write_all(b"two").unwrap();
        assert!(took.try_recv().is_err(), "nothing goes out before a flush");
        writer.flush().unwrap();
        assert_eq!(took.try_recv().unwrap(), b"onetwo");
        writer.write_all(b"three").unwrap();
        drop(go);
        assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        writer.write_all(b"four").unwrap();
        assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_reader_that_takes_nothing_is_given_up_only_when_the_program_is_to_end() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let (mut writer, go, _took) = writer(&STOP);
        writer.write_all(b"one").unwrap();
        let late = thread::spawn(move || {
            thread::sleep(3 * LOOK_EVERY);
            go.send(()).unwrap();
            go
        });
        writer.flush().unwrap();
        let _go = late.join().unwrap();
        STOP.store(true, Ordering::SeqCst);
        writer.write_all(b"two").unwrap();
        assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::TimedOut);
        let at_once = Instant::now();
        assert!(writer.flush().is_err());
        assert!(at_once.elapsed() < PATIENCE);
    }
}

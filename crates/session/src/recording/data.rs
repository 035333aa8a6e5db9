//! The data of a session while it is recorded, which can be cut back to the frames that have a picture.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::create_private;

use super::super::csv::CsvWriter;
use super::super::file_error::WriteError;
use super::super::rows::FrameRow;

/// The file of the rows.
pub(super) struct DataFile {
    path: PathBuf,
    csv: CsvWriter<Counted>,
    /// Another handle of the file, for what the writer does not know: syncing and cutting.
    file: File,
    frames: u64,
    /// Where the rows of the last frames end, the newest last; before the first of them, the names of the columns do.
    ends: VecDeque<u64>,
}

impl DataFile {
    /// Makes the file with its first line.
    pub(super) fn create(path: &Path) -> Result<Self, WriteError> {
        let create = || {
            let file = create_private(path)?;
            let mut csv = CsvWriter::new(Counted { file: file.try_clone()?, bytes: 0 });
            csv.flush()?;
            let ends = VecDeque::from([csv.get_ref().bytes]);
            Ok(Self { path: path.to_owned(), csv, file, frames: 0, ends })
        };
        create().map_err(|error: io::Error| WriteError::io(path, &error))
    }

    /// Adds the rows of a frame and hands them to the system.
    ///
    /// # Errors
    /// Where the disk is full or gone; a part of the rows may be there until the file is [finished](Self::finish).
    pub(super) fn write(&mut self, row: &FrameRow) -> Result<(), WriteError> {
        self.csv.write(row).and_then(|()| self.csv.flush()).map_err(|error| WriteError::io(&self.path, &error))?;
        self.frames += 1;
        self.ends.push_back(self.csv.get_ref().bytes);
        Ok(())
    }

    /// Frames whose rows are written.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Never to be cut back to fewer than these frames.
    pub(super) fn settle(&mut self, frames: u64) {
        // One end for each of the last frames, and that of the one before them.
        let keep = usize::try_from(self.frames.saturating_sub(frames)).unwrap_or(usize::MAX).saturating_add(1);
        self.ends.drain(..self.ends.len().saturating_sub(keep));
    }

    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.csv.get_ref().bytes
    }

    /// Another handle of the file, to be synced on another thread.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Cuts the file to its first `frames` frames, which are not fewer than were [settled](Self::settle), and brings it to
    /// the disk.
    ///
    /// # Errors
    /// Where the disk is gone.
    pub(super) fn finish(self, frames: u64) -> Result<(), WriteError> {
        let Self { path, csv, file, frames: written, ends } = self;
        // It may still hold a part of a row, and writes that here at the latest.
        drop(csv);
        let back = usize::try_from(written.saturating_sub(frames)).unwrap_or(usize::MAX);
        let end = ends.len().checked_sub(back.saturating_add(1)).and_then(|index| ends.get(index));
        let finish = || match end {
            Some(&end) => file.set_len(end).and_then(|()| file.sync_all()),
            None => Err(io::Error::other("its rows were settled already")),
        };
        finish().map_err(|error| WriteError::io(&path, &error))
    }
}

/// A file that counts its bytes.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_csv;
    use crate::recording::testing::analysis;

    #[test]
    fn the_data_are_cut_back_to_whole_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces.csv");
        let ids: [&[u64]; 5] = [&[], &[1], &[1, 2], &[2], &[1, 2]];
        for (settled, kept) in [(0, 0), (0, 3), (3, 3), (2, 5), (5, 5)] {
            let mut data = DataFile::create(&path).unwrap();
            for (number, ids) in (0..).zip(ids) {
                data.write(&FrameRow::new("cam", &analysis(64, 48, number, ids))).unwrap();
            }
            data.settle(settled);
            data.settle(settled);
            // Half a row that was never finished.
            data.csv.write(&FrameRow::new("cam", &analysis(64, 48, 5, &[7]))).unwrap();
            data.finish(kept).unwrap();
            let rows: Vec<_> = read_csv(File::open(&path).unwrap()).map(|row| row.unwrap().frame).collect();
            assert_eq!(rows, (0..kept).collect::<Vec<_>>(), "{settled} {kept}");
        }
    }
}

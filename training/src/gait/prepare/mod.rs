//! Gait sets from what others hold: OULP-Age, folders of silhouettes, and recorded sessions in which the walkers' faces told an age.

mod images;
mod oulp_age;
mod sessions;
mod silhouettes;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use facelens_gait::Gei;

use super::set::{GaitSample, GaitSetWriter};
use crate::data::SetError;

pub use images::gei_of;
pub use oulp_age::{OulpPart, oulp_age};
pub use sessions::sessions;
pub use silhouettes::silhouettes;

/// So many of what is left out for one reason are named.
const NAMED: usize = 5;

/// A gait set cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum GaitPrepareError {
    /// The set cannot be written.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A list of labels or of strides cannot be read.
    #[error("{file}: {cause}")]
    Labels {
        /// The file.
        file: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Nothing can be used.
    #[error("nothing in {folder} makes a gait set: {counts}")]
    Nothing {
        /// The folder.
        folder: String,
        /// How many were left out, by reason.
        counts: String,
    },
}

/// What was written and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GaitReport {
    /// Samples of the set.
    pub written: usize,
    /// Walkers of the set.
    pub persons: usize,
    /// How many samples were left out, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// The first few of each reason, with what is wrong.
    pub named: Vec<String>,
}

impl GaitReport {
    fn counts(&self) -> String {
        let counts: Vec<_> = self.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        if counts.is_empty() { "it is empty".to_owned() } else { counts.join(", ") }
    }
}

impl fmt::Display for GaitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>8} images of {} walkers", self.written, self.persons)?;
        for (reason, count) in &self.left_out {
            writeln!(f, "{count:>8} left out: {reason}")?;
        }
        Ok(())
    }
}

/// A set on its way, and what is told of it.
struct Maker {
    writer: GaitSetWriter,
    report: GaitReport,
    persons: std::collections::BTreeSet<u32>,
}

impl Maker {
    fn create(output: &Path) -> Result<Self, GaitPrepareError> {
        let writer = GaitSetWriter::create(output)?;
        Ok(Self { writer, report: GaitReport::default(), persons: std::collections::BTreeSet::new() })
    }

    fn push(&mut self, sample: GaitSample, gei: &Gei) -> Result<(), GaitPrepareError> {
        self.persons.insert(sample.person);
        Ok(self.writer.push(sample, gei)?)
    }

    /// Leaves `name` out for this reason; `detail` may be empty.
    fn leave_out(&mut self, reason: &str, name: &str, detail: &str) {
        self.writer.leave_out(reason);
        let count = self.report.left_out.entry(reason.to_owned()).or_default();
        *count += 1;
        if *count <= NAMED {
            let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            self.report.named.push(format!("{name}: {reason}{detail}"));
        }
    }

    /// Puts the set in its place, where something is in it.
    fn finish(mut self, source: &Path) -> Result<GaitReport, GaitPrepareError> {
        (self.report.written, self.report.persons) = (self.writer.len(), self.persons.len());
        if self.writer.is_empty() {
            let (folder, counts) = (source.display().to_string(), self.report.counts());
            return Err(GaitPrepareError::Nothing { folder, counts });
        }
        self.writer.finish()?;
        Ok(self.report)
    }
}

/// The columns of a CSV by their names, in any order and case.
struct NamedColumns(Vec<String>);

impl NamedColumns {
    fn of(header: &csv::StringRecord) -> Self {
        let tidy = |name: &str| name.trim().trim_start_matches('\u{feff}').to_ascii_lowercase();
        Self(header.iter().map(tidy).collect())
    }

    /// The place of the first of these names that is there.
    fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.0.iter().position(|own| own == name))
    }
}

#[cfg(test)]
mod tests;

//! What the child does.

use std::io::{self, Write};
use std::path::Path;

use facelens_core::model::guard::catch;
use facelens_core::model::{ModelError, ModelErrorKind, Task, TaskModel};

use super::Limits;
use super::answer::{self, Verdict};
use crate::formats::run_on_faces;
use crate::opened::Opened;

/// Reads a model file, prepares and runs it, and writes to `output` what came of it, for the parent that asked. The limits
/// hold for the whole process from now on: this is for a process that does nothing else.
///
/// # Errors
/// Where the limits cannot be set or `output` cannot be written.
pub fn try_model(file: &Path, task: Option<Task>, limits: &Limits, output: &mut impl Write) -> io::Result<()> {
    limits.apply()?;
    let verdict = match catch(|| tried(file, task)) {
        Ok(Ok(opened)) => Verdict::Opened(Box::new(opened)),
        Ok(Err(error)) if is_refused_allocation(&error.cause) => Verdict::OutOfMemory,
        Ok(Err(error)) => Verdict::Refused(error),
        Err(panic) if is_refused_allocation(&panic) => Verdict::OutOfMemory,
        Err(panic) => {
            let cause = format!("it is broken beyond what its format allows ({panic})");
            Verdict::Refused(ModelError::new(
                ModelErrorKind::Corrupt,
                file,
                cause,
                "get the file again from its source",
            ))
        }
    };
    answer::write(&verdict, output)
}

fn tried(file: &Path, task: Option<Task>) -> Result<Opened, ModelError> {
    let opened = Opened::file(file, task)?;
    let files: Vec<_> = opened.graphs.iter().map(|(path, bytes)| (bytes.as_ref(), path.as_path())).collect();
    let model = TaskModel::prepare(opened.card.clone(), &files)?;
    for (net, (_, path)) in model.nets.iter().zip(&files) {
        run_on_faces(net, &model.card.input, path)?;
    }
    Ok(opened)
}

/// tract's words for an allocation that the system refused it.
fn is_refused_allocation(words: &str) -> bool {
    words.contains("failed to allocate Layout")
}

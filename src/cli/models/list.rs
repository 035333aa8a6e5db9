//! `facelens models list`.

use std::fmt::Write as _;

use facelens_core::model::{Accuracy, ModelCard, Task, one_or_several, task_words};
use facelens_import::{Entry, Library, Origin};
use serde::Serialize;

use crate::cli::output::print;

/// One model in the JSON document.
#[derive(Serialize)]
struct ListRow<'a> {
    name: &'a str,
    origin: &'static str,
    in_use: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<String>,
    #[serde(flatten)]
    known: Option<ListedModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct ListedModel<'a> {
    #[serde(rename = "task", serialize_with = "one_or_several::serialize")]
    tasks: &'a [Task],
    size_bytes: u64,
    licence: &'a str,
    source: &'a str,
    sha256: &'a [String],
    accuracy: &'a [Accuracy],
}

#[derive(Serialize)]
struct ListDocument<'a> {
    models: Vec<ListRow<'a>>,
}

pub(super) fn run(library: &Library, json: bool) -> anyhow::Result<()> {
    let entries = library.list();
    if json {
        let document = ListDocument { models: entries.iter().map(row).collect() };
        print(&format!("{}\n", serde_json::to_string(&document)?))
    } else {
        print(&table(&entries, library))
    }
}

fn row(entry: &Entry) -> ListRow<'_> {
    let (known, error) = match &entry.card {
        Ok((card, size_bytes)) => (Some(known(card, *size_bytes)), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let (origin, card) = match &entry.origin {
        Origin::Shipped => ("shipped", None),
        Origin::User(card) => ("user", Some(card.display().to_string())),
    };
    ListRow { name: &entry.name, origin, in_use: !entry.default_for.is_empty(), card, known, error }
}

fn known(card: &ModelCard, size_bytes: u64) -> ListedModel<'_> {
    ListedModel {
        tasks: &card.tasks,
        size_bytes,
        licence: &card.licence,
        source: &card.source,
        sha256: &card.sha256,
        accuracy: &card.accuracy,
    }
}

/// Where a model comes from, and whether it is the one that runs without `--model`.
fn from_words(entry: &Entry, card: &ModelCard) -> String {
    match &entry.origin {
        Origin::User(_) => "your library".to_owned(),
        Origin::Shipped if entry.default_for.is_empty() => "shipped".to_owned(),
        Origin::Shipped if entry.default_for == card.tasks => "shipped, in use".to_owned(),
        Origin::Shipped => format!("shipped, in use for {}", task_words(&entry.default_for)),
    }
}

/// The first known figure of each task.
fn accuracies(card: &ModelCard) -> String {
    let first = card.tasks.iter().filter_map(|task| card.accuracy_of(*task).next());
    let words: Vec<_> = first.map(accuracy_words).collect();
    if words.is_empty() { "not known".to_owned() } else { words.join("; ") }
}

fn table(entries: &[Entry], library: &Library) -> String {
    let header = ["NAME", "TASK", "SIZE", "LICENCE", "FROM", "ACCURACY"].map(str::to_owned);
    let mut rows = vec![header];
    let mut broken = Vec::new();
    for entry in entries {
        match &entry.card {
            Ok((card, size)) => rows.push([
                entry.name.clone(),
                card.task_words(),
                size_words(*size),
                card.licence.clone(),
                from_words(entry, card),
                accuracies(card),
            ]),
            Err(error) => broken.push(error),
        }
    }
    let mut text = String::new();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..6).map(width).collect();
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    for error in broken {
        let _ = writeln!(text, "cannot be used: {error}");
    }
    if let Some(folder) = library.folder() {
        let _ = writeln!(text, "Your library: {}", folder.display());
    }
    text
}

/// `13.9 MAE in years (3,000 UTKFace faces)`.
pub(super) fn accuracy_words(accuracy: &Accuracy) -> String {
    format!("{} {} ({})", accuracy.value, accuracy.measure, accuracy.data)
}

/// `168 KiB`.
pub(super) fn size_words(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

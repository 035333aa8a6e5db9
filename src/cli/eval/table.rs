//! The figures of `eval` as a table for people.

use std::fmt::Write as _;

use super::metrics::{AgeMetrics, EvalMetrics, EvalReport, RunningMean};

/// One column: its title and its cell for a group.
type TableColumn = (&'static str, fn(&EvalMetrics) -> Option<String>);

/// The table, each mean with its 95 % interval.
pub(super) fn table(report: &EvalReport) -> String {
    let columns = columns(&report.all);
    let mut lines = vec![row("", columns.iter().map(|(title, _)| (*title).to_owned()))];
    let mut push = |name: &str, figures: &EvalMetrics| {
        lines.push(row(name, columns.iter().map(|(_, cell)| cell(figures).unwrap_or_else(|| "-".to_owned()))));
    };
    push("all", &report.all);
    for group in &report.groups.age {
        push(&format!("age {}", group.group), &group.figures);
    }
    for group in &report.groups.gender {
        push(&group.group, &group.figures);
    }
    // By the labelled age it shows what the models do, by the estimated age what may be relied on.
    if report.all.age.as_ref().is_some_and(|age| age.range().is_some()) {
        for group in &report.groups.estimated_age {
            push(&format!("estimated {}", group.group), &group.figures);
        }
    }
    for group in &report.groups.yaw {
        push(&format!("yaw {}", group.group), &group.figures);
    }
    let mut text = align(&lines);
    let _ = writeln!(
        text,
        "\n{} images, a face found in {:.1} %; {} missing, {} unreadable. In brackets: 95 % intervals.",
        report.all.n,
        report.all.detected * 100.0,
        report.missing,
        report.unreadable
    );
    if let Some(slope) = report.all.pose.as_ref().and_then(|pose| pose.slope) {
        let _ = writeln!(
            text,
            "Slopes of the angles, for heads turned by less than 40 degrees: yaw {:.2}, pitch {:.2}, roll {:.2}.",
            slope.yaw, slope.pitch, slope.roll
        );
    }
    text
}

fn columns(all: &EvalMetrics) -> Vec<TableColumn> {
    let mut columns: Vec<TableColumn> =
        vec![("images", |f| Some(f.n.to_string())), ("detected", |f| Some(format!("{:.1} %", f.detected * 100.0)))];
    match &all.age {
        Some(AgeMetrics::Exact { .. }) => columns.push(("age MAE, years", |f| match f.age.as_ref()? {
            AgeMetrics::Exact { mae, .. } => Some(in_units(mae)),
            AgeMetrics::Binned { .. } => None,
        })),
        Some(AgeMetrics::Binned { .. }) => {
            columns.push(("age in bin", |f| match f.age.as_ref()? {
                AgeMetrics::Binned { within_bin, .. } => Some(in_percent(within_bin)),
                AgeMetrics::Exact { .. } => None,
            }));
            columns.push(("age MAE to bin, years", |f| match f.age.as_ref()? {
                AgeMetrics::Binned { mae_to_bin, .. } => Some(in_units(mae_to_bin)),
                AgeMetrics::Exact { .. } => None,
            }));
        }
        None => {}
    }
    if all.age.as_ref().is_some_and(|age| age.range().is_some()) {
        columns.push(("in range", |f| Some(in_percent(&f.age.as_ref()?.range()?.coverage))));
        columns.push(("width, years", |f| Some(format!("{:.1}", f.age.as_ref()?.range()?.width.value))));
    }
    if all.gender.is_some() {
        columns.push(("gender accuracy", |f| Some(in_percent(&f.gender.as_ref()?.accuracy))));
    }
    if all.gender.as_ref().is_some_and(|gender| gender.chances.is_some()) {
        columns.push(("calibration error", |f| Some(format!("{:.3}", f.gender.as_ref()?.chances.as_ref()?.ece))));
        columns.push(("Brier", |f| Some(format!("{:.3}", f.gender.as_ref()?.chances.as_ref()?.brier))));
    }
    if all.pose.is_some() {
        columns.push(("rotation, degrees", |f| Some(in_units(&f.pose.as_ref()?.geodesic))));
        columns.push(("pose MAE, degrees", |f| Some(in_units(&f.pose.as_ref()?.mae))));
        columns.push(("yaw", |f| Some(in_units(&f.pose.as_ref()?.yaw))));
        columns.push(("pitch", |f| Some(in_units(&f.pose.as_ref()?.pitch))));
        columns.push(("roll", |f| Some(in_units(&f.pose.as_ref()?.roll))));
        columns.push(("geodesic", |f| Some(in_units(&f.pose.as_ref()?.geodesic))));
    }
    if all.steadiness.is_some() {
        columns.push(("age scatter, years", |f| Some(in_units(f.steadiness?.age_sd.as_ref()?))));
        columns.push(("labels changed", |f| Some(in_percent(f.steadiness?.labels_changed.as_ref()?))));
        columns.push(("pose scatter, degrees", |f| Some(in_units(f.steadiness?.pose_spread.as_ref()?))));
    }
    columns
}

fn in_units(mean: &RunningMean) -> String {
    let (low, high) = mean.interval;
    format!("{:.2} ({low:.2} to {high:.2})", mean.value)
}

fn in_percent(mean: &RunningMean) -> String {
    let (low, high) = mean.interval;
    format!("{:.1} % ({:.1} to {:.1})", mean.value * 100.0, low * 100.0, high * 100.0)
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(cells).collect()
}

/// Lines of equally many cells, the first column to the left, the others to the right.
pub(in crate::cli) fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<_> =
        (0..columns).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let mut out = format!("{:<width$}", line[0], width = widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            let _ = write!(out, "  {cell:>width$}");
        }
        text.push_str(out.trim_end());
        text.push('\n');
    }
    text
}

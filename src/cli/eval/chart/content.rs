//! What the chart of `eval` shows: the errors by group, a panel for each question.

use facelens_session::overlay::Color;

use super::super::metrics::{
    AgeGroup, AgeMetrics, EvalMetrics, EvalSample, RunningMean, age_error, age_group, age_groups, is_right_gender,
};
use crate::cli::chart::{BLUE, GREEN, GREY, PURPLE, VERMILION};

/// Width of a group of yaw angles, degrees.
const YAW_STEP: f32 = 15.0;
/// No head turns further; what a label says beyond counts as this.
const LARGEST_YAW: f32 = 180.0;

/// One diagram: values by category, with their 95 % intervals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    pub title: String,
    /// What the values are, with their unit.
    pub measure: String,
    /// What the categories are.
    pub by: String,
    pub categories: Vec<Category>,
    pub series: Vec<ChartSeries>,
    pub marks: Marks,
    /// Values are shares, shown from 0 to 100 %.
    pub percent: bool,
    /// The value over everything.
    pub overall: Option<f64>,
}

/// One place on the category axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Category {
    pub name: String,
    /// Faces.
    pub n: usize,
}

/// The values of a colour, one for each category.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChartSeries {
    /// Named where there are several.
    pub name: &'static str,
    /// One for all values, or one for each.
    pub colors: Vec<Color>,
    pub values: Vec<Option<RunningMean>>,
}

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    Bars,
    /// Joined by a line: categories in a row.
    Dots,
}

/// The panels for what was measured, a row for each task.
pub(super) fn rows(samples: &[EvalSample], all: &EvalMetrics) -> Vec<Vec<Panel>> {
    let mut rows = Vec::new();
    if let Some(age) = &all.age {
        rows.push(age_panels(samples, age));
    }
    if let Some(gender) = &all.gender {
        rows.push(gender_panels(samples, gender.accuracy));
    }
    if let Some(pose) = &all.pose {
        let all = [pose.yaw, pose.pitch, pose.roll, pose.mae];
        rows.push(pose_panels(samples, all, pose.n));
    }
    // Without age labels there is no gender by age.
    rows.into_iter().map(|row| row.into_iter().filter(|panel| !panel.categories.is_empty()).collect()).collect()
}

/// Estimate less truth of each face in an age group, years; of all where there is no group.
fn age_errors(samples: &[EvalSample], group: Option<AgeGroup>) -> Vec<f64> {
    let of_group = samples.iter().filter(|sample| group.is_none() || age_group(sample.label) == group);
    of_group.filter_map(|sample| Some(age_error(sample.label.age?, sample.estimate.as_ref()?.age?.years))).collect()
}

fn age_panels(samples: &[EvalSample], all: &AgeMetrics) -> [Panel; 2] {
    let groups = age_groups(samples);
    let errors: Vec<Vec<f64>> = groups.iter().map(|group| age_errors(samples, Some(*group))).collect();
    let absolute = |errors: &Vec<f64>| RunningMean::of(&errors.iter().map(|error| error.abs()).collect::<Vec<_>>());
    let categories: Vec<_> = groups
        .iter()
        .zip(&errors)
        .map(|(group, errors)| Category { name: age_name(*group), n: errors.len() })
        .collect();
    let (overall, measure, bias) = match all {
        AgeMetrics::Exact { mae, .. } => {
            (mae, "mean absolute error, years", "mean of estimate less labelled age, years")
        }
        AgeMetrics::Binned { mae_to_bin, .. } => {
            (mae_to_bin, "mean distance to the labelled bin, years", "mean distance above or below the bin, years")
        }
    };
    let panel = |title: &str, measure: &str, color, values, overall| Panel {
        title: title.to_owned(),
        measure: measure.to_owned(),
        by: "labelled age, completed years".to_owned(),
        categories: categories.clone(),
        series: vec![ChartSeries { name: "", colors: vec![color], values }],
        marks: Marks::Bars,
        percent: false,
        overall,
    };
    let mean_error = RunningMean::of(&age_errors(samples, None)).map(|mean| mean.value);
    [
        panel("Age: how far off", measure, BLUE, errors.iter().map(absolute).collect(), Some(overall.value)),
        panel(
            "Age: too old or too young",
            bias,
            PURPLE,
            errors.iter().map(|errors| RunningMean::of(errors)).collect(),
            mean_error,
        ),
    ]
}

/// `19–28`, `70+`.
fn age_name(group: AgeGroup) -> String {
    match group {
        (min, Some(max)) if min == max => min.to_string(),
        (min, Some(max)) => format!("{min}–{max}"),
        (min, None) => format!("{min}+"),
    }
}

fn gender_panels(samples: &[EvalSample], overall: RunningMean) -> [Panel; 2] {
    let right = |male: Option<bool>, group: Option<AgeGroup>| -> Vec<bool> {
        let of = samples.iter().filter(|sample| group.is_none() || age_group(sample.label) == group);
        of.filter_map(|sample| {
            let truth = sample.label.male.filter(|truth| male.is_none_or(|male| male == *truth))?;
            Some(is_right_gender(truth, sample.estimate.as_ref()?.gender?.male()))
        })
        .collect()
    };
    let groups = age_groups(samples);
    let count = |male, group| Category { name: String::new(), n: right(male, group).len() };
    let by_age = Panel {
        title: "Gender by age".to_owned(),
        measure: "share of right answers".to_owned(),
        by: "labelled age, completed years".to_owned(),
        categories: groups
            .iter()
            .map(|group| Category { name: age_name(*group), ..count(None, Some(*group)) })
            .collect(),
        series: [("female", VERMILION, false), ("male", BLUE, true)]
            .into_iter()
            .map(|(name, color, male)| ChartSeries {
                name,
                colors: vec![color],
                values: groups.iter().map(|group| RunningMean::share(&right(Some(male), Some(*group)))).collect(),
            })
            .collect(),
        marks: Marks::Bars,
        percent: true,
        overall: Some(overall.value),
    };
    let sides = [("female", Some(false)), ("male", Some(true)), ("all", None)];
    let by_gender = Panel {
        title: "Gender by label".to_owned(),
        by: "labelled gender".to_owned(),
        categories: sides
            .iter()
            .map(|(name, male)| Category { name: (*name).to_owned(), ..count(*male, None) })
            .collect(),
        series: vec![ChartSeries {
            name: "",
            colors: vec![VERMILION, BLUE, GREY],
            values: sides.iter().map(|(_, male)| RunningMean::share(&right(*male, None))).collect(),
        }],
        overall: None,
        ..by_age.clone()
    };
    [by_age, by_gender]
}

fn pose_panels(samples: &[EvalSample], all: [RunningMean; 4], n: usize) -> [Panel; 2] {
    // Which group of yaw, and the errors of the three angles.
    let errors: Vec<(i32, [f64; 3])> = samples
        .iter()
        .filter_map(|sample| {
            let (truth, pose) = (sample.label.pose?, sample.estimate.as_ref()?.pose?);
            let group = (truth.yaw.clamp(-LARGEST_YAW, LARGEST_YAW) / YAW_STEP).round() as i32;
            Some((group, pose.differences(truth).map(f64::from)))
        })
        .collect();
    let first = errors.iter().map(|(group, _)| *group).min().unwrap_or(0);
    let last = errors.iter().map(|(group, _)| *group).max().unwrap_or(0);
    let of = |group: i32| errors.iter().filter(move |(of, _)| *of == group).map(|(_, error)| error);
    let angles = [("yaw", BLUE), ("pitch", VERMILION), ("roll", GREEN)];
    let by_yaw = Panel {
        title: "Head pose by yaw".to_owned(),
        measure: "mean absolute error, degrees".to_owned(),
        by: format!("labelled yaw ± {} degrees", YAW_STEP / 2.0),
        categories: (first..=last)
            .map(|group| Category { name: degrees(group as f32 * YAW_STEP), n: of(group).count() })
            .collect(),
        series: angles
            .iter()
            .enumerate()
            .map(|(angle, (name, color))| ChartSeries {
                name,
                colors: vec![*color],
                values: (first..=last)
                    .map(|group| RunningMean::of(&of(group).map(|error| error[angle]).collect::<Vec<_>>()))
                    .collect(),
            })
            .collect(),
        marks: Marks::Dots,
        percent: false,
        overall: Some(all[3].value),
    };
    let names = ["yaw", "pitch", "roll", "mean of three"];
    let by_angle = Panel {
        title: "Head pose by angle".to_owned(),
        by: "angle".to_owned(),
        categories: names.map(|name| Category { name: name.to_owned(), n }).into(),
        series: vec![ChartSeries {
            name: "",
            colors: vec![BLUE, VERMILION, GREEN, GREY],
            values: all.map(Some).into(),
        }],
        marks: Marks::Bars,
        overall: None,
        ..by_yaw.clone()
    };
    [by_yaw, by_angle]
}

/// `−15°`, with a real minus.
fn degrees(angle: f32) -> String {
    if angle < 0.0 { format!("−{}°", -angle) } else { format!("{angle}°") }
}

//! What stands in a cell.

/// How programs write that nothing is known: R, pandas, Excel, databases.
const UNKNOWN: [&str; 10] = ["", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-"];

/// Whether a cell says that nothing is known.
pub fn is_unknown(text: &str) -> bool {
    UNKNOWN.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A number, with a decimal point or comma.
pub fn number(text: &str) -> Option<f64> {
    let decimal = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    match text.split_once(',') {
        Some((whole, part)) if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) => {
            decimal(&format!("{whole}.{part}"))
        }
        Some(_) => None,
        None => decimal(text),
    }
}

/// A whole number of years, which pandas writes as `30.0` where some are missing.
pub fn whole_years(text: &str) -> Option<u16> {
    number(text)
        .filter(|years| years.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(years))
        .map(|years| years as u16)
}

/// An age as a text gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AgeCell {
    /// Years.
    Years(f64),
    /// Completed years, both included; without the last the bin is open.
    Bin(u16, Option<u16>),
}

/// An age in one cell: years (`27`, `27,5`), a bin of completed years (`20-29`), an open one (`70+`, `more than 70`).
/// `None` for any other text.
pub fn age_text(text: &str) -> Option<AgeCell> {
    let open = text.strip_prefix("more than").or_else(|| text.strip_prefix('>')).or_else(|| text.strip_suffix('+'));
    if let Some(min) = open {
        return whole_years(min.trim()).map(|min| AgeCell::Bin(min, None));
    }
    if let Some((min, max)) = text.split_once(['-', '–']).filter(|(min, _)| !min.trim().is_empty()) {
        return whole_years(min.trim()).zip(whole_years(max.trim())).map(|(min, max)| AgeCell::Bin(min, Some(max)));
    }
    number(text).map(AgeCell::Years)
}

/// Whether a word means male; `None` for a cell that says nothing.
///
/// # Errors
/// A text that says neither, in words.
pub fn gender(text: &str) -> Result<Option<bool>, String> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_unknown(text) {
        return Ok(None);
    }
    if is_one_of(&["male", "m", "man", "boy"]) {
        return Ok(Some(true));
    }
    if is_one_of(&["female", "f", "woman", "girl", "w"]) {
        return Ok(Some(false));
    }
    if number(text).is_some() {
        return Err(format!(
            "the gender `{text}` is a number, and sets of labels do not agree on which is which; write `female` and `male`, \
             or call the column `male` or `female` where 1 means that"
        ));
    }
    Err(format!("the gender `{text}` is neither `female` nor `male`"))
}

/// A yes or no; `None` for a cell that says nothing.
///
/// # Errors
/// A text that says neither, in words.
pub fn flag(text: &str) -> Result<Option<bool>, String> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match number(text) {
        _ if is_unknown(text) => Ok(None),
        Some(1.0) => Ok(Some(true)),
        // CelebA's no.
        Some(0.0 | -1.0) => Ok(Some(false)),
        _ if is_one_of(&["true", "yes", "t", "y"]) => Ok(Some(true)),
        _ if is_one_of(&["false", "no", "f", "n"]) => Ok(Some(false)),
        _ => Err(format!("`{text}` is neither 1 nor 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_point_or_a_comma() {
        let numbers = ["30", "30.0", "30,5", "-1.5e1", "1.000,5", "30,", ",", "old", "inf", ""].map(number);
        assert_eq!(numbers, [Some(30.0), Some(30.0), Some(30.5), Some(-15.0), None, None, None, None, None, None]);
        assert_eq!(["30.0", "30", "30.5", "-1"].map(whole_years), [Some(30), Some(30), None, None]);
    }

    #[test]
    fn ages_are_years_or_bins() {
        let ages = ["27", "27,5", "20-29", "20 – 29", "70+", "more than 70", ">70", "-3", "old", "20-"].map(age_text);
        let bin = |min, max| Some(AgeCell::Bin(min, max));
        assert_eq!(
            ages,
            [
                Some(AgeCell::Years(27.0)),
                Some(AgeCell::Years(27.5)),
                bin(20, Some(29)),
                bin(20, Some(29)),
                bin(70, None),
                bin(70, None),
                bin(70, None),
                Some(AgeCell::Years(-3.0)),
                None,
                None
            ]
        );
    }

    #[test]
    fn words_for_gender_and_for_nothing() {
        for text in ["NA", "nan", "", "NULL", "None", "#N/A"] {
            assert_eq!(gender(text), Ok(None), "{text}");
        }
        assert_eq!(["Man", "m", "MALE", "boy"].map(gender), [const { Ok(Some(true)) }; 4]);
        assert_eq!(["Woman", "f", "w", "girl"].map(gender), [const { Ok(Some(false)) }; 4]);
        assert!(gender("0").unwrap_err().contains("number") && gender("other").is_err());
        assert_eq!(
            (flag("1.0"), flag("-1"), flag("TRUE"), flag("n")),
            (Ok(Some(true)), Ok(Some(false)), Ok(Some(true)), Ok(Some(false)))
        );
        assert!(flag("2").is_err());
    }
}

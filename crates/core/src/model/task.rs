//! What models estimate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a model estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Apparent age in years.
    Age,
    /// Apparent gender as a male score.
    Gender,
    /// Head pose in degrees.
    Pose,
}

impl Task {
    /// All tasks in the order of the command line and the window.
    pub const ALL: [Self; 3] = [Self::Age, Self::Gender, Self::Pose];

    /// `age`, `gender` or `pose`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Gender => "gender",
            Self::Pose => "pose",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|task| task.name() == text).ok_or_else(|| match text {
            // A card of its own (`gait::GaitCard`): nothing of a face goes in.
            "gait" => "a model for `gait` sees no faces; give it to `facelens gait --model`".to_owned(),
            _ => format!("there is no task `{text}`; the tasks are age, gender and pose"),
        })
    }
}

/// Tasks as words: `age`, `age and gender`.
pub fn task_words(tasks: &[Task]) -> String {
    match tasks {
        [] => "nothing".to_owned(),
        [only] => only.to_string(),
        [others @ .., last] => {
            format!("{} and {last}", others.iter().map(|task| task.name()).collect::<Vec<_>>().join(", "))
        }
    }
}

/// How tasks are written: one by its name, several as a list of names.
pub mod one_or_several {
    use std::fmt;

    use serde::de::{Deserializer, Error, SeqAccess, Visitor};
    use serde::{Serialize as _, Serializer};

    use super::Task;

    /// One task as its name, several as a list.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(tasks: &[Task], serializer: S) -> Result<S::Ok, S::Error> {
        match tasks {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    /// A task's name, or a list of names.
    ///
    /// # Errors
    /// Where one is no task.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Task>, D::Error> {
        deserializer.deserialize_any(Tasks)
    }

    struct Tasks;

    // Written out, because of the errors: an untagged enum would only say that no variant fits.
    impl<'de> Visitor<'de> for Tasks {
        type Value = Vec<Task>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a task (age, gender or pose) or a list of tasks")
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
            Ok(vec![name.parse().map_err(E::custom)?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Self::Value, A::Error> {
            let mut tasks = Vec::new();
            while let Some(task) = names.next_element()? {
                tasks.push(task);
            }
            Ok(tasks)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_said_in_words() {
        assert_eq!(task_words(&[Task::Age]), "age");
        assert_eq!(task_words(&[Task::Age, Task::Gender]), "age and gender");
        assert_eq!(task_words(&Task::ALL), "age, gender and pose");
    }

    #[test]
    fn a_task_is_read_and_written_by_its_name_and_several_as_a_list() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Card {
            #[serde(rename = "task", with = "one_or_several")]
            tasks: Vec<Task>,
        }
        for (text, tasks) in
            [("task = \"pose\"\n", vec![Task::Pose]), ("task = [\"age\", \"gender\"]\n", vec![Task::Age, Task::Gender])]
        {
            let card: Card = toml::from_str(text).unwrap();
            assert_eq!(card, Card { tasks });
            assert_eq!(toml::to_string(&card).unwrap(), text);
        }
        for (text, words) in [
            ("task = \"mood\"", "no task `mood`"),
            ("task = [\"age\", \"mood\"]", "mood"),
            ("task = 3", "a task (age, gender or pose) or a list"),
        ] {
            let error = toml::from_str::<Card>(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

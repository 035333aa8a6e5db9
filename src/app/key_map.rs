//! Which keys do what: those of the actions, but for those that the user changed.

use std::collections::BTreeMap;

use eframe::egui::{Event, Key, KeyboardShortcut, Modifiers};

use super::action::{Action, keys_text};

/// The keys of all actions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeyMap {
    /// An action's own key instead of its usual ones.
    own: Vec<(Action, KeyboardShortcut)>,
}

/// What became of a key that the user pressed to give it to an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyChoice {
    /// The action has it now.
    Taken,
    /// It belongs to this action.
    Belongs(Action),
    /// Dialogs, fields and the size of the text need it.
    Reserved,
}

impl KeyMap {
    /// The keys as the settings have them: names of actions and of keys. What they do not name has its usual keys; what
    /// cannot be read is left out, and named in the second part.
    pub fn of(settings: &BTreeMap<String, String>) -> (Self, Vec<String>) {
        let (mut map, mut warnings) = (Self::default(), Vec::new());
        for (name, keys) in settings {
            let action = Action::ALL.into_iter().find(|action| action.name() == *name);
            match (action, parse(keys).filter(|keys| !is_reserved(keys))) {
                (None, _) => warnings.push(format!("`keys`: there is no action `{name}`")),
                (_, None) => warnings.push(format!("`keys`: `{keys}` cannot be used; {name} has its usual ones")),
                (Some(action), Some(keys)) => map.own.push((action, keys)),
            }
        }
        // All of them first: two actions may have changed their keys with each other.
        while let Some(place) = map.own.iter().position(|(action, keys)| map.owner(keys, *action).is_some()) {
            let (action, keys) = map.own.remove(place);
            let (keys, name) = (keys_text(&keys), action.name());
            warnings.push(format!("`keys`: `{keys}` is not free for {name}, which has its usual ones"));
        }
        (map, warnings)
    }

    /// As the settings have them.
    pub fn settings(&self) -> BTreeMap<String, String> {
        self.own.iter().map(|(action, keys)| (action.name(), stored(keys))).collect()
    }

    /// The keys of an action; the first is the one that menus show.
    pub fn of_action(&self, action: Action) -> Vec<KeyboardShortcut> {
        match self.own.iter().find(|(own, _)| *own == action) {
            Some((_, keys)) => vec![*keys],
            None => action.keys().to_vec(),
        }
    }

    /// Whether the user gave this action a key of its own.
    pub fn is_own(&self, action: Action) -> bool {
        self.own.iter().any(|(own, _)| *own == action)
    }

    /// The action of a pressed key. A `?` and a `+` are typed with Shift on many keyboards, so Shift does not matter for
    /// them.
    pub fn action(&self, pressed: Key, modifiers: Modifiers) -> Option<Action> {
        let shifted = matches!(pressed, Key::Questionmark | Key::Plus);
        let modifiers = if shifted { Modifiers { shift: false, ..modifiers } } else { modifiers };
        let fits = |keys: &KeyboardShortcut| keys.logical_key == pressed && modifiers.matches_exact(keys.modifiers);
        Action::ALL.into_iter().find(|action| self.of_action(*action).iter().any(fits))
    }

    /// All keys of an action in words, e.g. `F or F11`.
    pub fn text(&self, action: Action) -> String {
        let names: Vec<String> = self.of_action(action).iter().map(keys_text).collect();
        names.join(" or ")
    }

    /// The key that menus show.
    pub fn first(&self, action: Action) -> String {
        self.of_action(action).first().map(keys_text).unwrap_or_default()
    }

    /// Gives an action this key instead of all that it has, where it is free.
    pub fn choose(&mut self, action: Action, keys: KeyboardShortcut) -> KeyChoice {
        if is_reserved(&keys) {
            return KeyChoice::Reserved;
        }
        if let Some(other) = self.owner(&keys, action) {
            return KeyChoice::Belongs(other);
        }
        self.own.retain(|(own, _)| *own != action);
        self.own.push((action, keys));
        KeyChoice::Taken
    }

    /// Another action than this one that has this key.
    fn owner(&self, keys: &KeyboardShortcut, but: Action) -> Option<Action> {
        Action::ALL.into_iter().find(|other| *other != but && self.of_action(*other).contains(keys))
    }

    /// Gives an action its usual keys again, but for those that belong to another one now; `Some` names the first of them.
    pub fn reset(&mut self, action: Action) -> Option<Action> {
        let others = |keys: &KeyboardShortcut| self.own.iter().find(|(own, owned)| *own != action && owned == keys);
        if let Some((other, _)) = action.keys().iter().find_map(others) {
            return Some(*other);
        }
        self.own.retain(|(own, _)| *own != action);
        None
    }
}

/// The key of an event that a user pressed to give it to an action; `None` for other events.
pub(crate) fn pressed(event: &Event) -> Option<KeyboardShortcut> {
    match event {
        Event::Key { key, pressed: true, repeat: false, modifiers, .. } => {
            let Modifiers { alt, shift, command, .. } = *modifiers;
            Some(KeyboardShortcut::new(Modifiers { alt, shift, command, ..Modifiers::NONE }, *key))
        }
        _ => None,
    }
}

/// Keys that something else needs: leaving a dialog, going from field to field, copying, the size of the text.
fn is_reserved(keys: &KeyboardShortcut) -> bool {
    let command = keys.modifiers.command;
    match keys.logical_key {
        Key::Escape | Key::Tab | Key::Enter => true,
        Key::Plus | Key::Equals | Key::Minus | Key::Num0 | Key::A | Key::C | Key::V | Key::X | Key::Z => command,
        _ => false,
    }
}

/// A key as the settings have it, e.g. `Ctrl+Shift+E`.
fn stored(keys: &KeyboardShortcut) -> String {
    let Modifiers { alt, shift, command, .. } = keys.modifiers;
    let parts = [("Ctrl", command), ("Alt", alt), ("Shift", shift)].into_iter().filter(|(_, held)| *held);
    let names: Vec<&str> = parts.map(|(name, _)| name).chain([keys.logical_key.name()]).collect();
    names.join("+")
}

fn parse(text: &str) -> Option<KeyboardShortcut> {
    let mut parts: Vec<&str> = text.split('+').map(str::trim).collect();
    let key = Key::from_name(parts.pop()?)?;
    let mut modifiers = Modifiers::NONE;
    for part in parts {
        match part {
            "Ctrl" | "Cmd" => modifiers.command = true,
            "Alt" => modifiers.alt = true,
            "Shift" => modifiers.shift = true,
            _ => return None,
        }
    }
    Some(KeyboardShortcut::new(modifiers, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> KeyboardShortcut {
        parse(text).unwrap()
    }

    #[test]
    fn an_own_key_takes_the_place_of_the_usual_ones() {
        let mut map = KeyMap::default();
        assert_eq!(map.choose(Action::Record, keys("Ctrl+R")), KeyChoice::Taken);
        assert_eq!(map.action(Key::R, Modifiers::COMMAND), Some(Action::Record));
        assert_eq!(map.action(Key::E, Modifiers::NONE), None, "its usual key is free now");
        assert_eq!(map.action(Key::R, Modifiers::NONE), Some(Action::Restart));
        assert_eq!(map.choose(Action::Snapshot, keys("E")), KeyChoice::Taken);
        assert_eq!((map.first(Action::Record).as_str(), map.is_own(Action::Record)), ("Ctrl+R", true));
        assert_eq!(map.reset(Action::Record), Some(Action::Snapshot), "somebody else has it by now");
        assert_eq!(map.reset(Action::Snapshot), None);
        assert_eq!(map.reset(Action::Record), None);
        assert_eq!(map, KeyMap::default());
    }

    #[test]
    fn a_key_that_is_not_free_is_not_taken() {
        let mut map = KeyMap::default();
        assert_eq!(map.choose(Action::Record, keys("R")), KeyChoice::Belongs(Action::Restart));
        for reserved in ["Escape", "Tab", "Ctrl+Plus", "Ctrl+C"] {
            assert_eq!(map.choose(Action::Record, keys(reserved)), KeyChoice::Reserved, "{reserved}");
        }
        assert_eq!(map, KeyMap::default());
        assert_eq!(map.choose(Action::Record, keys("E")), KeyChoice::Taken, "its own one");
    }

    #[test]
    fn what_is_chosen_is_written_and_read_back() {
        let mut map = KeyMap::default();
        for (action, text) in
            [(Action::Record, "Ctrl+Shift+R"), (Action::Mirror, "F5"), (Action::Centre, "Alt+ArrowUp")]
        {
            assert_eq!(map.choose(action, keys(text)), KeyChoice::Taken);
        }
        let settings = map.settings();
        assert_eq!(settings["record"], "Ctrl+Shift+R");
        let (read, warnings) = KeyMap::of(&settings);
        assert!(warnings.is_empty(), "{warnings:?}");
        assert!(Action::ALL.into_iter().all(|action| read.of_action(action) == map.of_action(action)));
    }

    #[test]
    fn what_cannot_be_read_is_named_and_costs_only_itself() {
        let wrong = [("fly", "F5"), ("record", "Hyper+R"), ("mirror", "R"), ("boxes", "F6")];
        let (map, warnings) = KeyMap::of(&wrong.map(|(name, keys)| (name.to_owned(), keys.to_owned())).into());
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(map.first(Action::Boxes), "F6");
        assert_eq!(map.first(Action::Mirror), "M");
        let swapped = [("mirror", "R"), ("restart", "M")];
        let (map, warnings) = KeyMap::of(&swapped.map(|(name, keys)| (name.to_owned(), keys.to_owned())).into());
        assert_eq!((map.action(Key::R, Modifiers::NONE), warnings), (Some(Action::Mirror), vec![]));
    }
}

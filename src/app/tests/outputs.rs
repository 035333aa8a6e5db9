//! Live outputs in the window: keys, the dialog, the mark, whom opentrack follows.

use std::net::SocketAddr;

use super::*;
use crate::app::background_tasks::Purpose;
use crate::app::command::Output;
use crate::outputs::{Address, Follow, JsonlTarget, OutputOptions, OutputStatus, WantedJsonl, WantedOutputs};

const LOCAL: &str = "127.0.0.1:4242";

fn opentrack(address: &str) -> OutputOptions {
    OutputOptions { opentrack: Some(address.parse().unwrap()), ..OutputOptions::default() }
}

impl Test {
    fn outputs(&self) -> Vec<OutputOptions> {
        self.fake.0.borrow().outputs.clone()
    }

    fn sends(&mut self, status: OutputStatus) {
        self.fake.0.borrow_mut().output_status = Some(status);
        self.steps();
    }

    fn press_shift(&mut self, key: Key) {
        self.window.key_press_modifiers(Modifiers::SHIFT, key);
        self.steps();
    }

    fn type_address(&mut self, label: &str, text: &str) {
        let field = self.window.get_by_label(label);
        field.focus();
        field.click();
        self.steps();
        self.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.window.step();
        self.window.get_by_label(label).type_text(text);
        self.steps();
        self.press(Key::Enter);
    }
}

#[test]
fn nothing_goes_out_until_a_key_says_so_and_the_mark_names_whose_head_it_is() {
    let mut test = Test::new();
    test.fake.play(0, &[1, 2]);
    test.steps();
    test.press(Key::X);
    assert_eq!((test.outputs(), test.fake.0.borrow().centred), (vec![], 0));
    assert!(!test.shows("Live outputs:"));

    test.press(Key::T);
    assert_eq!(test.outputs(), [opentrack(LOCAL)]);
    assert!(test.shows("Live outputs: opentrack  nobody"));
    test.sends(OutputStatus { heads: 7, followed: Some(2), ..OutputStatus::default() });
    assert!(test.shows("Live outputs: opentrack  #2"));
    test.press(Key::X);
    assert_eq!(test.fake.0.borrow().centred, 1);

    test.press(Key::T);
    assert_eq!(test.outputs(), [opentrack(LOCAL), OutputOptions::default()]);
    assert!(!test.shows("Live outputs:"));
}

#[test]
fn a_click_on_a_person_has_their_head_sent_and_another_click_that_of_the_largest() {
    let mut test = Test::new();
    test.fake.play(0, &[1, 2]);
    test.steps();
    let row = |test: &mut Test| {
        test.window.get_by_label_contains("Person 1:").click();
        test.steps();
    };
    row(&mut test);
    assert_eq!(test.fake.0.borrow().followed, [], "without opentrack a row is no button");
    test.press(Key::T);
    row(&mut test);
    row(&mut test);
    row(&mut test);
    let (one, largest) = (Follow::Person(1), Follow::Largest);
    assert_eq!(test.fake.0.borrow().followed, [one, largest, one]);
    // Their number 1 is somebody else.
    test.press(Key::D);
    assert_eq!(test.window.state().outputs.follow, Follow::Largest);
}

#[test]
fn an_address_is_checked_beside_its_field_used_and_remembered() {
    let mut test = Test::new();
    test.press_shift(Key::T);
    assert!(test.shows("Live outputs"));
    test.type_address("Address of opentrack", "nowhere.invalid:x");
    assert!(test.shows("`x` is not a valid port"));
    test.click("Send the head to opentrack");
    assert_eq!(test.outputs(), []);
    test.type_address("Address of opentrack", "192.168.0.7:5005");
    assert!(test.shows("This is another machine"));
    test.click("Send the head to opentrack");
    test.type_address("Address of opentrack", "5006");
    assert_eq!(test.outputs(), [opentrack("192.168.0.7:5005"), opentrack("127.0.0.1:5006")]);
    assert!(!test.shows("This is another machine"));
    let remembered: SocketAddr = "127.0.0.1:5006".parse().unwrap();
    assert_eq!(test.window.state().settings.opentrack_address, remembered);

    test.click("Send each frame as a line of JSON");
    let jsonl = Some(JsonlTarget::Udp("127.0.0.1:4243".parse().unwrap()));
    assert_eq!(test.outputs().last(), Some(&OutputOptions { jsonl, ..opentrack("127.0.0.1:5006") }));
}

#[test]
fn a_machine_is_looked_up_beside_the_window() {
    let mut test = Test::new();
    test.press_shift(Key::T);
    test.type_address("Address of opentrack", "studio:5005");
    let purpose = Purpose::Keep;
    let (output, text) = (Output::Opentrack, "studio:5005".to_owned());
    let name = Address::Name("studio".to_owned(), 5005);
    let task = BackgroundTask::FindAddress { output, purpose, text: text.clone(), name: name.clone() };
    assert_eq!(test.tasks().last(), Some(&task));
    assert!(test.shows("Looking for the machine `studio:5005`"));
    test.click("Send the head to opentrack");
    let purpose = Purpose::Start;
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::FindAddress { output, purpose, text: text.clone(), name }));
    assert_eq!(test.outputs(), [], "nothing goes out before it is found");

    let unknown = Err("no machine with the name `studio` was found".to_owned());
    test.report(TaskReport::AddressFound { output, purpose, text: text.clone(), found: unknown });
    assert!(test.shows("no machine with the name `studio` was found."));
    let address: SocketAddr = "10.0.0.9:5005".parse().unwrap();
    // What was typed meanwhile counts more.
    test.report(TaskReport::AddressFound { output, purpose, text: "studi".to_owned(), found: Ok(address) });
    assert_eq!(test.outputs(), []);
    test.report(TaskReport::AddressFound { output, purpose, text, found: Ok(address) });
    assert_eq!(test.outputs(), [opentrack("10.0.0.9:5005")]);
    assert!(!test.shows("Looking for the machine"));
}

#[test]
fn a_machine_of_the_command_line_is_looked_up_beside_the_window_too() {
    let name = Address::Name("studio".to_owned(), 4242);
    let outputs = WantedOutputs { opentrack: Some(name.clone()), jsonl: Some(WantedJsonl::Stdout), camera: None };
    let mut test = Test::with(&AppOptions { outputs, ..AppOptions::default() }, unfolded());
    let jsonl = OutputOptions { jsonl: Some(JsonlTarget::Stdout), ..OutputOptions::default() };
    assert_eq!(test.outputs(), std::slice::from_ref(&jsonl), "the other output does not wait for it");
    let (output, purpose, text) = (Output::Opentrack, Purpose::Start, "studio:4242".to_owned());
    assert!(test.tasks().contains(&BackgroundTask::FindAddress { output, purpose, text: text.clone(), name }));
    let address: SocketAddr = "10.0.0.9:4242".parse().unwrap();
    test.report(TaskReport::AddressFound { output, purpose, text, found: Ok(address) });
    assert_eq!(test.outputs().last(), Some(&OutputOptions { opentrack: Some(address), ..jsonl }));
    assert_eq!(test.window.state().settings, unfolded(), "it holds for this time only");
}

#[test]
fn another_output_leaves_whom_opentrack_follows() {
    let mut test = Test::new();
    test.fake.play(0, &[1, 2]);
    test.steps();
    test.press(Key::T);
    test.window.get_by_label_contains("Person 1:").click();
    test.steps();
    test.press_shift(Key::T);
    test.click("Send each frame as a line of JSON");
    assert_eq!(test.window.state().outputs.follow, Follow::Person(1));
}

#[test]
fn what_the_command_line_asks_for_goes_out_from_the_start_and_is_not_remembered() {
    let outputs = OutputOptions { jsonl: Some(JsonlTarget::Stdout), ..opentrack("10.0.0.9:4242") };
    let wanted = WantedOutputs {
        opentrack: Some(Address::Known("10.0.0.9:4242".parse().unwrap())),
        jsonl: Some(WantedJsonl::Stdout),
        camera: None,
    };
    let mut test = Test::with(&AppOptions { outputs: wanted, ..AppOptions::default() }, unfolded());
    assert_eq!(test.outputs(), std::slice::from_ref(&outputs));
    assert_eq!(test.window.state().settings, unfolded());
    test.press_shift(Key::T);
    assert!(test.shows("To standard output, as given on the command line"));
    // Off and on again: it is still standard output.
    test.click("Send each frame as a line of JSON");
    test.click("Send each frame as a line of JSON");
    assert_eq!(test.outputs()[1..], [OutputOptions { jsonl: None, ..outputs.clone() }, outputs]);
    // To have been in its field is not to have typed it.
    let field = test.window.get_by_label("Address of opentrack");
    field.focus();
    field.click();
    test.steps();
    test.press(Key::Enter);
    assert_eq!(test.window.state().settings, unfolded());
}

#[test]
fn what_cannot_be_sent_is_said_once_and_marked() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.press(Key::T);
    let head_error = Some("nothing can be sent to 10.0.0.9:4242: Network is unreachable".to_owned());
    test.sends(OutputStatus { head_error, ..OutputStatus::default() });
    let (tone, words) = test.window.state().notices.last().map(|(tone, words)| (tone, words.to_owned())).unwrap();
    assert_eq!(tone, Tone::Bad);
    assert!(words.contains("Network is unreachable"), "{words}");
}

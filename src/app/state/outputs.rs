//! What other programs get live: switching it on and off, addresses, whom opentrack follows.

use std::net::SocketAddr;

use eframe::egui;

use super::{App, Dialog};
use crate::app::action::Action;
use crate::app::background_tasks::{BackgroundTask, Purpose, TaskNumber};
use crate::app::command::Output;
use crate::app::notices::Tone;
use crate::app::view::sentence;
use crate::outputs::{
    Address, Follow, JsonlTarget, OPENTRACK_PORT, OutputOptions, OutputStatus, WantedJsonl, WantedOutputs,
};
use crate::settings::Settings;

/// How standard output is called in the window.
pub(crate) const STANDARD_OUTPUT: &str = "standard output";

/// The window's side of the live outputs.
pub(crate) struct Outputs {
    /// What goes out.
    pub options: OutputOptions,
    /// How it does; `None` where nothing goes out.
    pub status: Option<OutputStatus>,
    /// Whose head opentrack gets.
    pub follow: Follow,
    typed: [Typed; 2],
    last_errors: Vec<String>,
}

/// An address in a field.
#[derive(Default)]
pub(crate) struct Typed {
    pub text: String,
    pub error: Option<String>,
    /// It was typed since it was used last.
    pub edited: bool,
    /// It is a name, and this background task asks the system for the machine.
    pub looking: Option<TaskNumber>,
}

impl Typed {
    fn address(address: &impl ToString) -> Self {
        Self { text: address.to_string(), ..Self::default() }
    }
}

impl Outputs {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            options: OutputOptions::default(),
            status: None,
            follow: Follow::Largest,
            typed: [Typed::address(&settings.opentrack_address), Typed::address(&settings.jsonl_address)],
            last_errors: Vec::new(),
        }
    }

    /// The address of `output` as the user typed it, and what is wrong with it.
    pub fn typed(&mut self, output: Output) -> &mut Typed {
        &mut self.typed[output as usize]
    }
}

impl App {
    /// What the command line asks for; its addresses hold for this time only. A machine is looked up beside the window.
    pub(super) fn start_outputs(&mut self, wanted: WantedOutputs) {
        let mut options = OutputOptions::default();
        let mut names = Vec::new();
        if let Some(address) = wanted.opentrack {
            *self.outputs.typed(Output::Opentrack) = Typed::address(&address);
            match address {
                Address::Known(address) => options.opentrack = Some(address),
                name @ Address::Name(..) => names.push((Output::Opentrack, name)),
            }
        }
        match wanted.jsonl {
            Some(WantedJsonl::Stdout) => {
                self.outputs.typed(Output::JsonLines).text = STANDARD_OUTPUT.into();
                options.jsonl = Some(JsonlTarget::Stdout);
            }
            Some(WantedJsonl::Udp(address)) => {
                *self.outputs.typed(Output::JsonLines) = Typed::address(&address);
                match address {
                    Address::Known(address) => options.jsonl = Some(JsonlTarget::Udp(address)),
                    name @ Address::Name(..) => names.push((Output::JsonLines, name)),
                }
            }
            None => {}
        }
        if let Some(camera) = wanted.camera {
            options.camera = Some(self.virtual_camera_of_run(camera));
            self.engine.set_camera_look(self.camera_look());
        }
        if options.any() {
            self.set_outputs(options);
        }
        for (output, name) in names {
            self.find_address(output, Purpose::Start, name);
        }
    }

    pub(super) fn set_outputs(&mut self, options: OutputOptions) {
        match self.engine.set_outputs(options.clone()) {
            Ok(()) => {
                // Where nothing went out before, nobody in particular is followed yet.
                if !self.outputs.options.any() {
                    self.outputs.follow = Follow::Largest;
                }
                self.outputs.options = options;
            }
            Err(error) => {
                let words = format!(
                    "The outputs stay as they are: the system opens no socket or starts no \
                     thread ({error}). Try again later."
                );
                self.notices.say(Tone::Bad, words);
            }
        }
        self.outputs.status = self.engine.outputs();
        self.outputs.last_errors.clear();
    }

    /// Starts or stops sending the head to opentrack.
    pub(super) fn switch_opentrack(&mut self, on: bool) {
        if on {
            self.want_address(Output::Opentrack, Purpose::Start);
        } else {
            self.set_outputs(OutputOptions { opentrack: None, ..self.outputs.options.clone() });
        }
    }

    /// Starts or stops sending JSON lines.
    pub(super) fn switch_json_lines(&mut self, on: bool) {
        if on && self.outputs.typed(Output::JsonLines).text != STANDARD_OUTPUT {
            return self.want_address(Output::JsonLines, Purpose::Start);
        }
        let jsonl = on.then_some(JsonlTarget::Stdout);
        self.set_outputs(OutputOptions { jsonl, ..self.outputs.options.clone() });
    }

    /// What is typed is used from now on, where it is an address; it is remembered.
    pub(super) fn use_output_address(&mut self, output: Output) {
        self.want_address(output, Purpose::Keep);
    }

    /// Does with the address that the user typed what it is wanted for: at once, or when the machine of that name is found.
    fn want_address(&mut self, output: Output, purpose: Purpose) {
        let usual = if output == Output::Opentrack { Some(OPENTRACK_PORT) } else { None };
        let typed = self.outputs.typed(output);
        typed.edited = false;
        typed.looking = None;
        match Address::parse(typed.text.trim(), usual) {
            Ok(Address::Known(address)) => self.take_address(output, purpose, Ok(address)),
            Ok(name) => self.find_address(output, purpose, name),
            Err(error) => self.take_address(output, purpose, Err(error)),
        }
    }

    fn find_address(&mut self, output: Output, purpose: Purpose, name: Address) {
        let text = self.outputs.typed(output).text.clone();
        let number = self.tasks.start(BackgroundTask::FindAddress { output, purpose, text, name });
        self.outputs.typed(output).looking = Some(number);
    }

    /// The machine of a name that was typed as `text` is found, or is not.
    pub(super) fn take_found_address(
        &mut self,
        number: TaskNumber,
        output: Output,
        purpose: Purpose,
        text: &str,
        found: Result<SocketAddr, String>,
    ) {
        let typed = self.outputs.typed(output);
        if typed.looking == Some(number) {
            typed.looking = None;
        }
        // Something else was typed meanwhile: that counts.
        if typed.text == text {
            self.take_address(output, purpose, found);
        }
    }

    fn take_address(&mut self, output: Output, purpose: Purpose, address: Result<SocketAddr, String>) {
        let typed = self.outputs.typed(output);
        typed.error = address.as_ref().err().cloned();
        match address {
            Ok(address) => self.send_to(output, purpose, address),
            // The dialog says it beside the field.
            Err(error) if !matches!(self.dialog, Some(Dialog::Outputs | Dialog::Preferences)) => {
                self.notices
                    .say(Tone::Warn, format!("Nothing can be sent: {error} ({}).", self.keys.first(Action::Outputs)));
            }
            Err(_) => {}
        }
    }

    fn send_to(&mut self, output: Output, purpose: Purpose, address: SocketAddr) {
        let start = purpose == Purpose::Start;
        let mut options = self.outputs.options.clone();
        match output {
            Output::Opentrack => {
                if start || options.opentrack.is_some() {
                    options.opentrack = Some(address);
                }
                if !start {
                    self.settings.opentrack_address = address;
                }
            }
            Output::JsonLines => {
                if start || options.jsonl.is_some() {
                    options.jsonl = Some(JsonlTarget::Udp(address));
                }
                if !start {
                    self.settings.jsonl_address = address;
                }
            }
        }
        if options == self.outputs.options {
            return;
        }
        self.set_outputs(options.clone());
        if start && output == Output::Opentrack && self.outputs.options == options {
            let key = self.keys.first(Action::Centre);
            let words = format!("The head pose is sent to opentrack at {address}. {key} recenters it.");
            self.notices.say(Tone::Good, words);
        }
    }

    /// Sends this person's head; or, where that is so already, again that of the largest face.
    pub(super) fn toggle_follow(&mut self, id: u64) {
        let person = Follow::Person(id);
        self.outputs.follow = if self.outputs.follow == person { Follow::Largest } else { person };
        self.engine.follow(self.outputs.follow);
    }

    /// How the head is now counts as straight ahead.
    pub(super) fn centre_head(&mut self) {
        if self.outputs.options.opentrack.is_none() {
            return;
        }
        self.engine.centre_head();
        self.notices.say(Tone::Good, "Head pose recentered.");
    }

    /// Takes in how the outputs do.
    pub(super) fn read_outputs(&mut self, ctx: &egui::Context) {
        if self.outputs.options.camera.is_some() {
            self.engine.set_camera_look(self.camera_look());
            // A device that comes or goes wakes nobody while no picture comes.
            ctx.request_repaint_after_secs(1.0);
        }
        self.outputs.status = self.engine.outputs();
        self.read_virtual_camera();
        let errors: Vec<String> =
            self.outputs.status.iter().flat_map(OutputStatus::errors).map(str::to_owned).collect();
        for error in errors.iter().filter(|error| !self.outputs.last_errors.contains(error)) {
            self.notices.say(Tone::Bad, sentence(error));
        }
        self.outputs.last_errors = errors;
    }
}

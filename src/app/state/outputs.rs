//! What other programs get live: switching it on and off, addresses, whom opentrack follows.

use std::net::SocketAddr;

use super::{App, Dialog};
use crate::app::notices::Tone;
use crate::outputs::{Follow, JsonlTarget, OPENTRACK_PORT, OutputOptions, OutputStatus, parse_address};
use crate::settings::Settings;

/// How standard output is called in the window.
pub(crate) const STANDARD_OUTPUT: &str = "standard output";

/// An output with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Opentrack,
    JsonLines,
}

/// The window's side of the live outputs.
pub(crate) struct Outputs {
    /// What goes out.
    pub options: OutputOptions,
    /// How it does; `None` where nothing goes out.
    pub status: Option<OutputStatus>,
    /// Whose head opentrack gets.
    pub follow: Follow,
    typed: [Typed; 2],
    last_error: Option<String>,
}

/// An address in a field.
pub(crate) struct Typed {
    pub text: String,
    pub error: Option<String>,
}

impl Typed {
    fn address(address: SocketAddr) -> Self {
        Self { text: address.to_string(), error: None }
    }
}

impl Outputs {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            options: OutputOptions::default(),
            status: None,
            follow: Follow::Largest,
            typed: [Typed::address(settings.opentrack_address), Typed::address(settings.jsonl_address)],
            last_error: None,
        }
    }

    /// The address of `output` as the user typed it, and what is wrong with it.
    pub fn typed(&mut self, output: Output) -> &mut Typed {
        &mut self.typed[output as usize]
    }
}

impl App {
    /// What the command line asks for; its addresses hold for this time only.
    pub(super) fn start_outputs(&mut self, options: OutputOptions) {
        if let Some(address) = options.opentrack {
            *self.outputs.typed(Output::Opentrack) = Typed::address(address);
        }
        match options.jsonl {
            Some(JsonlTarget::Udp(address)) => {
                *self.outputs.typed(Output::JsonLines) = Typed::address(address);
            }
            Some(JsonlTarget::Stdout) => self.outputs.typed(Output::JsonLines).text = STANDARD_OUTPUT.into(),
            None => {}
        }
        if options.any() {
            self.set_outputs(options);
        }
    }

    fn set_outputs(&mut self, options: OutputOptions) {
        self.outputs.follow = Follow::Largest;
        self.outputs.options = match self.engine.set_outputs(options) {
            Ok(()) => options,
            Err(error) => {
                let words = format!("Nothing can be sent: the system gives no socket ({error}). Try again later.");
                self.notices.say(Tone::Bad, words);
                OutputOptions::default()
            }
        };
        self.outputs.status = self.engine.outputs();
        self.outputs.last_error = None;
    }

    /// Starts or stops sending the head to opentrack.
    pub(super) fn switch_opentrack(&mut self, on: bool) {
        let address = if on { self.address(Output::Opentrack) } else { None };
        if on && address.is_none() {
            return;
        }
        self.set_outputs(OutputOptions { opentrack: address, ..self.outputs.options });
        if let Some(address) = self.outputs.options.opentrack {
            self.notices.say(Tone::Good, format!("The head goes to opentrack at {address}. X centres it."));
        }
    }

    /// Starts or stops sending JSON lines by datagrams.
    pub(super) fn switch_json_lines(&mut self, on: bool) {
        let jsonl = if !on {
            None
        } else if self.outputs.typed(Output::JsonLines).text == STANDARD_OUTPUT {
            Some(JsonlTarget::Stdout)
        } else {
            self.address(Output::JsonLines).map(JsonlTarget::Udp)
        };
        if jsonl.is_some() == on {
            self.set_outputs(OutputOptions { jsonl, ..self.outputs.options });
        }
    }

    /// The address that the user typed, if it is one; what is wrong with it is said otherwise.
    fn address(&mut self, output: Output) -> Option<SocketAddr> {
        let usual = if output == Output::Opentrack { Some(OPENTRACK_PORT) } else { None };
        let typed = self.outputs.typed(output);
        match parse_address(typed.text.trim(), usual) {
            Ok(address) => {
                typed.error = None;
                Some(address)
            }
            Err(error) => {
                // The dialog says it beside the field.
                if self.dialog != Some(Dialog::Outputs) {
                    self.notices.say(Tone::Warn, format!("Nothing can be sent: {error} (Shift+T)."));
                }
                typed.error = Some(error);
                None
            }
        }
    }

    /// What is typed is used from now on, where it is an address; it is remembered.
    pub(super) fn use_output_address(&mut self, output: Output) {
        let Some(address) = self.address(output) else { return };
        let options = &mut self.outputs.options;
        let changed = match output {
            Output::Opentrack => {
                self.settings.opentrack_address = address;
                options.opentrack.as_mut().is_some_and(|old| std::mem::replace(old, address) != address)
            }
            Output::JsonLines => {
                self.settings.jsonl_address = address;
                let target = JsonlTarget::Udp(address);
                options.jsonl.as_mut().is_some_and(|old| std::mem::replace(old, target) != target)
            }
        };
        if changed {
            self.set_outputs(self.outputs.options);
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
        self.notices.say(Tone::Good, "The head is centred.");
    }

    /// Takes in how the outputs do.
    pub(super) fn read_outputs(&mut self) {
        self.outputs.status = self.engine.outputs();
        let error = self.outputs.status.as_ref().and_then(|status| status.error.clone());
        if error != self.outputs.last_error {
            if let Some(error) = &error {
                self.notices.say(Tone::Bad, format!("{error}."));
            }
            self.outputs.last_error = error;
        }
    }
}

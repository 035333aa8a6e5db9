//! The form for the card of a network that has none, in the side panel beside the picture on which it is tried.

use eframe::egui::{self, Button, ComboBox, RichText, Slider, TextEdit};
use facelens_core::model::{ChannelOrder, Edge, Layout, Task};
use facelens_import::{CardDraft, ScalingOffer, USUAL_SIDES};

use super::command::{AppCommand, CardCommand};
use super::notices::Tone;
use super::state::{App, CardForm, CardTrial, title as task_title};
use super::theme;

/// Shows the form, if it is open; `false` otherwise.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) -> bool {
    let Some(form) = &app.card_form else { return false };
    let mut draft = form.draft.clone();
    ui.label(theme::section("NEW MODEL"));
    let file = draft.file.display().to_string();
    let name = draft.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ui.add(egui::Label::new(theme::strong(name)).truncate()).on_hover_text(file);
    ui.add(
        egui::Label::new(theme::weak(
            "This network does not say what it estimates, or how. Choose it here and watch the image: what you choose is \
             tried at once.",
        ))
        .wrap(),
    );
    ui.add_space(theme::HALF);
    // Above what is chosen, so that they are in sight in a small window, too.
    state(form, ui);
    ui.horizontal(|ui| {
        let ready = matches!(form.trial, CardTrial::Works) && !form.saving;
        let save = theme::primary("Save and use");
        let save = ui.add_enabled(ready, save).on_hover_text("Put it into the library, with its card");
        if save.on_disabled_hover_text("What is chosen does not fit the network yet").clicked() {
            commands.push(AppCommand::Card(CardCommand::Save));
        }
        if ui.add_enabled(!form.saving, Button::new("Cancel")).clicked() {
            commands.push(AppCommand::Card(CardCommand::Cancel));
        }
    });
    ui.add_space(theme::STEP);
    ui.add_enabled_ui(!form.saving, |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 168.0).max(64.0);
        egui::Grid::new("card form").num_columns(2).spacing(egui::vec2(theme::STEP, theme::HALF)).show(ui, |ui| {
            meaning(&mut draft, ui);
            input(&mut draft, ui);
            crop(&mut draft, ui);
            words(&mut draft, ui);
        });
    });
    if draft != form.draft {
        commands.push(AppCommand::Card(CardCommand::Change(Box::new(draft))));
    }
    true
}

/// A row with a list; what is chosen goes into `value`.
fn choose<T: PartialEq + Clone>(ui: &mut egui::Ui, name: &str, value: &mut T, choices: &[(T, String)]) {
    ui.label(theme::weak(name));
    let now = choices.iter().find(|(choice, _)| choice == value).map_or_else(String::new, |(_, words)| words.clone());
    ComboBox::from_id_salt(name)
        .width(ui.available_width().clamp(96.0, 168.0))
        .selected_text(now)
        .truncate()
        .show_ui(ui, |ui| {
            for (choice, words) in choices {
                if ui.selectable_label(choice == value, words).clicked() {
                    *value = choice.clone();
                }
            }
        })
        .response
        .accessible_name(name);
    ui.end_row();
}

/// What it estimates, by which numbers.
fn meaning(draft: &mut CardDraft, ui: &mut egui::Ui) {
    let before = draft.task;
    choose(ui, "Estimates", &mut draft.task, &Task::ALL.map(|task| (task, task_title(task).to_owned())));
    if draft.task != before {
        draft.choose_likely_output();
    }
    if draft.outputs.len() > 1 {
        let all = std::iter::once((None, format!("all {} outputs", draft.outputs.len())));
        let each =
            draft.outputs.iter().map(|output| (Some(output.name.clone()), shape_text(&output.name, &output.shape)));
        let choices: Vec<(Option<String>, String)> = all.chain(each).collect();
        let before = draft.output.clone();
        choose(ui, "Output", &mut draft.output, &choices);
        // Another output may have other numbers; the meaning that fits comes first.
        if draft.output != before
            && !draft.fits(&draft.form)
            && let Some(offer) = draft.offers().into_iter().next()
        {
            draft.form = offer.form;
        }
    }
    let numbers = draft.numbers();
    let words = |offer: &facelens_import::OutputOffer| match numbers {
        Some(numbers) if offer.form.len() != numbers => format!("{} (has {} numbers)", offer.title, offer.form.len()),
        _ => offer.title.clone(),
    };
    let mut choices: Vec<_> = draft.offers().iter().map(|offer| (offer.form.clone(), words(offer))).collect();
    if !choices.iter().any(|(form, _)| *form == draft.form) {
        choices.push((draft.form.clone(), "as before".to_owned()));
    }
    choose(ui, "Meaning", &mut draft.form, &choices);
    ui.label("");
    let given = numbers.map_or("Its numbers are not declared.".to_owned(), |numbers| match numbers {
        1 => "It gives 1 number.".to_owned(),
        numbers => format!("It gives {numbers} numbers."),
    });
    ui.label(theme::weak(given));
    ui.end_row();
}

/// `name: 1 × 3 × ? × 224`.
fn shape_text(name: &str, shape: &[Option<u64>]) -> String {
    let dims: Vec<String> = shape.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string())).collect();
    if dims.is_empty() { name.to_owned() } else { format!("{name}: {}", dims.join(" × ")) }
}

/// How pixels go in.
fn input(draft: &mut CardDraft, ui: &mut egui::Ui) {
    ui.label(theme::weak("Input"));
    let text =
        draft.input.as_ref().map_or("none that can be read".to_owned(), |input| shape_text(&input.name, &input.shape));
    ui.add(egui::Label::new(theme::weak(&text)).truncate()).on_hover_text(text);
    ui.end_row();
    // What the file leaves open is chosen.
    let open = draft.input.as_ref().is_none_or(|input| input.shape.len() != 4 || input.shape[1..].contains(&None));
    if open {
        let sides = USUAL_SIDES.map(|side| (side, format!("{side} pixels")));
        choose(ui, "Width", &mut draft.width, &sides);
        choose(ui, "Height", &mut draft.height, &sides);
        let layouts =
            [(Layout::Nchw, "channels first (NCHW)".to_owned()), (Layout::Nhwc, "channels last (NHWC)".to_owned())];
        choose(ui, "Axes", &mut draft.layout, &layouts);
    }
    if open || draft.channels != ChannelOrder::Grey {
        let mut colours =
            vec![(ChannelOrder::Rgb, "red first (RGB)".to_owned()), (ChannelOrder::Bgr, "blue first (BGR)".to_owned())];
        if open {
            colours.push((ChannelOrder::Grey, "grey".to_owned()));
        }
        choose(ui, "Colours", &mut draft.channels, &colours);
    }
    choose(ui, "Scaling", &mut draft.scaling, &ScalingOffer::ALL.map(|offer| (offer, scaling_text(offer).to_owned())));
}

/// A scaling in words.
const fn scaling_text(offer: ScalingOffer) -> &'static str {
    match offer {
        ScalingOffer::ZeroToOne => "0 to 1",
        ScalingOffer::MinusOneToOne => "−1 to 1",
        ScalingOffer::ImageNet => "ImageNet (PyTorch)",
        ScalingOffer::Bytes => "0 to 255",
        ScalingOffer::MinMax => "the crop's range",
    }
}

/// Which part of the picture it is shown.
fn crop(draft: &mut CardDraft, ui: &mut egui::Ui) {
    ui.label(theme::weak("Margin"));
    let margin = ui.add(Slider::new(&mut draft.margin, 0.0..=1.0).step_by(0.05).fixed_decimals(2));
    margin.accessible_name("Margin").on_hover_text("Added to the face on each side, as a part of its box");
    ui.end_row();
    ui.label(theme::weak("Lower by"));
    let slider = Slider::new(&mut draft.down, -0.3..=0.3).step_by(0.05).fixed_decimals(2);
    // Steps from -0.3 come to a zero with a sign.
    let down = ui.add(slider.custom_formatter(|value, _| format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0)));
    down.accessible_name("Lower by")
        .on_hover_text("How far the crop lies below the face's box, as a part of its height");
    ui.end_row();
    let edges = [(Edge::Black, "black"), (Edge::Repeat, "the edge again"), (Edge::Cut, "squeezed")]
        .map(|(edge, words)| (edge, words.to_owned()));
    choose(ui, "Past the edge", &mut draft.edge, &edges);
}

/// What it is called, and where it comes from.
fn words(draft: &mut CardDraft, ui: &mut egui::Ui) {
    for (name, text, hint) in [
        ("Name", &mut draft.name, "a-z, 0-9, - and _"),
        ("Source", &mut draft.source, "who made it, and where it is"),
        ("Licence", &mut draft.licence, "e.g. MIT"),
        ("Trained on", &mut draft.training_data, "e.g. 300W-LP"),
    ] {
        ui.label(theme::weak(name));
        let field = TextEdit::singleline(text).hint_text(hint).desired_width(ui.available_width().clamp(96.0, 168.0));
        ui.add(field).accessible_name(name);
        ui.end_row();
    }
}

fn state(form: &CardForm, ui: &mut egui::Ui) {
    let (tone, text) = match &form.trial {
        _ if form.saving => (Tone::Info, "Saving…".to_owned()),
        CardTrial::Running => (Tone::Info, "Trying it…".to_owned()),
        CardTrial::Works => (
            Tone::Good,
            "It runs: what the image shows now comes from it. Check it with a face that looks sideways and down."
                .to_owned(),
        ),
        CardTrial::Failed(error) => (Tone::Bad, error.clone()),
    };
    // Always as high, so that the buttons do not jump.
    ui.allocate_ui_with_layout(
        egui::vec2(ui.available_width(), 48.0),
        egui::Layout::top_down(egui::Align::Min),
        |ui| {
            ui.set_min_height(48.0);
            ui.add(egui::Label::new(RichText::new(text).small().color(tone.color())).wrap());
        },
    );
}

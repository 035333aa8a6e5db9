//! The system's file dialogs, and which files they offer for what.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use facelens_core::model::Task;

use super::background_tasks::Picked;

/// A dialog that is shown, and its answer: `None` where the user closed it.
pub(super) type FileDialog = std::pin::Pin<Box<dyn Future<Output = Option<Vec<PathBuf>>> + Send>>;

/// Names of files that are read as a source without asking: videos and pictures.
const SOURCE_EXTENSIONS: [&str; 13] =
    ["mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "jpg", "jpeg", "png", "webp", "bmp", "gif"];
/// Names of files that are read as models.
const MODEL_EXTENSIONS: [&str; 6] = ["onnx", "h5", "hdf5", "keras", "params", "json"];

/// Whether a file dropped on the window is a model rather than something to look at.
pub(crate) fn is_model_file(file: &Path) -> bool {
    file.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| MODEL_EXTENSIONS.into_iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// Asks for a video or a picture, or for a folder of pictures.
pub(super) fn source_dialog(folder: bool) -> FileDialog {
    if folder {
        return folder_dialog("Open a folder of images");
    }
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Open a video or an image")
        .add_filter("Videos and images", &SOURCE_EXTENSIONS)
        .add_filter("All files", &["*"])
        .pick_file();
    Box::pin(async { dialog.await.map(|file| vec![file.path().to_owned()]) })
}

/// Asks for a folder.
pub(super) fn folder_dialog(title: &str) -> FileDialog {
    let dialog = rfd::AsyncFileDialog::new().set_title(title).pick_folder();
    Box::pin(async { dialog.await.map(|folder| vec![folder.path().to_owned()]) })
}

/// Asks for model files.
pub(super) fn model_dialog(task: Task) -> FileDialog {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title(format!("Load a model for {task}; several files are averaged"))
        .add_filter("Model files", &MODEL_EXTENSIONS)
        .add_filter("All files", &["*"])
        .pick_files();
    Box::pin(async { dialog.await.map(|files| files.iter().map(|file| file.path().to_owned()).collect()) })
}

/// Asks for a model that tells the age by gait.
pub(super) fn gait_model_dialog() -> FileDialog {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Load a model for the age by gait: its card, or its .onnx with the card beside it")
        .add_filter("Gait models", &["toml", "onnx"])
        .pick_file();
    Box::pin(async { dialog.await.map(|file| vec![file.path().to_owned()]) })
}

/// Nobody answers a dialog this fast: it was never shown.
const TOO_FAST_FOR_A_USER: Duration = Duration::from_millis(400);

/// Waits for the user's answer.
pub(super) fn wait_for(dialog: FileDialog) -> Picked {
    let asked = Instant::now();
    match pollster::block_on(dialog) {
        Some(files) if !files.is_empty() => Picked::Files(files),
        _ if asked.elapsed() < TOO_FAST_FOR_A_USER => Picked::NoDialog,
        _ => Picked::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_told_from_pictures_by_their_names() {
        for name in ["a.onnx", "b.H5", "model-0000.params", "model.json"] {
            assert!(is_model_file(Path::new(name)), "{name}");
        }
        for name in ["a.mp4", "b.png", "folder", "c"] {
            assert!(!is_model_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn an_answer_without_time_to_read_means_that_there_is_no_dialog() {
        assert_eq!(wait_for(Box::pin(async { None })), Picked::NoDialog);
        assert_eq!(wait_for(Box::pin(async { Some(vec!["a".into()]) })), Picked::Files(vec!["a".into()]));
    }
}

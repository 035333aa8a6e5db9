//! The system's file dialogs, and which files they offer for what.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use facelens_core::model::Task;
use facelens_session::export::ExportRequest;

/// The answer of a file dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// These files.
    Files(Vec<PathBuf>),
    /// The user closed the dialog.
    Nothing,
    /// The system has no file dialog.
    NoDialog,
}

/// A dialog that is shown, and its answer: `None` where the user closed it.
pub(super) type FileDialog = std::pin::Pin<Box<dyn Future<Output = Option<Vec<PathBuf>>> + Send>>;

/// Names of files that are read as a source without asking: videos and pictures.
const SOURCE_EXTENSIONS: [&str; 15] =
    ["mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];
/// Names of files that are read as models.
const MODEL_EXTENSIONS: [&str; 6] = ["onnx", "h5", "hdf5", "keras", "params", "json"];

/// Whether a file dropped on the window is a model rather than something to look at.
pub(crate) fn is_model_file(file: &Path) -> bool {
    file.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| MODEL_EXTENSIONS.into_iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// Endings as a filter wants them. On Linux a filter takes capitals for other letters, and cameras write `DSC_0001.JPG`.
fn filter(endings: &[&str]) -> Vec<String> {
    let capitals = endings.iter().map(|ending| ending.to_uppercase());
    let both = cfg!(not(any(target_os = "windows", target_os = "macos")));
    endings.iter().map(|ending| (*ending).to_owned()).chain(capitals.filter(|_| both)).collect()
}

/// Asks for a video or a picture, or for a folder of pictures.
pub(super) fn source_dialog(folder: bool) -> FileDialog {
    if folder {
        return folder_dialog("Open a folder of images", None);
    }
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Open a video or an image")
        .add_filter("Videos and images", &filter(&SOURCE_EXTENSIONS))
        .add_filter("All files", &["*"])
        .pick_file();
    Box::pin(async { dialog.await.map(|file| vec![file.path().to_owned()]) })
}

/// Asks for a folder. The dialog begins in the folder `start`, or in the nearest one above it that there is.
pub(super) fn folder_dialog(title: &str, start: Option<&Path>) -> FileDialog {
    let mut dialog = rfd::AsyncFileDialog::new().set_title(title);
    if let Some(start) = start.and_then(nearest_folder) {
        dialog = dialog.set_directory(start);
    }
    let dialog = dialog.pick_folder();
    Box::pin(async { dialog.await.map(|folder| vec![folder.path().to_owned()]) })
}

/// Asks for the file of an export; an existing one is only given where the user has agreed to replace it.
pub(super) fn export_dialog(request: &ExportRequest) -> FileDialog {
    let name = request.file.file_name().unwrap_or_default().to_string_lossy();
    let mut dialog = rfd::AsyncFileDialog::new()
        .set_title("Export the session as")
        .set_file_name(name)
        .add_filter(request.format.name(), &filter(&[request.format.extension()]));
    if let Some(folder) = request.file.parent() {
        dialog = dialog.set_directory(folder);
    }
    let dialog = dialog.save_file();
    Box::pin(async { dialog.await.map(|file| vec![file.path().to_owned()]) })
}

/// The folder itself, or the nearest one above it that there is.
fn nearest_folder(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| !folder.as_os_str().is_empty() && folder.is_dir())
}

/// Whether files can be dropped on the window: winit brings no dropped files under Wayland.
pub(crate) fn can_drop() -> bool {
    let wayland = ["WAYLAND_DISPLAY", "WAYLAND_SOCKET"];
    !cfg!(target_os = "linux")
        || !wayland.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Asks for model files.
pub(super) fn model_dialog(task: Task) -> FileDialog {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title(format!("Load a model for {task}; several files are averaged"))
        .add_filter("Model files", &filter(&MODEL_EXTENSIONS))
        .add_filter("All files", &["*"])
        .pick_files();
    Box::pin(async { dialog.await.map(|files| files.iter().map(|file| file.path().to_owned()).collect()) })
}

/// Asks for a model that tells the age by gait.
pub(super) fn gait_model_dialog() -> FileDialog {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Load a model for the age by gait: its card, or its .onnx with the card beside it")
        .add_filter("Gait models", &filter(&["toml", "onnx"]))
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

    #[cfg(target_os = "linux")]
    #[test]
    fn filters_take_names_in_capitals_too() {
        let endings = filter(&SOURCE_EXTENSIONS);
        for ending in ["jpg", "JPG", "MP4", "png", "WEBM"] {
            assert!(endings.iter().any(|known| known == ending), "{ending}");
        }
    }

    #[test]
    fn a_dialog_begins_in_the_nearest_folder_that_there_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(nearest_folder(folder.path()), Some(folder.path()));
        assert_eq!(nearest_folder(&folder.path().join("facelens/not yet")), Some(folder.path()));
        assert_eq!(nearest_folder(Path::new("")), None);
    }

    #[test]
    fn an_answer_without_time_to_read_means_that_there_is_no_dialog() {
        assert_eq!(wait_for(Box::pin(async { None })), Picked::NoDialog);
        assert_eq!(wait_for(Box::pin(async { Some(vec!["a".into()]) })), Picked::Files(vec!["a".into()]));
    }
}

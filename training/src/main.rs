//! The program `facelens-training`.

fn main() -> std::process::ExitCode {
    facelens_training::cli::main()
}

//! The binary: everything it can do is in the command line.

fn main() -> std::process::ExitCode {
    yiqi::cli::run()
}

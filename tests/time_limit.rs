//! Every test of both binaries has a time limit: one that hangs fails by its name, and the others go on.

#![allow(
    clippy::disallowed_methods,
    reason = "tests read an environment of their own"
)]

use std::io::Write;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

/// Several times what the slowest test takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// A limit in seconds, for machines that are much slower.
const VARIABLE: &str = "YIQI_TEST_LIMIT_SECONDS";

fn limit() -> Duration {
    let given = std::env::var(VARIABLE).unwrap_or_default();
    given.parse().map_or(LIMIT, Duration::from_secs)
}

/// Runs a test on a thread of its own. After the limit the thread is left behind, and the test has failed.
pub fn run(module: &str, name: &str, test: fn()) {
    // Without the crate's name, as the harness prints it and takes it to run one test.
    let name = match module.split_once("::") {
        Some((_, module)) => format!("{module}::{name}"),
        None => name.to_owned(),
    };
    let (ending, ended) = channel::<()>();
    let running = Builder::new().name(name.clone()).spawn(move || {
        // Dropped when the test ends, also by a panic.
        let _ending = ending;
        test();
    });
    let running = running.unwrap();
    let limit = limit();
    if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        // Past the capture of output, so that it is also read where the run is stopped before its summary.
        let _ = writeln!(std::io::stderr(), "{name} hangs: not done in {limit:?}");
        panic!("{name} hangs: not done in {limit:?}");
    }
    if let Err(panicked) = running.join() {
        resume_unwind(panicked);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::mpsc::channel;

    use super::VARIABLE;

    const HANG: &str = "YIQI_TEST_HANG";

    /// Hangs when it is told to, in a process of its own.
    #[test]
    fn a_test_that_hangs_fails_by_its_name() {
        let (_open, never) = channel::<()>();
        if std::env::var_os(HANG).is_some() {
            never.recv().unwrap();
        }
        let run = |names: &[&str]| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(names).arg("--exact");
            command.env(HANG, "1").env(VARIABLE, "1").output().unwrap()
        };
        let hung = "time_limit::tests::a_test_that_hangs_fails_by_its_name";
        let other = "time_limit::tests::a_failure_within_the_limit_keeps_its_words";
        let output = run(&[hung, other]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(101), "{said}");
        assert!(said.contains(&format!("test {hung} ... FAILED")), "{said}");
        assert!(said.contains("1 passed; 1 failed"), "{said}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&format!("{hung} hangs")), "{told}");
    }

    #[test]
    #[should_panic(expected = "its own words")]
    fn a_failure_within_the_limit_keeps_its_words() {
        panic!("in its own words");
    }
}

//! Ends queries of SQLite that take longer than they may. SQLite asks a progress handler every few thousand instructions
//! whether to go on; diesel 2.3 has no door to it, so every connection gets one as it is opened. The deadline belongs to the
//! thread that runs the query, which is where SQLite asks.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libsqlite3_sys as ffi;

/// Instructions of SQLite's machine between two looks at the clock: well below a millisecond.
const INSTRUCTIONS: c_int = 10_000;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// SQLite could not be told; the number is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInstalled(pub c_int);

impl std::fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SQLite takes no deadlines: error {}", self.0)
    }
}

impl std::error::Error for NotInstalled {}

/// From now on every connection that this process opens knows deadlines. Further calls change nothing.
pub fn install() -> Result<(), NotInstalled> {
    static INSTALLED: OnceLock<c_int> = OnceLock::new();
    // SAFETY: `watch` is a function of the signature that SQLite calls, for as long as the process lives.
    let code = *INSTALLED.get_or_init(|| unsafe { ffi::sqlite3_auto_extension(Some(watch)) });
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(NotInstalled(code)),
    }
}

/// Runs work whose queries, on this thread, end with the error `interrupted` when the time is over.
pub fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Instant>);
    impl Drop for Before {
        fn drop(&mut self) {
            DEADLINE.set(self.0);
        }
    }
    let _before = Before(DEADLINE.replace(Instant::now().checked_add(limit)));
    work()
}

unsafe extern "C" fn watch(
    database: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite gives the connection it is opening; `is_late` uses no argument and lives as long as the process.
    unsafe {
        ffi::sqlite3_progress_handler(database, INSTRUCTIONS, Some(is_late), std::ptr::null_mut());
    }
    ffi::SQLITE_OK
}

/// Not 0 ends the query.
unsafe extern "C" fn is_late(_: *mut c_void) -> c_int {
    let late = DEADLINE.try_with(|end| end.get().is_some_and(|end| Instant::now() >= end));
    c_int::from(late.unwrap_or(false))
}

//! Folders for the databases of one run: in memory where there is room, because a disk takes most of a second to make the
//! three hundred files of a PostgreSQL database, and nothing here outlives the run.
//!
//! A folder is removed when the process that claimed it ends, however it ends. Folders whose remover was killed too are
//! removed by the next run: the lock on their `owner` file is free then.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Memory that the folders of a few runs at once fit into.
const ENOUGH_BYTES: u64 = 1 << 30;

/// What the names of our folders begin with.
const PREFIX: &str = "yiqi-run-";

/// Where folders are made: the memory's file system, else where temporary files go. The benches stay on the disk.
pub fn place() -> PathBuf {
    if !cfg!(test) {
        return env::temp_dir();
    }
    let memory = PathBuf::from("/dev/shm");
    let free = rustix::fs::statvfs(&memory).map(|it| it.f_bavail.saturating_mul(it.f_frsize));
    match free {
        Ok(bytes) if bytes >= ENOUGH_BYTES => memory,
        _ => env::temp_dir(),
    }
}

/// This run's folder of SQLite files, removed when the process ends.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, File, Child)> = OnceLock::new();
    let (folder, _, _) = FOLDER.get_or_init(|| {
        remove_stale(&place());
        let (folder, owner) = claim_folder(&place()).unwrap();
        // Its standard input ends with this process.
        let remover = Command::new("sh")
            .args(["-c", "trap '' HUP INT PIPE; cat; rm -rf \"$1\"", "sh"])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        (folder, owner, remover)
    });
    folder
}

/// A new folder with a locked `owner` file. It gets its name when it is locked, so that nobody takes it for stale.
pub fn claim_folder(below: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = format!("{PREFIX}{}", unique());
    let unnamed = below.join(format!(".{name}"));
    DirBuilder::new().mode(0o700).create(&unnamed)?;
    let mut owner = File::create(unnamed.join("owner"))?;
    owner.lock()?;
    writeln!(owner, "{}", process::id())?;
    let folder = below.join(name);
    fs::rename(unnamed, &folder)?;
    Ok((folder, owner))
}

/// Removes the folders whose owner is gone. Errors mean that somebody else removes them, or owns them.
pub fn remove_stale(below: &Path) {
    let entries = fs::read_dir(below).into_iter().flatten().flatten();
    for entry in entries {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let owner = File::open(entry.path().join("owner"));
        if is_ours && owner.is_ok_and(|owner| owner.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// This process and this moment.
pub fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!(
        "{}_{:x}",
        process::id(),
        now.expect("after 1970").as_nanos()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_are_removed_and_of_the_living_kept() {
        let below = env::temp_dir().join(format!("yiqi-stale-{}", unique()));
        fs::create_dir(&below).unwrap();
        let (living, _owner) = claim_folder(&below).unwrap();
        let (dead, owner) = claim_folder(&below).unwrap();
        drop(owner);
        let foreign = below.join("something-else");
        fs::create_dir(&foreign).unwrap();
        File::create(foreign.join("owner")).unwrap();
        remove_stale(&below);
        assert_eq!(
            [&living, &dead, &foreign].map(|folder| folder.exists()),
            [true, false, true]
        );
        fs::remove_dir_all(below).unwrap();
    }
}

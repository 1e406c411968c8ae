//! The demo's folder: the database, the signing keys and the passwords, readable by its owner alone. What is there is kept,
//! so a second start goes on where the first was.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::app::token::TokenKeys;
use crate::cli::failure::Failure;
use crate::operations::password;

#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder and an empty database when they are missing. SQLite gives the files beside its database the rights
    /// that the database has.
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| Failure::file(&path, &error))?;
        let folder = Self(path);
        // A folder that was there may hold other things, but not when an earlier demo made it.
        if folder.0.join("keys").exists() {
            restrict(&folder.0, 0o700)?;
        }
        let database = folder.database();
        let opened = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&database);
        opened.map_err(|error| Failure::file(&database, &error))?;
        restrict(&database, 0o600)?;
        Ok(folder)
    }

    fn database(&self) -> PathBuf {
        self.0.join("yiqi.sqlite")
    }

    pub fn database_url(&self) -> String {
        format!("sqlite:{}", self.database().display())
    }

    /// Where the passwords are, to be told.
    pub fn passwords_file(&self) -> PathBuf {
        self.0.join("passwords.toml")
    }

    /// The signing keys, made at the first start.
    pub fn keys(&self) -> Result<TokenKeys, Failure> {
        let lines = match self.read("keys")? {
            Some(lines) => lines,
            None => {
                let line = TokenKeys::new_line("demo");
                self.write("keys", &line)?;
                line
            }
        };
        Ok(TokenKeys::parse(&lines)?)
    }

    /// A password for each login: those written down, and new ones for the others, written down before they are used.
    pub fn passwords(&self, logins: &[String]) -> Result<BTreeMap<String, String>, Failure> {
        let written = self.read("passwords.toml")?.unwrap_or_default();
        let mut passwords: BTreeMap<String, String> =
            toml::from_str(&written).map_err(|error| {
                Failure::Refused(format!("{}: {error}", self.passwords_file().display()))
            })?;
        let known = passwords.len();
        for login in logins {
            passwords
                .entry(login.clone())
                .or_insert_with(password::generate);
        }
        if passwords.len() > known {
            let text = toml::to_string(&passwords)
                .map_err(|error| Failure::Internal(error.to_string()))?;
            self.write("passwords.toml", &text)?;
        }
        Ok(passwords)
    }

    fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file(&path, &error)),
        }
    }

    /// Beside it first, then in its place, so that a torn write leaves the old one.
    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let (path, new) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| Failure::file(&path, &error))
    }
}

fn restrict(path: &Path, mode: u32) -> Result<(), Failure> {
    let done = fs::set_permissions(path, Permissions::from_mode(mode));
    done.map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_stay_and_are_the_owners_alone() {
        let path = std::env::temp_dir().join(format!("yiqi-demo-{}", std::process::id()));
        let folder = Folder::open(path.clone()).unwrap();
        let (keys, logins) = (folder.keys().unwrap().ids(), ["a@x.example".to_owned()]);
        let first = folder.passwords(&logins).unwrap();
        let more = [logins[0].clone(), "b@x.example".to_owned()];
        let second = folder.passwords(&more).unwrap();
        assert_eq!(first["a@x.example"], second["a@x.example"]);
        assert_ne!(second["a@x.example"], second["b@x.example"]);
        assert_eq!(
            Folder::open(path.clone()).unwrap().keys().unwrap().ids(),
            keys
        );
        let mode = |name: &str| {
            let known = fs::metadata(path.join(name)).unwrap();
            known.permissions().mode() & 0o777
        };
        for name in ["keys", "passwords.toml", "yiqi.sqlite"] {
            assert_eq!(mode(name), 0o600, "{name}");
        }
        assert_eq!(mode(""), 0o700);
        restrict(&path, 0o755).unwrap();
        restrict(&path.join("yiqi.sqlite"), 0o644).unwrap();
        Folder::open(path.clone()).unwrap();
        assert_eq!((mode(""), mode("yiqi.sqlite")), (0o700, 0o600));
        fs::remove_dir_all(path).unwrap();
    }
}

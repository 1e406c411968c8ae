//! A private PostgreSQL server for this run, on a socket of its own, from the binaries of the machine; or the one that
//! `YIQI_TEST_POSTGRES_URL` names. Without either the run says what it leaves out, or fails with `YIQI_REQUIRE_POSTGRES=1`.
//!
//! A watchdog shell makes, starts, stops and removes the server. It stops when its standard input ends, which happens
//! however this process ends. A server whose watchdog was killed too ends itself within a minute after the next run removed
//! its folder.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use diesel::{Connection, PgConnection, RunQueryDsl};

use crate::scratch;

/// Arguments: folder, folder of the binaries, settings, the largest file the server can write in blocks of 512 bytes or
/// nothing.
const WATCHDOG: &str = r#"
trap '' HUP INT PIPE
folder=$1 bin=$2 settings=$3 blocks=$4
start() {
    "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync &&
    printf '%s\n' "$settings" >>"$folder/data/postgresql.conf" &&
    if [ -n "$blocks" ]; then ulimit -f "$blocks"; fi &&
    "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/server.log" --timeout=60 start
}
if start >"$folder/start.log" 2>&1 </dev/null; then echo ready; else echo failed; fi
cat >/dev/null
"$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate stop >/dev/null 2>&1
rm -rf "$folder"
"#;

pub struct Postgres {
    /// An address around a database's name: `postgres://postgres@/` and `?host=/socket/folder`.
    address: (String, String),
    /// Also serialises CREATE DATABASE: two copies of one template at once refuse each other.
    admin: Mutex<PgConnection>,
    private: Option<Private>,
}

/// What keeps a private server alive.
struct Private {
    folder: PathBuf,
    _owner: File,
    _watchdog_input: ChildStdin,
}

impl Postgres {
    /// The server of this run, started at the first call. None when there is none and none is required.
    pub fn shared() -> Option<&'static Postgres> {
        static SHARED: OnceLock<Result<Option<Postgres>, String>> = OnceLock::new();
        match SHARED.get_or_init(Postgres::find) {
            Ok(server) => server.as_ref(),
            Err(reason) => panic!("no PostgreSQL for the tests: {reason}"),
        }
    }

    /// Another server, as fresh as a new machine's, and the folder of its programs.
    pub fn another() -> Option<(Postgres, PathBuf)> {
        let Some(binaries) = binaries() else {
            say_left_out("a dump restored into a fresh cluster, for want of PostgreSQL's binaries");
            return None;
        };
        let server = Postgres::start(&binaries, "", "").unwrap_or_else(|reason| panic!("{reason}"));
        Some((server, binaries))
    }

    /// Another server for tests of its states, with settings beside the usual ones, and the largest file it can write in
    /// blocks of 512 bytes.
    pub fn another_with(settings: &str, blocks: &str) -> Option<Postgres> {
        let Some(binaries) = binaries() else {
            say_left_out("the states of a server, for want of PostgreSQL's binaries");
            return None;
        };
        let started = Postgres::start(&binaries, settings, blocks);
        Some(started.unwrap_or_else(|reason| panic!("{reason}")))
    }

    /// Where a private server keeps its data.
    pub fn data(&self) -> PathBuf {
        self.private.as_ref().unwrap().folder.join("data")
    }

    /// Stops a private server, or starts it again: `["stop", "--mode=fast"]`.
    pub fn control(&self, arguments: &[&str]) {
        let data = self.data();
        let owner = data.metadata().unwrap();
        let mut control = Command::new(binaries().unwrap().join("pg_ctl"));
        if owner.uid() != rustix::process::getuid().as_raw() {
            control.uid(owner.uid()).gid(owner.gid());
        }
        let done = control
            .arg("--pgdata")
            .arg(&data)
            .arg("--log")
            .arg(data.with_file_name("server.log"))
            .args(arguments)
            .current_dir(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(done.unwrap().success(), "pg_ctl {arguments:?}");
    }

    /// A new database, empty or a copy of the one at `template`, to which nobody may be connected. Gives its address.
    pub fn create_database(&self, template: Option<&str>) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("yiqi_test_{}_{count}", scratch::unique());
        let template = template.map_or("template0", |url| self.name_in(url));
        self.execute(&format!(
            "CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""
        ));
        format!("{}{name}{}", self.address.0, self.address.1)
    }

    /// Removes a database together with whoever is connected. Hundreds of tests would fill the disk otherwise.
    pub fn drop_database(&self, url: &str) {
        let name = self.name_in(url);
        self.execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"));
    }

    fn name_in<'a>(&self, url: &'a str) -> &'a str {
        let name = url.strip_prefix(self.address.0.as_str());
        name.and_then(|rest| rest.strip_suffix(self.address.1.as_str()))
            .unwrap_or_else(|| panic!("{url} is no database of this server"))
    }

    fn execute(&self, statement: &str) {
        let mut admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let done = diesel::sql_query(statement).execute(&mut *admin);
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    fn find() -> Result<Option<Postgres>, String> {
        let given = env::var("YIQI_TEST_POSTGRES_URL").unwrap_or_default();
        if !given.is_empty() {
            return Postgres::connect(&given, None).map(Some);
        }
        if let Some(binaries) = binaries() {
            return Postgres::start(&binaries, "", "").map(Some);
        }
        if env::var("YIQI_REQUIRE_POSTGRES").is_ok_and(|value| value == "1") {
            return Err(
                "neither YIQI_TEST_POSTGRES_URL nor initdb, pg_ctl and postgres on PATH or in \
                        /usr/lib/postgresql/*/bin, but YIQI_REQUIRE_POSTGRES=1"
                    .to_owned(),
            );
        }
        say_left_out("everything on PostgreSQL. Install it or set YIQI_TEST_POSTGRES_URL.");
        Ok(None)
    }

    fn connect(url: &str, private: Option<Private>) -> Result<Postgres, String> {
        let admin = PgConnection::establish(url).map_err(|error| format!("{url}: {error}"))?;
        let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        let slash = path.rfind('/').ok_or("the URL names no database")?;
        Ok(Postgres {
            address: (path[..=slash].to_owned(), query.to_owned()),
            admin: Mutex::new(admin),
            private,
        })
    }

    fn start(binaries: &Path, more: &str, blocks: &str) -> Result<Postgres, String> {
        let place = scratch::place();
        scratch::remove_stale(&place);
        let (folder, owner) = scratch::claim_folder(&place).map_err(|error| error.to_string())?;
        let mut shell = Command::new("sh");
        // initdb and postgres refuse to run as root.
        if folder.metadata().is_ok_and(|folder| folder.uid() == 0) {
            let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
            let (user, group) = account(&accounts, "postgres")
                .ok_or("root cannot run PostgreSQL, and there is no account `postgres`")?;
            chown(&folder, Some(user), Some(group)).map_err(|error| error.to_string())?;
            shell.uid(user).gid(group);
        }
        let mut watchdog = shell
            .args(["-c", WATCHDOG, "yiqi-postgres-watchdog"])
            .args([&folder, binaries])
            .arg(format!("{}\n{more}", settings(&folder)))
            .arg(blocks)
            .current_dir(&folder)
            // Ctrl-C at the terminal must not reach the watchdog before its work.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        let input = watchdog.stdin.take().expect("piped");
        let mut said = String::new();
        let output = watchdog.stdout.take().expect("piped");
        let heard = BufReader::new(output).read_line(&mut said);
        if heard.is_err() || said.trim() != "ready" {
            let log = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
            return Err(format!("{}{}", log("start.log"), log("server.log")));
        }
        let url = format!("postgres://postgres@/postgres?host={}", folder.display());
        let private = Private {
            folder,
            _owner: owner,
            _watchdog_input: input,
        };
        Postgres::connect(&url, Some(private))
    }
}

/// The numbers of an account and of its group, from the lines of /etc/passwd.
fn account(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let fields = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))?;
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// Goes past the capture of test output; a closed stderr is no reason to fail.
fn say_left_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {what}");
}

/// Nothing here outlives the run, so nothing waits for the disk, little is logged, and nothing is left in shared memory.
fn settings(folder: &Path) -> String {
    format!(
        "listen_addresses = ''
unix_socket_directories = '{}'
max_connections = 400
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '128MB'
autovacuum = off
dynamic_shared_memory_type = mmap
timezone = 'UTC'",
        folder.display()
    )
}

/// The folder with `initdb`, `pg_ctl` and `postgres`: from PATH, else the newest Debian keeps out of it.
pub fn binaries() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    let folders = env::split_paths(&path)
        .chain(versions.into_iter().map(|version| version.join("bin")))
        .chain(["/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    folders
        // A link in PATH leads to the folder of all.
        .filter_map(|folder| {
            Some(
                folder
                    .join("initdb")
                    .canonicalize()
                    .ok()?
                    .parent()?
                    .to_owned(),
            )
        })
        .find(|folder| {
            ["pg_ctl", "postgres"]
                .iter()
                .all(|name| folder.join(name).exists())
        })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::thread;
    use std::time::{Duration, Instant};

    use diesel::sql_types::BigInt;

    use super::*;

    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }

    fn count_rows(url: &str) -> i64 {
        let mut connection = PgConnection::establish(url).unwrap();
        let found = diesel::sql_query("SELECT count(*) AS count FROM note")
            .get_result::<Count>(&mut connection);
        found.unwrap().count
    }

    #[test]
    fn copies_of_a_template_are_databases_of_their_own() {
        let Some(server) = Postgres::shared() else {
            return;
        };
        let template = server.create_database(None);
        let write = |url: &str| {
            let mut connection = PgConnection::establish(url).unwrap();
            diesel::sql_query("CREATE TABLE IF NOT EXISTS note AS SELECT 1")
                .execute(&mut connection)
                .unwrap();
            diesel::sql_query("INSERT INTO note VALUES (2)")
                .execute(&mut connection)
                .unwrap();
        };
        write(&template);
        let copies: Vec<String> = thread::scope(|scope| {
            let makers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| server.create_database(Some(&template))))
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect()
        });
        write(&copies[0]);
        assert_eq!(
            copies.iter().map(|url| count_rows(url)).collect::<Vec<_>>(),
            [3, 2, 2, 2]
        );
        for url in copies.iter().chain([&template]) {
            server.drop_database(url);
            assert!(PgConnection::establish(url).is_err());
        }
    }

    const OWNER_FLAG: &str = "YIQI_TEST_POSTGRES_OWNER";

    /// The process that is going to be killed: tells its server's folder, and ends with its parent.
    fn own_a_server(binaries: &Path) {
        let server = Postgres::start(binaries, "", "").unwrap();
        let private = server.private.as_ref().unwrap();
        println!("\nfolder={}", private.folder.display());
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    }

    #[test]
    fn a_killed_owner_leaves_no_server_behind() {
        let Some(binaries) = binaries() else {
            return say_left_out("the end of a private server, for want of PostgreSQL's binaries");
        };
        if env::var_os(OWNER_FLAG).is_some() {
            return own_a_server(&binaries);
        }
        let mut owner = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "postgres::tests::a_killed_owner_leaves_no_server_behind",
                "--nocapture",
            ])
            .env(OWNER_FLAG, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
        let told = lines
            .map_while(Result::ok)
            .find_map(|line| Some(PathBuf::from(line.strip_prefix("folder=")?)));
        let folder = told.expect("the owner starts a server");
        let pid_file = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        let command_line = format!("/proc/{}/cmdline", pid_file.lines().next().unwrap());
        let is_running = || fs::read(&command_line).is_ok_and(|words| !words.is_empty());
        assert!(is_running() || !Path::new("/proc/self").exists());
        let url = format!("postgres://postgres@/postgres?host={}", folder.display());
        thread::sleep(Duration::from_millis(300));
        let connected = PgConnection::establish(&url).expect("it lives while its owner lives");

        owner.kill().unwrap();
        owner.wait().unwrap();
        let began = Instant::now();
        while folder.exists() || is_running() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{} is still there",
                folder.display()
            );
            thread::sleep(Duration::from_millis(20));
        }
        drop(connected);
    }
}

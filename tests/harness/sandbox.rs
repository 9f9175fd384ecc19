//! A directory of a test's own, with everything that the program could look at beside its arguments.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::process;

/// Longer than any run of a test takes, even on a machine that is busy with others.
pub const LONGEST: Duration = Duration::from_secs(120);

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program under test.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_playbook")
}

/// A directory of a test's own: home without configuration, state, temporary files, and whatever it is to run.
pub struct Sandbox {
    root: TempDir,
    tripwire: TcpListener,
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    /// As a shell sees it.
    pub exit: i32,
}

impl Outcome {
    /// Fails the test unless the command ended that way.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert_eq!(self.exit, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl Sandbox {
    /// With nothing to run in it.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("playbook-test-").tempdir().unwrap();
        for directory in ["home", "tmp", "work"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        let tripwire = TcpListener::bind("127.0.0.1:0").unwrap();
        tripwire.set_nonblocking(true).unwrap();
        Self { root, tripwire }
    }

    /// With a copy of a folder to work in.
    pub fn with_copy_of(folder: &Path) -> Self {
        let sandbox = Self::new();
        copy(folder, &sandbox.work());
        sandbox
    }

    /// With a file to run.
    pub fn with_file(name: &str, text: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write(name, text);
        sandbox
    }

    /// Writes a file to work with.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Everything lies below.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The directory that commands run in.
    pub fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// Where journals are.
    pub fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// The files in the state directory, those of finished runs last.
    pub fn journals(&self) -> Vec<PathBuf> {
        let files_in = |directory: PathBuf| {
            let entries = fs::read_dir(directory).into_iter().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            paths.retain(|path| !path.is_dir());
            paths.sort();
            paths
        };
        [files_in(self.state()), files_in(self.state().join("finished"))].concat()
    }

    /// The program, seeing nothing of the machine but its PATH. Every AWS endpoint is a listener that must not be
    /// called.
    pub fn playbook<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        self.command(program(), arguments)
    }

    /// The same, for what has cargo build handlers: where toolchains and crates are is the machine's matter.
    pub fn building_playbook<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = self.playbook(arguments);
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        for (name, directory) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let place = std::env::var_os(name).unwrap_or_else(|| home.join(directory).into());
            command.env(name, place);
        }
        command
    }

    /// Any program, in the same surroundings.
    pub fn command<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root().join("home"))
            .env("TMPDIR", self.root().join("tmp"))
            .env("PLAYBOOK_STATE_DIR", self.state())
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.tripwire.local_addr().unwrap()))
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Runs the program to its end, with nothing on stdin.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Outcome {
        finish(&mut self.playbook(arguments), "")
    }

    /// Fails the test if anything is left: a journal, a process, a temporary file; or if AWS was called.
    #[track_caller]
    pub fn nothing_left(&self) {
        assert_eq!(self.leftovers(), Vec::<String>::new());
    }

    /// What is left, in words.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        for path in self.journals() {
            left.push(format!("the journal {}", path.display()));
        }
        for process in process::remaining(self.root(), Duration::from_secs(10)) {
            left.push(format!("the process {process}"));
        }
        for entry in fs::read_dir(self.root().join("tmp")).unwrap() {
            left.push(format!("the temporary file {}", entry.unwrap().path().display()));
        }
        if self.tripwire.accept().is_ok() {
            left.push("a connection to AWS".to_owned());
        }
        left
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        process::end_all(self.root());
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn finish(command: &mut Command, stdin: &str) -> Outcome {
    let mut child = start(command);
    let input = child.child.stdin.take();
    if let Some(mut input) = input {
        // A program that does not read its input may be gone before it is written.
        let _unread = input.write_all(stdin.as_bytes());
    }
    child.finish()
}

/// Starts a command; what it writes is collected meanwhile.
#[track_caller]
pub fn start(command: &mut Command) -> Running {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = Written::Pipe(collect(child.stdout.take().unwrap()));
    let stderr = collect(child.stderr.take().unwrap());
    Running { child, stdout, stderr }
}

enum Written {
    Pipe(thread::JoinHandle<String>),
    File(PathBuf),
}

/// A command under way.
pub struct Running {
    child: Child,
    stdout: Written,
    stderr: thread::JoinHandle<String>,
}

impl Running {
    /// Starts a command that writes to a file, which others may read meanwhile.
    #[track_caller]
    pub fn with_stdout_in(command: &mut Command, path: &Path) -> Self {
        let file = fs::File::create(path).unwrap();
        command.stdin(Stdio::null()).stdout(file).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = collect(child.stderr.take().unwrap());
        Self { child, stdout: Written::File(path.to_owned()), stderr }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(self) -> Outcome {
        self.finish_within(LONGEST)
    }

    /// Waits for its end, so long.
    #[track_caller]
    pub fn finish_within(mut self, limit: Duration) -> Outcome {
        drop(self.child.stdin.take());
        let status = wait(&mut self.child, limit);
        let stderr = self.stderr.join().unwrap();
        let stdout = match self.stdout {
            Written::Pipe(collected) => collected.join().unwrap(),
            Written::File(path) => fs::read_to_string(path).unwrap(),
        };
        let Some(status) = status else {
            panic!("it does not end\nstdout:\n{stdout}\nstderr:\n{stderr}")
        };
        Outcome { stdout, stderr, exit: shell_code(status) }
    }
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let status = eventually(limit, || child.try_wait().unwrap());
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    status
}

/// Looks again and again until there is something to see.
pub fn eventually<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        let seen = look();
        if seen.is_some() || Instant::now() > end {
            return seen;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn shell_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).expect("the program writes UTF-8")
    })
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), &target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

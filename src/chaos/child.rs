//! The program as a process of its own: one run, or one recovery, that may be killed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::injector::{ACCESS_KEY, Injector};
use engine::step::Interrupt;

/// The longest that a run or a recovery may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Exited {
        /// The code; absent where a signal that nobody here sent ended it.
        code: Option<i32>,
        /// What it wrote.
        said: String,
    },
    /// The fault killed it.
    Killed,
    /// It never came to an end.
    Stuck,
    /// The person does not want to know any more.
    Interrupted,
}

/// How the program is started.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The command that becomes another program and dies with this one.
    pub(super) launcher: Vec<OsString>,
    /// This program.
    pub(super) executable: PathBuf,
    /// Where its calls go.
    pub(super) endpoint: String,
    /// The region.
    pub(super) region: String,
    /// How long one attempt of a call may take.
    pub(super) attempt_timeout: Duration,
}

impl Program {
    /// Runs it to its end, or to the end that the injector has in mind for it.
    pub(super) async fn run(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        home: &Path,
        injector: &Injector,
        interrupt: &Interrupt,
    ) -> io::Result<End> {
        let mut kills = injector.kills();
        let mut child = self.command(arguments, home)?.spawn()?;
        let wrote = collect(child.stdout.take(), child.stderr.take());
        let end = tokio::select! {
            biased;
            _ = kills.changed() => end(&mut child, End::Killed).await,
            () = interrupt.wait() => end(&mut child, End::Interrupted).await,
            status = child.wait() => {
                let status = status?;
                let told = status.signal() == Some(Signal::KILL.as_raw()) && injector.has_sent_last_reply();
                Ok(if told {
                    End::Killed
                } else {
                    End::Exited { code: status.code(), said: String::new() }
                })
            }
            () = tokio::time::sleep(PATIENCE) => end(&mut child, End::Stuck).await,
        };
        injector.buried();
        Ok(match end? {
            End::Exited { code, .. } => End::Exited { code, said: wrote.await.unwrap_or_default() },
            other => other,
        })
    }

    fn command(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        home: &Path,
    ) -> io::Result<Command> {
        let (launcher, first) = self
            .launcher
            .split_first()
            .ok_or_else(|| io::Error::other("there is no command to start the program with"))?;
        let parent = std::process::id().to_string();
        let mut command = Command::new(launcher);
        command
            .args(first)
            .args([OsStr::new("run"), OsStr::new(&parent), self.executable.as_os_str()])
            .args(arguments)
            .args(["--attempt-timeout", &format!("{}ms", self.attempt_timeout.as_millis())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_")) {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", "chaos")
            .env("AWS_REGION", &self.region)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", home.join("no-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", home.join("no-credentials"))
            .env("PLAYBOOK_STATE_DIR", state_of(home))
            .env("PLAYBOOK_CONFIG", "/dev/null")
            .env(aws::MORTAL, "1");
        Ok(command)
    }
}

async fn end(child: &mut Child, how: End) -> io::Result<End> {
    // With it goes what it has started itself, such as the build of a handler.
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(group) = group {
        let _already_gone = kill_process_group(group, Signal::KILL);
    }
    child.kill().await?;
    Ok(how)
}

/// What the process writes, read while it runs so that it never waits for a reader.
fn collect(
    out: Option<impl AsyncRead + Unpin + Send + 'static>,
    err: Option<impl AsyncRead + Unpin + Send + 'static>,
) -> tokio::task::JoinHandle<String> {
    tokio::spawn(async move {
        let (out, err) = tokio::join!(read(out), read(err));
        format!("{out}{err}")
    })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was written before the pipe broke is all there is to tell.
        let _ = pipe.read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the journals of a trial are.
pub(super) fn state_of(home: &Path) -> PathBuf {
    home.join("state")
}

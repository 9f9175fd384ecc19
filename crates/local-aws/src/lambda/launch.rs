//! The launcher: the program starts itself and becomes a handler's supervisor, or the guard of all of them, or another
//! program that is to die with its parent.
//!
//! What these ask of the system, they can only ask for themselves, between `fork` and `exec`. Instead of running code in a
//! forked child (which Rust rightly calls unsafe), handlers are started through a command of ours.

use std::ffi::OsString;
use std::io::{self, BufRead};
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::supervisor;

/// The prefix of every directory that the guard may remove.
pub(super) const ROOT_PREFIX: &str = "playbook-lambda-";

const RUN: &str = "run";
const SUPERVISE: &str = "supervise";
const GUARD: &str = "guard";

/// What a launcher was asked to be.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    Run { parent: i32, program: OsString, args: Vec<OsString> },
    Supervise { program: OsString, args: Vec<OsString> },
    Guard { root: PathBuf },
}

/// The arguments that make a launcher become the supervisor of `program`.
pub(super) fn supervise_args(program: &Path) -> [OsString; 2] {
    [SUPERVISE.into(), program.into()]
}

/// The arguments that make a launcher the guard of `root`.
pub(super) fn guard_args(root: &Path) -> [OsString; 2] {
    [GUARD.into(), root.into()]
}

/// Carries out the launcher's half of starting a program: `args` are what follows the launcher's own command.
///
/// This returns only where the handler does not start; else the process ends as the handler does.
pub fn become_handler(args: impl Iterator<Item = OsString>) -> io::Error {
    match parse(args) {
        Some(Order::Run { parent, program, args }) => match bind_to_parent(parent) {
            Ok(()) => {
                let program = Path::new(&program);
                let error = Command::new(program).args(args).exec();
                io::Error::new(
                    error.kind(),
                    format!("cannot execute {}: {error}", program.display()),
                )
            }
            Err(error) => error,
        },
        Some(Order::Supervise { program, args }) => {
            let program = Path::new(&program);
            supervisor::supervise(program, handler(program, args))
        }
        Some(Order::Guard { root }) => {
            guard(io::stdin().lock(), &root, supervisor::GRACE * 2);
            std::process::exit(0)
        }
        None => io::Error::new(
            io::ErrorKind::InvalidInput,
            "this command starts Lambda handlers and is not meant to be called by hand",
        ),
    }
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Order> {
    match args.next()?.to_str()? {
        RUN => Some(Order::Run {
            parent: args.next()?.to_str()?.parse().ok()?,
            program: args.next()?,
            args: args.collect(),
        }),
        SUPERVISE => Some(Order::Supervise { program: args.next()?, args: args.collect() }),
        GUARD => Some(Order::Guard { root: args.next()?.into() }),
        _ => None,
    }
}

fn bind_to_parent(parent: i32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A parent that died before the line above sends no signal any more.
    if rustix::process::getppid() == Pid::from_raw(parent) {
        Ok(())
    } else {
        Err(io::Error::other("the program that started this one has ended"))
    }
}

fn handler(program: &Path, args: Vec<OsString>) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    // Lambda gives runtimes a descriptor for log records of several lines; a duplicate of stdout keeps the order of all
    // that a handler writes.
    if let Ok(telemetry) = rustix::io::dup(io::stdout()) {
        command.env("_LAMBDA_TELEMETRY_LOG_FD", telemetry.into_raw_fd().to_string());
    }
    command
}

/// Keeps a list of process groups (`+PID`, `-PID`, a line each) until the writer is gone; then sees to it that those that
/// are left end, and removes their directory. Their leaders are supervisors, which end by themselves with all below them;
/// they get some time for it.
fn guard(orders: impl BufRead, root: &Path, patience: Duration) {
    let mut groups: Vec<Pid> = Vec::new();
    for line in orders.lines().map_while(Result::ok) {
        let Some((sign, pid)) = line.split_at_checked(1) else {
            continue;
        };
        let Some(pid) = pid.parse().ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) else {
            continue;
        };
        groups.retain(|known| *known != pid);
        if sign == "+" {
            groups.push(pid);
        }
    }
    supervisor::await_end(groups.clone(), patience);
    for group in groups {
        let _already_gone = rustix::process::kill_process_group(group, Signal::KILL);
    }
    if is_ours(root) {
        let _already_gone = super::package::remove(root);
    }
}

fn is_ours(root: &Path) -> bool {
    root.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(ROOT_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Option<Order> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn orders_are_read_as_they_are_written() {
        let args = supervise_args(Path::new("/bin/true")).into_iter().chain(["-x".into()]);
        let expected = Order::Supervise { program: "/bin/true".into(), args: vec!["-x".into()] };
        assert_eq!(parse(args), Some(expected));
        let expected =
            Order::Run { parent: 7, program: "/bin/true".into(), args: vec!["-x".into()] };
        assert_eq!(parsed(&["run", "7", "/bin/true", "-x"]), Some(expected));
        let expected = Order::Guard { root: "/tmp/r".into() };
        assert_eq!(parse(guard_args(Path::new("/tmp/r")).into_iter()), Some(expected));
    }

    #[test]
    fn nonsense_is_refused() {
        for words in [
            &[][..],
            &["run"],
            &["run", "x", "/bin/true"],
            &["run", "1"],
            &["supervise"],
            &["guard"],
            &["?"],
        ] {
            assert_eq!(parsed(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_wrong_parent_is_noticed() {
        assert!(bind_to_parent(i32::MAX).is_err());
    }

    #[test]
    fn the_guard_ends_groups_and_removes_the_directory() {
        let root = std::env::temp_dir().join(format!("{ROOT_PREFIX}guard-{}", fastrand::u64(..)));
        std::fs::create_dir(&root).expect("a fresh directory");
        let mut kept = Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        let mut ended = Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        let orders = format!("+{0}\n+{1}\nnonsense\n\n-{0}\n", kept.id(), ended.id());
        guard(orders.as_bytes(), &root, Duration::ZERO);
        assert!(!ended.wait().expect("ended").success());
        assert!(kept.try_wait().expect("kept").is_none());
        assert!(!root.exists());
        kept.kill().and_then(|()| kept.wait()).expect("killed");
    }

    #[test]
    fn the_guard_removes_nothing_else() {
        let root = std::env::temp_dir().join(format!("precious-{}", fastrand::u64(..)));
        std::fs::create_dir(&root).expect("a fresh directory");
        guard(&b""[..], &root, Duration::ZERO);
        assert!(root.exists());
        std::fs::remove_dir(&root).expect("removed");
    }
}

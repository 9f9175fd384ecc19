//! All environments of all functions: which are kept, how many there may be, how they end.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::entry::Interpreters;
use super::environment::{Environment, EnvironmentParts};
use super::log::StreamLog;
use super::platform::{End, Report};
use super::working_directory::WorkingDirectory;
use super::{Call, Deployment, Fault, Host, Outcome};

/// How many environments one function may have; further invocations wait, where AWS would start more.
const MOST_PER_FUNCTION: usize = 16;
/// How many environments may wait for work; beyond, those of other functions end.
const MOST_IDLE: usize = 48;

/// The execution environments of a server.
pub struct ProcessPool {
    shared: Arc<Shared>,
}

struct Shared {
    launcher: Vec<OsString>,
    host: Arc<dyn Host>,
    working_directory: OnceCell<Arc<WorkingDirectory>>,
    interpreters: Interpreters,
    pools: Mutex<HashMap<(String, String), VersionPool>>,
    closed: AtomicBool,
}

/// The environments of one version of one function.
struct VersionPool {
    generation: u64,
    idle: Vec<Environment>,
    slots: Arc<Semaphore>,
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ProcessPool").finish_non_exhaustive()
    }
}

impl ProcessPool {
    /// A process pool without environments. `launcher` is the command that becomes a handler by way of
    /// [`become_handler`](crate::lambda::launch::become_handler); without one, handlers are started directly and
    /// only an orderly end of this process ends them.
    #[must_use]
    pub fn new(launcher: Vec<OsString>, host: Arc<dyn Host>) -> Self {
        let shared = Shared {
            launcher,
            host,
            working_directory: OnceCell::new(),
            interpreters: Interpreters::default(),
            pools: Mutex::default(),
            closed: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Executes one invocation, in an environment that is there already or in a new one.
    ///
    /// An environment ends when the future is dropped in the midst of an invocation.
    pub async fn execute(&self, deployment: &Arc<Deployment>, call: Call) -> Outcome {
        self.shared.execute(deployment, call).await
    }

    /// Prepares for a function's first invocation.
    pub async fn prepare(&self, runtime: &str) {
        self.shared.interpreters.warm_up(runtime).await;
        // The invocation itself will report what went wrong.
        let _working_directory = self.shared.working_directory().await;
    }

    /// Ends the waiting environments of all versions of a function; those at work end after it.
    pub fn retire(&self, function_name: &str) {
        let mut retired = Vec::new();
        let mut pools = self.shared.pools();
        let names: Vec<_> =
            pools.keys().filter(|(name, _)| name == function_name).cloned().collect();
        retired.extend(names.into_iter().filter_map(|name| pools.remove(&name)));
        drop(pools);
        drop(retired);
    }

    /// Ends every environment, also those at work.
    pub async fn shutdown(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        let pools = std::mem::take(&mut *self.shared.pools());
        drop(pools);
        if let Some(working_directory) = self.shared.working_directory.get() {
            let working_directory = Arc::clone(working_directory);
            let _closed = tokio::task::spawn_blocking(move || working_directory.close()).await;
        }
    }
}

impl Shared {
    fn pools(&self) -> MutexGuard<'_, HashMap<(String, String), VersionPool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn working_directory(&self) -> io::Result<Arc<WorkingDirectory>> {
        let open = || async { WorkingDirectory::open(self.launcher.clone()).map(Arc::new) };
        self.working_directory.get_or_try_init(open).await.map(Arc::clone)
    }

    async fn execute(&self, deployment: &Arc<Deployment>, call: Call) -> Outcome {
        let _slot = self.slot(deployment).await;
        let mut environment = match self.idle(deployment) {
            Some(environment) => environment,
            None => match self.start(deployment).await {
                Ok(environment) => environment,
                Err((fault, log)) => return refused(deployment, &call.request_id, &fault, &log),
            },
        };
        let (outcome, reusable) = environment.invoke(call).await;
        if reusable {
            self.keep(deployment, environment);
        }
        outcome
    }

    /// Waits until the function may have one more environment at work.
    async fn slot(&self, deployment: &Deployment) -> Option<OwnedSemaphorePermit> {
        let slots = {
            let mut pools = self.pools();
            let pool = pools.entry(key(deployment)).or_insert_with(|| VersionPool::new(deployment));
            if pool.generation < deployment.generation {
                *pool = VersionPool::new(deployment);
            }
            Arc::clone(&pool.slots)
        };
        slots.acquire_owned().await.ok()
    }

    fn idle(&self, deployment: &Deployment) -> Option<Environment> {
        let mut pools = self.pools();
        let pool = pools.get_mut(&key(deployment))?;
        while let Some(mut environment) = pool.idle.pop() {
            if environment.generation() == deployment.generation && environment.is_alive() {
                return Some(environment);
            }
        }
        None
    }

    fn keep(&self, deployment: &Deployment, environment: Environment) {
        if self.closed.load(Ordering::SeqCst) {
            return;
        }
        let mut pools = self.pools();
        let idle: usize = pools.values().map(|pool| pool.idle.len()).sum();
        let crowded_out = (idle >= MOST_IDLE)
            .then(|| pools.values_mut().find_map(|pool| pool.idle.pop()))
            .flatten();
        let outdated = match pools.get_mut(&key(deployment)) {
            Some(pool) if pool.generation == deployment.generation => {
                pool.idle.push(environment);
                None
            }
            _ => Some(environment),
        };
        // Environments end outside the lock: their directories take time to remove.
        drop(pools);
        drop((crowded_out, outdated));
    }

    async fn start(
        &self,
        deployment: &Arc<Deployment>,
    ) -> Result<Environment, (Fault, Arc<StreamLog>)> {
        let stream = stream_name(&deployment.version, self.host.now());
        let group = deployment.log_group.clone();
        let log = Arc::new(StreamLog::new(Arc::clone(&self.host), group, stream.clone()));
        log.write_lines([deployment.log_format.init_start(
            log.now(),
            &runtime_version(&deployment.runtime),
            &deployment.runtime_version_arn,
        )]);
        log.begin_tail();
        match self.start_logged(deployment, stream, &log).await {
            Ok(environment) => Ok(environment),
            Err(fault) => Err((fault, log)),
        }
    }

    async fn start_logged(
        &self,
        deployment: &Arc<Deployment>,
        stream: String,
        log: &Arc<StreamLog>,
    ) -> Result<Environment, Fault> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Fault::new("Runtime.Unknown", "the local AWS is shutting down"));
        }
        let working_directory =
            self.working_directory().await.map_err(|error| cannot_start(&error))?;
        let unpacking = {
            let (working_directory, deployment) =
                (Arc::clone(&working_directory), Arc::clone(deployment));
            tokio::task::spawn_blocking(move || working_directory.unpacked(&deployment.code))
        };
        let task = match unpacking.await {
            Ok(Ok(task)) => task,
            Ok(Err(error)) => return Err(Fault::new("Runtime.Unknown", error.to_string())),
            Err(error) => return Err(cannot_start(&io::Error::other(error))),
        };
        let loaders = working_directory.runtime_dir();
        let entry = self.interpreters.entry_point(deployment, task.path(), &loaders).await?;
        if let Some(remark) = &entry.remark {
            log.write_lines([deployment.log_format.remark(log.now(), remark)]);
            log.begin_tail();
        }
        let parts = EnvironmentParts {
            deployment: Arc::clone(deployment),
            host: Arc::clone(&self.host),
            working_directory,
            task,
            entry,
            stream,
            log: Arc::clone(log),
        };
        Environment::start(parts).await.map_err(|error| cannot_start(&error))
    }
}

impl VersionPool {
    fn new(deployment: &Deployment) -> Self {
        Self {
            generation: deployment.generation,
            idle: Vec::new(),
            slots: Arc::new(Semaphore::new(MOST_PER_FUNCTION)),
        }
    }
}

fn key(deployment: &Deployment) -> (String, String) {
    (deployment.function_name.clone(), deployment.version.clone())
}

fn cannot_start(error: &io::Error) -> Fault {
    Fault::new("Runtime.Unknown", format!("the local AWS could not start the function: {error}"))
}

/// An invocation for which there is no environment, logged as if there had been one.
fn refused(deployment: &Deployment, request_id: &str, fault: &Fault, log: &StreamLog) -> Outcome {
    let now = log.now();
    let format = deployment.log_format;
    let report = Report {
        request_id,
        duration: std::time::Duration::ZERO,
        init: None,
        memory_mb: deployment.memory_mb,
        max_memory_mb: 0,
        end: End::Broken { error_type: &fault.error_type },
    };
    let remark =
        format!("RequestId: {request_id} Error: {}\n{}\n", fault.message, fault.error_type);
    let start = format.start(now, request_id, &deployment.version);
    log.write_lines([start, remark].into_iter().chain(format.end(now, &report)));
    Outcome { payload: fault.payload(request_id), failed: true, log_tail: log.take_tail() }
}

/// `python:3.13.v1`, as `INIT_START` has it.
fn runtime_version(runtime: &str) -> String {
    let family = runtime.find(|character: char| character.is_ascii_digit());
    match family.and_then(|at| runtime.split_at_checked(at)) {
        Some((family, version)) if !runtime.starts_with("provided") => {
            format!("{family}:{version}.v1")
        }
        _ => format!("{}.v1", runtime.replace('.', ":")),
    }
}

/// `2026/11/23/[$LATEST]0123456789abcdef0123456789abcdef`.
fn stream_name(version: &str, now: SystemTime) -> String {
    let now = jiff::Timestamp::try_from(now).unwrap_or(jiff::Timestamp::MAX);
    format!("{}/[{version}]{:032x}", now.strftime("%Y/%m/%d"), fastrand::u128(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_like_lambdas() {
        assert_eq!(runtime_version("python3.13"), "python:3.13.v1");
        assert_eq!(runtime_version("nodejs22.x"), "nodejs:22.x.v1");
        assert_eq!(runtime_version("provided.al2023"), "provided:al2023.v1");
        let name = stream_name("$LATEST", SystemTime::now());
        assert_eq!(name.len(), "2026/11/23/[$LATEST]".len() + 32);
        assert!(name.contains("/[$LATEST]"));
    }
}

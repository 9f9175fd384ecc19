//! One execution environment: a process, its Runtime API, its log stream.

use std::ffi::OsString;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rustix::process::Pid;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::api::{Init, LARGEST_RESPONSE, Reply, RuntimeApi, Submitted};
use super::entry::EntryPoint;
use super::log::{Paths, StreamLog};
use super::output::Output;
use super::platform::{End, Report, iso_millis};
use super::working_directory::{PrivateDir, WorkingDirectory};
use super::{Call, Deployment, Fault, Host, Outcome};
use crate::lambda::supervisor;
use crate::server::{self, Listening};

/// How long Lambda lets a runtime initialise before the function's own time begins to count.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How long a runtime that has answered may take until it asks for more; beyond, its caller is not kept waiting.
const GRACE_PERIOD: Duration = Duration::from_millis(100);

const TIMED_OUT: &str = "Sandbox.Timedout";
const EXITED: &str = "Runtime.ExitError";
const OUT_OF_MEMORY: &str = "Runtime.OutOfMemory";

/// How often a handler's memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(20);

/// An execution environment.
pub(super) struct Environment {
    deployment: Arc<Deployment>,
    log: Arc<StreamLog>,
    output: Output,
    process: Process,
    api: Arc<RuntimeApi>,
    init: Option<oneshot::Receiver<Init>>,
    started: Instant,
    _listening: Listening,
    _scratch: PrivateDir,
    _task: PrivateDir,
}

/// The process, and how to end it with all that it started.
struct Process {
    child: Child,
    group: Option<Pid>,
    /// The handler itself, once it is known: the child, or the supervisor's.
    handler: Option<Pid>,
    working_directory: Arc<WorkingDirectory>,
    max_memory_mb: u64,
}

/// What ended an invocation or an initialisation.
enum Ending {
    Replied(Reply),
    InitFailed { payload: Bytes, error_type: String },
    Exited(io::Result<ExitStatus>),
    OutOfMemory,
    TimedOut,
}

/// The result of an invocation before it is written down.
struct InvocationResult {
    payload: Bytes,
    /// The type of an error that was not the handler's own.
    broken: Option<String>,
    failed: bool,
    /// What Lambda writes before END.
    remark: Option<String>,
}

/// What an environment is started with.
pub(super) struct EnvironmentParts {
    pub(super) deployment: Arc<Deployment>,
    pub(super) host: Arc<dyn Host>,
    pub(super) working_directory: Arc<WorkingDirectory>,
    pub(super) task: PrivateDir,
    pub(super) entry: EntryPoint,
    pub(super) stream: String,
    pub(super) log: Arc<StreamLog>,
}

impl Environment {
    /// Starts the process; it initialises on its own.
    pub(super) async fn start(parts: EnvironmentParts) -> io::Result<Self> {
        let EnvironmentParts { deployment, host, working_directory, task, entry, stream, log } =
            parts;
        let scratch = working_directory.scratch()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let api_address = listener.local_addr()?.to_string();
        let (api, init) = RuntimeApi::new();
        let api = Arc::new(api);
        let handler: Arc<dyn server::Handler> = Arc::<RuntimeApi>::clone(&api);
        let listening = server::serve(listener, handler)?;
        let (output, stdout, stderr) = Output::open(Arc::clone(&log))?;
        let mut variables = lambda_variables(&deployment, &stream, &api_address);
        variables.extend(host.aws_variables(&deployment.role_arn, &deployment.function_name));
        let runtime_dir = working_directory.runtime_dir();
        log.show(Paths::new(task.path(), &runtime_dir, scratch.path()));
        let prepare = |command: &mut Command| {
            command.env_clear();
            command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
            command.envs(variables);
            command.env("HOME", scratch.path()).env("TMPDIR", scratch.path());
            command.env("LAMBDA_TASK_ROOT", task.path()).env("LAMBDA_RUNTIME_DIR", runtime_dir);
            command.envs(&deployment.variables);
            command.current_dir(task.path()).stdout(stdout).stderr(stderr);
        };
        let started = Instant::now();
        let args: &[OsString] = &entry.args;
        let (child, group) = working_directory.spawn(&entry.program, args, prepare).await?;
        let process = Process { child, group, handler: None, working_directory, max_memory_mb: 0 };
        Ok(Self {
            deployment,
            log,
            output,
            process,
            api,
            init: Some(init),
            started,
            _listening: listening,
            _scratch: scratch,
            _task: task,
        })
    }

    /// Which code and configuration it runs.
    pub(super) fn generation(&self) -> u64 {
        self.deployment.generation
    }

    /// Whether it can take an invocation.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.child.try_wait(), Ok(None))
    }

    /// Invokes; says whether the environment can be used again.
    pub(super) async fn invoke(&mut self, call: Call) -> (Outcome, bool) {
        let format = self.deployment.log_format;
        let request_id = call.request_id.clone();
        let mut init_duration = None;
        match self.init.take() {
            None => self.log.begin_tail(),
            Some(init) => match self.initialise(init).await {
                Ok(duration) => init_duration = Some(duration),
                Err(ending) => return (self.init_failed(&request_id, ending).await, false),
            },
        }
        self.log.write_lines([format.start(self.log.now(), &request_id, &self.deployment.version)]);
        let began = Instant::now();
        // The handler compares it with the machine's clock.
        let deadline = SystemTime::now() + self.deployment.timeout;
        let Submitted { reply, asked_again } = self.api.submit(call, deadline);
        let mut ending = self.wait_for(reply).await;
        let duration = began.elapsed().min(self.deployment.timeout);
        let reusable = matches!(ending, Ending::Replied(_)) && self.settles(asked_again).await;
        if self.process.measure() > self.deployment.memory_mb.into() {
            ending = Ending::OutOfMemory;
        }
        let reusable = reusable && !matches!(ending, Ending::OutOfMemory);
        if !reusable {
            self.process.end().await;
        }
        self.output.drain().await;
        let result = self.judge(&request_id, ending);
        (self.conclude(&request_id, result, duration, init_duration), reusable)
    }

    async fn initialise(&mut self, mut init: oneshot::Receiver<Init>) -> Result<Duration, Ending> {
        // Lambda would start a slow runtime anew when INIT_LIMIT is over; the sum of the time it has is the same.
        let limit = INIT_LIMIT + self.deployment.timeout;
        let ending = timeout(limit, async {
            tokio::select! {
                biased;
                Ok(init) = &mut init => Ok(init),
                ending = self.process.ends(self.deployment.memory_mb) => Err(ending),
            }
        });
        match ending.await {
            Ok(Ok(Init::Ready)) => {
                // A process that exits can no longer be asked.
                self.process.measure();
                self.output.drain().await;
                Ok(self.started.elapsed())
            }
            Ok(Ok(Init::Failed { payload, error_type })) => {
                Err(Ending::InitFailed { payload, error_type })
            }
            Ok(Err(ending)) => Err(ending),
            Err(_) => Err(Ending::TimedOut),
        }
    }

    async fn init_failed(&mut self, request_id: &str, ending: Ending) -> Outcome {
        let duration = self.started.elapsed();
        self.process.measure();
        self.process.end().await;
        self.output.drain().await;
        let result = self.judge(request_id, ending);
        let format = self.deployment.log_format;
        let now = self.log.now();
        self.log.write_lines([
            format.init_failed(now, duration, result.end()),
            format.start(now, request_id, &self.deployment.version),
        ]);
        self.conclude(request_id, result, duration, None)
    }

    async fn wait_for(&mut self, reply: oneshot::Receiver<Reply>) -> Ending {
        let ending = timeout(self.deployment.timeout, async {
            tokio::select! {
                biased;
                Ok(reply) = reply => Ending::Replied(reply),
                ending = self.process.ends(self.deployment.memory_mb) => ending,
            }
        });
        ending.await.unwrap_or(Ending::TimedOut)
    }

    /// Waits for a runtime that has answered to ask for more, or to end; says whether it lives.
    async fn settles(&mut self, mut asked_again: watch::Receiver<u64>) -> bool {
        let settled = timeout(GRACE_PERIOD, async {
            tokio::select! {
                biased;
                _ = self.process.child.wait() => false,
                _ = asked_again.changed() => true,
            }
        });
        settled.await.unwrap_or(true)
    }

    fn judge(&self, request_id: &str, ending: Ending) -> InvocationResult {
        match ending {
            Ending::Replied(Reply::Response(payload)) => {
                InvocationResult { payload, broken: None, failed: false, remark: None }
            }
            Ending::Replied(Reply::Error(payload)) => {
                let payload = self.shown(payload);
                InvocationResult { payload, broken: None, failed: true, remark: None }
            }
            Ending::InitFailed { payload, error_type } => {
                let payload = self.shown(payload);
                InvocationResult { payload, broken: Some(error_type), failed: true, remark: None }
            }
            Ending::OutOfMemory => InvocationResult::out_of_memory(request_id),
            Ending::Replied(Reply::TooLarge) => too_large(),
            Ending::Exited(status) => InvocationResult::exited(request_id, status),
            Ending::TimedOut => {
                InvocationResult::timed_out(request_id, self.deployment.timeout, self.log.now())
            }
        }
    }

    /// An error with the paths that people see.
    fn shown(&self, error: Bytes) -> Bytes {
        match String::from_utf8(error.into()) {
            Ok(text) => self.log.shown(text).into(),
            Err(no_text) => no_text.into_bytes().into(),
        }
    }

    fn conclude(
        &self,
        request_id: &str,
        result: InvocationResult,
        duration: Duration,
        init: Option<Duration>,
    ) -> Outcome {
        let report = Report {
            request_id,
            duration,
            init,
            memory_mb: self.deployment.memory_mb,
            max_memory_mb: self.process.max_memory_mb.min(self.deployment.memory_mb.into()),
            end: result.end(),
        };
        let lines = self.deployment.log_format.end(self.log.now(), &report);
        self.log.write_lines(result.remark.into_iter().chain(lines));
        Outcome { payload: result.payload, failed: result.failed, log_tail: self.log.take_tail() }
    }
}

impl InvocationResult {
    fn end(&self) -> End<'_> {
        match self.broken.as_deref() {
            Some(TIMED_OUT) => End::Timeout,
            Some(error_type) => End::Broken { error_type },
            None => End::Answered { failed: self.failed },
        }
    }

    fn of_fault(request_id: &str, fault: &Fault, remark: String) -> Self {
        Self {
            payload: fault.payload(request_id),
            broken: Some(fault.error_type.clone()),
            failed: true,
            remark: Some(remark),
        }
    }

    fn timed_out(request_id: &str, limit: Duration, now: SystemTime) -> Self {
        let message = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
        let remark = format!("{} {request_id} {message}\n\n", iso_millis(now));
        Self::of_fault(request_id, &Fault::new(TIMED_OUT, message), remark)
    }

    fn out_of_memory(request_id: &str) -> Self {
        let message = "Runtime exited with error: signal: killed";
        let remark = format!("RequestId: {request_id} Error: {message}\n{EXITED}\n");
        Self::of_fault(request_id, &Fault::new(OUT_OF_MEMORY, message), remark)
    }

    fn exited(request_id: &str, status: io::Result<ExitStatus>) -> Self {
        let message = match status {
            Ok(status) => exit_message(status),
            Err(error) => format!("Runtime exited with error: {error}"),
        };
        let remark = format!("RequestId: {request_id} Error: {message}\n{EXITED}\n");
        Self::of_fault(request_id, &Fault::new(EXITED, message), remark)
    }
}

impl Process {
    /// Notes how much memory the process has used at most, where the system says; returns how much of it nothing but its
    /// end could have freed.
    fn measure(&mut self) -> u64 {
        let Some(status) = self.status() else { return 0 };
        let peak = megabytes(&status, "VmHWM:");
        self.max_memory_mb = self.max_memory_mb.max(peak);
        peak.saturating_sub(megabytes(&status, "RssFile:"))
    }

    /// What the system says of the handler; nothing where it has no such files.
    fn status(&mut self) -> Option<String> {
        let path = format!("/proc/{}/status", self.handler()?.as_raw_nonzero());
        std::fs::read_to_string(path).ok()
    }

    /// Waits until the process ends, by itself or because it uses more memory than it may.
    async fn ends(&mut self, memory_mb: u32) -> Ending {
        loop {
            if let Ok(status) = timeout(MEMORY_INTERVAL, self.child.wait()).await {
                return Ending::Exited(status);
            }
            if self.measure() > memory_mb.into() {
                return Ending::OutOfMemory;
            }
        }
    }

    fn handler(&mut self) -> Option<Pid> {
        if self.handler.is_none() {
            let child = i32::try_from(self.child.id()?).ok().and_then(Pid::from_raw)?;
            self.handler = if self.working_directory.supervises() {
                supervisor::children(child).into_iter().next()
            } else {
                Some(child)
            };
        }
        self.handler
    }

    async fn end(&mut self) {
        if let Some(group) = self.group.take() {
            self.working_directory.end(group);
        }
        let _status = self.child.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            self.working_directory.end(group);
        }
    }
}

/// A line of `/proc/PID/status` such as `VmHWM:  12345 kB`, rounded up.
fn megabytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0).div_ceil(1024)
}

fn exit_message(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(11)) => "Runtime exited with error: signal: segmentation fault".to_owned(),
        (None, Some(6)) => "Runtime exited with error: signal: aborted".to_owned(),
        (None, Some(15)) => "Runtime exited with error: signal: terminated".to_owned(),
        (None, signal) => format!("Runtime exited with error: signal: {}", signal.unwrap_or(0)),
    }
}

fn too_large() -> InvocationResult {
    const TYPE: &str = "Function.ResponseSizeTooLarge";
    let message = format!(
        "Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
    );
    let payload = serde_json::json!({"errorType": TYPE, "errorMessage": message}).to_string();
    InvocationResult {
        payload: Bytes::from(payload),
        broken: Some(TYPE.to_owned()),
        failed: true,
        remark: Some(format!("[ERROR] {TYPE}: {message}\n")),
    }
}

fn lambda_variables(
    deployment: &Deployment,
    stream: &str,
    api_address: &str,
) -> Vec<(String, String)> {
    let memory = deployment.memory_mb.to_string();
    let execution_env = format!("AWS_Lambda_{}", deployment.runtime);
    let format = match deployment.log_format {
        super::LogFormat::Text => "Text",
        super::LogFormat::Json => "JSON",
    };
    let mut variables = vec![
        ("AWS_LAMBDA_FUNCTION_NAME", deployment.function_name.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", &deployment.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &deployment.log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_LOG_FORMAT", format),
        ("AWS_LAMBDA_RUNTIME_API", api_address),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_EXECUTION_ENV", &execution_env),
        ("_HANDLER", &deployment.handler),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    if let Some(level) = &deployment.log_level {
        variables.push(("AWS_LAMBDA_LOG_LEVEL", level));
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

//! Functions that really execute, started directly: a launcher would need a program of its own.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Call, Deployment, Host, LogFormat, Outcome, ProcessPool};

/// Keeps the log.
#[derive(Default)]
struct Account {
    log: Mutex<Vec<(String, String)>>,
}

impl Account {
    fn text(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().map(|(_, text)| text.as_str()).collect()
    }
}

impl Host for Account {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn append_log(&self, group: &str, _: &str, events: Vec<(SystemTime, String)>) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend(events.into_iter().map(|(_, text)| (group.to_owned(), text)));
    }

    fn aws_variables(&self, role_arn: &str, _: &str) -> Vec<(String, String)> {
        vec![("ROLE_FOR_TESTS".to_owned(), role_arn.to_owned())]
    }
}

fn processes() -> (ProcessPool, Arc<Account>) {
    let account = Arc::new(Account::default());
    let host: Arc<dyn Host> = Arc::<Account>::clone(&account);
    (ProcessPool::new(Vec::new(), host), account)
}

fn deployment(name: &str, runtime: &str, file: &str, text: &str) -> Deployment {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file(file, options).expect("an entry");
    writer.write_all(text.as_bytes()).expect("its content");
    let code = writer.finish().expect("a zip").into_inner();
    Deployment {
        function_name: name.to_owned(),
        version: "$LATEST".to_owned(),
        generation: 1,
        runtime: runtime.to_owned(),
        runtime_version_arn: "arn".to_owned(),
        handler: "m.handler".to_owned(),
        role_arn: "role".to_owned(),
        memory_mb: 128,
        timeout: Duration::from_secs(20),
        variables: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        log_group: format!("/aws/lambda/{name}"),
        log_format: LogFormat::Text,
        log_level: None,
        code: Bytes::from(code),
        code_sha256: format!("{name}-{}", fastrand::u64(..)),
    }
}

fn python(text: &str) -> Deployment {
    deployment("f", "python3.13", "m.py", text)
}

async fn run(processes: &ProcessPool, deployment: &Deployment, event: Value) -> Outcome {
    let call = Call {
        request_id: format!("request-{}", fastrand::u32(..)),
        payload: Bytes::from(event.to_string()),
        invoked_arn: "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned(),
        client_context: None,
    };
    processes.execute(&Arc::new(deployment.clone()), call).await
}

fn value(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.payload).expect("JSON")
}

#[tokio::test]
async fn a_python_handler_is_executed_and_kept_warm() {
    let (processes, account) = processes();
    let function = python(
        "import os, logging\n\
         logging.getLogger().setLevel('INFO')\n\
         def handler(event, context):\n    \
             print('printed')\n    \
             logging.info('logged')\n    \
             return [event['n'] + 1, os.getpid(), os.environ['GREETING'], os.environ['ROLE_FOR_TESTS']]\n",
    );
    let first = run(&processes, &function, json!({"n": 1})).await;
    assert!(!first.failed, "{first:?}");
    let (first, second) =
        (value(&first), value(&run(&processes, &function, json!({"n": 2})).await));
    assert_eq!((&first[0], &second[0]), (&json!(2), &json!(3)));
    assert_eq!(first[1], second[1], "the process is kept");
    assert_eq!((&first[2], &first[3]), (&json!("hello"), &json!("role")));
    let log = account.text();
    assert_eq!(log.matches("INIT_START").count(), 1);
    assert_eq!(log.matches("REPORT RequestId").count(), 2);
    assert!(log.contains("printed\n") && log.contains("[INFO]\t"), "{log}");
    processes.shutdown().await;
}

#[tokio::test]
async fn errors_of_a_handler_have_their_type_and_a_traceback() {
    let (processes, account) = processes();
    let function = python("def handler(event, context):\n    raise ValueError('no')\n");
    let outcome = run(&processes, &function, json!({})).await;
    assert!(outcome.failed);
    let error = value(&outcome);
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("ValueError"), &json!("no")));
    let trace = error["stackTrace"][0].as_str().unwrap_or_default();
    assert!(trace.starts_with("  File \"/var/task/m.py\", line 2, in handler"), "{trace}");
    assert!(account.text().contains("[ERROR] ValueError: no"), "{}", account.text());
    processes.shutdown().await;
}

#[tokio::test]
async fn a_module_that_is_missing_ends_initialisation() {
    let (processes, account) = processes();
    let outcome = run(&processes, &python("import nothing_of_that_name\n"), json!({})).await;
    assert_eq!(value(&outcome)["errorType"], "Runtime.ImportModuleError");
    let log = account.text();
    assert!(
        log.contains("Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError"),
        "{log}"
    );
    processes.shutdown().await;
}

#[tokio::test]
async fn time_is_limited_and_a_new_process_follows() {
    let (processes, _) = processes();
    let mut function = python(
        "import time\ndef handler(event, context):\n    time.sleep(event['s'])\n    return 'done'\n",
    );
    function.timeout = Duration::from_secs(1);
    let began = Instant::now();
    let outcome = run(&processes, &function, json!({"s": 30})).await;
    assert!(began.elapsed() < Duration::from_secs(15));
    let error = value(&outcome);
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let message = error["errorMessage"].as_str().unwrap_or_default();
    assert!(message.ends_with("Error: Task timed out after 1.00 seconds"), "{message}");
    assert!(String::from_utf8_lossy(&outcome.log_tail).contains("Status: timeout"));
    assert_eq!(value(&run(&processes, &function, json!({"s": 0})).await), "done");
    processes.shutdown().await;
}

#[tokio::test]
async fn a_process_that_exits_is_reported() {
    let (processes, _) = processes();
    let function = python("import os\ndef handler(event, context):\n    os._exit(event['code'])\n");
    let message = |outcome: &Outcome| {
        let error = value(outcome);
        assert_eq!(error["errorType"], "Runtime.ExitError");
        error["errorMessage"].as_str().unwrap_or_default().to_owned()
    };
    let failed = message(&run(&processes, &function, json!({"code": 3})).await);
    assert!(failed.ends_with("Runtime exited with error: exit status 3"), "{failed}");
    let ended = message(&run(&processes, &function, json!({"code": 0})).await);
    assert!(ended.ends_with("Runtime exited without providing a reason"), "{ended}");
    processes.shutdown().await;
}

#[tokio::test]
async fn a_handler_gets_no_more_memory_than_is_configured() {
    let (processes, account) = processes();
    let function = python(
        "def handler(event, context):\n    return len(b'x' * (event['mb'] * 1024 * 1024))\n",
    );
    assert_eq!(value(&run(&processes, &function, json!({"mb": 8})).await), 8 * 1024 * 1024);
    let outcome = run(&processes, &function, json!({"mb": 200})).await;
    if cfg!(target_os = "linux") {
        assert_eq!(value(&outcome)["errorType"], "Runtime.OutOfMemory");
        let log = account.text();
        let told = "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory";
        assert!(log.contains(told), "{log}");
        assert_eq!(value(&run(&processes, &function, json!({"mb": 1})).await), 1024 * 1024);
    }
    processes.shutdown().await;
}

#[tokio::test]
async fn nothing_of_an_environment_is_shared_or_left() {
    let (processes, _) = processes();
    let function = python(
        "import os, tempfile, time\n\
         def handler(event, context):\n    \
             time.sleep(0.3)\n    \
             return [tempfile.mkdtemp(), os.environ['LAMBDA_TASK_ROOT']]\n",
    );
    let (one, other) =
        tokio::join!(run(&processes, &function, json!({})), run(&processes, &function, json!({})));
    let (one, other) = (value(&one), value(&other));
    for place in [0, 1] {
        assert_ne!(one[place], other[place]);
    }
    let exists = |value: &Value| std::path::Path::new(value.as_str().unwrap_or_default()).exists();
    assert!(exists(&one[0]) && exists(&other[1]));
    processes.shutdown().await;
    for value in [&one, &other] {
        assert!(!exists(&value[0]) && !exists(&value[1]), "{value}");
    }
}

#[tokio::test]
async fn invocations_at_the_same_time_have_processes_of_their_own() {
    let (processes, _) = processes();
    let function = python(
        "import os, time\ndef handler(event, context):\n    time.sleep(0.5)\n    return os.getpid()\n",
    );
    let (a, b) =
        tokio::join!(run(&processes, &function, json!({})), run(&processes, &function, json!({})));
    assert_ne!(value(&a), value(&b));
    processes.shutdown().await;
}

#[tokio::test]
async fn another_generation_has_other_processes() {
    let (processes, _) = processes();
    let old = python("def handler(event, context):\n    return 'old'\n");
    let new =
        Deployment { generation: 2, ..python("def handler(event, context):\n    return 'new'\n") };
    assert_eq!(value(&run(&processes, &old, json!({})).await), "old");
    assert_eq!(value(&run(&processes, &new, json!({})).await), "new");
    processes.shutdown().await;
}

#[tokio::test]
async fn a_function_without_bootstrap_says_so() {
    let (processes, account) = processes();
    let function = deployment("f", "provided.al2023", "other", "text");
    let error = value(&run(&processes, &function, json!({})).await);
    assert_eq!(error["errorType"], "Runtime.InvalidEntrypoint");
    let java =
        value(&run(&processes, &deployment("g", "java21", "other", "text"), json!({})).await);
    assert_eq!(java["errorType"], "Runtime.NotSupportedLocally");
    assert_eq!(account.text().matches("END RequestId").count(), 2);
    processes.shutdown().await;
}

#[tokio::test]
async fn grandchildren_end_with_their_environment() {
    let (processes, _) = processes();
    let function = python(
        "import subprocess\ndef handler(event, context):\n    \
             return subprocess.Popen(['sleep', '60']).pid\n",
    );
    let pid = value(&run(&processes, &function, json!({})).await);
    let status = format!("/proc/{pid}/stat");
    let runs = || std::fs::read_to_string(&status).is_ok_and(|text| !text.contains(") Z "));
    assert!(!cfg!(target_os = "linux") || runs());
    processes.retire("f");
    let began = Instant::now();
    while runs() && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!runs());
    processes.shutdown().await;
}

//! What a handler is run with: an event, a table of known users, a log.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use handlers::{KnownUsers, log};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::server::Server;

pub const PRE_SIGN_UP: &str = include_str!("../events/PreSignUp_SignUp.json");
pub const USER_MIGRATION: &str = include_str!("../events/UserMigration_Authentication.json");
pub const POST_AUTHENTICATION: &str =
    include_str!("../events/PostAuthentication_Authentication.json");

/// The events of other sources, as the Lambda Developer Guide documents each under `with-…`.
pub const KINESIS: &str = include_str!("../events/kinesis.json");
pub const DYNAMODB: &str = include_str!("../events/dynamodb.json");
pub const DOCUMENTDB: &str = include_str!("../events/documentdb.json");
pub const MSK: &str = include_str!("../events/msk.json");
pub const S3: &str = include_str!("../events/s3.json");
pub const SNS: &str = include_str!("../events/sns.json");
pub const SQS: &str = include_str!("../events/sqs.json");

/// A documented event, with one place in it changed.
pub fn changed(event: &str, place: &str, to: impl Into<Value>) -> Value {
    let mut event: Value = serde_json::from_str(event).unwrap();
    *event.pointer_mut(place).expect("the event has that place") = to.into();
    event
}

/// A documented event, with one place in it taken out.
pub fn without(event: &str, parent: &str, field: &str) -> Value {
    let mut event: Value = serde_json::from_str(event).unwrap();
    let parent = event.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    parent.remove(field).expect("the event has that field");
    event
}

/// What serde says of an event that does not fit.
pub fn refusal<T: DeserializeOwned>(event: Value) -> String {
    serde_json::from_value::<T>(event).err().expect("the event does not fit").to_string()
}

pub fn parsed<T: DeserializeOwned>(event: Value) -> T {
    serde_json::from_value(event).unwrap()
}

/// The environment of a function whose DynamoDB is that server.
pub fn environment(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("TABLE_NAME", "known-users".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        ("AWS_SESSION_TOKEN", String::new()),
        ("AWS_ENDPOINT_URL", format!("http://{}", server.address())),
    ]
}

pub fn users(server: &Server) -> KnownUsers {
    listen();
    let environment = environment(server);
    let variable = |wanted: &'static str| {
        environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
    };
    KnownUsers::from_variables(variable).unwrap()
}

thread_local! {
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The log of this thread, on which alone a test runs.
pub struct Log {
    from: usize,
}

impl Log {
    pub fn start() -> Self {
        listen();
        Self { from: WRITTEN.with_borrow(Vec::len) }
    }

    pub fn text(&self) -> String {
        WRITTEN.with_borrow(|written| String::from_utf8(written[self.from..].to_vec()).unwrap())
    }

    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(|line| line.trim_start().to_owned()).collect()
    }
}

/// One subscriber for all threads, and there before anything is logged: `tracing` remembers who listens to which line, and
/// subscribers that come and go on several threads at once confuse it.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing::subscriber::set_global_default(log::to(|| ThisThread)).unwrap();
    });
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

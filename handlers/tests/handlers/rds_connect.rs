use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use handlers::auth_token;
use handlers::events::rds_connect::{self, Error, Response};
use lambda_runtime::Diagnostic;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::database::MariaDb;
use crate::program::{Outcome, run};
use crate::stage::Log;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE+/=";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_420_800)
}

type Environment = Vec<(&'static str, String)>;

fn environment(host: &str, port: u16) -> Environment {
    [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", SESSION_TOKEN),
        ("DBEndpoint", host),
        ("Port", &port.to_string()),
        ("DBUser", "lambda"),
        ("DBName", "playbook"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn changed(mut environment: Environment, name: &'static str, value: &str) -> Environment {
    environment.retain(|(known, _)| *known != name);
    environment.push((name, value.to_owned()));
    environment
}

async fn answer(environment: &Environment, now: SystemTime) -> Result<Response, Error> {
    let variable = |wanted: &'static str| {
        environment.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
    };
    rds_connect::handle(variable, now).await
}

async fn told(environment: &Environment) -> (String, String) {
    let error = answer(environment, now()).await.unwrap_err();
    let shown = format!("{error:?}");
    let Diagnostic { error_type, error_message } = error.into();
    assert_eq!(shown, error_message);
    (error_type, error_message)
}

fn reason(environment: &Environment, message: &str) -> String {
    let of = |wanted| &environment.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let start = format!(
        "the database at {}:{} does not let user {} in: ",
        of("DBEndpoint"),
        of("Port"),
        of("DBUser")
    );
    message.strip_prefix(&start).unwrap_or_else(|| panic!("{message}")).to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// All that needs a server, as it takes seconds to start one.
#[tokio::test]
async fn a_database_lets_the_token_in_over_tls_and_adds_up() {
    let credentials = Credentials::new(KEY, SECRET, Some(SESSION_TOKEN.to_owned()), None, "test");
    let token = |port| {
        auth_token::generate(&credentials, "eu-central-1", "127.0.0.1", port, "lambda", now())
            .unwrap()
    };
    let server = match MariaDb::start(token) {
        Ok(server) => server,
        Err(missing) => return skipped(&missing),
    };
    let given = environment("127.0.0.1", server.port());
    let right = changed(given.clone(), "DBCABundle", &server.ca_bundle());

    let log = Log::start();
    let response = answer(&right, now()).await.unwrap();
    assert_eq!(
        serde_json::to_value(response).unwrap(),
        json!({"statusCode": 200, "body": "The selected sum is: 5"})
    );
    assert_eq!(
        log.lines(),
        [
            format!("INFO Connecting to 127.0.0.1:{} as user lambda", server.port()),
            "INFO The selected sum is: 5".to_owned(),
        ]
    );

    // Another second, another token.
    let late = answer(&right, now() + Duration::from_secs(1)).await.unwrap_err().to_string();
    assert_eq!(
        reason(&right, &late),
        "ERROR 1045 (28000): Access denied for user 'lambda'@'127.0.0.1' (using password: YES)"
    );
    let elsewhere = changed(right.clone(), "DBName", "nowhere");
    let refused = reason(&elsewhere, &told(&elsewhere).await.1);
    assert!(refused.starts_with("ERROR 1044 (42000): Access denied for user"), "{refused}");
    // The browsers' certificates have not signed this server's.
    assert_eq!(
        reason(&given, &told(&given).await.1),
        "invalid peer certificate: UnknownIssuer; give the path of RDS's certificates in DBCABundle"
    );
    let misnamed = changed(right.clone(), "DBEndpoint", "localhost");
    let refused = reason(&misnamed, &told(&misnamed).await.1);
    assert!(refused.contains("certificate not valid for name \"localhost\""), "{refused}");

    // The program makes its token now, and so another one than the server takes.
    let Outcome { answers, output } =
        run(env!("CARGO_BIN_EXE_rds-connect"), right.clone(), vec![json!({})]);
    assert_eq!(answers.len(), 1, "{output}");
    assert_eq!(answers[0].1["errorType"], "Database.Unavailable");
    assert!(output.contains("Access denied for user 'lambda'"), "{output}");
    for secret in ["X-Amz-Signature", SECRET, SESSION_TOKEN, "IQoJb3JpZ2luX2VjEXAMPLE"] {
        assert!(!output.contains(secret) && !answers[0].1.to_string().contains(secret), "{output}");
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests should know what they leave out")]
fn skipped(missing: &str) {
    eprintln!("skipped: no database to connect to: {missing}");
}

#[tokio::test]
async fn what_says_which_database_must_be_set() {
    let explanation = "in the function's environment: DBEndpoint is the host name of a MySQL or MariaDB database with IAM \
                       authentication, DBUser a user of it that is set up for that, DBName the database to use";
    let all = environment("db.example.com", 3306);
    for (unset, names) in [
        (vec!["DBEndpoint", "DBUser", "DBName"], "DBEndpoint, DBUser and DBName"),
        (vec!["DBEndpoint", "DBName"], "DBEndpoint and DBName"),
        (vec!["DBUser"], "DBUser"),
    ] {
        let given = unset.iter().fold(all.clone(), |given, name| changed(given, name, ""));
        let message = format!("set {names} {explanation}");
        assert_eq!(told(&given).await, ("Database.NotSet".to_owned(), message));
    }
    let (error_type, message) = told(&changed(all, "AWS_REGION", "")).await;
    assert_eq!(error_type, "Database.NotSet");
    assert_eq!(message, "the environment variable AWS_REGION is not set");
}

#[test]
fn the_program_says_what_it_needs_when_it_is_invoked() {
    let given = environment("", 3306).into_iter().filter(|(name, _)| name.starts_with("AWS_"));
    let program = env!("CARGO_BIN_EXE_rds-connect");
    let Outcome { answers, output } = run(program, given.collect(), vec![json!(null), json!({})]);
    assert_eq!(answers.len(), 2, "{output}");
    for (path, answer) in answers {
        assert!(path.ends_with("/error"), "{output}");
        assert_eq!(answer["errorType"], "Database.NotSet");
        let message = answer["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("set DBEndpoint, DBUser and DBName in the"), "{message}");
    }
    assert!(output.contains("set DBEndpoint, DBUser and DBName"), "{output}");
}

#[tokio::test]
async fn what_is_set_wrongly_is_said() {
    let all = environment("db.example.com", 3306);
    for port in ["0", "70000", "mysql\n"] {
        let (error_type, message) = told(&changed(all.clone(), "Port", port)).await;
        let port = port.replace('\n', "\\n");
        assert_eq!(error_type, "Database.BadPort");
        assert_eq!(message, format!("Port in the function's environment is not a port: {port}"));
    }
    let (error_type, message) =
        told(&changed(all.clone(), "DBEndpoint", "db.example.com:3306")).await;
    assert_eq!(error_type, "Database.BadEndpoint");
    assert_eq!(
        message,
        "DBEndpoint in the function's environment is not a host name: db.example.com:3306"
    );
    let (error_type, message) = told(&changed(all, "DBCABundle", "/nowhere/bundle.pem")).await;
    assert_eq!(error_type, "Database.NoCertificates");
    assert_eq!(
        message,
        "DBCABundle in the function's environment cannot be read: /nowhere/bundle.pem: No such file or directory (os \
         error 2)"
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_to_be_so() {
    let given = environment("127.0.0.1", free_port());
    let (error_type, message) = told(&given).await;
    assert_eq!(error_type, "Database.Unavailable");
    let refused = reason(&given, &message);
    assert!(refused.starts_with("Connection refused"), "{refused}");
}

#[tokio::test]
async fn a_database_that_says_nothing_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let given = environment("127.0.0.1", silent.local_addr().unwrap().port());
    let started = Instant::now();
    let (_, message) = told(&given).await;
    assert_eq!(reason(&given, &message), "no answer within 5 seconds");
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}

/// What a server says first that knows no TLS and asks for the password in clear text.
fn greeting_without_tls() -> Vec<u8> {
    // Protocol 4.1, secure connection, authentication plugins; bit 11, TLS, is not set.
    let capabilities: u32 = 0x0008_8200;
    let [c0, c1, c2, c3] = capabilities.to_le_bytes();
    let mut packet = b"\x0a8.0.36\0\x01\0\0\0saltsalt\0".to_vec();
    packet.extend([c0, c1, 33, 2, 0, c2, c3, 21]);
    packet.extend([0; 10]);
    packet.extend(b"saltsaltsalt\0mysql_clear_password\0");
    let mut greeting = vec![u8::try_from(packet.len()).unwrap(), 0, 0, 0];
    greeting.extend(packet);
    greeting
}

#[tokio::test]
async fn the_token_never_travels_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let given = environment("127.0.0.1", listener.local_addr().unwrap().port());
    let server = spawn_blocking(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&greeting_without_tls()).unwrap();
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        received
    });
    let (error_type, message) = told(&given).await;
    assert_eq!(error_type, "Database.Unavailable");
    assert_eq!(
        reason(&given, &message),
        "Driver error: `Client asked for SSL but server does not have this capability'"
    );
    let received = server.await.unwrap();
    assert!(received.len() < 20, "{}", String::from_utf8_lossy(&received));
}

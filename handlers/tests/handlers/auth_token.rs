use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use handlers::auth_token::{self, Error};
use serde::Deserialize;

/// Written by `auth_tokens.py` beside it.
const VECTORS: &str = include_str!("../vectors/auth_tokens.json");

#[derive(Deserialize)]
struct Vector {
    host: String,
    port: u16,
    user: String,
    region: String,
    session_token: Option<String>,
    now: u64,
    token: String,
}

fn credentials(session_token: Option<String>) -> Credentials {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, session_token, None, "test")
}

#[test]
fn tokens_are_those_that_botocore_makes() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 4);
    for Vector { host, port, user, region, session_token, now, token } in vectors {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let made =
            auth_token::generate(&credentials(session_token), &region, &host, port, &user, now);
        assert_eq!(made.unwrap(), token, "{user} at {host}:{port}");
    }
}

#[test]
fn what_is_no_host_has_no_token() {
    for host in
        ["db.example.com:3306", "a b", "", "https://db.example.com", "u@db", "db/x?y#z", "[::1]"]
    {
        let now = SystemTime::UNIX_EPOCH;
        let made = auth_token::generate(&credentials(None), "eu-central-1", host, 3306, "u", now);
        let error = made.unwrap_err();
        assert!(matches!(error, Error::NotAHost(_)), "{error:?}");
        assert_eq!(error.to_string(), format!("{host:?} is not the name of a host"));
    }
}

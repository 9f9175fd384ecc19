//! `rds-connect`: lets a database add two numbers up, with a token from IAM for a password.
//!
//! The environment of the function says which `MySQL` or MariaDB database, at Amazon RDS, Aurora or behind RDS Proxy:
//!
//! - `DBEndpoint`, its host name, and `Port`, 3306 if there is none;
//! - `DBUser`, a user that is set up for IAM authentication, and `DBName`, the database to use;
//! - `DBCABundle`, the path of the PEM certificates to trust. Without it those are trusted that browsers trust. RDS Proxy's
//!   certificates come from them; a database's own do not: those are in
//!   <https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem>, to be put into the function's package or a layer.
//!
//! The function's role needs `rds-db:connect` for that user.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-rds.html>

use std::num::NonZeroU16;
use std::time::{Duration, SystemTime};
use std::{fmt, fs, io};

use lambda_runtime::Diagnostic;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row, SslOpts};
use serde::Serialize;
use tokio::time::timeout;
use tracing::info;

use crate::auth_token;
use crate::aws::{NotSet, Settings};
use crate::log::OneLine;

/// A database that is in reach answers sooner; without a limit, the function's time would run out with nothing said.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the handler answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// 200, as of HTTP.
    pub status_code: u16,
    /// The sum, in words.
    pub body: String,
}

/// Which database, and as whom.
pub struct Database {
    host: String,
    port: u16,
    user: String,
    name: String,
    ca_bundle: Option<Vec<u8>>,
    aws: Settings,
}

impl Database {
    /// The database that these variables name.
    pub fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, Error> {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        let (Some(host), Some(user), Some(name)) =
            (given("DBEndpoint"), given("DBUser"), given("DBName"))
        else {
            let all = ["DBEndpoint", "DBUser", "DBName"].into_iter();
            return Err(Error::NotSet(all.filter(|name| given(name).is_none()).collect()));
        };
        let port = match given("Port") {
            None => 3306,
            Some(port) => port.parse().map(NonZeroU16::get).map_err(|_| Error::BadPort(port))?,
        };
        let ca_bundle = given("DBCABundle")
            .map(|path| fs::read(&path).map_err(|reason| Error::NoCertificates { path, reason }));
        let aws = Settings::from_variables(&variable, "AWS_ENDPOINT_URL_RDS")?;
        Ok(Self { host, port, user, name, ca_bundle: ca_bundle.transpose()?, aws })
    }

    /// Lets the database add 3 and 2 up.
    pub async fn sum(&self, now: SystemTime) -> Result<i64, Error> {
        let options = self.options(now)?;
        info!("Connecting to {}:{} as user {}", self.host, self.port, OneLine(&self.user));
        let work = async {
            let connected = Conn::new(options).await;
            let mut connection = connected.map_err(|error| self.unavailable(&error))?;
            let sum = connection.query_first::<Row, _>("SELECT 3 + 2").await;
            let sum =
                sum.map_err(|error| Error::QueryFailed(OneLine(&error.to_string()).to_string()))?;
            // The answer is there; how the connection ends is of no matter.
            let _ = connection.disconnect().await;
            let sum = sum.and_then(|row| row.get_opt::<i64, _>(0)).and_then(Result::ok);
            sum.ok_or_else(|| Error::QueryFailed("there is no number in its answer".to_owned()))
        };
        timeout(PATIENCE, work).await.unwrap_or_else(|_| {
            Err(self.refused(format!("no answer within {} seconds", PATIENCE.as_secs())))
        })
    }

    fn options(&self, now: SystemTime) -> Result<Opts, Error> {
        let (credentials, region) = (&self.aws.credentials, &self.aws.region);
        let token =
            auth_token::generate(credentials, region, &self.host, self.port, &self.user, now)
                .map_err(|_| Error::BadEndpoint(OneLine(&self.host).to_string()))?;
        let mut tls = SslOpts::default();
        if let Some(bundle) = &self.ca_bundle {
            tls =
                tls.with_disable_built_in_roots(true).with_root_certs(vec![bundle.clone().into()]);
        }
        let options = OptsBuilder::default()
            .ip_or_hostname(&self.host)
            .tcp_port(self.port)
            .user(Some(&self.user))
            .pass(Some(token))
            .db_name(Some(&self.name))
            // The token goes over in clear text, and for that only ever over TLS and to the host that it is for.
            .ssl_opts(tls)
            .prefer_socket(false)
            .enable_cleartext_plugin(true);
        Ok(options.into())
    }

    fn unavailable(&self, error: &mysql_async::Error) -> Error {
        let mut reason = match error {
            mysql_async::Error::Io(mysql_async::IoError::Io(error)) => error.to_string(),
            mysql_async::Error::Server(error) => error.to_string(),
            error => error.to_string(),
        };
        if reason.contains("UnknownIssuer") {
            reason.push_str("; give the path of RDS's certificates in DBCABundle");
        }
        self.refused(OneLine(&reason).to_string())
    }

    fn refused(&self, reason: String) -> Error {
        let (host, port) = (self.host.clone(), self.port);
        Error::Unavailable { host, port, user: OneLine(&self.user).to_string(), reason }
    }
}

/// Answers with what the database adds up.
pub async fn handle(
    variable: impl Fn(&'static str) -> Option<String>,
    now: SystemTime,
) -> Result<Response, Error> {
    let sum = Database::from_variables(variable)?.sum(now).await?;
    let body = format!("The selected sum is: {sum}");
    info!("{body}");
    Ok(Response { status_code: 200, body })
}

/// Why there is no sum.
#[derive(thiserror::Error)]
pub enum Error {
    /// Nothing says which database.
    #[error(
        "set {} in the function's environment: DBEndpoint is the host name of a MySQL or MariaDB database with IAM \
         authentication, DBUser a user of it that is set up for that, DBName the database to use",
        enumeration(.0)
    )]
    NotSet(Vec<&'static str>),
    /// Something that Lambda sets is not there.
    #[error(transparent)]
    NotInLambda(#[from] NotSet),
    /// A port that is none.
    #[error("Port in the function's environment is not a port: {}", OneLine(.0))]
    BadPort(String),
    /// A host name that is none.
    #[error("DBEndpoint in the function's environment is not a host name: {0}")]
    BadEndpoint(String),
    /// Certificates that cannot be read.
    #[error("DBCABundle in the function's environment cannot be read: {}: {reason}", OneLine(.path))]
    NoCertificates {
        /// Where they should be.
        path: String,
        /// Why they cannot be read.
        reason: io::Error,
    },
    /// No connection.
    #[error("the database at {host}:{port} does not let user {user} in: {reason}")]
    Unavailable {
        /// The database's host name.
        host: String,
        /// Its port.
        port: u16,
        /// The user.
        user: String,
        /// What the database, or TLS, or the network says.
        reason: String,
    },
    /// A connection, but no sum.
    #[error("the database did not add up: {0}")]
    QueryFailed(String),
}

/// The runtime logs the `Debug` of an error, for people to read.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let name = match error {
            Error::NotSet(_) | Error::NotInLambda(_) => "NotSet",
            Error::BadPort(_) => "BadPort",
            Error::BadEndpoint(_) => "BadEndpoint",
            Error::NoCertificates { .. } => "NoCertificates",
            Error::Unavailable { .. } => "Unavailable",
            Error::QueryFailed(_) => "QueryFailed",
        };
        Self { error_type: format!("Database.{name}"), error_message: error.to_string() }
    }
}

fn enumeration(names: &[&str]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        names => names.concat(),
    }
}

//! The function `rds-connect`; see [`handlers::events::rds_connect`].

use std::env;
use std::time::SystemTime;

use handlers::events::rds_connect;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde::de::IgnoredAny;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(|_: LambdaEvent<IgnoredAny>| {
        rds_connect::handle(|name| env::var(name).ok(), SystemTime::now())
    }))
    .await
}

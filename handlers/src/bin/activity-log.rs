//! The function `activity-log`; see [`handlers::activity_log`].

use std::convert::Infallible;
use std::time::SystemTime;

use handlers::{KnownUsers, activity_log, log};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let users = &KnownUsers::from_environment()?;
    run(service_fn(|event: LambdaEvent<activity_log::Event>| async move {
        Ok::<_, Infallible>(activity_log::handle(users, event.payload, SystemTime::now()).await)
    }))
    .await
}

//! The function `auto-confirm`; see [`handlers::auto_confirm`].

use handlers::{KnownUsers, auto_confirm, log};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let users = &KnownUsers::from_environment()?;
    run(service_fn(|event: LambdaEvent<auto_confirm::Event>| {
        auto_confirm::handle(users, event.payload)
    }))
    .await
}

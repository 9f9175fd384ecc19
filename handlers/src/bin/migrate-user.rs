//! The function `migrate-user`; see [`handlers::migrate_user`].

use handlers::{KnownUsers, log, migrate_user};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let users = &KnownUsers::from_environment()?;
    run(service_fn(|event: LambdaEvent<migrate_user::Event>| {
        migrate_user::handle(users, event.payload)
    }))
    .await
}

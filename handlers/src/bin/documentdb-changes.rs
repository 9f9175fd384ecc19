//! The function `documentdb-changes`; see [`handlers::events::documentdb_changes`].

use std::convert::Infallible;

use handlers::events::documentdb_changes;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(|event: LambdaEvent<documentdb_changes::Event>| async move {
        documentdb_changes::handle(&event.payload);
        Ok::<_, Infallible>(())
    }))
    .await
}

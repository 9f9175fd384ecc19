//! The function `dynamodb-batch-failures`; see [`handlers::events::dynamodb_batch_failures`].

use aws_lambda_events::event::dynamodb::Event;
use handlers::events::dynamodb_batch_failures;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(|event: LambdaEvent<Event>| async move {
        dynamodb_batch_failures::handle(&event.payload)
    }))
    .await
}

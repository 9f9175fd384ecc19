//! The function `sqs-messages`; see [`handlers::events::sqs_messages`].

use aws_lambda_events::event::sqs::SqsEvent;
use handlers::events::sqs_messages;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(
        |event: LambdaEvent<SqsEvent>| async move { sqs_messages::handle(&event.payload) },
    ))
    .await
}

//! The function `sns-messages`; see [`handlers::events::sns_messages`].

use std::convert::Infallible;

use aws_lambda_events::event::sns::SnsEvent;
use handlers::events::sns_messages;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(|event: LambdaEvent<SnsEvent>| async move {
        sns_messages::handle(&event.payload);
        Ok::<_, Infallible>(())
    }))
    .await
}

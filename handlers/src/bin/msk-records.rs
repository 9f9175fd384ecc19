//! The function `msk-records`; see [`handlers::events::msk_records`].

use aws_lambda_events::event::kafka::KafkaEvent;
use handlers::events::msk_records;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(
        |event: LambdaEvent<KafkaEvent>| async move { msk_records::handle(&event.payload) },
    ))
    .await
}

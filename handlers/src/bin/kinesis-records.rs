//! The function `kinesis-records`; see [`handlers::events::kinesis_records`].

use std::convert::Infallible;

use aws_lambda_events::event::kinesis::KinesisEvent;
use handlers::events::kinesis_records;
use handlers::log;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    run(service_fn(|event: LambdaEvent<KinesisEvent>| async move {
        kinesis_records::handle(&event.payload);
        Ok::<_, Infallible>(())
    }))
    .await
}

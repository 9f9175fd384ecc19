//! The function `s3-object`; see [`handlers::events::s3_object`].

use std::env;

use aws_lambda_events::event::s3::S3Event;
use handlers::events::s3_object;
use handlers::{log, s3};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let client = &s3::client(|name| env::var(name).ok())?;
    run(service_fn(|event: LambdaEvent<S3Event>| async move {
        s3_object::handle(client, &event.payload).await
    }))
    .await
}

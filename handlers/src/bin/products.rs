//! The function `products`; see [`handlers::products`].

use std::convert::Infallible;

use handlers::log;
use handlers::products::{Event, Products};
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let products = &Products::from_environment()?;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        Ok::<_, Infallible>(products.answer(event.payload).await)
    }))
    .await
}

//! Products behind an HTTP API: put, get, list and delete them, with what keeps them in a DynamoDB table.
//!
//! The function answers all routes of the API and tells them apart by the route's key, as the API's template has it. It is
//! handed events of version 2.0:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::HashMap;
use std::env;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::NotSet;
use crate::error::chain;
use crate::log::OneLine;
use crate::{Error, dynamodb};

const ID: &str = "id";
const NAME: &str = "name";
const PRICE: &str = "price";
/// Longer names are mistakes.
const LONGEST_NAME: usize = 200;

/// What of a request the function looks at.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    route_key: String,
    path_parameters: HashMap<String, String>,
    body: Option<String>,
    is_base64_encoded: bool,
}

/// What is answered.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: HashMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Answer {
    fn of(status_code: u16, body: &Value) -> Self {
        let headers = HashMap::from([("content-type", "application/json")]);
        Self { status_code, headers, body: Some(body.to_string()) }
    }

    fn message(status_code: u16, message: &str) -> Self {
        Self::of(status_code, &json!({ "message": message }))
    }

    fn empty() -> Self {
        Self { status_code: 204, headers: HashMap::new(), body: None }
    }
}

/// A product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Product {
    id: String,
    name: String,
    price: f64,
}

/// What a client sends of a product: its id stands in the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    name: String,
    price: f64,
}

/// The table of products.
#[derive(Debug, Clone)]
pub struct Products {
    client: Client,
    table: String,
}

impl Products {
    /// The table that the function's environment names.
    pub fn from_environment() -> Result<Self, NotSet> {
        const TABLE_NAME: &str = "TABLE_NAME";
        let variable = |name: &'static str| env::var(name).ok();
        let table = variable(TABLE_NAME).filter(|name| !name.is_empty());
        Ok(Self { client: dynamodb::client(variable)?, table: table.ok_or(NotSet(TABLE_NAME))? })
    }

    /// Answers a request. What goes wrong behind the API is in the log, and its clients' business only as far as to know
    /// that they may try again.
    pub async fn answer(&self, event: Event) -> Answer {
        tracing::info!("{}", OneLine(&event.route_key));
        let id = event.path_parameters.get(ID).map_or("", String::as_str);
        let answer = match event.route_key.as_str() {
            "GET /products" => self.list().await,
            "GET /products/{id}" => self.get(id).await,
            "PUT /products/{id}" => match product(id, &event) {
                Ok(product) => self.put(&product).await,
                Err(wrong) => Ok(Answer::message(400, &wrong)),
            },
            "DELETE /products/{id}" => self.delete(id).await,
            _ => Ok(Answer::message(404, "there is nothing here")),
        };
        answer.unwrap_or_else(|error| {
            tracing::error!("{}", OneLine(&chain(&error)));
            Answer::message(503, "try again later")
        })
    }

    async fn list(&self) -> Result<Answer, Error> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let mut items = scan.into_paginator().items().send();
        let mut products = Vec::new();
        while let Some(item) = items.try_next().await.map_err(|error| Error::of_call(&error))? {
            // What somebody else keeps in the table is none of the products, and keeps nobody from seeing them.
            match self.product(&item) {
                Ok(product) => products.push(product),
                Err(error) => tracing::warn!("{}", OneLine(&chain(&error))),
            }
        }
        products.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Answer::of(200, &json!({ "products": products })))
    }

    async fn get(&self, id: &str) -> Result<Answer, Error> {
        let request = self.client.get_item().table_name(&self.table).key(ID, text(id));
        let found = request.consistent_read(true).send().await;
        let found = found.map_err(|error| Error::of_call(&error))?;
        match found.item {
            Some(item) => Ok(Answer::of(200, &json!(self.product(&item)?))),
            None => Ok(no_such_product()),
        }
    }

    async fn put(&self, product: &Product) -> Result<Answer, Error> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(ID, text(&product.id))
            .item(NAME, text(&product.name))
            .item(PRICE, AttributeValue::N(product.price.to_string()))
            .return_values(ReturnValue::AllOld);
        let before = request.send().await.map_err(|error| Error::of_call(&error))?;
        let status = if before.attributes.is_some() { 200 } else { 201 };
        Ok(Answer::of(status, &json!(product)))
    }

    async fn delete(&self, id: &str) -> Result<Answer, Error> {
        let request = self.client.delete_item().table_name(&self.table).key(ID, text(id));
        let before = request.return_values(ReturnValue::AllOld).send().await;
        let before = before.map_err(|error| Error::of_call(&error))?;
        Ok(if before.attributes.is_some() { Answer::empty() } else { no_such_product() })
    }

    fn product(&self, item: &HashMap<String, AttributeValue>) -> Result<Product, Error> {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let price = item.get(PRICE).and_then(|value| value.as_n().ok()?.parse().ok());
        Ok(Product {
            id: text(ID).ok_or_else(|| Error::of_item(&self.table, ID))?,
            name: text(NAME).ok_or_else(|| Error::of_item(&self.table, NAME))?,
            price: price.ok_or_else(|| Error::of_item(&self.table, PRICE))?,
        })
    }
}

fn no_such_product() -> Answer {
    Answer::message(404, "no such product")
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// The product that a request holds, or what is wrong with it.
fn product(id: &str, event: &Event) -> Result<Product, String> {
    let body = event.body.as_deref().ok_or("a product takes a name and a price")?;
    let bytes = if event.is_base64_encoded {
        BASE64_STANDARD.decode(body).map_err(|_| "the body is not readable")?
    } else {
        body.as_bytes().to_vec()
    };
    let given: Given = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if given.name.trim().is_empty() || given.name.chars().count() > LONGEST_NAME {
        return Err(format!("a name has 1 to {LONGEST_NAME} characters"));
    }
    if !given.price.is_finite() || given.price < 0.0 {
        return Err("a price is not negative".to_owned());
    }
    Ok(Product { id: id.to_owned(), name: given.name, price: given.price })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(body: &str) -> Result<Product, String> {
        product("pen", &Event { body: Some(body.to_owned()), ..Event::default() })
    }

    #[test]
    fn a_product_has_a_name_and_a_price() {
        let pen = Product { id: "pen".to_owned(), name: "Pen".to_owned(), price: 1.5 };
        assert_eq!(put(r#"{"name": "Pen", "price": 1.5}"#), Ok(pen.clone()));
        let body = Some(BASE64_STANDARD.encode(r#"{"name": "Pen", "price": 1.5}"#));
        let encoded = Event { body, is_base64_encoded: true, ..Event::default() };
        assert_eq!(product("pen", &encoded), Ok(pen));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (body, said) in [
            ("{", "EOF"),
            (r#"{"price": 1}"#, "missing field `name`"),
            (r#"{"name": "Pen", "price": "1"}"#, "invalid type"),
            (r#"{"name": "Pen", "price": 1, "id": "x"}"#, "unknown field `id`"),
            (r#"{"name": " ", "price": 1}"#, "a name has"),
            (r#"{"name": "Pen", "price": -1}"#, "a price is not negative"),
        ] {
            let wrong = put(body).expect_err(body);
            assert!(wrong.contains(said), "{body}: {wrong}");
        }
        assert!(product("pen", &Event::default()).is_err());
    }

    #[test]
    fn an_event_is_read_as_api_gateway_writes_it() {
        let event: Event = serde_json::from_value(json!({
            "version": "2.0", "routeKey": "PUT /products/{id}", "rawPath": "/products/pen",
            "headers": {"content-type": "application/json"}, "pathParameters": {"id": "pen"},
            "requestContext": {"stage": "$default"}, "body": "{}", "isBase64Encoded": false,
        }))
        .expect("an event");
        assert_eq!(event.route_key, "PUT /products/{id}");
        assert_eq!(event.path_parameters["id"], "pen");
        let answer = serde_json::to_value(Answer::message(404, "no such product")).expect("JSON");
        assert_eq!(
            answer,
            json!({
                "statusCode": 404, "headers": {"content-type": "application/json"},
                "body": "{\"message\":\"no such product\"}",
            })
        );
    }
}

//! The table of known users.

use std::collections::HashMap;
use std::env;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::aws::NotSet;
use crate::{Error, dynamodb};

const USER_EMAIL: &str = "UserEmail";
const USER_NAME: &str = "UserName";
const LAST_LOGIN: &str = "LastLogin";

/// The table of known users.
#[derive(Debug, Clone)]
pub struct KnownUsers {
    client: Client,
    table: String,
}

/// A known user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KnownUser {
    /// The user's name.
    pub user_name: String,
    /// The user's e-mail address: the key of the table.
    pub user_email: String,
}

/// When and where a user signed in last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LastLogin {
    /// The user pool.
    pub user_pool_id: String,
    /// The app client.
    pub client_id: String,
    /// The time, as in `2026-11-23T08:00:00Z`.
    pub time: String,
}

impl KnownUsers {
    /// The table that the function's environment names.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// The table that these variables name.
    pub fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, Error> {
        const TABLE_NAME: &str = "TABLE_NAME";
        let table = variable(TABLE_NAME).filter(|name| !name.is_empty());
        let table = table.ok_or(NotSet(TABLE_NAME))?;
        Ok(Self { client: dynamodb::client(variable)?, table })
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The user with that e-mail address.
    pub async fn find_by_email(&self, email: &str) -> Result<Option<KnownUser>, Error> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(USER_EMAIL, text(email))
            // Somebody may have been added a moment ago.
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Error::of_call(&error))?;
        found.item.map(|item| self.user(item)).transpose()
    }

    /// The first user found with that name. The name is not the key, so that this may read the whole table.
    pub async fn find_by_name(&self, user_name: &str) -> Result<Option<KnownUser>, Error> {
        let mut found = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("#user_name = :user_name")
            .expression_attribute_names("#user_name", USER_NAME)
            .expression_attribute_values(":user_name", text(user_name))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let item = found.try_next().await.map_err(|error| Error::of_call(&error))?;
        item.map(|item| self.user(item)).transpose()
    }

    /// Keeps when a user signed in last; a user who is not known yet becomes so.
    pub async fn record_last_login(
        &self,
        user: &KnownUser,
        login: &LastLogin,
    ) -> Result<(), Error> {
        let last_login = HashMap::from([
            ("UserPoolId".to_owned(), text(&login.user_pool_id)),
            ("ClientId".to_owned(), text(&login.client_id)),
            ("Time".to_owned(), text(&login.time)),
        ]);
        self.client
            .update_item()
            .table_name(&self.table)
            .key(USER_EMAIL, text(&user.user_email))
            .update_expression("SET #user_name = :user_name, #last_login = :last_login")
            .expression_attribute_names("#user_name", USER_NAME)
            .expression_attribute_names("#last_login", LAST_LOGIN)
            .expression_attribute_values(":user_name", text(&user.user_name))
            .expression_attribute_values(":last_login", AttributeValue::M(last_login))
            .send()
            .await
            .map_err(|error| Error::of_call(&error))?;
        Ok(())
    }

    fn user(&self, mut item: HashMap<String, AttributeValue>) -> Result<KnownUser, Error> {
        let mut take = |attribute| match item.remove(attribute) {
            Some(AttributeValue::S(value)) => Ok(value),
            _ => Err(Error::of_item(&self.table, attribute)),
        };
        Ok(KnownUser { user_name: take(USER_NAME)?, user_email: take(USER_EMAIL)? })
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

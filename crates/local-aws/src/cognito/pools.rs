//! User pools: what they are told, what they hold, and who answers to which name.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::challenges::Challenge;
use super::checks::{Checks, NAMED, POOL_ID};
use super::clients::Client;
use super::error::{invalid, no_client, no_pool, no_user, unsupported, username_exists};
use super::groups::Group;
use super::mfa::SoftwareTokenMfa;
use super::schema::{Schema, SchemaAttribute, is_email, is_phone};
use super::settings::Settings;
use super::tokens::Session;
use super::users::{Status, User};
use super::{Context, Output, State, ids};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

/// What pools are called among the types of resources.
const POOL: &str = "AWS::Cognito::UserPool";
const CONTACTS: [&str; 2] = ["phone_number", "email"];

/// A user pool.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) schema: Schema,
    alias_attributes: Vec<String>,
    username_attributes: Vec<String>,
    username_configuration: Option<UsernameConfiguration>,
    created: SystemTime,
    pub(super) modified: SystemTime,
    /// `UpdateUserPool` leaves it alone.
    pub(super) software_token: SoftwareTokenMfa,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) clients: BTreeMap<String, Client>,
    pub(super) users: BTreeMap<String, User>,
    pub(super) sessions: Vec<Session>,
    pub(super) challenges: BTreeMap<String, Challenge>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateUserPool {
    pool_name: Option<String>,
    schema: Vec<SchemaAttribute>,
    alias_attributes: Vec<String>,
    username_attributes: Vec<String>,
    username_configuration: Option<UsernameConfiguration>,
    key_configuration: Option<Value>,
    issuer_configuration: Option<Value>,
    dcr_configuration: Option<Value>,
    acr_configuration: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UsernameConfiguration {
    case_sensitive: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PoolRequest {
    user_pool_id: Option<String>,
    pool_name: Option<String>,
    custom_attributes: Vec<SchemaAttribute>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListUserPools {
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl CreateUserPool {
    fn check(&self) -> Result<(), AwsError> {
        Checks::new()
            .required("poolName", self.pool_name.as_deref(), &NAMED)
            .all_of(
                "aliasAttributes",
                &self.alias_attributes,
                &["phone_number", "email", "preferred_username"],
            )
            .all_of("usernameAttributes", &self.username_attributes, &CONTACTS)
            .finish()?;
        if !self.alias_attributes.is_empty() && !self.username_attributes.is_empty() {
            return Err(invalid(
                "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
            ));
        }
        for (member, value) in [
            ("KeyConfiguration", &self.key_configuration),
            ("IssuerConfiguration", &self.issuer_configuration),
            ("DcrConfiguration", &self.dcr_configuration),
            ("AcrConfiguration", &self.acr_configuration),
        ] {
            if value.is_some() {
                return Err(unsupported(member));
            }
        }
        Ok(())
    }
}

impl Pool {
    /// As `DescribeUserPool` shows it.
    pub(super) fn render(&self) -> Value {
        let mut shown = self.settings.render();
        shown["Id"] = json!(self.id);
        shown["Name"] = json!(self.name);
        shown["Arn"] = json!(self.arn);
        shown["SchemaAttributes"] = self.schema.render();
        shown["CreationDate"] = ids::timestamp(self.created);
        shown["LastModifiedDate"] = ids::timestamp(self.modified);
        shown["EstimatedNumberOfUsers"] = json!(self.users.len());
        if !self.alias_attributes.is_empty() {
            shown["AliasAttributes"] = json!(self.alias_attributes);
        }
        if !self.username_attributes.is_empty() {
            shown["UsernameAttributes"] = json!(self.username_attributes);
        }
        if let Some(configuration) = self.username_configuration {
            shown["UsernameConfiguration"] = json!({"CaseSensitive": configuration.case_sensitive});
        }
        shown
    }

    pub(super) fn snapshot(&self) -> Value {
        let clients: Map<String, Value> =
            self.clients.iter().map(|(id, client)| (id.clone(), client.snapshot())).collect();
        let users: Map<String, Value> =
            self.users.iter().map(|(name, user)| (name.clone(), user.snapshot())).collect();
        json!({
            "pool": self.render(),
            "clients": clients,
            "groups": self.groups_snapshot(),
            "softwareToken": self.software_token,
            "users": users,
        })
    }

    pub(super) fn client(&self, id: &str) -> Result<&Client, AwsError> {
        self.clients.get(id).ok_or_else(|| no_client(id))
    }

    /// What follows the region in the pool's identifier.
    pub(super) fn suffix(&self) -> &str {
        self.id.split_once('_').map_or("", |(_, suffix)| suffix)
    }

    fn is_case_sensitive(&self) -> bool {
        self.username_configuration.is_none_or(|configuration| configuration.case_sensitive)
    }

    fn fold(&self, name: &str) -> String {
        if self.is_case_sensitive() { name.to_owned() } else { name.to_lowercase() }
    }

    /// The user who answers to that name: a user name, a `sub`, or an alias.
    pub(super) fn find(&self, name: &str) -> Option<&User> {
        let name = self.fold(name);
        self.users
            .get(&name)
            .or_else(|| self.users.values().find(|user| user.sub == name))
            .or_else(|| self.users.values().find(|user| self.is_alias(user, &name)))
    }

    pub(super) fn find_mut(&mut self, name: &str) -> Option<&mut User> {
        let username = self.find(name)?.username.clone();
        self.users.get_mut(&username)
    }

    pub(super) fn user(&self, name: &str) -> Result<&User, AwsError> {
        self.find(name).ok_or_else(no_user)
    }

    pub(super) fn user_mut(&mut self, name: &str) -> Result<&mut User, AwsError> {
        self.find_mut(name).ok_or_else(no_user)
    }

    /// A name of a user who signs in with e-mail or phone is one at once, an alias once it is verified.
    fn is_alias(&self, user: &User, name: &str) -> bool {
        let has = |attribute: &String| {
            user.attribute(attribute).is_some_and(|value| self.fold(value) == name)
        };
        self.username_attributes.iter().any(has)
            || (user.status != Status::Unconfirmed
                && self
                    .alias_attributes
                    .iter()
                    .filter(|attribute| {
                        *attribute == "preferred_username" || user.is_verified(attribute)
                    })
                    .any(has))
    }

    /// Another user who is called by what this one would be called by, now that it is verified.
    pub(super) fn alias_conflict(&self, username: &str) -> Option<(String, String)> {
        let user = self.users.get(username)?;
        self.alias_attributes
            .iter()
            .filter(|attribute| *attribute == "preferred_username" || user.is_verified(attribute))
            .find_map(|attribute| {
                let value = self.fold(user.attribute(attribute)?);
                let other = self.users.values().find(|other| {
                    other.username != username
                        && other.status != Status::Unconfirmed
                        && (attribute == "preferred_username" || other.is_verified(attribute))
                        && other
                            .attribute(attribute)
                            .is_some_and(|theirs| self.fold(theirs) == value)
                })?;
                Some((attribute.clone(), other.username.clone()))
            })
    }

    /// Refuses an address by which somebody else signs in.
    pub(super) fn check_names(
        &self,
        username: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<(), AwsError> {
        for attribute in &self.username_attributes {
            let Some(value) = given.get(attribute).map(|value| self.fold(value)) else { continue };
            let is_taken = self.users.values().any(|other| {
                other.username != username
                    && other.attribute(attribute).is_some_and(|theirs| self.fold(theirs) == value)
            });
            if is_taken {
                return Err(AwsError::bad_request(
                    "AliasExistsException",
                    format!("An account with the given {attribute} already exists."),
                ));
            }
        }
        Ok(())
    }

    /// Makes a user, not yet in the pool: where users are called by e-mail or phone, the name is an attribute and the
    /// user name a random one.
    pub(super) fn new_user(
        &self,
        name: &str,
        mut attributes: BTreeMap<String, String>,
        taken: &str,
        now: SystemTime,
    ) -> Result<User, AwsError> {
        if self.username_attributes.is_empty() {
            self.check_form(name)?;
            let name = self.fold(name);
            if self.users.contains_key(&name) {
                return Err(username_exists(taken));
            }
            return Ok(User::new(self.suffix(), name, attributes, now));
        }
        let attribute = self.name_attribute(name)?;
        attributes.insert(attribute.to_owned(), self.fold(name));
        for attribute in &self.username_attributes {
            let value = attributes.get(attribute).map(|value| self.fold(value));
            if value.is_some_and(|value| self.find(&value).is_some()) {
                return Err(username_exists(format!(
                    "An account with the given {attribute} already exists."
                )));
            }
        }
        let mut user = User::new(self.suffix(), String::new(), attributes, now);
        user.username.clone_from(&user.sub);
        Ok(user)
    }

    fn name_attribute(&self, name: &str) -> Result<&'static str, AwsError> {
        let allows = |wanted: &str| self.username_attributes.iter().any(|one| one == wanted);
        if allows("email") && is_email(name) {
            return Ok("email");
        }
        if allows("phone_number") && is_phone(name) {
            return Ok("phone_number");
        }
        Err(invalid(match (allows("email"), allows("phone_number")) {
            (true, true) => "Username should be either an email or a phone number.",
            (true, false) => "Username should be an email.",
            _ => "Username should be a phone number.",
        }))
    }

    fn check_form(&self, name: &str) -> Result<(), AwsError> {
        let aliases = |wanted: &str| self.alias_attributes.iter().any(|one| one == wanted);
        for (attribute, words, looks_like) in
            [("email", "email", is_email(name)), ("phone_number", "phone number", is_phone(name))]
        {
            if aliases(attribute) && looks_like {
                return Err(invalid(format!(
                    "Username cannot be of {words} format, since user pool is configured for {words} alias."
                )));
            }
        }
        Ok(())
    }
}

impl State {
    pub(super) fn pool(&self, id: &str) -> Result<&Pool, AwsError> {
        self.pools.get(id).ok_or_else(|| no_pool(id))
    }

    pub(super) fn pool_mut(&mut self, id: &str) -> Result<&mut Pool, AwsError> {
        self.pools.get_mut(id).ok_or_else(|| no_pool(id))
    }

    /// The pool that has that client.
    pub(super) fn pool_of_client(&self, client_id: &str) -> Result<&Pool, AwsError> {
        self.pools
            .values()
            .find(|pool| pool.clients.contains_key(client_id))
            .ok_or_else(|| no_client(client_id))
    }

    pub(super) fn pool_of_client_mut(&mut self, client_id: &str) -> Result<&mut Pool, AwsError> {
        self.pools
            .values_mut()
            .find(|pool| pool.clients.contains_key(client_id))
            .ok_or_else(|| no_client(client_id))
    }

    pub(super) fn create_user_pool(&mut self, body: &[u8], context: &Context) -> Output {
        let input: CreateUserPool = parse(body)?;
        input.check()?;
        let settings = parse::<Settings>(body)?.complete()?;
        settings.check_mfa(false)?;
        let id = format!("{}_{}", context.region, ids::pool_suffix());
        let pool = Pool {
            arn: context.pool_arn(&id),
            id: id.clone(),
            name: input.pool_name.unwrap_or_default(),
            settings,
            schema: Schema::of_request(&input.schema)?,
            alias_attributes: input.alias_attributes,
            username_attributes: input.username_attributes,
            username_configuration: input.username_configuration,
            created: context.now,
            modified: context.now,
            software_token: SoftwareTokenMfa::default(),
            groups: BTreeMap::new(),
            clients: BTreeMap::new(),
            users: BTreeMap::new(),
            sessions: Vec::new(),
            challenges: BTreeMap::new(),
        };
        let shown = pool.render();
        self.outbox.created(POOL, &id);
        self.pools.insert(id, pool);
        Ok(json!({"UserPool": shown}))
    }

    pub(super) fn describe_user_pool(&mut self, body: &[u8], _: &Context) -> Output {
        let id = pool_id(body)?;
        Ok(json!({"UserPool": self.pool(&id)?.render()}))
    }

    /// Replaces all settings: see [`Settings`].
    pub(super) fn update_user_pool(&mut self, body: &[u8], context: &Context) -> Output {
        let id = pool_id(body)?;
        let name = parse::<PoolRequest>(body)?.pool_name;
        Checks::new().optional("poolName", name.as_deref(), &NAMED).finish()?;
        let settings = parse::<Settings>(body)?;
        let pool = self.pool_mut(&id)?;
        let settings = settings.complete()?;
        settings.check_mfa(pool.software_token.enabled)?;
        pool.settings = settings;
        pool.name = name.unwrap_or_else(|| pool.name.clone());
        pool.modified = context.now;
        Ok(json!({}))
    }

    pub(super) fn add_custom_attributes(&mut self, body: &[u8], context: &Context) -> Output {
        let id = pool_id(body)?;
        let given = parse::<PoolRequest>(body)?.custom_attributes;
        if given.is_empty() {
            return Err(invalid(
                "1 validation error detected: Value '[]' at 'customAttributes' failed to satisfy constraint: Member must have \
                 length greater than or equal to 1",
            ));
        }
        let pool = self.pool_mut(&id)?;
        pool.schema.add(&given)?;
        pool.modified = context.now;
        Ok(json!({}))
    }

    pub(super) fn delete_user_pool(&mut self, body: &[u8], _: &Context) -> Output {
        let id = pool_id(body)?;
        if self.pool(&id)?.settings.deletion_protection.as_deref() == Some("ACTIVE") {
            return Err(invalid(
                "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be \
                 inactivated first.",
            ));
        }
        self.outbox.deleted(POOL, &id);
        self.pools.remove(&id);
        Ok(json!({}))
    }

    pub(super) fn list_user_pools(&mut self, body: &[u8], _: &Context) -> Output {
        let input: ListUserPools = parse(body)?;
        let max = input
            .max_results
            .ok_or_else(|| invalid("1 validation error detected: Value null at 'maxResults' failed to satisfy constraint: Member must not be null"))?;
        Checks::new().range("maxResults", Some(max), 1, 60).finish()?;
        let found = self.pools.iter().map(|(id, pool)| {
            let shown = json!({
                "Id": pool.id,
                "Name": pool.name,
                "LambdaConfig": pool.settings.render()["LambdaConfig"],
                "LastModifiedDate": ids::timestamp(pool.modified),
                "CreationDate": ids::timestamp(pool.created),
            });
            (id.clone(), shown)
        });
        let (pools, next) = page(found, max, input.next_token.as_deref())?;
        let mut output = json!({"UserPools": pools});
        if let Some(next) = next {
            output["NextToken"] = json!(next);
        }
        Ok(output)
    }
}

/// The `UserPoolId` of a request, checked.
pub(super) fn pool_id(body: &[u8]) -> Result<String, AwsError> {
    let input: PoolRequest = parse(body)?;
    Checks::new().required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID).finish()?;
    Ok(input.user_pool_id.unwrap_or_default())
}

/// The page after the key in `token`, and the token of the next one.
pub(super) fn page(
    all: impl Iterator<Item = (String, Value)>,
    max: i64,
    token: Option<&str>,
) -> Result<(Vec<Value>, Option<String>), AwsError> {
    let max = usize::try_from(max).unwrap_or(0).max(1);
    let last = token.map(read_token).transpose()?;
    let mut rest = all.filter(|(key, _)| last.as_ref().is_none_or(|last| key > last));
    let page: Vec<(String, Value)> = rest.by_ref().take(max).collect();
    let next = rest.next().and(page.last()).map(|(key, _)| write_token(key));
    Ok((page.into_iter().map(|(_, shown)| shown).collect(), next))
}

fn write_token(key: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(key)
}

fn read_token(token: &str) -> Result<String, AwsError> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| invalid("Invalid pagination token provided."))
}

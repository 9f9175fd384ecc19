//! What is served to whoever asks, unsigned: the keys of tokens, and the inbox.

use serde_json::json;

use super::claims::issuer;
use super::{State, inbox, keys};
use crate::account::Account;
use crate::http::{Request, Response};

const JSON: &str = "application/json";

/// The page that a request is for, if it is one of these.
pub(super) async fn page(account: &Account, request: &Request) -> Option<Response> {
    if request.method != hyper::Method::GET {
        return None;
    }
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["_playbook", "inbox"] => Some(inbox_page(account, request)),
        [pool_id, ".well-known", document] => {
            let account = whose(account, pool_id)?;
            match *document {
                "jwks.json" => Some(jwks().await),
                "openid-configuration" => Some(openid_configuration(pool_id, &account)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The account and the region that a pool is in: its page is for whoever asks, and says neither.
fn whose(account: &Account, pool_id: &str) -> Option<Account> {
    let has_it = |account: &Account| account.state::<State>().pools.contains_key(pool_id);
    account.everywhere().into_iter().find(has_it)
}

async fn jwks() -> Response {
    match keys::key().await {
        Ok(key) => Response::new(200, JSON, key.set().to_string()),
        Err(error) => {
            Response::new(error.status, JSON, json!({"message": error.message}).to_string())
        }
    }
}

fn openid_configuration(pool_id: &str, account: &Account) -> Response {
    let issuer = issuer(pool_id, &account.region);
    let document = json!({
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
    });
    Response::new(200, JSON, document.to_string())
}

/// A page for a browser, JSON for everybody else. No cross-origin header lets another site read it.
fn inbox_page(account: &Account, request: &Request) -> Response {
    let messages = account.state::<State>().inbox.clone();
    let accepts = request.header("accept").unwrap_or_default();
    let response = if accepts.contains("text/html") && request.query_value("format") != Some("json")
    {
        Response::new(200, "text/html; charset=utf-8", inbox::as_html(&messages))
    } else {
        Response::new(200, JSON, inbox::as_json(&messages).to_string())
    };
    response.with_header("Cache-Control", "no-store")
}

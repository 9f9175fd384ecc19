//! Things that happen to one operation's requests, one after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};

use local_aws::Account;
use local_aws::http::{BoxFuture, Request, Response};
use local_aws::protocol::AwsError;
use local_aws::server::Service;
use local_aws::server::middleware::{After, Before, Middleware};

/// What happens to a request.
pub enum Act {
    /// Its effect and its reply.
    Pass,
    /// The reply is lost, after the effect.
    Lose,
    /// Of the reply only the head arrives, after the effect.
    Cut,
    /// This error, and no effect.
    Refuse(AwsError),
    /// This reply, and no effect.
    Reply(Response),
    /// Somebody sends this first.
    First(fn(&Request) -> Request),
    /// The effect, and this instead of the reply.
    Change(fn(&Response) -> Response),
}

/// Whether a request is one of the operation's.
type IsIt = fn(&Request) -> bool;

/// What happens, and to which requests.
pub struct Script {
    is_it: IsIt,
    acts: Mutex<VecDeque<Act>>,
    account: OnceLock<Account>,
    under_way: Mutex<HashMap<String, Act>>,
}

impl Script {
    /// Nothing happens to the requests that come after these.
    pub fn new(is_it: IsIt, acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        let acts = Mutex::new(acts.into_iter().collect());
        Arc::new(Self { is_it, acts, account: OnceLock::new(), under_way: Mutex::default() })
    }

    /// Whether everything has happened.
    pub fn is_over(&self) -> bool {
        self.acts.lock().unwrap().is_empty()
    }

    /// Has something happen from now on.
    pub fn add(&self, act: Act) {
        self.acts.lock().unwrap().push_back(act);
    }
}

/// Whether it is that operation of a service that names them in a header or in a form.
pub fn is_named(request: &Request, operation: &str) -> bool {
    let target = request.header("x-amz-target").unwrap_or_default();
    target.ends_with(&format!(".{operation}"))
        || String::from_utf8_lossy(&request.body).contains(&format!("Action={operation}&"))
}

impl Middleware for Script {
    fn opened(&self, account: &Account) {
        let _set_once = self.account.set(account.clone());
    }

    fn before<'a>(
        &'a self,
        service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        Box::pin(async move {
            if !(self.is_it)(request) {
                return Before::Proceed;
            }
            let Some(act) = self.acts.lock().unwrap().pop_front() else {
                return Before::Proceed;
            };
            match act {
                Act::Refuse(error) => Before::Refuse(error),
                Act::Reply(response) => Before::Respond(response),
                Act::First(other) => {
                    let account = self.account.get().unwrap();
                    service.handle(account, &other(request)).await;
                    Before::Proceed
                }
                act => {
                    self.under_way.lock().unwrap().insert(request.request_id.clone(), act);
                    Before::Proceed
                }
            }
        })
    }

    fn after<'a>(
        &'a self,
        _: &'a dyn Service,
        request: &'a Request,
        response: &'a Response,
    ) -> BoxFuture<'a, After> {
        let act = self.under_way.lock().unwrap().remove(&request.request_id);
        let after = match act {
            Some(Act::Lose) => After::Drop,
            Some(Act::Cut) => After::Cut,
            Some(Act::Change(change)) => After::Replace(change(response)),
            _ => After::Deliver,
        };
        Box::pin(std::future::ready(after))
    }
}

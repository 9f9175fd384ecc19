//! What happens to the request that a fault is planned for.

use std::time::Duration;

use super::{Before, Fault, Injector};
use aws::LAST_REPLY;
use local_aws::Service;
use local_aws::http::{Request, Response};
use local_aws::server::middleware::After;

/// What a proxy or a sign-in portal answers to anything.
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>";

impl Injector {
    pub(super) async fn inject_before(
        &self,
        fault: Fault,
        service: &dyn Service,
        request: &Request,
    ) -> Before {
        let delay = self.planned.as_ref().map_or(Duration::ZERO, |planned| planned.delay);
        match fault {
            Fault::KilledBefore => {
                self.kill().await;
                Before::Drop
            }
            Fault::InFlight => {
                self.kill().await;
                self.take_effect_later(service, request, delay);
                Before::Drop
            }
            Fault::Overtaken => {
                self.take_effect_later(service, request, delay);
                Before::Drop
            }
            Fault::GivenUp => {
                self.take_effect_later(service, request, self.hangs());
                // The client gives up before, which drops this.
                tokio::time::sleep(self.hangs()).await;
                Before::Drop
            }
            Fault::Taken => {
                self.take(service, request).await;
                Before::Proceed
            }
            Fault::TakenLost => {
                self.take(service, request).await;
                Before::Drop
            }
            Fault::Overlapping => {
                self.let_second_run_pass().await;
                Before::Proceed
            }
            Fault::PageBefore => Before::Respond(page()),
            Fault::Error | Fault::Throttled | Fault::ThrottledOn => {
                fault.refusal(service.protocol()).map_or(Before::Proceed, Before::Refuse)
            }
            _ => Before::Proceed,
        }
    }

    /// What becomes of the attempts that follow.
    pub(super) fn refuse_again(fault: Fault, service: &dyn Service) -> Before {
        if fault == Fault::TakenLost {
            return Before::Drop;
        }
        fault.refusal(service.protocol()).map_or(Before::Proceed, Before::Refuse)
    }

    pub(super) async fn inject_after(
        &self,
        fault: Fault,
        service: &dyn Service,
        request: &Request,
        response: &Response,
    ) -> After {
        match fault {
            Fault::KilledAfter | Fault::KilledTwice | Fault::Untagged | Fault::ClockOff => {
                self.kill().await;
                After::Drop
            }
            Fault::KilledReplied => {
                self.seen().last_reply = true;
                After::Replace(response.clone().with_header(LAST_REPLY, "1"))
            }
            Fault::ErrorAfter | Fault::Outage => {
                let refusal = fault.refusal(service.protocol());
                refusal.map_or(After::Deliver, |error| {
                    After::Replace(service.protocol().error(&error, &request.request_id))
                })
            }
            Fault::Twice => match self.account.get() {
                Some(account) => After::Replace(service.handle(account, request).await),
                None => After::Deliver,
            },
            Fault::PageAfter => After::Replace(page()),
            Fault::LostReply | Fault::LostBlind => After::Drop,
            Fault::CutReply => After::Cut,
            // Most clients give up before, which drops this. Those that wait for a function do not.
            Fault::Hang => {
                tokio::time::sleep(self.hangs()).await;
                After::Drop
            }
            _ => After::Deliver,
        }
    }

    fn hangs(&self) -> Duration {
        self.planned.as_ref().map_or(Duration::ZERO, |planned| planned.hangs)
    }

    /// Whether replies show no tags by now.
    pub(super) fn hides_tags(&self) -> bool {
        self.fired() && self.planned.as_ref().is_some_and(|it| it.fault == Fault::Untagged)
    }

    /// Has a request carried out that is still under way when its client has gone.
    fn take_effect_later(&self, service: &dyn Service, request: &Request, delay: Duration) {
        let Some(account) = self.account.get().cloned() else { return };
        let Some(service) = account.service(service.name()) else { return };
        let request = request.clone();
        let effect = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            service.handle(&account, &request).await;
        });
        self.seen().late.push(effect);
    }

    /// Lets the second run come and go.
    async fn let_second_run_pass(&self) {
        let Some(second_run) = self.second_run.get() else { return };
        self.seen().has_company = true;
        second_run().await;
        self.seen().has_company = false;
    }
}

fn page() -> Response {
    Response::new(200, "text/html", PAGE)
}

"""What can happen to a request, and which request of a trial it happens to.

A fault is a list of acts of `proxy.Case`, drawn by chance from the trial's seed.
"""

from dataclasses import dataclass

from foreign import DEEDS, OVERWRITES

# What the program is told to give one attempt. A request that is under way longer than that, and than what `AFTERMATH`
# says a server may still take, is promised nothing about.
ATTEMPT = 3.0
AFTERMATH = 0.5
EVERY = 99
HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>a proxy</center></body></html>"
QUERY = ("iam", "cloudformation", "sts")


@dataclass
class Strike:
    """Some requests of one operation, and what happens to them."""

    phase: str
    service: str
    operation: str
    skip: int
    times: int
    acts: list
    seen: int = 0

    def hits(self, phase, request):
        if self.phase not in ("*", phase) or self.operation not in ("*", request.operation) or self.service not in ("*", request.service):
            return False
        self.seen += 1
        return self.skip < self.seen <= self.skip + self.times

    def __str__(self):
        which = f"{self.service}:{self.operation}" if self.operation != "*" else "any request"
        often = ", every time from there" if self.times == EVERY else ""
        acts = ", ".join(" ".join(str(part)[:40] for part in act) for act in self.acts)
        return f"{self.phase}: {which} no. {self.skip + 1}{often}: {acts}"


def refusal(service, status, code):
    """An error in the form of a service of AWS."""
    message = "Somebody between here and there says so."
    if service in QUERY:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return ("say", status, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>")
    if service == "s3":
        return ("say", status, "application/xml", f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")
    return ("say", status, "application/x-amz-json-1.1", f'{{"__type": "{code}", "message": "{message}"}}')


def page(status, title):
    """What a proxy, a load balancer or a captive portal answers."""
    return ("say", status, "text/html", HTML.format(title))


def busy(chance, service):
    status, code = chance.choice([(400, "ThrottlingException"), (400, "Throttling"), (500, "InternalFailure"), (503, "ServiceUnavailable")])
    return refusal(service, status, "SlowDown" if service == "s3" and status == 503 else code)


def refused(chance, service):
    status, code = chance.choice([(403, "AccessDenied"), (403, "ExpiredToken"), (400, "ValidationException")])
    return refusal(service, status, code)


def strange(chance, _service):
    """A status of the kind 4xx that no service of AWS has given."""
    status, title = chance.choice([(403, "Forbidden"), (404, "Not Found"), (408, "Request Timeout"), (409, "Conflict"), (429, "Too Many Requests")])
    as_json = ("say", status, "application/json", f'{{"message": "{title}"}}')
    return chance.choice([page(status, title), as_json])


def gateway(chance, _service):
    return page(*chance.choice([(502, "Bad Gateway"), (503, "Service Unavailable"), (504, "Gateway Timeout")]))


def moment(chance):
    """How long a request can be under way and still be within what is promised."""
    return round(chance.uniform(0.2, ATTEMPT), 2)


def how(chance):
    return chance.choice(["same", "like"])


DELIVER, REPLY, CLOSE, KILL = ("deliver",), ("reply",), ("close",), ("kill",)
GARBAGE = page(200, "Please sign in")

# Each takes chance and the service, and tells the acts.
SIMPLE = {
    "dropped": lambda chance, service: [CLOSE],
    "reset": lambda chance, service: [("reset",)],
    "reply-lost": lambda chance, service: [DELIVER, chance.choice([CLOSE, ("reset",)])],
    "reply-cut": lambda chance, service: [DELIVER, ("cut", round(chance.uniform(0, 0.9), 2))],
    "refused-before": lambda chance, service: [refused(chance, service)],
    "busy-before": lambda chance, service: [busy(chance, service)],
    "busy-after": lambda chance, service: [DELIVER, busy(chance, service)],
    "strange-4xx-before": lambda chance, service: [strange(chance, service)],
    "strange-4xx-after": lambda chance, service: [DELIVER, strange(chance, service)],
    "gateway-before": lambda chance, service: [gateway(chance, service)],
    "gateway-after": lambda chance, service: [DELIVER, gateway(chance, service)],
    "garbage-before": lambda chance, service: [GARBAGE],
    "garbage-after": lambda chance, service: [DELIVER, GARBAGE],
    "delayed": lambda chance, service: [("wait", round(chance.uniform(0.2, 1.5), 2)), DELIVER, REPLY],
    "given-up": lambda chance, service: [("later", ATTEMPT + round(chance.uniform(0, AFTERMATH), 2)), ("wait", ATTEMPT + 0.2), CLOSE],
    "overtaken": lambda chance, service: [("later", moment(chance)), chance.choice([CLOSE, ("reset",)])],
    "twice-second-answer": lambda chance, service: [DELIVER, DELIVER, REPLY],
    "twice-first-answer": lambda chance, service: [DELIVER, ("again",), REPLY],
}
KILLS = {
    "killed-before": lambda chance, service: [KILL],
    "killed-after": lambda chance, service: [DELIVER, KILL],
    "in-flight": lambda chance, service: [KILL, ("later", moment(chance))],
}
# Somebody else does something of the same kind first.
MEDDLING = {
    "meddled-delivered": lambda chance, service: [("meddle", how(chance)), DELIVER, REPLY],
    "meddled-reply-lost": lambda chance, service: [("meddle", how(chance)), DELIVER, CLOSE],
    "meddled-dropped": lambda chance, service: [("meddle", how(chance)), CLOSE],
    "meddled-killed": lambda chance, service: [("meddle", how(chance)), KILL],
    "meddled-in-flight": lambda chance, service: [("meddle", how(chance)), KILL, ("later", moment(chance))],
    "meddled-refused": lambda chance, service: [("meddle", how(chance)), strange(chance, service)],
}
# What AWS carries out whatever is there: where it has answered that it did, nobody can tell who else did the same. Some
# servers have more of these.
UNCONDITIONAL = ("AttachRolePolicy", "PutRolePolicy", "UpdateUserPool", "BatchWriteItem")
# Of these, somebody else can do the very same.
ALIKE = ("AttachRolePolicy", "PutRolePolicy", "BatchWriteItem")
UNANSWERED = ("meddled-reply-lost", "meddled-dropped", "meddled-refused", "meddled-in-flight")
# Somebody else writes something else afterwards.
OVERWRITING = {
    "overwritten": lambda chance, service: [DELIVER, ("meddle", "like"), REPLY],
    "overwritten-killed": lambda chance, service: [DELIVER, ("meddle", "like"), KILL],
}
# What the run has made carries no tags, for a while or for good; and there is a second run of the same playbook.
COMBINED = ("several", "killed-twice", "killed-thrice", "untagged-reply-lost", "untagged-killed", "overlapping")
NAMES = ("none", *SIMPLE, *KILLS, *MEDDLING, *OVERWRITING, *COMBINED)
TAGGED = ("CreateRole", "CreateFunction", "CreateLogGroup", "CreateBucket", "CreateTable", "CreateUserPool", "CreateStack")
# What two runs have in common.
SHARED = ("AttachRolePolicy", "PutRolePolicy", "UpdateFunctionConfiguration", "UpdateUserPool", "PutItem", "DeleteItem")
# Those that happen to certain operations alone.
ELIGIBLE = {
    **dict.fromkeys(MEDDLING, tuple(DEEDS)),
    **dict.fromkeys(OVERWRITING, OVERWRITES),
    **dict.fromkeys(("untagged-reply-lost", "untagged-killed"), TAGGED),
    "overlapping": SHARED,
}


def eligible(fault, unconditional):
    """The operations that a fault can happen to, if it cannot to all."""
    named = ELIGIBLE.get(fault)
    if fault == "meddled-delivered":
        return tuple(name for name in named if name not in unconditional)
    if fault in ("meddled-reply-lost", "meddled-in-flight"):
        return tuple(name for name in named if name not in unconditional or name in ALIKE)
    return named


def drawn(chance, fault, calls, unconditional):
    """The strikes of a trial. `calls` are those that the playbook makes, as its dry run tells; each may be struck."""
    if fault == "none":
        return []
    if fault == "several":
        count = chance.choice([2, 2, 3])
        strikes = [one(chance, chance.choice(list(SIMPLE)), calls) for _ in range(count)]
        return strikes + [one(chance, chance.choice(list(KILLS)), calls)] * chance.choice([0, 1])
    if fault in ("killed-twice", "killed-thrice"):
        kills = [one(chance, chance.choice(list(KILLS)), calls)]
        for round_ in range(1, 2 if fault == "killed-twice" else 3):
            acts = KILLS[chance.choice(list(KILLS))](chance, "")
            kills.append(Strike(f"clean-up {round_}", "*", "*", chance.randrange(1, 9), 1, acts))
        return kills
    if fault.startswith("untagged-"):
        first = one(chance, "killed-after" if fault == "untagged-killed" else "reply-lost", calls, TAGGED)
        return [first, Strike("*", "*", "*", 0, chance.choice([6, EVERY]), [DELIVER, ("strip",), REPLY])]
    if fault == "overlapping":
        call, number = picked(chance, calls, SHARED)
        acts = [("second", chance.choice([1, 5, 10, 20, 100])), DELIVER, chance.choice([REPLY, REPLY, KILL])]
        return [Strike("run", call["service"], call["operation"], number, 1, acts)]
    return [one(chance, fault, calls, eligible(fault, unconditional), unconditional)]


def one(chance, fault, calls, named=None, unconditional=UNCONDITIONAL):
    call, number = picked(chance, calls, named)
    acts = {**SIMPLE, **KILLS, **MEDDLING, **OVERWRITING}[fault](chance, call["service"])
    often = chance.choice([1, EVERY])
    if fault in (*KILLS, *OVERWRITING, "delayed", "given-up", "meddled-killed", "meddled-in-flight"):
        often = 1
    if call["operation"] in unconditional and fault in UNANSWERED:
        # What never has an answer is not known to be the run's, and must not be taken for it. Of what it overwrites, nobody
        # would know.
        often, acts[0] = EVERY, ("meddle", "same")
    return Strike("run", call["service"], call["operation"], number, often, acts)


def picked(chance, calls, named):
    """A call, and how many of the same operation come before it."""
    makes = [at for at, call in enumerate(calls) if call["changes"] and not call["cleanup"]]
    undoes = [at for at, call in enumerate(calls) if call["changes"] and call["cleanup"]]
    looks = [at for at, call in enumerate(calls) if not call["changes"]]
    if named:
        pool = [at for at in makes if calls[at]["operation"] in named]
    else:
        pool = chance.choices([makes, undoes, looks], [70, 15, 15])[0] or makes
    at = chance.choice(pool)
    same = ("service", "operation")
    before = sum(1 for call in calls[:at] if all(call[key] == calls[at][key] for key in same))
    return calls[at], before


def fits(fault, calls, unconditional):
    """Whether the playbook has a request that the fault can happen to."""
    named = eligible(fault, unconditional)
    if fault == "overlapping" and not any(call["operation"] in ("UpdateUserPool", "DeleteItem") for call in calls):
        return False
    return named is None or any(call["operation"] in named and not call["cleanup"] for call in calls)

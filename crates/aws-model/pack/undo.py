"""Which operation takes back what another one creates, and where its input comes from.

Derived from three sources. Names: `CreateQueue` and `DeleteQueue`. CloudFormation's resource schemas: which of a service's
operations make a resource and which remove it, where their names do not say. Shapes: each member that the opposite needs is
found in the input or the output of the operation, or there is no entry. What is derived wrongly is corrected in undo.txt.
"""

import json
import pathlib
import re
from collections import Counter

# The verbs that take back what a verb does, best first.
OPPOSITES = {
    "Create": ["Delete", "Terminate", "Destroy", "Remove", "Deregister", "Deprovision", "Release", "Close", "Cancel", "Disassociate"],
    "Allocate": ["Release", "Deallocate", "Delete"],
    "Register": ["Deregister", "Unregister", "Delete"],
    "Import": ["Delete", "Remove"],
    "Copy": ["Delete", "Deregister"],
    "Restore": ["Delete"],
    "Clone": ["Delete"],
    "Run": ["Terminate", "Delete"],
    "Launch": ["Terminate", "Delete"],
    "Provision": ["Deprovision", "Terminate", "Delete"],
    "Request": ["Delete", "Cancel", "Terminate"],
    "Upload": ["Delete"],
    "Publish": ["Delete", "Unpublish"],
    "Issue": ["Revoke"],
    "Open": ["Close"],
    "BatchCreate": ["BatchDelete"],
    "BatchImport": ["BatchDelete"],
    "Invite": ["Uninvite", "Delete"],
    "Generate": ["Delete"],
    "Define": ["Delete"],
    "Build": ["Delete"],
    "Put": ["Delete", "Remove"],
    "BatchPut": ["BatchDelete"],
    "Add": ["Remove", "Delete"],
    "Attach": ["Detach"],
    "Associate": ["Disassociate"],
    "BatchAssociate": ["BatchDisassociate"],
    "Assign": ["Unassign"],
    "Authorize": ["Revoke"],
    "Grant": ["Revoke"],
    "Enable": ["Disable"],
    "BatchEnable": ["BatchDisable"],
    "Activate": ["Deactivate"],
    "Subscribe": ["Unsubscribe"],
    "Start": ["Stop"],
    "Join": ["Leave"],
    "Set": ["Delete", "Clear"],
    "Configure": ["Delete"],
}
# Verbs whose operation succeeds also where the thing was there before: taking it back is right only where it was not.
UPSERTS = {
    "Put", "BatchPut", "Add", "Attach", "Associate", "BatchAssociate", "Assign", "Grant", "Enable", "BatchEnable", "Activate",
    "Subscribe", "Start", "Join", "Set", "Configure", "Tag",
}  # fmt: skip
# Verbs that make a thing of its noun: what is said behind `From`, `With` and the like is said of the way.
MAKERS = {"Create", "BatchCreate", "Copy", "Restore", "Clone", "Import", "Run", "Launch", "Provision"}
# Verbs that make no thing but a relation: looking for their noun says nothing of it.
RELATIONS = {"Add", "Attach", "Associate", "BatchAssociate", "Assign", "Activate", "Authorize", "Grant", "Enable", "BatchEnable", "Join", "Start"}
# Members that say how, not what.
MANNERS = {"dryrun", "clienttoken", "clientrequesttoken", "nexttoken", "maxresults", "tags", "tagspecifications", "requestpayer", "mfa"}
# What tells one thing from another, best first.
IDENTITIES = ("id", "arn", "name", "identifier")
# Names that every structure has, so that they say nothing of whose they are.
GENERIC = {"id", "arn", "name", "identifier", "key", "url", "uri", "value", "type", "version", "status"}
VERB = re.compile(r"^(Batch)?([A-Z][a-z]+)")
DEEPEST = 2


def plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def split(operation):
    """Verb and noun: `BatchCreatePartition` is `BatchCreate` and `Partition`."""
    match = VERB.match(operation)
    if not match:
        return operation, ""
    verb = match.group(0)
    # The verb ends where the next word begins: `CreateDBInstance` has no lower-case letter behind `Create`.
    return verb, operation[len(verb):]


def noun_of(operation):
    """Without what is said of the way: `RestoreDBInstanceFromDBSnapshot` makes a `DBInstance`."""
    verb, noun = split(operation)
    if verb not in MAKERS:
        return verb, noun
    ways = "From|To|With|Using" if verb == "Restore" else "From|With|Using"
    return verb, re.split(rf"(?<=[a-z])(?:{ways})(?=[A-Z])", noun)[0] or noun


def singular(noun):
    return re.sub("(?<=[^s])s$", "", re.sub("ies$", "y", plain(noun)))


def same_thing(create, delete, kind):
    """Whether an operation removes just what another one makes, and not what that is part of."""
    made, removed = singular(noun_of(create)[1]), singular(split(delete)[1])
    bare = [re.sub("(?<=[a-z])(With|From|To)(?=[A-Z])", "", split(name)[1]) for name in (create, delete)]
    whole = made == removed or plain(bare[0]) == plain(bare[1])
    variant = removed == kind and made in (kind + "readreplica", kind + "v2")
    return whole or variant or (made.endswith(removed) and removed != "")


class Model:
    """A service's model, asked for what the derivation needs."""

    def __init__(self, model):
        self.operations = model["operations"]
        self.shapes = model["shapes"]
        self.waiters = model.get("waiters", {})

    def structure(self, root):
        return self.shapes[root["shape"]] if root else {"members": {}}

    def input(self, operation):
        return self.structure(self.operations[operation].get("input"))

    def output(self, operation):
        return self.structure(self.operations[operation].get("output"))

    def kind(self, member):
        return self.shapes[member["shape"]]["type"]

    def required(self, operation):
        shape = self.input(operation)
        return [name for name in shape.get("required", []) if name in shape["members"]]

    def is_token(self, operation, name):
        return bool(self.input(operation)["members"][name].get("idempotencyToken"))

    def tree(self, shape, path=(), depth=0):
        """Every simple member in a structure, with its path; what is in a list is marked with `[]`."""
        for name, member in shape.get("members", {}).items():
            inner = self.shapes[member["shape"]]
            if any(word in plain(name) for word in ("error", "fail", "unprocessed", "unsuccessful")):
                # What was not made need not be taken back.
                continue
            yield (*path, name), inner["type"], inner
            if depth >= DEEPEST:
                continue
            if inner["type"] == "structure" and not inner.get("document"):
                yield from self.tree(inner, (*path, name), depth + 1)
            elif inner["type"] == "list":
                element = self.shapes[inner["member"]["shape"]]
                if element["type"] == "structure":
                    yield from self.tree(element, (*path, name + "[]"), depth + 1)


def names_for(wanted, noun):
    """The names under which a member may be found, best first."""
    noun = plain(noun)
    names = [wanted]
    if wanted == "ifmatch":
        return ["etag"]
    suffix = wanted[len(noun):] if wanted.startswith(noun) and wanted != noun else wanted if wanted in GENERIC else ""
    if wanted == noun:
        names += [noun + "arn", noun + "id", "arn", "id", noun + "name", "name"]
    if suffix in GENERIC:
        names += [noun + suffix, suffix]
    if suffix == "identifier" or wanted.endswith("identifier"):
        names += [noun + "id", "id", noun + "arn", "arn", noun + "name", "name"]
    if suffix == "id":
        names += [noun + "identifier", "identifier"]
    if wanted in ("resourcearn", "resourceid", "resourcename"):
        names += [noun + wanted[8:], wanted[8:]]
    return list(dict.fromkeys(names))


def ours(path, noun, alone):
    """Whether a member with a name that everything has belongs to the thing itself."""
    around = [plain(part) for part in path[:-1]]
    about = plain(noun)
    return not around or around[-1] in about or about in around[-1] or (alone and len(path) == 2)


def find(model, create, noun, wanted, kind, many=False):
    """The places where a member of that name is, in the output and in the input: best first, and none where it is a guess."""
    output = sorted(model.tree(model.output(create)), key=lambda entry: len(entry[0]))
    given = sorted(model.tree(model.input(create), depth=DEEPEST - 1), key=lambda entry: len(entry[0]))
    alone = len(model.output(create).get("members", {})) == 1

    def look(entries, root, name, exact):
        for path, of, _ in entries:
            if plain(path[-1]) != name or of != kind or any("[]" in part for part in path) != many:
                continue
            if (name in GENERIC or root == "input" and len(path) > 1) and not ours(path, noun, alone and root == "result"):
                continue
            if root == "input" and name in ("id", "arn", "identifier") and not exact:
                continue
            return [root + "." + ".".join(path)]
        return []

    places = []
    for name in names_for(wanted, noun):
        exact = name == wanted
        places = look(output, "result", name, exact) + look(given, "input", name, exact)
        if places:
            break
    if places and not many and not any(place.startswith("input") for place in places) and wanted.endswith("identifier"):
        named = (look(given, "input", name, False) for name in (plain(noun) + "name", "name"))
        places += next((found for found in named if found), [])
    return places


def source(model, create, noun, name, member):
    """Where a member of another operation's input comes from."""
    kind = model.kind(member)
    places = find(model, create, noun, plain(name), kind)
    if places:
        return places
    if kind == "list":
        element = model.kind(model.shapes[member["shape"]]["member"])
        one = singular(name)
        if element != "string":
            return []
        many = find(model, create, noun, one, element, True)
        return many or [f"[{place}]" for place in find(model, create, noun, one, element)]
    # `LoadBalancers[].LoadBalancerArn`, of an operation that makes one.
    if split(create)[0] in MAKERS and split(create)[0] != "Run":
        return [place.replace("[]", "[0]") for place in find(model, create, noun, plain(name), kind, True)]
    return []


def filling(model, create, noun, operation):
    """Where each member that an operation needs comes from; nothing where one comes from nowhere."""
    members = model.input(operation).get("members", {})
    with_ = {}
    for name in model.required(operation):
        places = source(model, create, noun, name, members[name])
        if model.is_token(operation, name):
            places = [place for place in places if place.startswith("result.")]
            if not places:
                continue
        if not places:
            return None
        with_[name] = places
    return with_


def further(model, create, noun, operation, with_):
    """Where members come from that an operation does not need, and without which it may mean something else."""
    members = {
        name: member
        for name, member in model.input(operation).get("members", {}).items()
        if name not in with_
        and plain(name) not in MANNERS - {plain(noun)}
        and not plain(name).endswith("token")
        and not member.get("idempotencyToken")
    }
    if not with_:
        # One of several ways to say which: giving more than one of them is an error.
        for end in IDENTITIES:
            for name, member in members.items():
                if plain(name).endswith(end):
                    places = source(model, create, noun, name, member)
                    if places:
                        return {name: places}, {}
        lists = {name: source(model, create, noun, name, member) for name, member in members.items() if model.kind(member) == "list"}
        return {name: places for name, places in lists.items() if places}, {}
    given = model.input(create).get("members", {})
    same = {name for name in members if name in given and "structure" != model.kind(members[name]) == model.kind(given[name])}
    return with_, {name: ["input." + name] for name in sorted(same)}


def plurals(noun):
    return [noun + "s", noun + "es", re.sub("y$", "ies", noun)]


def bare(places):
    return {place.strip("[]") for place in places}


def read(model, create, noun, with_):
    """The operation that looks whether the thing is there: it is told all that tells the thing from others."""
    for verb in ("Head", "Get", "Describe"):
        for name in (noun, *plurals(noun)):
            operation = verb + name
            if operation not in model.operations:
                continue
            filled = filling(model, create, noun, operation)
            if filled is None:
                continue
            members = model.input(operation).get("members", {})
            for wanted, places in with_.items():
                if wanted in members and wanted not in filled:
                    filled[wanted] = places
                lists = [name for name in members if name in plurals(wanted) and name not in filled and model.kind(members[name]) == "list"]
                if wanted not in members and lists:
                    filled[lists[0]] = [place if "[]" in place else f"[{place}]" for place in places]
            told = set().union(*(bare(places) for places in filled.values()))
            if filled and all(bare(places) & told for places in with_.values()):
                return {"operation": operation, "with": filled}
    return None


def gone(model, reading, noun):
    """The waiter that ends when the thing is no more there."""
    for name, waiter in model.waiters.items():
        if plain(name) in (plain(noun) + end for end in ("deleted", "notexists", "terminated")):
            if reading is None or waiter["operation"] == reading["operation"]:
                return name
    return None


def look(model, create, noun, found, reads, waits):
    """Adds how to see whether the thing is there, and when it is gone."""
    places = {name: places for name, places in found["with"].items() if isinstance(places, list)}
    reading = read(model, create, noun, places) if reads else None
    if reading:
        members = model.input(reading["operation"]).get("members", {})
        scope = {name: places for name, places in found.get("optional", {}).items() if name in members and name not in reading["with"]}
        if scope:
            reading["optional"] = scope
        found["read"] = reading
    waiter = gone(model, reading, noun) if waits else None
    if waiter:
        found["gone"] = waiter


def entry(model, create, delete, noun, upsert, origin):
    with_ = filling(model, create, noun, delete)
    if with_ is None:
        return None
    with_, optional = further(model, create, noun, delete, with_)
    if upsert:
        # What it answers with may be all that there is; what it was told is what this call has added.
        with_ = {name: sorted(places, key=lambda place: "input." not in place) for name, places in with_.items()}
    if not with_ and (model.input(create).get("members") or not upsert):
        # It takes back everything there is, not what this call made.
        return None
    found = {"operation": delete, "with": with_, "from": origin}
    if optional:
        found["optional"] = optional
    relation = split(create)[0] in RELATIONS
    look(model, create, noun, found, bool(with_) and not relation, not relation)
    if split(create)[0] == "Register" and not any(place.startswith(("result.", "[result.")) for places in with_.values() for place in places):
        # What only repeats what it was told was perhaps so before.
        upsert = True
    if upsert or plain(noun) == "tags":
        found["upsert"] = True
    return found


def by_names(model):
    """Pairs that their names make."""
    found = {}
    for create in model.operations:
        verb, whole = split(create)
        nouns = dict.fromkeys((whole, noun_of(create)[1]))
        if verb in ("Restore", "Publish") and len(nouns) == 1:
            # To restore a thing, or to publish it, is not to make it.
            continue
        for noun in nouns:
            for opposite in OPPOSITES.get(verb, []):
                delete = opposite + noun
                if create in found or not noun or delete not in model.operations:
                    continue
                made = entry(model, create, delete, noun, verb in UPSERTS, "names")
                if made:
                    found[create] = made
    return found


def read_schemas(folder):
    for path in sorted((folder / "cfnlint" / "data" / "schemas" / "resources").glob("*.json")):
        schema = json.loads(path.read_text())
        handlers = schema.get("handlers", {})
        if "create" in handlers and "delete" in handlers:
            yield schema["typeName"], handlers, schema.get("tagging", {})


def services_by_prefix(models):
    """The services that an IAM prefix may mean."""
    prefixes = {}
    for name, model in models.items():
        about = model["metadata"]
        for prefix in {name, about.get("signingName", about["endpointPrefix"]), about["endpointPrefix"]}:
            prefixes.setdefault(prefix.lower(), []).append(name)
    return prefixes


def by_schemas(models, folder, found):
    """Pairs that a resource's handlers make, and the types of those that names have made already."""
    prefixes = services_by_prefix(models)
    asked = {name: Model(model) for name, model in models.items()}
    for type_name, handlers, tagging in read_schemas(folder):
        kind = plain(type_name.split("::")[-1])
        for service in sorted({name for action in handlers["create"].get("permissions", []) for name in prefixes.get(action.split(":")[0].lower(), [])}):
            model = asked[service]
            prefix = {action.split(":")[1] for action in handlers["create"]["permissions"] if ":" in action and service in prefixes.get(action.split(":")[0].lower(), [])}
            removing = {action.split(":")[1] for action in handlers["delete"].get("permissions", []) if ":" in action and service in prefixes.get(action.split(":")[0].lower(), [])}
            creates = [name for name in sorted(prefix) if name in model.operations and split(name)[0] in OPPOSITES]
            deletes = [name for name in sorted(removing) if name in model.operations and is_opposite(split(name)[0])]
            for create in creates:
                verb, noun = noun_of(create)
                matching = plain(noun) == kind or len(creates) == 1 or plain(noun).startswith(kind)
                if create in found.get(service, {}):
                    if plain(noun) == kind and found[service][create]["operation"] in deletes:
                        found[service][create].update({"type": type_name, "from": "schema"})
                    continue
                if not matching:
                    continue
                if verb in ("Publish", "Restore") and split(create)[1] == noun:
                    continue
                wanted = [name for name in deletes if split(name)[0] in OPPOSITES[verb]]
                opposites = [name for name in wanted if same_thing(create, name, kind)]
                if not opposites and verb in MAKERS | {"Register"}:
                    opposites = [name for name in wanted if is_new(model, create, name)]
                best = [name for name in opposites if plain(split(name)[1]) == kind] or (opposites if len(opposites) == 1 else [])
                if not best:
                    continue
                made = entry(model, create, best[0], split(best[0])[1].removesuffix("s"), verb in UPSERTS, "schema")
                if made:
                    made["type"] = type_name
                    found.setdefault(service, {})[create] = made


def is_new(model, create, delete):
    """Whether all that an operation is told comes into being with another one: it cannot remove what was there before."""
    with_ = filling(model, create, split(delete)[1], delete)
    given = {plain(name) for name in model.input(create).get("members", {})}
    return bool(with_) and all(place.startswith("result.") for places in with_.values() for place in places) and not given & {
        plain(name) for name in [*with_, *(places[0].split(".")[-1] for places in with_.values())]
    }


def is_opposite(verb):
    return any(verb in opposites for opposites in OPPOSITES.values())


def value_of(text):
    """A value of undo.txt: places, or JSON as it is."""
    if re.match(r"\[?(result|input)\.", text):
        return text.split("|")
    return {"value": json.loads(text)}


def by_hand(models, found, path):
    """What is corrected: each line a pair with its members, or that there is none, with the reason behind `#`."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line, _, reason = line.partition(" #")
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split()
        service, create = words[0].split(":")
        model = Model(models[service])
        if create not in model.operations:
            raise SystemExit(f"undo.txt:{number}: {service} has no operation {create}")
        if words[2] == "none":
            found.get(service, {}).pop(create, None)
            continue
        delete = words[2]
        pairs = dict(word.split("=", 1) for word in words[3:] if "=" in word)
        with_ = {name.rstrip("?"): value for name, value in pairs.items()}
        missing = [name for name in model.required(delete) if name not in with_ and not model.is_token(delete, name)]
        unknown = [name for name in with_ if name not in model.input(delete)["members"]]
        if missing or unknown:
            raise SystemExit(f"undo.txt:{number}: {delete} lacks {missing}, does not know {unknown}")
        noun = split(delete)[1]
        with_ = {name: value_of(value) for name, value in pairs.items() if not name.endswith("?")}
        optional = {name.rstrip("?"): value_of(value) for name, value in pairs.items() if name.endswith("?")}
        made = {"operation": delete, "with": with_, "from": "hand"}
        if optional:
            made["optional"] = optional
        before = found.get(service, {}).get(create, {})
        look(model, create, noun, made, split(create)[0] not in RELATIONS, split(create)[0] not in RELATIONS)
        # What is looked at is what is taken back.
        looked = made.get("read", {}).get("with", {})
        looked.update({name: places for name, places in with_.items() if name in looked})
        if before.get("type"):
            made["type"] = before["type"]
        if "upsert" in words[3:]:
            made["upsert"] = True
        found.setdefault(service, {})[create] = made


def table(models, folder, here):
    """What takes back what, a map of operations a service."""
    found = {name: by_names(Model(model)) for name, model in models.items()}
    by_schemas(models, folder, found)
    by_hand(models, found, here / "undo.txt")
    return {name: dict(sorted(entries.items())) for name, entries in found.items() if entries}


def report(models, found):
    """What there is, for whoever changes this."""
    creates = [(name, operation) for name, model in models.items() for operation in model["operations"] if split(operation)[0] in ("Create", "BatchCreate")]
    known = sum(operation in found.get(name, {}) for name, operation in creates)
    total = sum(map(len, found.values()))
    origins = Counter(entry["from"] for entries in found.values() for entry in entries.values())
    creating = sum("upsert" not in entry for entries in found.values() for entry in entries.values())
    print(f"undo: {known} of {len(creates)} Create…; {total} in all, {creating} of them create; {dict(origins)}")
    return [f"{name}:{operation}" for name, operation in creates if operation not in found.get(name, {})]


if __name__ == "__main__":
    import models as packing

    here = pathlib.Path(__file__).resolve().parent
    folders = packing.download()
    data = folders["botocore"] / "botocore" / "data"
    models = {folder.name: packing.service(folder)[0] for folder in sorted(data.iterdir()) if folder.is_dir()}
    found = table(models, folders["cfn-lint"], here)
    missing = report(models, found)
    (packing.WORK / "undo.json").write_text(json.dumps(found, indent=1))
    (packing.WORK / "undo-missing.txt").write_text("\n".join(missing) + "\n")

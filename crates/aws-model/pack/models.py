#!/usr/bin/env python3
"""Packs the models of AWS's services into this crate's data.

    models.py [--check]

Takes the versions that requirements.txt names, drops the prose, and writes one compressed file a service plus the indexes.
The same versions give the same bytes; `--check` compares them with what is committed and writes nothing.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CRATE = HERE.parent
WORK = CRATE.parent.parent / "target" / "aws-models"
ITERATIONS = 5

sys.path.insert(0, str(HERE))


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def download():
    """The pinned wheels, unpacked, and the encoder."""
    WORK.mkdir(parents=True, exist_ok=True)
    pip("download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", HERE / "requirements.txt", "-d", WORK / "wheels")
    site = WORK / "encoder"
    if not site.exists():
        pip("install", "--no-deps", "--target", site, "-r", HERE / "encoder.txt")
    sys.path.insert(0, str(site))
    folders = {}
    for line in (HERE / "requirements.txt").read_text().splitlines():
        if "==" not in line:
            continue
        name, version = line.split()[0].split("==")
        (wheel,) = (WORK / "wheels").glob(f"{name.replace('-', '_')}-{version}-*.whl")
        folder = WORK / f"{name}-{version}"
        if not folder.exists():
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
        folders[name] = folder
    return folders


def read(path):
    if path.with_name(path.name + ".gz").exists():
        return json.loads(gzip.decompress(path.with_name(path.name + ".gz").read_bytes()))
    return json.loads(path.read_text()) if path.exists() else {}


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


# What a reader of the model has no use for, beside the prose.
DROPPED = {
    "documentation", "documentationUrl", "deprecatedMessage", "deprecatedSince", "synthetic", "examples", "xmlOrder",
}  # fmt: skip
METADATA = [
    "apiVersion", "endpointPrefix", "globalEndpoint", "jsonVersion", "protocol", "protocols", "serviceFullName",
    "serviceAbbreviation", "serviceId", "signatureVersion", "signingName", "auth", "targetPrefix", "xmlNamespace",
    "awsQueryCompatible", "protocolSettings",
]  # fmt: skip


def traits(of):
    return {key: value for key, value in of.items() if key not in DROPPED}


def shape(of):
    kept = traits(of)
    if "members" in kept:
        kept["members"] = {name: traits(member) for name, member in kept["members"].items()}
    for key in ("member", "key", "value"):
        if key in kept:
            kept[key] = traits(kept[key])
    return kept


def operation(of):
    kept = traits(of)
    kept.pop("name", None)
    for key in ("input", "output"):
        if key in kept:
            kept[key] = traits(kept[key])
    if "errors" in kept:
        kept["errors"] = [error["shape"] for error in kept["errors"]]
    if "deprecated" in of:
        kept["deprecated"] = True
    return kept


def service(folder):
    """One service without prose, and its endpoint rules."""
    version = sorted(entry.name for entry in folder.iterdir())[-1]
    at = folder / version
    model = read(at / "service-2.json")
    merge(model, read(at / "service-2.sdk-extras.json").get("merge", {}))
    pages = read(at / "paginators-1.json")
    merge(pages, read(at / "paginators-1.sdk-extras.json").get("merge", {}))
    waiters = read(at / "waiters-2.json").get("waiters", {})
    packed = {
        "metadata": {key: model["metadata"][key] for key in METADATA if key in model["metadata"]},
        "operations": {name: operation(of) for name, of in sorted(model["operations"].items())},
        "shapes": {name: shape(of) for name, of in model["shapes"].items()},
    }
    if pages.get("pagination"):
        packed["pagination"] = pages["pagination"]
    if waiters:
        packed["waiters"] = {name: {key: value for key, value in of.items() if key != "description"} for name, of in sorted(waiters.items())}
    if model.get("clientContextParams"):
        packed["clientContextParams"] = {name: traits(of) for name, of in model["clientContextParams"].items()}
    return packed, read(at / "endpoint-rule-set-1.json")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def pack(text):
    import zopfli.zlib

    return zopfli.zlib.compress(text.encode(), numiterations=ITERATIONS)


# Services whose command of the AWS CLI is named otherwise than their model.
CLI_NAMES = {"s3": "s3api", "codedeploy": "deploy", "config": "configservice"}


def rust(value):
    return json.dumps(value) if isinstance(value, str) else str(value)


def entry(name, packed, text, rules):
    about = packed["metadata"]
    protocols = about.get("protocols") or [about["protocol"]]
    fields = {
        "name": rust(name),
        "service_id": rust(about["serviceId"]),
        "cli_name": rust(CLI_NAMES.get(name, name)),
        "full_name": rust(about["serviceFullName"]),
        "endpoint_prefix": rust(about["endpointPrefix"]),
        "signing_name": rust(about.get("signingName", about["endpointPrefix"])),
        "api_version": rust(about["apiVersion"]),
        "protocols": "&[" + ", ".join(rust(protocol) for protocol in protocols) + "]",
        "rules": rules,
        "size": f"{len(text.encode()):_}",
    }
    return "    entry!(" + ", ".join(f"{value}" for value in fields.values()) + f', "{name}.z"),'


def everything(folders):
    """Every file that the data consists of, by its path below the crate."""
    import undo

    data = folders["botocore"] / "botocore" / "data"
    services = {folder.name: service(folder) for folder in sorted(data.iterdir()) if folder.is_dir()}
    opposites = undo.table({name: packed for name, (packed, _) in services.items()}, folders["cfn-lint"], HERE)
    files, entries, names, rule_sets = {}, [], [], {}
    for name, (packed, rules) in services.items():
        if name in opposites:
            packed["undo"] = opposites[name]
        prefix = packed["metadata"]["endpointPrefix"]
        line = compact(rules).replace(f"//{prefix}", "//@PREFIX@")
        text = compact(packed)
        files[f"data/services/{name}.z"] = pack(text)
        entries.append(entry(name, packed, text, rule_sets.setdefault(line, len(rule_sets))))
        names.append(name + " " + " ".join(packed["operations"]))
    partitions = compact(read(data / "partitions.json"))
    files["data/operations.z"] = pack("\n".join(names))
    files["data/rules.z"] = pack("\n".join([partitions, *rule_sets]))
    files["src/entries.rs"] = listing(entries, folders).encode()
    return files


def listing(entries, folders):
    versions = ", ".join(sorted(folder.name for folder in folders.values()))
    head = f"""//! Every service there is a model of. Made by `just models` from {versions}: not to be edited.

use super::{{Entry, entry}};

/// The versions of the packages that the data was made from.
pub const SOURCES: &str = "{versions}";

#[rustfmt::skip]
pub(super) static ENTRIES: [Entry; {len(entries)}] = [
"""
    return head + "\n".join(entries) + "\n];\n"


def main():
    files = everything(download())
    different = [path for path, content in files.items() if not (CRATE / path).exists() or (CRATE / path).read_bytes() != content]
    gone = [path for path in (CRATE / "data" / "services").glob("*.z") if f"data/services/{path.name}" not in files]
    if "--check" in sys.argv:
        for path in [*different, *gone]:
            print(f"differs: {path}")
        sys.exit(1 if different or gone else 0)
    for path, content in files.items():
        (CRATE / path).parent.mkdir(parents=True, exist_ok=True)
        (CRATE / path).write_bytes(content)
    for path in gone:
        path.unlink()
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes, {len(different)} of them new or changed")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes packages of one program: package.py --binary PROGRAM --out DIRECTORY [KIND...]

KIND is wheel, npm, deb or tarball; all of them unless named. The program is run for its manual and completions, so it
must be for this machine. The same program gives the same bytes: entries are sorted, and dated by SOURCE_DATE_EPOCH or
else by the last commit. It takes nothing but Python's standard library.
"""

import argparse
import base64
import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import platform
import re
import subprocess
import tarfile
import tempfile
import time
import tomllib
import zipfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
NAME = "playbook-aws"
MODULE = "playbook_aws"
# By Python's names: what npm, Debian, wheels and tarballs call them.
MACHINES = {
    ("Linux", "x86_64"): {"npm": "linux-x64", "os": "linux", "cpu": "x64", "deb": "amd64", "tarball": "x86_64-linux"},
    ("Linux", "aarch64"): {"npm": "linux-arm64", "os": "linux", "cpu": "arm64", "deb": "arm64", "tarball": "aarch64-linux"},
    ("Darwin", "x86_64"): {"npm": "darwin-x64", "os": "darwin", "cpu": "x64", "tarball": "x86_64-macos"},
    ("Darwin", "arm64"): {"npm": "darwin-arm64", "os": "darwin", "cpu": "arm64", "tarball": "aarch64-macos"},
}
# The oldest macOS that Rust's standard library runs on.
MACOS = {"x86_64": "macosx_10_12_x86_64", "arm64": "macosx_11_0_arm64"}


@dataclasses.dataclass
class File:
    """What goes into an archive, below its prefix."""
    data: bytes
    executable: bool = False

    @property
    def mode(self):
        return 0o755 if self.executable else 0o644


@dataclasses.dataclass
class Product:
    """The program, and what all packages say of it."""
    binary: bytes
    version: str
    description: str
    manual: dict
    completions: dict
    machine: dict
    system: tuple
    moment: int
    quick: bool

    def texts(self, *names):
        return {name: File((REPOSITORY / name).read_bytes()) for name in names}


def read(binary, quick):
    workspace = tomllib.loads((REPOSITORY / "Cargo.toml").read_text(encoding="utf-8"))

    def said(*arguments):
        return subprocess.run([binary, *arguments], check=True, capture_output=True).stdout

    with tempfile.TemporaryDirectory() as directory:
        said("manual", "--directory", directory)
        manual = {path.name: path.read_bytes() for path in sorted(pathlib.Path(directory).iterdir())}
    completions = {shell: said("completions", shell) for shell in ("bash", "zsh", "fish")}
    system = (platform.system(), platform.machine())
    if system not in MACHINES:
        raise SystemExit(f"no packages are made for {' '.join(system)}")
    return Product(
        binary=binary.read_bytes(), version=workspace["workspace"]["package"]["version"],
        description=workspace["package"]["description"], manual=manual, completions=completions,
        machine=MACHINES[system], system=system, moment=moment(), quick=quick)


def moment():
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    logged = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    # ZIP archives know no time before 1980.
    return int(logged.stdout) if logged.stdout.strip() else 315_532_800


def tarred(files, at, prefix=""):
    """A tar archive of files and their directories, as root's."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.GNU_FORMAT) as archive:
        folders = {str(parent) for name in files for parent in pathlib.PurePosixPath(name).parents} - {"."}
        for name in sorted([*folders, *files]):
            entry = tarfile.TarInfo(prefix + name)
            entry.mtime = at
            entry.uname = entry.gname = "root"
            if name in files:
                entry.mode, entry.size = files[name].mode, len(files[name].data)
                archive.addfile(entry, io.BytesIO(files[name].data))
            else:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
    return written.getvalue()


def gzipped(data, product):
    return gzip.compress(data, compresslevel=1 if product.quick else 9, mtime=0)


def shared(product, zsh):
    """The program, its manual and its completions, as they lie below /usr."""
    files = {"bin/playbook": File(product.binary, executable=True)}
    files |= {f"share/man/man1/{name}": File(page) for name, page in product.manual.items()}
    files["share/bash-completion/completions/playbook"] = File(product.completions["bash"])
    files[f"share/zsh/{zsh}/_playbook"] = File(product.completions["zsh"])
    files["share/fish/vendor_completions.d/playbook.fish"] = File(product.completions["fish"])
    return files


def wheel_tag(product):
    system, machine = product.system
    if system == "Darwin":
        return MACOS[machine]
    # The newest version of a symbol is the oldest C library that will do.
    needed = max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)\b", product.binary)), default=17)
    # Wheels know no platform before this one.
    needed = max(needed, 17)
    older = f".manylinux2014_{machine}" if needed == 17 else ""
    return f"manylinux_2_{needed}_{machine}{older}"


def wheel(product):
    tag = f"py3-none-{wheel_tag(product)}"
    data, info = f"{MODULE}-{product.version}.data", f"{MODULE}-{product.version}.dist-info"
    files = {}
    for name, file in shared(product, "site-functions").items():
        place = name.replace("bin/", "scripts/", 1) if name.startswith("bin/") else f"data/{name}"
        files[f"{data}/{place}"] = file
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    files[f"{info}/METADATA"] = File((
        f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {product.version}\nSummary: {product.description}\n"
        "License-Expression: Apache-2.0\nLicense-File: LICENSE\nLicense-File: NOTICE\nRequires-Python: >=3.8\n"
        f"Description-Content-Type: text/markdown\n\n{readme}").encode())
    tags = "".join(f"Tag: py3-none-{part}\n" for part in wheel_tag(product).split("."))
    files[f"{info}/WHEEL"] = File(f"Wheel-Version: 1.0\nGenerator: dist/package.py\nRoot-Is-Purelib: false\n{tags}".encode())
    for name, file in product.texts("LICENSE", "NOTICE").items():
        files[f"{info}/licenses/{name}"] = file
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(file.data).digest()).rstrip(b'=').decode()},{len(file.data)}\n"
        for name, file in sorted(files.items()))
    files[f"{info}/RECORD"] = File((record + f"{info}/RECORD,,\n").encode())
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1 if product.quick else 9) as archive:
        # The index of a wheel comes last.
        for name in sorted(files, key=lambda name: (name.startswith(info), name)):
            entry = zipfile.ZipInfo(name, time.gmtime(product.moment)[:6])
            entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | files[name].mode) << 16
            archive.writestr(entry, files[name].data)
    return {f"{MODULE}-{product.version}-{tag}.whl": written.getvalue()}


def npm(product):
    common = {"version": product.version, "license": "Apache-2.0", "description": product.description}
    here = f"{NAME}-{product.machine['npm']}"
    names = [f"{NAME}-{machine['npm']}" for machine in MACHINES.values()]
    command = {
        "name": NAME, **common, "bin": {"playbook": "playbook.js"}, "files": ["playbook.js"],
        "engines": {"node": ">=18"}, "optionalDependencies": {name: product.version for name in sorted(names)},
    }
    program = {
        "name": here, **common, "files": ["bin", "share"], "os": [product.machine["os"]], "cpu": [product.machine["cpu"]],
        "preferUnplugged": True,
    }
    if product.machine["os"] == "linux":
        program["libc"] = ["glibc"]

    def packed(description, files):
        files = {"package.json": File((json.dumps(description, indent=2) + "\n").encode()), **files}
        return gzipped(tarred({f"package/{name}": file for name, file in files.items()}, product.moment), product)

    launcher = File((REPOSITORY / "dist/playbook.js").read_bytes(), executable=True)
    return {
        f"{NAME}-{product.version}.tgz": packed(
            command, {"playbook.js": launcher, **product.texts("README.md", "LICENSE", "NOTICE")}),
        f"{here}-{product.version}.tgz": packed(
            program, {**shared(product, "site-functions"), **product.texts("LICENSE", "NOTICE")}),
    }


def deb(product):
    if "deb" not in product.machine:
        return {}
    files = {}
    for name, file in shared(product, "vendor-completions").items():
        if name.startswith("share/man/"):
            name, file = f"{name}.gz", File(gzip.compress(file.data, mtime=0))
        files[f"usr/{name}"] = file
    texts = product.texts("LICENSE", "NOTICE", "CHANGELOG.md")
    documents = f"usr/share/doc/{NAME}"
    files[f"{documents}/copyright"] = File(texts["NOTICE"].data + b"\n" + texts["LICENSE"].data)
    files[f"{documents}/changelog.gz"] = File(gzip.compress(texts["CHANGELOG.md"].data, mtime=0))
    size = sum(len(file.data) for file in files.values()) // 1024
    needed = max((int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)\b", product.binary)), default=17)
    control = (
        f"Package: {NAME}\nVersion: {product.version}\nArchitecture: {product.machine['deb']}\nMaintainer: playbook maintainers\n"
        f"Installed-Size: {size}\nDepends: libc6 (>= 2.{needed}), libgcc-s1, ca-certificates\nRecommends: python3\n"
        "Suggests: nodejs\nSection: devel\nPriority: optional\n"
        f"Description: {product.description}\n A playbook is a list of steps; a run makes what they say, uses it, and removes it.\n")
    sums = "".join(f"{hashlib.md5(file.data).hexdigest()}  {name}\n" for name, file in sorted(files.items()))
    scripts = {"control": File(control.encode()), "md5sums": File(sums.encode())}
    members = [("debian-binary", b"2.0\n"), ("control.tar.gz", gzipped(tarred(scripts, product.moment, "./"), product))]
    data = tarred(files, product.moment, "./")
    members.append(("data.tar.gz", gzipped(data, product)) if product.quick else ("data.tar.xz", lzma.compress(data, preset=9)))
    archive = b"!<arch>\n"
    for name, content in members:
        archive += f"{name:<16}{product.moment:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        archive += content + b"\n" * (len(content) % 2)
    return {f"{NAME}_{product.version}_{product.machine['deb']}.deb": archive}


def tarball(product):
    top = f"{NAME}-{product.version}-{product.machine['tarball']}"
    files = {**shared(product, "site-functions"), **product.texts("README.md", "LICENSE", "NOTICE", "CHANGELOG.md")}
    return {f"{top}.tar.gz": gzipped(tarred({f"{top}/{name}": file for name, file in files.items()}, product.moment), product)}


KINDS = {"wheel": wheel, "npm": npm, "deb": deb, "tarball": tarball}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="compress little: for tests")
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND")
    arguments = parser.parse_args()
    product = read(arguments.binary.resolve(), arguments.quick)
    arguments.out.mkdir(parents=True, exist_ok=True)
    made = {}
    for kind in arguments.kinds or KINDS:
        made |= KINDS[kind](product)
    for name, data in sorted(made.items()):
        (arguments.out / name).write_bytes(data)
        print(f"{arguments.out / name}  {len(data) / 1e6:.1f} MB")
    # Other platforms' packages may lie there already.
    packages = sorted(path for path in arguments.out.iterdir() if path.name != "SHA256SUMS" and path.is_file())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in packages)
    (arguments.out / "SHA256SUMS").write_text(sums, encoding="utf-8")


if __name__ == "__main__":
    main()

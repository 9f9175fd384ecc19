# What there is to do.
default:
    @just --list

# What most changes need; .ci/run besides runs every shipped playbook and proves the clean-up.
check: fmt lint test

# The tests: this is the test command of the README.
test *ARGS:
    cargo test --workspace {{ARGS}}

# Accept the present output of the cases as what is expected.
accept:
    PLAYBOOK_ACCEPT=1 cargo test --test cases

# The schema and the reference, anew, after a change of step kinds.
reference:
    PLAYBOOK_ACCEPT=1 cargo test --workspace --test playbook committed

# Formatting, as a check. Step kinds and services are declared by macros, behind which cargo does not see their files.
fmt:
    cargo fmt --all --check
    rustfmt --edition 2024 --check crates/steps/src/steps/*.rs crates/local-aws/src/*/mod.rs

# Lints, on everything.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, advisories, sources.
deny:
    cargo deny check

# Benchmarks, as ratios within one run.
bench:
    cargo bench

# Beside boto3, the AWS CLI, Ansible, moto and ministack, as Markdown: `just compare scenario`.
compare *PARTS:
    benches/compare/run {{PARTS}}

# All packages of this platform, in target/dist; twice the same commit is twice the same bytes.
dist:
    dist/build

# Installs the packages into empty prefixes, and runs get-started from there.
try *KINDS:
    dist/try target/dist/packages {{KINDS}}

# The picture of the README, anew, from a real run.
picture:
    docs/picture.py target/debug/playbook

# The first command of the README.
hello:
    cargo run -- run playbooks/get-started-functions.yaml --local

# The embedded AWS for the AWS CLI and boto3, with a client's conformance script against it.
conformance:
    tests/conformance/run

# The guarantee against servers that nobody here wrote, through a proxy that misbehaves: `just adversary --trials 1000`.
adversary *ARGUMENTS:
    tests/adversary/run {{ARGUMENTS}}

# Nothing may be left behind: no words that promise what is not there.
forbid:
    ! git grep -nE 'todo!\(|unimplemented!\(|dbg!\(|FIXME|TODO' -- '*.rs' '*.py' '*.yaml'

# The models of AWS's services, anew, from the versions that crates/aws-model/pack/requirements.txt names.
models *ARGS:
    crates/aws-model/pack/models.py {{ARGS}}

# Operations as this client sends them, byte for byte as boto3 does: so many services, and of each so many operations.
requests SIZE="110x24":
    AWS_REQUESTS={{SIZE}} cargo test --workspace --test boto3 -- --nocapture

# AWS's protocols and endpoints, held against the tests that the SDKs share.
protocols:
    AWS_PROTOCOL_TESTS=$(crates/aws-model/pack/fetch-protocol-tests) cargo test -p aws-model

//! What becomes of buckets and of the objects in them.

use crate::harness::calls;
use crate::harness::sandbox::Sandbox;
use crate::harness::server::Server;

const TWO: &str = "\
name: two
steps:
  - create-bucket: {bucket: shared-bucket}
  - put-object: {bucket: shared-bucket, key: ours.txt, body: ours}
  - put-object: {bucket: shared-bucket, key: theirs.txt, body: theirs}
    keep: true
";

const AGAIN: &str = "\
name: again
steps:
  - create-bucket: {bucket: shared-bucket}
    expect_error: BucketAlreadyExists
  - put-object: {bucket: shared-bucket, key: theirs.txt, body: other}
    expect_error: PreconditionFailed
  - put-object: {bucket: shared-bucket, key: new.txt, body: new, metadata: {a: b}, content_type: text/plain}
  - put-object: {bucket: shared-bucket, key: new.txt, body: newer}
    expect_error: PreconditionFailed
  - head-object: {bucket: shared-bucket, key: new.txt}
    assert: [result.size == 3, result.metadata.a == \"b\", result.content_type == \"text/plain\"]
  - get-object: {bucket: shared-bucket, key: theirs.txt}
    assert: [result.body == \"theirs\", result.base64 == none]
  - get-object: {bucket: shared-bucket, key: none}
    expect_error: NoSuchKey
  - head-object: {bucket: shared-bucket, key: none}
    expect_error: NotFound
";

const LOOK: &str = "\
name: look
steps:
  - head-object: {bucket: shared-bucket, key: theirs.txt}
  - head-object: {bucket: shared-bucket, key: ours.txt}
    expect_error: NotFound
  - head-object: {bucket: shared-bucket, key: new.txt}
    expect_error: NotFound
";

#[test]
fn what_somebody_else_put_there_keeps_the_bucket() {
    let server = Server::start();
    let sandbox = Sandbox::new();
    for (file, text) in [("two.yaml", TWO), ("again.yaml", AGAIN), ("look.yaml", LOOK)] {
        sandbox.write(file, text);
    }
    let outcome = server.run(&sandbox, "two.yaml", &[]).exited(3);
    let reason = "it holds what this run did not put there: theirs.txt";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    // What is there is neither taken nor overwritten by another run, which takes away its own.
    let outcome = server.run(&sandbox, "again.yaml", &["--output", "json"]).exited(0);
    let events = calls::events_of_lines(&outcome.stdout);
    let counts = &calls::of_kind(&events, "run-finished")[0]["counts"];
    assert_eq!((&counts["created"], &counts["removed"]), (&1.into(), &1.into()));
    server.run(&sandbox, "look.yaml", &[]).exited(0);
    let outcome = server.playbook(&sandbox, &["cleanup", "--all"]).exited(3);
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    server.run(&sandbox, "look.yaml", &[]).exited(0);
    server.stop();
}

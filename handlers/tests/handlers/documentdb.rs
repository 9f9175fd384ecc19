use handlers::events::documentdb_changes::{self, Event};
use serde_json::json;

use crate::stage::{DOCUMENTDB, Log, changed, parsed, refusal, without};

#[test]
fn the_documented_change_is_logged() {
    let log = Log::start();
    documentdb_changes::handle(&parsed(serde_json::from_str(DOCUMENTDB).unwrap()));
    assert_eq!(
        log.lines(),
        [
            r#"INFO Operation insert, database test_database, collection test_collection, full document {"_id":{"$oid":"63eeb6e7d418cd98afb1c1d7"},"anyField":"sampleValue"}"#,
            "INFO Processed: 1 of 1",
        ]
    );
}

#[test]
fn what_a_change_does_not_have_is_none() {
    let log = Log::start();
    let change = |change| json!({"event": change});
    let events = [
        // Keys are of any type.
        json!({"operationType": "delete", "ns": {"db": "d", "coll": "c"}, "documentKey": {"_id": 7}}),
        json!({"operationType": "update", "ns": {"db": "d", "coll": "c"}, "fullDocument": null}),
        json!({"operationType": "dropDatabase", "ns": {"db": "d"}}),
        json!({"operationType": "invalidate"}),
        json!({"operationType": "newer\n", "ns": {"db": "d\r", "coll": "c"}, "fullDocument": ["\n"]}),
    ];
    documentdb_changes::handle(&parsed(json!({"events": events.map(change)})));
    assert_eq!(
        log.lines(),
        [
            "INFO Operation delete, database d, collection c, full document (none)",
            "INFO Operation update, database d, collection c, full document (none)",
            "INFO Operation dropDatabase, database d, collection (none), full document (none)",
            "INFO Operation invalidate, database (none), collection (none), full document (none)",
            r#"INFO Operation newer\n, database d\r, collection c, full document ["\n"]"#,
            "INFO Processed: 5 of 5",
        ]
    );
}

#[test]
fn an_empty_batch_is_no_error() {
    let log = Log::start();
    documentdb_changes::handle(&parsed(changed(DOCUMENTDB, "/events", json!([]))));
    assert_eq!(log.lines(), ["INFO Processed: 0 of 0"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = refusal::<Event>(without(DOCUMENTDB, "/events/0/event", "operationType"));
    assert_eq!(refused, "missing field `operationType`");
    assert_eq!(refusal::<Event>(json!({"Records": []})), "missing field `events`");
}

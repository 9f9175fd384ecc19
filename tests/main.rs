//! The program as its users meet it: one binary of tests, beside `trials.rs`, which runs what `tests/cases` holds.
//!
//! | module | what it proves |
//! |---|---|
//! | [`suite::hostile`], [`suite::mutants`] | files that are no playbooks, and playbooks with a mistake: refused, with a message at the right place |
//! | [`suite::shipped`] | the playbooks of this repository run to their end and leave nothing |
//! | [`suite::dry_run`] | a dry run tells exactly the calls of the real one |
//! | [`suite::shell`] | a dry run as a script, which the AWS CLI runs |
//! | [`suite::editor`] | completion, hover and red lines, by the language server that editors use |
//! | [`suite::operations`] | any operation of AWS as a step |
//! | [`suite::explain`] | the examples of every code: the wrong one gives it, the right one nothing |
//! | [`suite::signals`], [`suite::terminal`] | interruptions, questions, a terminal that still works afterwards |
//! | [`suite::chaos`] | the proof of the clean-up finds what is left and what is touched |
//! | [`suite::guarantee`] | random playbooks in an account where everything goes wrong; 10,000 of them in `.ci/run` |
//! | [`suite::outcomes`] | replies that are lost, tags that are late, looks that fail: what the journal makes of each |
//! | [`suite::replies`] | replies that are lost, cut, or say that something passes by itself |
//! | [`suite::foreign`] | what somebody else made is not deleted unasked, nor taken for the run's |
//! | [`suite::stack_logs`] | the log groups that Lambda makes for the functions of a stack |
//! | [`suite::buckets`] | what becomes of buckets and of the objects in them |
//! | [`suite::journal`] | runs against an endpoint that outlives them |
//! | [`suite::resume`] | runs that go on after their process has died, or say why not |
//! | [`suite::tagged`] | what runs have left, found by its tags where there is no journal |
//! | [`suite::in_flight`] | calls that land after their process has died and somebody has looked |
//! | [`suite::secrets`] | a secret is nowhere in what a run leaves or says |
//! | [`suite::told`] | what is told moves no cursor, hides nothing, and commands nobody |
//! | [`suite::guards`] | what keeps a run from going where it should not |
//! | [`suite::full_disk`] | a disk that is full before a run, or gets full during one |
//! | [`suite::stubborn`] | a clean-up that AWS does not let happen |
//! | [`suite::servers`] | AWS's own clients against the embedded AWS; this client against a server that nobody here wrote |
//! | [`suite::web_pages`] | no web page gets anything from `playbook serve`, nor does who has no key where one is required |
//! | [`suite::escapes`] | what handlers may find out of whoever runs them, and what they leave running |
//! | [`suite::bounds`] | pipes, devices, files without end and silent connections keep nobody waiting |
//! | [`suite::conformance`] | the embedded AWS against two others, check by check |
//! | [`suite::user_pools`] | a pool whose triggers change keeps all its other settings |
//! | [`suite::migration`] | the shipped Cognito scenarios at a terminal: stopped half-way, passwords refused |
//! | [`suite::documents`] | what README and `docs` show does what they say |
//! | [`suite::architecture`], [`suite::house`] | the shape of the code, and what is generated from it |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

// The cases in `trials.rs` use the rest of it.
#[allow(dead_code)]
mod harness {
    pub mod account;
    pub mod calls;
    pub mod dialogue;
    pub mod difference;
    pub mod normalise;
    pub mod pages;
    pub mod peers;
    pub mod process;
    pub mod sandbox;
    pub mod script;
    pub mod server;
    pub mod shipped;
}

mod suite {
    mod architecture;
    mod bounds;
    mod buckets;
    mod chaos;
    mod conformance;
    mod documents;
    mod dry_run;
    mod editor;
    mod escapes;
    mod explain;
    mod foreign;
    mod full_disk;
    mod guarantee;
    mod guards;
    mod hostile;
    mod house;
    mod in_flight;
    mod journal;
    mod migration;
    mod mutants;
    mod operations;
    mod outcomes;
    mod replies;
    mod reports;
    mod resume;
    mod secrets;
    mod servers;
    mod shell;
    mod shipped;
    mod signals;
    mod stack_logs;
    mod stubborn;
    mod tagged;
    mod terminal;
    mod told;
    mod user_pools;
    mod web_pages;
}

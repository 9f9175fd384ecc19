//! The program as its users meet it: one binary of tests.
//!
//! | module | what it proves |
//! |---|---|
//! | [`suite::cases`] | what each folder of `tests/cases` says: a playbook, a command line, and exactly what comes of it |
//! | [`suite::shipped`] | the playbooks of this repository run to their end and leave nothing |
//! | [`suite::dry_run`] | a dry run tells exactly the calls of the real one |
//! | [`suite::signals`], [`suite::terminal`] | interruptions, questions, a terminal that still works afterwards |
//! | [`suite::chaos`] | the proof of the clean-up finds what is left and what is touched |
//! | [`suite::guarantee`] | 10,000 random playbooks in an account where everything goes wrong |
//! | [`suite::buckets`] | what becomes of buckets and of the objects in them |
//! | [`suite::journal`] | runs against an endpoint that outlives them |
//! | [`suite::servers`] | AWS's own clients against the embedded AWS; this client against a server that nobody here wrote |
//! | [`suite::architecture`], [`suite::house`] | the shape of the code, and what is generated from it |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod harness {
    pub mod calls;
    pub mod dialogue;
    pub mod difference;
    pub mod normalise;
    pub mod process;
    pub mod sandbox;
    pub mod server;
}

mod suite {
    mod architecture;
    mod buckets;
    mod cases;
    mod chaos;
    mod dry_run;
    mod guarantee;
    mod house;
    mod journal;
    mod servers;
    mod shipped;
    mod signals;
    mod terminal;
}

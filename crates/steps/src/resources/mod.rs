//! The nouns: one file each, with all that is known of it. What tells it from another (its ids), how to look at it, how to
//! create it once, whose it is, how to undo it, its ARN. The verbs in [`crate::steps`] hold inputs, outputs and what they do with
//! these.
//!
//! | module | what it is |
//! |---|---|
//! | [`creation`] | creating once what only one may have the name of |
//! | [`length`] | lengths of time |
//! | [`ownership`] | the tag on everything that a run makes, and what its absence means |
//! | [`planned`] | what a look finds in a dry run |
//! | [`scalar`] | text that may be written as any scalar |

pub(crate) mod creation;
pub(crate) mod length;
pub(crate) mod ownership;
pub(crate) mod planned;
pub(crate) mod scalar;

pub(crate) mod bucket;
pub(crate) mod function;
pub(crate) mod function_configuration;
pub(crate) mod group_membership;
pub(crate) mod items;
pub(crate) mod log_events;
pub(crate) mod log_group;
pub(crate) mod object;
pub(crate) mod permission;
pub(crate) mod role;
pub(crate) mod role_policy;
pub(crate) mod role_policy_attachment;
pub(crate) mod stack;
pub(crate) mod table;
pub(crate) mod user;
pub(crate) mod user_attributes;
pub(crate) mod user_group;
pub(crate) mod user_pool;
pub(crate) mod user_pool_client;
pub(crate) mod user_pool_triggers;

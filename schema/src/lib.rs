//! JSON schemas of EngramTemplates and Stories (spec 2.3): compiled once when a Story is loaded,
//! then asked for every packet that is checked.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`Schema`] | a compiled schema: defaults applied, then validated |
//! | `survey` | the schema read once: older spellings rewritten, references resolved, bounds |
//! | `keywords` | which keywords hold schemas, and where those apply |
//! | `loops` | refuses what would be evaluated for ever |
//! | `gate` | what bounds evaluation and lets references stand for values |
//! | `defaults` | where `default` applies |
//! | [`SchemaError`], [`Violation`] | what is wrong with a schema, with a value |
//!
//! **Dialect.** Draft 2020-12, in which the words of drafts 4 to 2019-09 and of the incumbent are
//! read too: a boolean `required: true` on a property, a boolean `exclusiveMinimum`, a list of
//! `items`, `additionalItems`, `dependencies`, `definitions`. What stands beside a `$ref` counts.
//! `format` is checked, unknown formats are not. A `$ref` stays inside its schema.
//!
//! **References and templates.** Wherever a schema applies, an object that holds
//! `$bubuStorageRef`, `$bubuConfigMapRef` or `$bubuSecretRef` is accepted, and so is a string that
//! is one whole `{{ ... }}`: what they stand for is not known here. Below `not`, `if`, `contains`
//! and `propertyNames` they are what they are, because there accepting would refuse something.
//!
//! **Defaults.** A missing property of an object that is there takes its `default`; a null is not
//! missing. Defaults are looked for through `properties`, `items`, `prefixItems`,
//! `additionalProperties` (unless there are `patternProperties` too), `allOf` and `$ref`, and
//! inside defaults just applied; never through `anyOf`, `oneOf`, `not`, `if` and the like, where
//! which schema applies is only known after validation. Of two defaults the first in that order
//! counts. A `default` of the whole schema, or of a list's items, fills nothing.
//!
//! **Bounds.** [`limits`] says how large a schema may be. Patterns run on an engine whose time is
//! linear in the text (no look-around, no back-references: refused at load), with a compiled size
//! that is bounded. A schema that leads back to itself without going down into the value is
//! refused, and evaluation has a budget of steps in proportion to the value: recursion that
//! branches cannot take exponential time. The crate opens no file and no connection.

mod defaults;
mod error;
mod gate;
mod keywords;
pub mod limits;
mod loops;
mod older;
mod pointer;
mod reference;
mod schema;
mod survey;
mod violation;

pub use error::{Problem, SchemaError};
pub use schema::Schema;
pub use violation::Violation;

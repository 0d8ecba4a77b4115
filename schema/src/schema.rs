//! A compiled schema.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, ValidationOptions, Validator};
use serde_json::{Value, json};

use crate::defaults::Defaults;
use crate::error::{Problem, SchemaError};
use crate::gate::{self, GATE, Gate};
use crate::survey::Survey;
use crate::violation::{Violation, short};
use crate::{limits, loops};

/// A schema of inputs or outputs, compiled. Cheap to use from several threads at once.
#[derive(Debug)]
pub struct Schema {
    defaults: Defaults,
    validator: Validator,
}

impl Schema {
    /// Compiles `schema`, as it stands in a Story or an EngramTemplate.
    ///
    /// # Errors
    /// Where and why it is refused: see [`Problem`].
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let survey = Survey::of(schema)?;
        loops::check(&survey)?;
        // First as its author wrote it, for the sake of the places in errors.
        options()
            .build(&gate::plain(&survey))
            .map_err(|error| refused(&error))?;
        let gated = options().with_keyword(GATE, |_, value, _| Ok(Box::new(Gate::of(value))));
        let validator = gated
            .build(&gate::gated(&survey))
            .map_err(|error| refused(&error))?;
        let defaults = Defaults::of(&survey);
        defaults.fill(&mut json!({})).map_err(|unfillable| {
            SchemaError::new("", Problem::Defaults(unfillable.to_string()))
        })?;
        Ok(Self {
            defaults,
            validator,
        })
    }

    /// Adds the defaults that `value` lacks. True if anything was added.
    ///
    /// # Errors
    /// Why they cannot all be added: past [`limits::DEFAULTS_BYTES`], or deeper than
    /// [`limits::VALUE_DEPTH`]. Some may have been added already.
    pub fn fill(&self, value: &mut Value) -> Result<bool, Violation> {
        let changed = self.defaults.fill(value);
        changed.map_err(|unfillable| Violation::new("", &unfillable))
    }

    /// Adds the defaults that `value` lacks, then judges it. True if anything was added.
    ///
    /// # Errors
    /// Why the value does not match, or cannot be judged within bounds: deeper than
    /// [`limits::VALUE_DEPTH`], or more steps than [`limits::STEPS`] and
    /// [`limits::STEPS_PER_VALUE`] allow. Defaults may have been added already.
    pub fn apply(&self, value: &mut Value) -> Result<bool, Violation> {
        let changed = self.fill(value)?;
        self.validate(value)?;
        Ok(changed)
    }

    /// Judges `value` as it is.
    ///
    /// # Errors
    /// As [`Schema::apply`].
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        let steps = limits::STEPS_PER_VALUE.saturating_mul(values(value)?);
        let steps = steps.saturating_add(limits::STEPS);
        match gate::within(steps, || self.validator.is_valid(value)) {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => {
                let message = format!("takes more than {steps} steps to check against its schema");
                return Err(Violation::new("", &message));
            }
        }
        // Only now, because errors hold memory and a value can be made to have many.
        let explained = gate::within(limits::STEPS_TO_EXPLAIN, || self.validator.validate(value));
        Err(match explained {
            Some(Err(error)) => Violation::of(&error, value),
            _ => Violation::new("", &"does not match its schema; too large to say where"),
        })
    }
}

fn options() -> ValidationOptions<'static> {
    let patterns = PatternOptions::regex()
        .size_limit(limits::COMPILED_PATTERN_BYTES)
        .dfa_size_limit(limits::COMPILED_PATTERN_BYTES);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(patterns)
        .should_validate_formats(true)
        // Would compile a pattern that comes from the network.
        .with_format("regex", |_: &str| true)
}

/// How many values there are in `value`, itself included.
fn values(value: &Value) -> Result<u64, Violation> {
    let mut count = 0;
    let mut rest = vec![(value, 1)];
    while let Some((value, depth)) = rest.pop() {
        count += 1;
        if depth > limits::VALUE_DEPTH && (value.is_object() || value.is_array()) {
            let message = format!("nested deeper than {}", limits::VALUE_DEPTH);
            return Err(Violation::new("", &message));
        }
        match value {
            Value::Object(map) => rest.extend(map.values().map(|held| (held, depth + 1))),
            Value::Array(list) => rest.extend(list.iter().map(|held| (held, depth + 1))),
            _ => {}
        }
    }
    Ok(count)
}

fn refused(error: &ValidationError<'_>) -> SchemaError {
    let place = error.instance_path().as_str();
    let message = match (error.kind(), error.instance().as_ref()) {
        (ValidationErrorKind::Format { format }, _) if format == "regex" => UNUSABLE.to_owned(),
        (_, Value::String(named)) if place.ends_with("/type") => {
            short(&format_args!("{named:?} is no type: {TYPES} are"))
        }
        _ => short(&error.masked_with("this")),
    };
    SchemaError::new(place, Problem::Invalid(message))
}

const TYPES: &str = "array, boolean, integer, null, number, object, string";

const UNUSABLE: &str = "the pattern cannot be used: it is malformed, too large once compiled, or \
    has look-around or back-references, which take more than linear time";

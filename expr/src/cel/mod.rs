//! The CEL dialect (spec 4.2): text whose actions `{{ … }}` are CEL expressions.
//!
//! Owns the split of a text into actions, the checks when it is compiled, and the rendering
//! of results. Parsing and interpreting are the `cel` crate's. It has no step limit, so what
//! may grow is refused here: long sources, deep trees, comprehensions inside comprehensions,
//! and walks over long lists ([`bridge`]).

mod bridge;
mod check;
mod text;

use std::sync::{Arc, LazyLock};

use ::cel::common::ast::{Expr, operators};
use ::cel::{Context, Env, IdedExpr, extensions};

use crate::compile::{CompileError, ErrorKind, Mode};
use crate::fault::{Bound, Fault};
use crate::limits::Limits;
use crate::reads::Reads;
use crate::template::{BarePath, Cx};
use crate::value::{Text, Value};
use bridge::Roots;

/// Standard functions and macros, strings, math, lists and optional values.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // An extension is refused only where it declares again what is there.
    for result in [
        env.add_extension(extensions::strings),
        env.add_extension(extensions::math),
        env.add_extension(extensions::lists),
    ] {
        debug_assert!(result.is_ok(), "{result:?}");
    }
    Arc::new(env)
});

/// A text of the CEL dialect, compiled.
#[derive(Debug)]
pub struct CelText {
    source: Box<str>,
    parts: Vec<Part>,
    reads: Reads,
}

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    Action(Action),
}

#[derive(Debug)]
struct Action {
    program: ::cel::Program,
    /// The path that the whole expression is, if it is one.
    path: Option<BarePath>,
    /// Everything it reads.
    reads: Reads,
}

impl CelText {
    /// Compiles a text for a mode.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its column (`path` is left empty).
    pub fn compile(source: &str, mode: Mode, limits: &Limits) -> Result<Self, Vec<CompileError>> {
        let error = |(kind, column, message, near): (ErrorKind, usize, String, Option<String>)| {
            CompileError {
                kind,
                path: String::new(),
                column,
                expression: source.to_owned(),
                message,
                near,
            }
        };
        if source.len() > limits.cel_source_bytes {
            let message = format!("longer than {} bytes", limits.cel_source_bytes);
            return Err(vec![error((ErrorKind::Limit, 1, message, None))]);
        }
        let pieces = text::pieces(source).map_err(|at| {
            vec![error((
                ErrorKind::Parse,
                at + 1,
                "unclosed action".to_owned(),
                None,
            ))]
        })?;
        let (mut parts, mut reads) = (Vec::new(), Reads::default());
        for piece in pieces {
            match piece {
                text::Piece::Text(text) => parts.push(Part::Text(text.into())),
                text::Piece::Action(code, from) => {
                    let action = Action::compile(code, mode).map_err(|mut faults| {
                        for fault in &mut faults {
                            fault.1 += from;
                        }
                        faults.into_iter().map(error).collect::<Vec<_>>()
                    })?;
                    reads.merge(&action.reads);
                    parts.push(Part::Action(action));
                }
            }
        }
        Ok(Self {
            source: source.into(),
            parts,
            reads,
        })
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// The value of the text: of one action (spaces round it do not count) its own, else text.
    pub(crate) fn evaluate<'v>(
        &'v self,
        root: &Value<'v>,
        cx: &Cx<'_>,
    ) -> Result<Value<'v>, Fault> {
        let is_blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
        let mut solid = self.parts.iter().filter(|part| !is_blank(part));
        if let (Some(Part::Action(action)), None) = (solid.next(), solid.next()) {
            return action.evaluate(root, cx);
        }
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Action(action) => render(&action.evaluate(root, cx)?, &mut out)?,
            }
            if out.len() > cx.limits.output_bytes {
                return Err(Fault::Limit(Bound::Output));
            }
        }
        cx.meter.make(out.len())?;
        Ok(Value::Text(Text::from(out)))
    }
}

/// A value in the middle of text: texts as they are, the rest as JSON.
fn render(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    if let Value::Text(text) = value {
        out.extend_from_slice(text.bytes());
        return Ok(());
    }
    let style = crate::json::Style {
        indented: false,
        html_safe: false,
    };
    crate::json::write(value, style, out)
}

/// What is wrong with an action: kind, column from 1, words, a near name.
type Wrong = (ErrorKind, usize, String, Option<String>);

impl Action {
    fn compile(code: &str, mode: Mode) -> Result<Self, Vec<Wrong>> {
        let program = ENVIRONMENT.compile(code).map_err(|errors| {
            let wrongs = errors.errors.into_iter();
            wrongs
                .map(|error| {
                    let column = text::column(code, error.pos);
                    (ErrorKind::Parse, column, error.msg, None)
                })
                .collect::<Vec<_>>()
        })?;
        let reads = check::check(&program, mode)?;
        let path = check::path(program.expression()).map(|(root, keys)| BarePath {
            root: root.to_owned(),
            keys: keys.into_iter().map(|key| key.as_bytes().into()).collect(),
        });
        Ok(Self {
            program,
            path,
            reads,
        })
    }

    fn evaluate<'v>(&'v self, root: &Value<'v>, cx: &Cx<'_>) -> Result<Value<'v>, Fault> {
        cx.meter.burn(check::COST)?;
        if let Some(path) = &self.path {
            return path.evaluate(root, &cx.meter);
        }
        let roots = Roots::new(root.clone(), &cx.meter);
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.set_variable_resolver(&roots);
        let result = ::cel::Value::resolve_val(self.program.expression(), &context);
        if let Some(bound) = roots.ran_out() {
            return Err(Fault::Limit(bound));
        }
        match result {
            Ok(value) => bridge::value_of(value.as_ref(), cx),
            Err(error) => Err(self.fault(error)),
        }
    }

    fn fault(&self, error: ::cel::ExecutionError) -> Fault {
        let ::cel::ExecutionError::NoSuchKey(key) = &error else {
            return Fault::type_error(error.to_string());
        };
        let path = self
            .reads
            .paths()
            .find(|path| path.iter().skip(1).any(|name| **name == *key.as_str()));
        match path {
            Some(path) if path.first().is_some_and(|root| &**root == "steps") => Fault::NotReady {
                path: path.join("."),
            },
            _ => Fault::MissingKey {
                path: path.map_or_else(|| key.to_string(), |path| path.join(".")),
                near: None,
            },
        }
    }
}

/// Whether an expression is an index by a text, and into what.
fn indexed(expr: &IdedExpr) -> Option<(&IdedExpr, &str)> {
    match &expr.expr {
        Expr::Select(select) if !select.test => Some((&select.operand, &select.field)),
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [object, key] => match &key.expr {
                Expr::Literal(::cel::common::ast::LiteralValue::String(key)) => {
                    Some((object, key.inner()))
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

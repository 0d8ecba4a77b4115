//! What is known of a CEL expression before it runs: roots, functions, size, reads.

use ::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr};
use ::cel::{IdedExpr, Program};

use super::{Wrong, indexed};
use crate::compile::{ErrorKind, Mode};
use crate::fault::nearest;
use crate::reads::Reads;

/// Steps that one evaluation counts for: its nodes are bounded, its walks over lists count
/// by themselves.
pub(super) const COST: u64 = 100;
/// Nodes of one expression.
const MOST_NODES: usize = 2_000;

/// Functions that may be called, besides operators.
const FUNCTIONS: [&str; 72] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "type",
    "dyn",
    "duration",
    "timestamp",
    "getFullYear",
    "getMonth",
    "getDayOfYear",
    "getDayOfMonth",
    "getDate",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "join",
    "lowerAscii",
    "upperAscii",
    "replace",
    "split",
    "substring",
    "trim",
    "reverse",
    "format",
    "strings.quote",
    "quote",
    "greatest",
    "least",
    "ceil",
    "floor",
    "round",
    "trunc",
    "abs",
    "sign",
    "isNaN",
    "isInf",
    "isFinite",
    "sqrt",
    "bitAnd",
    "bitOr",
    "bitXor",
    "bitNot",
    "bitShiftLeft",
    "bitShiftRight",
    "slice",
    "flatten",
    "distinct",
    "sort",
    "sortBy",
    "range",
    "of",
    "none",
    "ofNonZeroValue",
    "hasValue",
    "value",
    "or",
    "orValue",
    "optMap",
    "optFlatMap",
];
/// Namespaces of functions, which look like variables.
const NAMESPACES: [&str; 6] = ["math", "strings", "lists", "optional", "cel", "google"];
/// Names of types, which are values.
const TYPES: [&str; 11] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional_type",
];

/// Checks an expression and tells what it reads.
pub(super) fn check(program: &Program, mode: Mode) -> Result<Reads, Vec<Wrong>> {
    let mut walk = Walk {
        program,
        mode,
        bound: Vec::new(),
        nodes: 0,
        reads: Reads::default(),
        wrong: Vec::new(),
    };
    walk.expr(program.expression(), false);
    if walk.wrong.is_empty() {
        Ok(walk.reads)
    } else {
        Err(walk.wrong)
    }
}

/// The root and the keys that an expression is as a whole, if it is a path.
pub(super) fn path(expr: &IdedExpr) -> Option<(&str, Vec<&str>)> {
    let mut keys = Vec::new();
    let mut expr = expr;
    while let Some((object, key)) = indexed(expr) {
        keys.push(key);
        expr = object;
    }
    keys.reverse();
    match &expr.expr {
        Expr::Ident(root) if matches!(root.as_str(), "inputs" | "packet" | "steps") => {
            Some((root, keys))
        }
        _ => None,
    }
}

/// The name that a path begins with.
fn first_of(mut expr: &IdedExpr) -> &IdedExpr {
    while let Some((object, _)) = indexed(expr) {
        expr = object;
    }
    expr
}

struct Walk<'p> {
    program: &'p Program,
    mode: Mode,
    /// Variables of the comprehensions around.
    bound: Vec<&'p str>,
    nodes: usize,
    reads: Reads,
    wrong: Vec<Wrong>,
}

impl<'p> Walk<'p> {
    fn fail(&mut self, id: u64, kind: ErrorKind, (message, near): (String, Option<String>)) {
        let at = self
            .program
            .source_info()
            .offset_for(id)
            .map_or(0, |(start, _)| start as usize);
        self.wrong.push((kind, at + 1, message, near));
    }

    fn expr(&mut self, expr: &'p IdedExpr, in_comprehension: bool) {
        self.nodes += 1;
        if self.nodes == MOST_NODES {
            let message = format!("more than {MOST_NODES} nodes");
            self.fail(expr.id, ErrorKind::Limit, (message, None));
        }
        if self.nodes >= MOST_NODES {
            return;
        }
        if let Some((root, keys)) = path(expr)
            && !self.bound.contains(&root)
        {
            self.root(first_of(expr).id, root);
            let path = std::iter::once(root).chain(keys).map(Box::from).collect();
            self.reads.add(path);
            return;
        }
        match &expr.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.ident(expr.id, name),
            Expr::Select(select) => self.expr(&select.operand, in_comprehension),
            Expr::Call(call) => {
                self.function(expr.id, &call.func_name);
                if let Some(target) = &call.target {
                    self.expr(target, in_comprehension);
                }
                for arg in &call.args {
                    self.expr(arg, in_comprehension);
                }
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.expr(element, in_comprehension);
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    match &entry.expr {
                        EntryExpr::MapEntry(entry) => {
                            self.expr(&entry.key, in_comprehension);
                            self.expr(&entry.value, in_comprehension);
                        }
                        EntryExpr::StructField(field) => {
                            self.expr(&field.value, in_comprehension);
                        }
                    }
                }
            }
            Expr::Struct(made) => {
                let message = format!("unknown type {}", made.type_name);
                self.fail(expr.id, ErrorKind::Parse, (message, None));
            }
            Expr::Comprehension(inner) => {
                if in_comprehension {
                    let message = "a comprehension inside a comprehension".to_owned();
                    self.fail(expr.id, ErrorKind::Limit, (message, None));
                }
                self.comprehension(inner, in_comprehension);
            }
        }
    }

    fn comprehension(&mut self, inner: &'p ComprehensionExpr, in_comprehension: bool) {
        self.expr(&inner.iter_range, in_comprehension);
        self.expr(&inner.accu_init, in_comprehension);
        let before = self.bound.len();
        self.bound.push(&inner.iter_var);
        self.bound.extend(inner.iter_var2.as_deref());
        self.bound.push(&inner.accu_var);
        for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
            self.expr(part, true);
        }
        self.bound.truncate(before);
    }

    fn ident(&mut self, id: u64, name: &'p str) {
        let known = self.bound.contains(&name)
            || NAMESPACES.contains(&name)
            || TYPES.contains(&name)
            || name.starts_with('@');
        if !known {
            self.root(id, name);
        }
    }

    fn root(&mut self, id: u64, name: &str) {
        let roots = self.mode.roots();
        if roots.contains(&name) {
            return;
        }
        let known = matches!(name, "inputs" | "steps" | "packet");
        let message = if known {
            format!("{name} may not be read here, only {}", roots.join(", "))
        } else {
            format!("unknown root {name}; here are {}", roots.join(", "))
        };
        let near = nearest(name, roots.iter().copied())
            .filter(|_| !known)
            .map(str::to_owned);
        self.fail(id, ErrorKind::Scope, (message, near));
    }

    fn function(&mut self, id: u64, name: &str) {
        let is_operator = name.starts_with(['_', '!', '-', '@']) || name.contains('@');
        let last = name.rsplit('.').next().unwrap_or(name);
        if is_operator || FUNCTIONS.contains(&last) {
            return;
        }
        let near = nearest(last, FUNCTIONS).map(str::to_owned);
        self.fail(
            id,
            ErrorKind::Parse,
            (format!("function {name:?} not defined"), near),
        );
    }
}

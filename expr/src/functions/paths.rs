//! Paths with slashes, by their letters alone: never looks at a file.

use super::Param::Text as Txt;
use super::texts::part;
use super::{Args, Function, made};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

// On the systems that the engine runs on, paths of the system are the same.
pub(super) const TABLE: &[Function] = &[
    Function::of("base", &[Txt], base),
    Function::of("osBase", &[Txt], base),
    Function::of("dir", &[Txt], dir),
    Function::of("osDir", &[Txt], dir),
    Function::of("clean", &[Txt], clean),
    Function::of("osClean", &[Txt], clean),
    Function::of("ext", &[Txt], ext),
    Function::of("osExt", &[Txt], ext),
    Function::of("isAbs", &[Txt], is_absolute),
    Function::of("osIsAbs", &[Txt], is_absolute),
];

/// The last name of a path; `.` of an empty one, `/` of one that is slashes only.
fn base<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text_value(0);
    cx.meter.look(text.len())?;
    let Some(last) = text.bytes().iter().rposition(|byte| *byte != b'/') else {
        return Ok(Value::text(if text.is_empty() { "." } else { "/" }));
    };
    let path = text.bytes().get(..=last).unwrap_or_default();
    let start = memchr::memrchr(b'/', path).map_or(0, |at| at + 1);
    part(cx, &text, path.get(start..).unwrap_or_default())
}

/// All but what stands behind the last slash, cleaned.
fn dir<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let path = args.text(0);
    let end = memchr::memrchr(b'/', path).map_or(0, |at| at + 1);
    cleaned(cx, path.get(..end).unwrap_or_default())
}

fn clean<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    cleaned(cx, args.text(0))
}

/// The shortest path that leads to the same: without empty names, `.`, and names before `..`.
fn cleaned<'v>(cx: &Cx<'_>, path: &[u8]) -> Result<Value<'v>, Fault> {
    cx.meter.look(path.len())?;
    let names = 1 + memchr::memchr_iter(b'/', path).count();
    cx.meter.make(names.saturating_mul(size_of::<&[u8]>()))?;
    let is_absolute = path.starts_with(b"/");
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." if names.last().is_some_and(|last| *last != b"..") => {
                names.pop();
            }
            b".." if is_absolute => {}
            name => names.push(name),
        }
    }
    let path = names.join(&b'/');
    match (is_absolute, path.is_empty()) {
        (true, _) => made(cx, [b"/", path.as_slice()].concat()),
        (false, true) => Ok(Value::text(".")),
        (false, false) => made(cx, path),
    }
}

/// From the last dot of the last name on.
fn ext<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text_value(0);
    cx.meter.look(text.len())?;
    let path = text.bytes();
    match memchr::memrchr2(b'.', b'/', path) {
        Some(at) if path.get(at) == Some(&b'.') => {
            part(cx, &text, path.get(at..).unwrap_or_default())
        }
        _ => Ok(Value::text("")),
    }
}

fn is_absolute<'v>(_: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Ok(Value::Bool(args.text(0).starts_with(b"/")))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::gives;

    #[test]
    fn paths_are_taken_apart_at_slashes_and_dots() {
        // Path: clean, dir, base, ext.
        for (path, wanted) in [
            ("", [".", ".", ".", ""]),
            ("/", ["/", "/", "/", ""]),
            ("//", ["/", "/", "/", ""]),
            ("///a//b/..", ["/a", "/a/b", "..", "."]),
            ("a/..", [".", "a", "..", "."]),
            ("../..", ["../..", "..", "..", "."]),
            ("/..", ["/", "/", "..", "."]),
            ("./", [".", ".", ".", ""]),
            ("a/b/../../..", ["..", ".", "..", "."]),
            ("//a/b//", ["/a/b", "/a/b", "b", ""]),
            ("a.b/.c", ["a.b/.c", "a.b", ".c", ".c"]),
            ("..a", ["..a", ".", "..a", ".a"]),
            ("/.", ["/", "/", ".", "."]),
            ("x/../y/z.tar.gz", ["y/z.tar.gz", "y", "z.tar.gz", ".gz"]),
        ] {
            let names = ["clean", "dir", "base", "ext"];
            let os_names = ["osClean", "osDir", "osBase", "osExt"];
            for (name, wanted) in names.iter().zip(wanted).chain(os_names.iter().zip(wanted)) {
                gives(
                    &format!("{{{{ {name} {path:?} }}}}|"),
                    &format!("{wanted}|"),
                );
            }
            let is_absolute = path.starts_with('/').to_string();
            gives(&format!("{{{{ isAbs {path:?} }}}}"), &is_absolute);
        }
    }
}

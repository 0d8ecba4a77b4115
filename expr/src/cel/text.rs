//! Text with actions in it, and places in expressions.

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// The expression and where it begins.
    Action(&'t str, usize),
}

/// The pieces of a text; `Err` holds where an action begins that never ends.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece<'_>>, usize> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(open) = source.get(at..).and_then(|rest| rest.find("{{")) {
        let open = at + open;
        if open > at {
            out.push(Piece::Text(&source[at..open]));
        }
        let close = end_of_action(source.as_bytes(), open + 2).ok_or(open)?;
        out.push(Piece::Action(&source[open + 2..close], open + 2));
        at = close + 2;
    }
    if at < source.len() {
        out.push(Piece::Text(&source[at..]));
    }
    Ok(out)
}

/// Where the `}}` stands that belongs to no literal and no map.
fn end_of_action(text: &[u8], start: usize) -> Option<usize> {
    let (mut literal, mut depth, mut i) = (0, 0_usize, start);
    while i < text.len() {
        let byte = text[i];
        if literal != 0 {
            if byte == b'\\' {
                i += 1;
            } else if byte == literal {
                literal = 0;
            }
        } else {
            match byte {
                b'"' | b'\'' => literal = byte,
                b'{' => depth += 1,
                b'}' if depth > 0 => depth -= 1,
                b'}' if text.get(i + 1) == Some(&b'}') => return Some(i),
                _ => {}
            }
        }
        i += 1;
    }
    None
}

/// The column (bytes from 1) of a line and column, both from 1.
pub(super) fn column(code: &str, (line, column): (isize, isize)) -> usize {
    let lines = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = code.split_inclusive('\n').take(lines).map(str::len).sum();
    (before + usize::try_from(column).unwrap_or(1)).clamp(1, code.len().max(1))
}

//! JSON pointers (RFC 6901) as text: made, taken apart, shown with dots.

/// `parent` and one more token.
pub(crate) fn join(parent: &str, token: &str) -> String {
    let escaped = token.replace('~', "~0").replace('/', "~1");
    format!("{parent}/{escaped}")
}

/// The tokens, unescaped.
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    let rest = pointer.strip_prefix('/');
    let parts = rest.map(|rest| rest.split('/')).into_iter().flatten();
    parts.map(|part| part.replace("~1", "/").replace("~0", "~"))
}

/// `properties.name.pattern`.
pub(crate) fn dotted(pointer: &str) -> String {
    tokens(pointer).collect::<Vec<_>>().join(".")
}

/// Every pointer on the way to `pointer`, from the root to its parent.
pub(crate) fn ancestors(pointer: &str) -> impl DoubleEndedIterator<Item = &str> {
    pointer
        .match_indices('/')
        .map(|(at, _)| pointer.get(..at).unwrap_or_default())
}

/// As a URI fragment: `#/$defs/a%20b`.
pub(crate) fn fragment(pointer: &str) -> String {
    let mut out = String::from("#");
    for byte in pointer.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/~-._$".contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A URI fragment (without `#`) with its `%XX` undone; none if that is no text.
pub(crate) fn unfragment(fragment: &str) -> Option<String> {
    let mut out = Vec::with_capacity(fragment.len());
    let mut bytes = fragment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_any_characters_comes_back() {
        let pointer = join(&join("", "a/b~c"), "1");
        assert_eq!(pointer, "/a~1b~0c/1");
        assert_eq!(tokens(&pointer).collect::<Vec<_>>(), ["a/b~c", "1"]);
        assert_eq!(ancestors(&pointer).collect::<Vec<_>>(), ["", "/a~1b~0c"]);
    }

    #[test]
    fn a_fragment_of_any_characters_comes_back() {
        let pointer = join("", "ä %/");
        let fragment = fragment(&pointer);
        assert!(fragment.is_ascii(), "{fragment}");
        assert_eq!(unfragment(&fragment[1..]), Some(pointer));
        assert_eq!(unfragment("%f"), None);
    }
}

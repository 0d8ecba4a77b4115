//! Error texts: where they begin with the SDK's own words they are contract.

/// What begins a library's own wording: from there on texts may differ.
const LIBRARIES: [&str; 5] = [
    "json:",
    "proto:",
    "invalid character",
    "unexpected end of JSON input",
    "validation error:",
];

/// Adds to `differences` where the outcome is not the expected one: no error where
/// `expected` is `None`, else one whose text is the same up to a library's words.
pub(crate) fn compare(
    what: &str,
    expected: Option<&str>,
    actual: Option<String>,
    differences: &mut Vec<String>,
) {
    let same = match (expected, &actual) {
        (None, None) => true,
        (Some(expected), Some(actual)) => is_same(expected, actual),
        _ => false,
    };
    if !same {
        differences.push(format!("{what}: {actual:?}, expected {expected:?}"));
    }
}

fn is_same(expected: &str, actual: &str) -> bool {
    let own = LIBRARIES
        .iter()
        .filter_map(|word| expected.find(word))
        .min();
    match own {
        Some(end) => actual.starts_with(expected.get(..end).unwrap_or_default()),
        None => actual == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_up_to_a_librarys_words() {
        assert!(is_same("a failed: json: x", "a failed: json: y"));
        assert!(is_same(
            "a failed: invalid character 'x'",
            "a failed: anything"
        ));
        assert!(!is_same("a failed: json: x", "b failed: json: x"));
        assert!(!is_same("missing a", "missing b"));
    }
}

//! Rules for names, those of the resources: DNS labels and subdomains (RFC 1123).

use super::read::View;

/// What a name may be, for messages.
pub(super) const RULE: &str = "lower-case letters, digits and '-', at most 63, with a letter or \
                               digit at both ends";

/// Lower-case letters, digits and inner dashes, 1 to 63.
pub(super) fn is_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Labels with dots between, 1 to 253.
pub(super) fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// The text of `view`, reported if it is no label; `what` is for the message.
pub(super) fn label<'a>(view: &View<'a>, what: &str) -> Option<&'a str> {
    let text = view.text()?;
    if !is_label(text) {
        view.problem(format!("{text:?} is no {what}: {RULE}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_rfc_1123() {
        let longest = "a".repeat(63);
        for name in ["a", "0", "a-b", "a--b", "9lives", longest.as_str()] {
            assert!(is_label(name), "{name:?}");
        }
        let longer = "a".repeat(64);
        for name in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a.b",
            "a b",
            "ä",
            "a\n",
            longer.as_str(),
        ] {
            assert!(!is_label(name), "{name:?}");
        }
    }

    #[test]
    fn subdomains_are_labels_with_dots() {
        assert!(is_subdomain("a.b-c.d"));
        for name in ["", ".", "a.", ".a", "a..b", "A.b"] {
            assert!(!is_subdomain(name), "{name:?}");
        }
        assert!(!is_subdomain(&"a.".repeat(127).repeat(2)));
    }
}

//! Bytes as text: checksums, base64 and base32.
//!
//! What cannot be decoded gives the words of the error as its result, as the engine does it.

use std::sync::LazyLock;

use data_encoding::{BASE32, BASE32_NOPAD, BASE64, BASE64_NOPAD, Encoding};
use sha1::Digest;

use super::Param::Text as Txt;
use super::{Args, Function, made};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("sha1sum", &[Txt], |cx, args| {
        walked(cx, args.text(0))?;
        made(cx, hex(&sha1::Sha1::digest(args.text(0))))
    }),
    Function::of("sha256sum", &[Txt], |cx, args| {
        walked(cx, args.text(0))?;
        made(cx, sha256(args.text(0)))
    }),
    Function::of("adler32sum", &[Txt], |cx, args| {
        walked(cx, args.text(0))?;
        made(cx, adler2::adler32_slice(args.text(0)).to_string())
    }),
    Function::of("b64enc", &[Txt], |cx, args| {
        cx.meter.make(BASE64.encode_len(args.text(0).len()))?;
        Ok(Value::owned(BASE64.encode(args.text(0))))
    }),
    Function::of("b32enc", &[Txt], |cx, args| {
        cx.meter.make(BASE32.encode_len(args.text(0).len()))?;
        Ok(Value::owned(BASE32.encode(args.text(0))))
    }),
    Function::of("b64dec", &[Txt], |cx, args| {
        decoded(cx, args, ("base64", &LENIENT_64), base64_symbols)
    }),
    Function::of("b32dec", &[Txt], |cx, args| {
        decoded(cx, args, ("base32", &LENIENT_32), base32_symbols)
    }),
];

/// The same symbols, with whatever bits after the last byte.
fn lenient(encoding: &Encoding) -> Encoding {
    let mut specification = encoding.specification();
    specification.check_trailing_bits = false;
    // The symbols are those of a good encoding, so this one is good as well.
    specification
        .encoding()
        .unwrap_or_else(|_| encoding.clone())
}

static LENIENT_64: LazyLock<Encoding> = LazyLock::new(|| lenient(&BASE64_NOPAD));
static LENIENT_32: LazyLock<Encoding> = LazyLock::new(|| lenient(&BASE32_NOPAD));

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Pays for work on every byte of a text, which is more than a look.
pub(super) fn walked(cx: &Cx<'_>, text: &[u8]) -> Result<(), Fault> {
    cx.meter.burn(1 + text.len() as u64 / 16)
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// Symbols without padding and line ends, or the place of the first byte that is wrong.
type Symbols = Result<Vec<u8>, usize>;

fn decoded<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    (name, encoding): (&str, &Encoding),
    symbols: fn(&[u8]) -> Symbols,
) -> Result<Value<'v>, Fault> {
    let text = args.text(0);
    cx.meter.make(2 * text.len())?;
    let bytes =
        symbols(text).and_then(|symbols| encoding.decode(&symbols).map_err(|error| error.position));
    match bytes {
        Ok(bytes) => Ok(Value::owned(bytes)),
        Err(at) => made(cx, format!("illegal {name} data at input byte {at}")),
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Groups of four symbols; the last may be two or three and padding. Line ends may stand
/// anywhere, and places count them.
fn base64_symbols(text: &[u8]) -> Symbols {
    let mut symbols = Vec::with_capacity(text.len());
    let mut bytes = text
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, byte)| !is_line_end(*byte));
    while let Some((at, byte)) = bytes.next() {
        let in_group = symbols.len() % 4;
        match byte {
            b'=' if in_group >= 2 => {
                if in_group == 2 {
                    match bytes.next() {
                        Some((_, b'=')) => {}
                        Some((at, _)) => return Err(at - 1),
                        None => return Err(text.len()),
                    }
                }
                return match bytes.next() {
                    Some((at, _)) => Err(at),
                    None => Ok(symbols),
                };
            }
            b'+' | b'/' => symbols.push(byte),
            byte if byte.is_ascii_alphanumeric() => symbols.push(byte),
            _ => return Err(at),
        }
    }
    match symbols.len() % 4 {
        0 => Ok(symbols),
        in_group => Err(text.len() - in_group),
    }
}

/// Groups of eight symbols; the last may be shorter and padding. Line ends do not count.
/// Nothing is wrong with a few bytes after the padding.
fn base32_symbols(text: &[u8]) -> Symbols {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !is_line_end(*byte))
        .collect();
    for (at, byte) in text.iter().enumerate() {
        let in_group = at % 8;
        let after = text.get(at + 1..).unwrap_or_default();
        if *byte == b'=' && in_group >= 2 && after.len() < 8 {
            let padding = 7 - in_group;
            if after.len() < padding {
                return Err(text.len());
            }
            let wrong = after.iter().take(padding).position(|byte| *byte != b'=');
            if let Some(wrong) = wrong {
                return Err(at + wrong);
            }
            // No whole bytes end there.
            if matches!(in_group, 3 | 6) {
                return Err(at);
            }
            return Ok(text.get(..at).unwrap_or_default().to_vec());
        }
        if !matches!(byte, b'A'..=b'Z' | b'2'..=b'7') {
            return Err(at);
        }
    }
    match text.len() % 8 {
        0 => Ok(text),
        in_group => Err(text.len() - in_group),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(symbols: Symbols) -> Option<usize> {
        symbols.err()
    }

    #[test]
    fn base64_names_the_place_of_what_is_wrong() {
        for (text, wrong) in [
            ("SGVsbG8=", None),
            ("SGVs\r\nbG8=\n", None),
            ("AA=\n=", None),
            ("AB==", None),
            ("\n", None),
            ("", None),
            ("SGVsbG8", Some(4)),
            ("SGVsbG8==", Some(8)),
            ("=", Some(0)),
            ("A", Some(0)),
            ("\nA", Some(1)),
            ("A=", Some(1)),
            ("AA=", Some(3)),
            ("AA=\n", Some(4)),
            ("AA=A", Some(2)),
            ("AA=\nA", Some(3)),
            ("AA==A", Some(4)),
            ("AAA=\nA", Some(5)),
            ("AAAA=", Some(4)),
            ("SGV!bG8=", Some(3)),
            ("AAé", Some(2)),
            ("-_-_", Some(0)),
            ("AAAAAA", Some(4)),
        ] {
            assert_eq!(at(base64_symbols(text.as_bytes())), wrong, "{text:?}");
        }
    }

    #[test]
    fn base32_names_the_place_of_what_is_wrong() {
        for (text, wrong) in [
            ("JBSWY3DPEE======", None),
            ("JBSW\nY3DP", None),
            ("AA=======", None),
            ("AA======AA", None),
            ("AAAAAAA=", None),
            ("AB======", None),
            ("JBSWY3DPEE", Some(8)),
            ("jbswy3dp", Some(0)),
            ("=", Some(0)),
            ("A=======", Some(1)),
            ("AA=====", Some(7)),
            ("AA==", Some(4)),
            ("AAA=====", Some(3)),
            ("AAAAAA==", Some(6)),
            ("AAAAAA=A", Some(6)),
            ("AAA=AAAA", Some(3)),
            ("AA=A====", Some(2)),
            ("AA====A=", Some(5)),
            ("AAAAAAAA=", Some(8)),
            ("AAAAAAAAAAA=====A", Some(11)),
            ("AAAA1AAA", Some(4)),
        ] {
            assert_eq!(at(base32_symbols(text.as_bytes())), wrong, "{text:?}");
        }
    }

    #[test]
    fn bits_after_the_last_byte_do_not_matter() {
        use crate::functions::trial::gives;

        gives(r#"{{ b64dec "QR==" }}{{ b32dec "IF======" }}"#, "AA");
        gives(
            r#"{{ b64dec "QQ" }}"#,
            "illegal base64 data at input byte 0",
        );
    }
}

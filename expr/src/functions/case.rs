//! Letters by case, and names rewritten between `snake_case`, `kebab-case` and `CamelCase`.
//!
//! Case is that of single characters: what is two capitals as one (`ß`) stays. Bytes that
//! are no character become U+FFFD.

use super::Param::Text as Txt;
use super::{Args, Function};
use crate::characters::{
    encode, is_letter_or_digit, is_space, runes, to_lower, to_title, to_upper,
};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("upper", &[Txt], |cx, args| {
        mapped(cx, args, |text| text.map(to_upper).collect())
    }),
    Function::of("lower", &[Txt], |cx, args| {
        mapped(cx, args, |text| text.map(to_lower).collect())
    }),
    Function::of("title", &[Txt], |cx, args| {
        mapped(cx, args, |text| at_starts(text, to_title, parts_words))
    }),
    Function::of("untitle", &[Txt], |cx, args| {
        mapped(cx, args, |text| at_starts(text, to_lower, is_space))
    }),
    Function::of("snakecase", &[Txt], |cx, args| {
        mapped(cx, args, |text| spaced(&text.collect::<Vec<_>>(), '_'))
    }),
    Function::of("kebabcase", &[Txt], |cx, args| {
        mapped(cx, args, |text| spaced(&text.collect::<Vec<_>>(), '-'))
    }),
    Function::of("camelcase", &[Txt], |cx, args| {
        mapped(cx, args, |text| camel(&text.collect::<Vec<_>>()))
    }),
];

fn mapped<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    map: impl Fn(&mut dyn Iterator<Item = char>) -> Vec<char>,
) -> Result<Value<'v>, Fault> {
    // As characters, then as bytes again.
    cx.meter.make(args.text(0).len().saturating_mul(8))?;
    let mapped = map(&mut runes(args.text(0)));
    Ok(Value::owned(encode(mapped)))
}

/// Changes the characters that begin the text or come after one that parts words.
fn at_starts(
    text: &mut dyn Iterator<Item = char>,
    change: fn(char) -> char,
    parts: fn(char) -> bool,
) -> Vec<char> {
    let mut at_start = true;
    let changed = text.map(|c| {
        let starts = std::mem::replace(&mut at_start, parts(c));
        if starts && !parts(c) { change(c) } else { c }
    });
    changed.collect()
}

/// Whether a word for a title ends here: ASCII but letters, digits and underscores, and any
/// space.
fn parts_words(c: char) -> bool {
    if c.is_ascii() {
        !is_letter_or_digit(c)
    } else {
        is_space(c)
    }
}

/// Kinds of the runs that a name is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// Space, hyphens, underscores.
    Gap,
    Punctuation,
    Digits,
    /// A capital and what follows it, or several capitals.
    Capitals,
    /// Small letters, and all that has no case.
    Small,
}

/// A run and how long it is.
fn run(text: &[char]) -> Option<(Run, usize)> {
    let length = |is: fn(char) -> bool| text.iter().take_while(|c| is(**c)).count();
    let first = *text.first()?;
    if is_gap(first) {
        return Some((Run::Gap, length(is_gap)));
    }
    if is_punctuation(first) {
        return Some((Run::Punctuation, length(is_punctuation)));
    }
    if first.is_numeric() {
        return Some((Run::Digits, length(char::is_numeric)));
    }
    if !first.is_uppercase() {
        return Some((Run::Small, length(is_small)));
    }
    let capitals = length(char::is_uppercase);
    let small = text
        .iter()
        .skip(capitals)
        .take_while(|c| is_small(**c))
        .count();
    Some(match (capitals, small) {
        (1, small) => (Run::Capitals, 1 + small),
        (capitals, 0) => (Run::Capitals, capitals),
        // The last of several capitals begins the word after them: `HTTPServer`.
        (capitals, _) => (Run::Capitals, capitals - 1),
    })
}

fn is_gap(c: char) -> bool {
    matches!(c, '-' | '_') || is_space(c)
}

/// Punctuation of ASCII and of the scripts in common use.
fn is_punctuation(c: char) -> bool {
    match c {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' | '-' | '_' => false,
        c if c.is_ascii() => c.is_ascii_punctuation(),
        c => matches!(c as u32,
            0xa1 | 0xa7 | 0xab | 0xb6 | 0xb7 | 0xbb | 0xbf | 0x37e | 0x387 | 0x55a..=0x55f
            | 0x589 | 0x58a | 0x5be | 0x60c | 0x60d | 0x61b | 0x61d..=0x61f | 0x66a..=0x66d
            | 0x6d4 | 0x964 | 0x965 | 0x2010..=0x2027 | 0x2030..=0x2043 | 0x2045..=0x2051
            | 0x2053..=0x205e | 0x2308..=0x230b | 0x3001..=0x3003 | 0x3008..=0x3011
            | 0x3014..=0x301f | 0x3030 | 0x303d | 0x30fb | 0xfe30..=0xfe52 | 0xff01..=0xff03
            | 0xff05..=0xff0a | 0xff0c..=0xff0f | 0xff1a | 0xff1b | 0xff1f | 0xff20
            | 0xff3b..=0xff3d | 0xff3f | 0xff5b | 0xff5d | 0xff5f..=0xff65),
    }
}

fn is_small(c: char) -> bool {
    !is_gap(c) && !is_punctuation(c) && !c.is_numeric() && !c.is_uppercase()
}

/// Small words with `joint` between them and for every character of a gap. Digits belong to
/// the word before them, but where small letters follow they begin a word of all the digits
/// and small letters to come: `bld4_floor_3rd`.
fn spaced(text: &[char], joint: char) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut before: Option<Run> = None;
    let mut in_digits_word = false;
    let mut rest = text;
    while let Some((kind, length)) = run(rest) {
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let next = run(after).map(|(kind, _)| kind);
        let follows_word = matches!(before, Some(Run::Digits | Run::Capitals | Run::Small));
        let joined = match kind {
            Run::Gap | Run::Punctuation => true,
            _ if !follows_word => true,
            Run::Digits => in_digits_word || next != Some(Run::Small),
            Run::Small => in_digits_word,
            Run::Capitals => false,
        };
        if !joined {
            out.push(joint);
        }
        in_digits_word = match kind {
            Run::Digits => in_digits_word || !(follows_word && joined),
            Run::Small => in_digits_word && joined,
            _ => false,
        };
        match kind {
            Run::Gap => out.extend(std::iter::repeat_n(joint, word.len())),
            _ => out.extend(word.iter().map(|c| to_lower(*c))),
        }
        before = Some(kind);
        rest = after;
    }
    out
}

/// Words that gaps part, each with one capital. Gaps at the ends stay, and of those inside
/// all but one character.
fn camel(text: &[char]) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let gap = rest.iter().take_while(|c| is_gap(**c)).count();
        let (gap, after) = rest.split_at_checked(gap).unwrap_or((rest, &[]));
        let length = after.iter().take_while(|c| !is_gap(**c)).count();
        let (word, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        let is_inside = !out.is_empty() && !word.is_empty() && !gap.is_empty();
        out.extend(gap.iter().skip(usize::from(is_inside)));
        let mut letters = word.iter();
        out.extend(letters.next().map(|c| to_upper(*c)));
        out.extend(letters.map(|c| to_lower(*c)));
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::gives;

    #[test]
    fn digits_belong_to_the_word_before_them_unless_small_letters_follow() {
        for (source, wanted) in [
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("NoHTTPS", "no_https"),
            ("GO_PATH", "go_path"),
            ("GO PATH", "go_path"),
            ("GO-PATH", "go_path"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("HTTP20XOK", "http20_xok"),
            ("Duration2m3s", "duration_2m3s"),
            ("Bld4Floor3rd", "bld4_floor_3rd"),
            ("  a  B ", "__a__b_"),
            ("a/B.c", "a/b.c"),
            ("12", "12"),
            ("2Go", "2_go"),
        ] {
            gives(&format!("{{{{ snakecase {source:?} }}}}"), wanted);
        }
    }

    #[test]
    fn gaps_at_the_ends_of_a_name_stay() {
        for (source, wanted) in [
            ("some_words", "SomeWords"),
            ("_complex__case_", "_Complex_Case_"),
            ("some words", "SomeWords"),
            ("fooBar", "Foobar"),
            ("a___b", "A__B"),
            ("é_ß", "Éß"),
        ] {
            gives(&format!("{{{{ camelcase {source:?} }}}}"), wanted);
        }
    }

    #[test]
    fn bytes_that_are_no_character_are_replaced() {
        gives(r#"{{ upper (trunc 2 "aé") }}"#, "A\u{fffd}");
        gives(r#"{{ title (trunc 2 "aé") }}"#, "A\u{fffd}");
    }

    #[test]
    fn a_title_begins_words_and_changes_no_other_letter() {
        gives(
            r#"{{ title "mIx\tof\u00a0x it's a_b 1st" }}"#,
            "MIx\tOf\u{a0}X It'S A_b 1st",
        );
        gives(r#"{{ untitle "Éa\nÜl X-Y" }}"#, "éa\nül x-Y");
    }
}

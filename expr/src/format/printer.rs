//! One value by one verb, its parts inside.

use super::{float, integer};
use crate::fault::Fault;
use crate::limits::Meter;
use crate::template::{is_printable, quote, quote_char};
use crate::value::{IntType, Value};

/// Flags of a verb. Widths and precisions count characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spec {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// `%#v`: as source text.
    pub(super) source: bool,
}

/// Prints into `out`.
pub(super) struct Printer<'m> {
    pub(super) out: Vec<u8>,
    meter: &'m Meter,
}

impl<'m> Printer<'m> {
    pub(super) fn new(meter: &'m Meter) -> Self {
        Self {
            out: Vec::new(),
            meter,
        }
    }

    /// Adds text, padded to the width.
    pub(super) fn pad(&mut self, text: &[u8], spec: &Spec) -> Result<(), Fault> {
        let width = spec.width.unwrap_or(0);
        self.meter.make(width.max(text.len()))?;
        let count = if width == 0 {
            0
        } else {
            crate::characters::runes(text).count()
        };
        let fill = width.saturating_sub(count);
        if spec.minus {
            self.out.extend_from_slice(text);
            self.out.extend(std::iter::repeat_n(b' ', fill));
        } else {
            let with = if spec.zero { b'0' } else { b' ' };
            self.out.extend(std::iter::repeat_n(with, fill));
            self.out.extend_from_slice(text);
        }
        Ok(())
    }

    /// A value by a verb; one that does not fit says so in its place.
    pub(super) fn value(
        &mut self,
        value: &Value<'_>,
        verb: char,
        spec: &Spec,
        depth: usize,
    ) -> Result<(), Fault> {
        self.meter.burn(1)?;
        if verb == 'T' {
            return self.text(value.type_name().as_bytes(), 's', spec, value);
        }
        if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && !spec.source
            && let Some(text) = described(value)
        {
            return self.text(text.as_bytes(), verb, spec, value);
        }
        match value {
            Value::Absent | Value::Nil => self.nil(verb, spec, depth),
            Value::Bool(bit) => match verb {
                't' | 'v' => self.pad(if *bit { b"true" } else { b"false" }, spec),
                _ => self.bad(value, verb, spec),
            },
            Value::Int(_, number) => {
                self.integer(value, (*number < 0, number.unsigned_abs()), verb, spec)
            }
            Value::Uint(_, number) => self.integer(value, (false, *number), verb, spec),
            Value::Float(number) => self.float(value, *number, verb, spec),
            Value::Complex(real, imaginary) => {
                let text = format!(
                    "({}{}i)",
                    float::shown(*real),
                    signed(float::shown(*imaginary))
                );
                self.pad(text.as_bytes(), spec)
            }
            Value::Text(text) => self.text(text.bytes(), verb, spec, value),
            Value::List(list) => {
                if spec.source && list.is_unmade() {
                    return self.pad(format!("{}(nil)", value.type_name()).as_bytes(), spec);
                }
                let (open, between, close) = if spec.source {
                    self.out.extend_from_slice(value.type_name().as_bytes());
                    ("{", ", ", "}")
                } else {
                    ("[", " ", "]")
                };
                self.out.extend_from_slice(open.as_bytes());
                for (i, element) in list.values().iter().enumerate() {
                    if i > 0 {
                        self.out.extend_from_slice(between.as_bytes());
                    }
                    self.value(element, verb, spec, depth + 1)?;
                }
                self.out.extend_from_slice(close.as_bytes());
                Ok(())
            }
            Value::Map(map) => {
                let (open, between, close) = if spec.source {
                    self.out.extend_from_slice(value.type_name().as_bytes());
                    if map.is_unmade() {
                        self.out.extend_from_slice(b"(nil)");
                        return Ok(());
                    }
                    ("{", ", ", "}")
                } else {
                    ("map[", " ", "]")
                };
                self.out.extend_from_slice(open.as_bytes());
                for (i, (key, element)) in map.tree().iter().enumerate() {
                    if i > 0 {
                        self.out.extend_from_slice(between.as_bytes());
                    }
                    let key = Value::Text(key.clone());
                    self.value(&key, verb, spec, depth + 1)?;
                    self.out.push(b':');
                    self.value(element, verb, spec, depth + 1)?;
                }
                self.out.extend_from_slice(close.as_bytes());
                Ok(())
            }
            Value::Moment(_) | Value::Version(_) => {
                let text = described(value).unwrap_or_default();
                self.pad(text.as_bytes(), spec)
            }
        }
    }

    fn nil(&mut self, verb: char, spec: &Spec, depth: usize) -> Result<(), Fault> {
        if depth > 0 {
            let shown: &[u8] = if spec.source {
                b"interface {}(nil)"
            } else {
                b"<nil>"
            };
            self.out.extend_from_slice(shown);
            return Ok(());
        }
        match verb {
            'v' => self.pad(b"<nil>", spec),
            _ => {
                self.out
                    .extend_from_slice(format!("%!{verb}(<nil>)").as_bytes());
                Ok(())
            }
        }
    }

    fn integer(
        &mut self,
        value: &Value<'_>,
        (negative, size): (bool, u64),
        verb: char,
        spec: &Spec,
    ) -> Result<(), Fault> {
        self.meter
            .make(spec.width.unwrap_or(0).max(spec.precision.unwrap_or(0)))?;
        let plain = Spec {
            zero: false,
            ..*spec
        };
        let c = u32::try_from(size)
            .ok()
            .filter(|_| !negative)
            .and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER);
        match verb {
            'v' if spec.source && matches!(value, Value::Uint(..)) => {
                self.pad(format!("0x{size:x}").as_bytes(), &plain)
            }
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => {
                if spec.precision == Some(0) && size == 0 {
                    return self.pad(b"", &plain);
                }
                self.pad(
                    integer::digits(negative, size, verb, spec).as_bytes(),
                    &plain,
                )
            }
            'c' => self.pad(c.encode_utf8(&mut [0; 4]).as_bytes(), spec),
            'q' => self.pad(quote_char(c, spec.plus).as_bytes(), spec),
            'U' => {
                let size = if negative { size.wrapping_neg() } else { size };
                self.pad(integer::unicode(size, spec).as_bytes(), &plain)
            }
            _ => self.bad(value, verb, spec),
        }
    }

    fn float(
        &mut self,
        value: &Value<'_>,
        number: f64,
        verb: char,
        spec: &Spec,
    ) -> Result<(), Fault> {
        self.meter.make(spec.precision.unwrap_or(0))?;
        let mut text = match verb {
            'v' => float::by_verb(number, 'g', spec.precision),
            'g' | 'G' | 'x' | 'X' => float::by_verb(number, verb, spec.precision),
            'e' | 'E' => float::by_verb(number, verb, spec.precision.or(Some(6))),
            'f' | 'F' => float::by_verb(number, 'f', spec.precision.or(Some(6))),
            _ => return self.bad(value, verb, spec),
        };
        let named = !number.is_finite();
        if spec.sharp && !named {
            let digits = match verb {
                'v' | 'g' | 'G' | 'x' => spec.precision.unwrap_or(6),
                _ => 0,
            };
            self.meter.make(digits)?;
            text = float::with_point(&text, matches!(verb, 'x' | 'X'), digits);
        }
        if named && !spec.plus && !spec.space {
            text = text.trim_start_matches('+').to_owned();
            if number == f64::INFINITY {
                text.insert(0, '+');
            }
        } else if !text.starts_with(['-', '+']) {
            if spec.plus {
                text.insert(0, '+');
            } else if spec.space {
                text.insert(0, ' ');
            }
        }
        if spec.zero && !spec.minus && !named && text.starts_with(['-', '+', ' ']) {
            let (sign, rest) = text.split_at(1);
            self.out.extend_from_slice(sign.as_bytes());
            let width = spec.width.map(|width| width.saturating_sub(1));
            return self.pad(rest.as_bytes(), &Spec { width, ..*spec });
        }
        self.pad(
            text.as_bytes(),
            &Spec {
                zero: spec.zero && !named,
                ..*spec
            },
        )
    }

    fn text(
        &mut self,
        text: &[u8],
        verb: char,
        spec: &Spec,
        value: &Value<'_>,
    ) -> Result<(), Fault> {
        match verb {
            'v' if spec.source => self.quoted(text, spec),
            'v' | 's' => self.pad(cut(text, spec), spec),
            'x' | 'X' => {
                let shown = hex(text, verb, spec);
                self.pad(&shown, spec)
            }
            'q' => self.quoted(cut(text, spec), spec),
            _ => self.bad(value, verb, spec),
        }
    }

    fn quoted(&mut self, text: &[u8], spec: &Spec) -> Result<(), Fault> {
        self.meter.make(text.len() * 2)?;
        if spec.sharp && can_stand_raw(text) {
            let raw = [b"`", text, b"`"].concat();
            return self.pad(&raw, spec);
        }
        self.pad(quote(text, spec.plus).as_bytes(), spec)
    }

    /// Says that a verb does not fit a value.
    pub(super) fn bad(&mut self, value: &Value<'_>, verb: char, spec: &Spec) -> Result<(), Fault> {
        let name = value.type_name();
        self.out
            .extend_from_slice(format!("%!{verb}({name}=").as_bytes());
        self.value(value, 'v', spec, 0)?;
        self.out.push(b')');
        Ok(())
    }
}

fn signed(text: String) -> String {
    if text.starts_with(['-', '+']) {
        text
    } else {
        format!("+{text}")
    }
}

/// What a value says of itself.
fn described(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Moment(moment) => Some(moment.to_string()),
        Value::Version(version) => Some(version.to_string()),
        Value::Int(IntType::Month, number) => Some(crate::moment::month_name(*number)),
        Value::Int(IntType::Weekday, number) => Some(crate::moment::weekday_name(*number)),
        Value::Int(IntType::Duration, nanos) => Some(crate::moment::duration_text(*nanos)),
        _ => None,
    }
}

/// The first characters of a text, as many as the precision says.
fn cut<'t>(text: &'t [u8], spec: &Spec) -> &'t [u8] {
    let Some(mut left) = spec.precision else {
        return text;
    };
    let mut rest = text;
    while left > 0 {
        let Some((_, len)) = crate::characters::first_char(rest) else {
            return text;
        };
        rest = rest.get(len..).unwrap_or_default();
        left -= 1;
    }
    text.get(..text.len() - rest.len()).unwrap_or(text)
}

fn hex(text: &[u8], verb: char, spec: &Spec) -> Vec<u8> {
    let text = text
        .get(..spec.precision.unwrap_or(text.len()))
        .unwrap_or(text);
    let mut out = String::new();
    let prefix = if verb == 'x' { "0x" } else { "0X" };
    for (i, byte) in text.iter().enumerate() {
        if spec.space && i > 0 {
            out.push(' ');
        }
        if spec.sharp && (i == 0 || spec.space) {
            out.push_str(prefix);
        }
        let digits = format!("{byte:02x}");
        out.push_str(&if verb == 'X' {
            digits.to_uppercase()
        } else {
            digits
        });
    }
    out.into_bytes()
}

/// Whether a text can stand between back quotes as it is.
fn can_stand_raw(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|c| {
            c == '\t'
                || (c != '`'
                    && c != '\u{feff}'
                    && c != '\x7f'
                    && (c >= ' ')
                    && (c.is_ascii() || !c.is_control() || is_printable(c)))
        })
    })
}

//! Doubles as text: shortest digits, or as many as asked.

/// No double has more places after its point; what is asked beyond is zeros.
const MOST_PLACES: usize = 1100;

/// Fewer digits are never as near to a double as others of their number.
const LIKELY_TIE: usize = 15;

/// Digits of a double without its sign, and the place of its point: 0.`digits` * 10^`point`.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// From `d.ddde±x`, zeros at the end dropped.
    fn of(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.len() > 1 && digits.last() == Some(&b'0') {
            digits.pop();
        }
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let point = if digits == b"0" { 1 } else { exponent + 1 };
        Self { digits, point }
    }

    fn shortest(value: f64) -> Self {
        let shortest = Self::of(&format!("{:e}", value.abs()));
        if shortest.digits.len() < LIKELY_TIE {
            return shortest;
        }
        // Of two that are equally near, the even one.
        let even = format!("{:.*e}", shortest.digits.len() - 1, value.abs());
        if even.parse() == Ok(value.abs()) {
            return Self::of(&even);
        }
        shortest
    }

    fn rounded(value: f64, count: usize) -> Self {
        Self::of(&format!("{:.*e}", count.saturating_sub(1), value.abs()))
    }

    fn scientific(&self, mark: char) -> String {
        let mut out = String::new();
        for (i, digit) in self.digits.iter().enumerate() {
            if i == 1 {
                out.push('.');
            }
            out.push(char::from(*digit));
        }
        out + &exponent(self.point - 1, mark)
    }

    fn plain(&self) -> String {
        let mut out = String::new();
        if self.point <= 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', self.point.unsigned_abs() as usize));
            out.extend(self.digits.iter().map(|digit| char::from(*digit)));
            return out;
        }
        let point = self.point as usize;
        for i in 0..point.max(self.digits.len()) {
            if i == point {
                out.push('.');
            }
            out.push(char::from(*self.digits.get(i).unwrap_or(&b'0')));
        }
        out
    }
}

fn exponent(exponent: i32, mark: char) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mark}{sign}{:02}", exponent.abs())
}

fn named(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

/// With an exponent below 1e-4 and from 10^`threshold` on, plain otherwise.
fn general(value: f64, digits: &Digits, threshold: i32, mark: char) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let exponent = digits.point - 1;
    if exponent < -4 || exponent >= threshold {
        format!("{sign}{}", digits.scientific(mark))
    } else {
        format!("{sign}{}", digits.plain())
    }
}

/// As `%v` prints a double.
pub(crate) fn shown(value: f64) -> String {
    match named(value) {
        Some(name) => name.to_owned(),
        None => general(value, &Digits::shortest(value), 6, 'e'),
    }
}

/// By a verb: `e`, `f`, `g` or `x` (or capital), with digits or the shortest.
pub(super) fn by_verb(value: f64, verb: char, precision: Option<usize>) -> String {
    if let Some(name) = named(value) {
        return name.to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    match (verb, precision) {
        ('f', Some(count)) => {
            let exact = count.min(MOST_PLACES);
            let zeros = "0".repeat(count - exact);
            format!("{sign}{:.exact$}{zeros}", value.abs())
        }
        ('f', None) => format!("{sign}{}", Digits::shortest(value).plain()),
        ('e' | 'E', None) => format!("{sign}{}", Digits::shortest(value).scientific(verb)),
        ('e' | 'E', Some(count)) => {
            let exact = count.min(MOST_PLACES);
            let text = format!("{:.exact$e}", value.abs());
            let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
            let zeros = "0".repeat(count - exact);
            format!(
                "{sign}{mantissa}{zeros}{}",
                exponent(power.parse().unwrap_or(0), verb)
            )
        }
        ('g' | 'G', precision) => {
            let mark = if verb == 'g' { 'e' } else { 'E' };
            match precision {
                None => general(value, &Digits::shortest(value), 6, mark),
                Some(count) => {
                    let count = count.clamp(1, MOST_PLACES);
                    let digits = Digits::rounded(value, count);
                    let nd = digits.digits.len() as i32;
                    let threshold = if count as i32 > nd && nd >= digits.point {
                        nd
                    } else {
                        count as i32
                    };
                    general(value, &digits, threshold, mark)
                }
            }
        }
        (verb, precision) => hexadecimal(value, verb, precision),
    }
}

fn hexadecimal(value: f64, verb: char, precision: Option<usize>) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.abs().to_bits();
    let (mut fraction, mut power) = (bits & ((1 << 52) - 1), (bits >> 52) as i64 - 1023);
    let mut lead = 1_u64;
    if value == 0.0 {
        (lead, power) = (0, 0);
    } else if power == -1023 {
        let shift = fraction.leading_zeros() - 11;
        fraction = (fraction << shift) & ((1 << 52) - 1);
        power = -1022 - i64::from(shift);
    }
    let mut digits = format!("{fraction:013x}");
    match precision {
        None => digits = digits.trim_end_matches('0').to_owned(),
        Some(count) if count < 13 => {
            let drop = 4 * (13 - count as u32);
            let whole = (lead << 52) | fraction;
            let half = 1_u64 << (drop - 1);
            let mut kept = whole >> drop;
            let rest = whole & ((1 << drop) - 1);
            if rest > half || (rest == half && kept & 1 == 1) {
                kept += 1;
            }
            lead = kept >> (4 * count);
            digits = if count == 0 {
                String::new()
            } else {
                format!("{:0count$x}", kept & ((1 << (4 * count)) - 1))
            };
        }
        Some(count) => digits.extend(std::iter::repeat_n('0', count - 13)),
    }
    let point = if digits.is_empty() { "" } else { "." };
    let text = format!(
        "{sign}0x{lead}{point}{digits}{}",
        exponent(power as i32, 'p')
    );
    if verb == 'X' {
        text.to_uppercase()
    } else {
        text
    }
}

/// The text with a point in any case, and zeros up to `digits` digits that count.
pub(super) fn with_point(text: &str, is_hex: bool, digits: usize) -> String {
    let sign = text.len() - text.trim_start_matches(['-', '+']).len();
    let is_mark = |c: char| matches!(c, 'p' | 'P') || (!is_hex && matches!(c, 'e' | 'E'));
    let tail = text.find(is_mark).unwrap_or(text.len());
    let mut number = text[..tail].to_owned();
    let body = &text[sign..tail];
    let mut counted = body
        .chars()
        .filter(|c| *c != '.')
        .skip_while(|c| *c == '0')
        .count();
    if !number.contains('.') {
        counted += usize::from(body == "0");
        number.push('.');
    }
    number.push_str(&"0".repeat(digits.saturating_sub(counted)));
    number + &text[tail..]
}

/// As JSON writes a double: no exponent between 1e-6 and 1e21.
pub(crate) fn json(value: f64) -> String {
    let digits = Digits::shortest(value);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = digits.scientific('e');
        // Two digits of a negative exponent are cut to one.
        let text = match text.split_once("e-0") {
            Some((mantissa, power)) => format!("{mantissa}e-{power}"),
            None => text,
        };
        return format!("{sign}{text}");
    }
    format!("{sign}{}", digits.plain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_shortest_texts_that_are_equally_near_the_even_one_shows() {
        assert_eq!(shown(655_134_049_457_561.0 / 8.0), "8.189175618219512e+13");
        assert_eq!(json(288_960_629_551_241.0 / 16.0), "18060039346952.562");
        assert_eq!(json(2_481_599_769_689_189.0 / 4.0), "620399942422297.2");
    }
}

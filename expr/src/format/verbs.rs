//! A format with verbs: flags, width, precision, numbered arguments.

use super::printer::{Printer, Spec};
use crate::fault::Fault;
use crate::limits::Meter;
use crate::value::Value;

/// Widths and precisions beyond this are no numbers.
const MOST: i64 = 1_000_000;

/// One run over a format.
pub(super) struct Run<'f, 'a, 'v> {
    format: &'f [u8],
    at: usize,
    args: &'a [Value<'v>],
    arg: usize,
    printer: Printer<'f>,
    /// Some argument was named by its number.
    reordered: bool,
    /// The last number was good.
    good_index: bool,
    /// A number stands right before.
    after_index: bool,
}

impl<'f, 'a, 'v> Run<'f, 'a, 'v> {
    pub(super) fn new(format: &'f [u8], args: &'a [Value<'v>], meter: &'f Meter) -> Self {
        Self {
            format,
            at: 0,
            args,
            arg: 0,
            printer: Printer::new(meter),
            reordered: false,
            good_index: true,
            after_index: false,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    pub(super) fn run(mut self) -> Result<Vec<u8>, Fault> {
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == b'%' {
                self.verb()?;
            } else {
                self.printer.out.push(byte);
            }
        }
        if !self.reordered && self.arg < self.args.len() {
            self.extra()?;
        }
        Ok(self.printer.out)
    }

    fn extra(&mut self) -> Result<(), Fault> {
        self.printer.out.extend_from_slice(b"%!(EXTRA ");
        for (i, value) in self.args.iter().enumerate().skip(self.arg) {
            if i > self.arg {
                self.printer.out.extend_from_slice(b", ");
            }
            if value.is_nothing() {
                self.printer.out.extend_from_slice(b"<nil>");
            } else {
                self.printer
                    .out
                    .extend_from_slice(value.type_name().as_bytes());
                self.printer.out.push(b'=');
                self.printer.value(value, 'v', &Spec::default(), 0)?;
            }
        }
        self.printer.out.push(b')');
        Ok(())
    }

    fn verb(&mut self) -> Result<(), Fault> {
        self.good_index = true;
        let mut spec = self.flags();
        self.after_index = false;
        self.index();
        self.width(&mut spec);
        self.precision(&mut spec);
        if !self.after_index {
            self.index();
        }
        let rest = self.format.get(self.at..).unwrap_or_default();
        let Some((verb, len)) = crate::characters::first_char(rest) else {
            self.printer.out.extend_from_slice(b"%!(NOVERB)");
            return Ok(());
        };
        self.at += len;
        if verb == '%' {
            self.printer.out.push(b'%');
            return Ok(());
        }
        if !self.good_index {
            return self.complain(verb, "BADINDEX");
        }
        let Some(value) = self.args.get(self.arg) else {
            return self.complain(verb, "MISSING");
        };
        self.arg += 1;
        if verb == 'v' && spec.sharp {
            (spec.sharp, spec.source) = (false, true);
        } else if verb == 'v' {
            spec.plus = false;
        }
        self.printer.value(value, verb, &spec, 0)
    }

    fn complain(&mut self, verb: char, what: &str) -> Result<(), Fault> {
        self.printer
            .out
            .extend_from_slice(format!("%!{verb}({what})").as_bytes());
        Ok(())
    }

    fn flags(&mut self) -> Spec {
        let mut spec = Spec::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => spec.sharp = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b'-' => spec.minus = true,
                b' ' => spec.space = true,
                _ => break,
            }
            self.at += 1;
        }
        spec
    }

    /// `[n]`: which argument comes next.
    fn index(&mut self) {
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = self.format.get(self.at + 1..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b']') else {
            self.good_index = false;
            self.at += 1;
            return;
        };
        let number = std::str::from_utf8(&rest[..end])
            .ok()
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse::<usize>().ok());
        self.at += end + 2;
        match number {
            Some(number) if (1..=self.args.len()).contains(&number) => {
                self.arg = number - 1;
                self.after_index = true;
            }
            _ => self.good_index = false,
        }
    }

    /// A number in the format itself.
    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut number = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if number > MOST {
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        (self.at > start).then_some(number as usize)
    }

    /// A number from the arguments; `Err` where the argument is none.
    fn star(&mut self) -> Result<i64, ()> {
        self.at += 1;
        let value = self.args.get(self.arg);
        self.arg += usize::from(value.is_some());
        self.after_index = false;
        match value {
            Some(Value::Int(_, number)) if (-MOST..=MOST).contains(number) => Ok(*number),
            Some(Value::Uint(_, number)) if *number <= MOST as u64 => Ok(*number as i64),
            _ => Err(()),
        }
    }

    fn width(&mut self, spec: &mut Spec) {
        if self.peek() == Some(b'*') {
            match self.star() {
                Ok(width) => {
                    if width < 0 {
                        (spec.minus, spec.zero) = (true, false);
                    }
                    spec.width = Some(width.unsigned_abs() as usize);
                }
                Err(()) => self.printer.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
        } else {
            spec.width = self.number();
            if self.after_index && spec.width.is_some() {
                self.good_index = false;
            }
        }
    }

    fn precision(&mut self, spec: &mut Spec) {
        if self.peek() != Some(b'.') {
            return;
        }
        self.at += 1;
        if self.after_index {
            self.good_index = false;
        }
        self.index();
        if self.peek() == Some(b'*') {
            match self.star() {
                Ok(precision) if precision >= 0 => spec.precision = Some(precision as usize),
                Ok(_) => {}
                Err(()) => self.printer.out.extend_from_slice(b"%!(BADPREC)"),
            }
        } else {
            spec.precision = Some(self.number().unwrap_or(0));
        }
    }
}

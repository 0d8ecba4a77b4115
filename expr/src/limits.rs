//! Bounds of compiling and evaluating (spec 4.4). Never a clock.

use std::cell::Cell;

use crate::fault::{Bound, Fault};

/// How much one expression may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one expression's source.
    pub source_bytes: usize,
    /// Bytes of one text of the CEL dialect, whose interpreter counts no steps.
    pub cel_source_bytes: usize,
    /// Nesting of parentheses and control structures in one expression.
    pub nesting: usize,
    /// Nesting of values in a block.
    pub depth: usize,
    /// Steps of one evaluation: nodes visited, elements walked, and one for each
    /// 128 bytes looked at or 64 bytes made.
    pub fuel: u64,
    /// Bytes of one rendered text.
    pub output_bytes: usize,
    /// Bytes that one evaluation may make on the way, all together.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 64 << 10,
            cel_source_bytes: 8 << 10,
            nesting: 200,
            depth: 128,
            fuel: 1_000_000,
            output_bytes: 64 << 10,
            memory_bytes: 32 << 20,
        }
    }
}

/// What one evaluation has left.
#[derive(Debug)]
pub(crate) struct Meter {
    fuel: Cell<u64>,
    memory: Cell<u64>,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            fuel: Cell::new(limits.fuel),
            memory: Cell::new(limits.memory_bytes),
        }
    }

    /// Steps that are left.
    pub(crate) fn left(&self) -> u64 {
        self.fuel.get()
    }

    /// Takes steps.
    #[inline]
    pub(crate) fn burn(&self, steps: u64) -> Result<(), Fault> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => Err(Fault::Limit(Bound::Fuel)),
        }
    }

    /// Takes the steps of looks over bytes.
    #[inline]
    pub(crate) fn look(&self, bytes: usize) -> Result<(), Fault> {
        self.burn(1 + bytes as u64 / 128)
    }

    /// Takes bytes before they are made, and the steps of making them.
    #[inline]
    pub(crate) fn make(&self, bytes: usize) -> Result<(), Fault> {
        self.burn(1 + bytes as u64 / 64)?;
        match self.memory.get().checked_sub(bytes as u64) {
            Some(left) => {
                self.memory.set(left);
                Ok(())
            }
            None => Err(Fault::Limit(Bound::Memory)),
        }
    }
}

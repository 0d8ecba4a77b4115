//! Owns keeping the hub and the generator on CPUs of their own (`--pin`).
//!
//! Without it the system may put both on one CPU, where they take turns, or on two: figures of one
//! pair flat out differ by half between the two.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs that this program may use, in two halves.
#[derive(Debug)]
pub(super) struct Halves {
    hub: CpuSet,
    generator: CpuSet,
}

impl Halves {
    /// Divides the CPUs; the hub gets the smaller half where they are odd.
    ///
    /// # Errors
    /// When there are not at least two.
    pub(super) fn of_this_machine() -> io::Result<Halves> {
        let all = sched_getaffinity(None)?;
        let numbers: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|cpu| all.is_set(*cpu))
            .collect();
        if numbers.len() < 2 {
            return Err(io::Error::other("--pin needs two CPUs"));
        }
        let (hub, generator) = numbers.split_at(numbers.len() / 2);
        Ok(Halves {
            hub: set_of(hub),
            generator: set_of(generator),
        })
    }

    /// From here on, this thread and what it starts run on the hub's CPUs.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn take_hubs(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.hub)?)
    }

    /// From here on, this thread and what it starts run on the generator's CPUs.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn take_generators(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.generator)?)
    }
}

fn set_of(numbers: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for number in numbers {
        set.set(*number);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_share_no_cpu_and_hold_for_what_is_started() {
        let Ok(halves) = Halves::of_this_machine() else {
            return; // one CPU: nothing to divide
        };
        let on = |set: &CpuSet| -> Vec<usize> {
            (0..CpuSet::MAX_CPU)
                .filter(|cpu| set.is_set(*cpu))
                .collect()
        };
        assert!(
            on(&halves.hub)
                .iter()
                .all(|cpu| !halves.generator.is_set(*cpu))
        );
        let before = sched_getaffinity(None).unwrap();
        halves.take_hubs().unwrap();
        let child = std::thread::spawn(|| sched_getaffinity(None).unwrap());
        assert_eq!(on(&child.join().unwrap()), on(&halves.hub));
        sched_setaffinity(None, &before).unwrap();
    }
}

//! Who may speak as a step (spec 2.2, fencing).
//!
//! Owns the highest generation seen and the recent takeovers of one step. Never ends a connection
//! itself; it only gives the verdict.
//!
//! | newcomer | owner present | verdict |
//! | --- | --- | --- |
//! | lower generation than seen | any | refused |
//! | same generation | no | owner |
//! | same generation | yes | replaces it, at most 3 times in 10 s |
//! | higher generation | any | owner; a present one is handed over |

use std::collections::VecDeque;
use std::time::Duration;

use crate::ids::{Generation, Moment};
use crate::mutant::{self, Mutant};

/// Takeovers of one generation within [`WINDOW`] after which a newcomer is refused.
const MAX_TAKEOVERS: usize = 3;
/// How far back takeovers count.
const WINDOW: Duration = Duration::from_secs(10);

/// What the fence says to a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceVerdict {
    /// It becomes the owner; a present owner is superseded.
    Owner,
    /// Its generation is lower than one seen before.
    Superseded(Generation),
    /// It and the present owner have evicted each other too often.
    Duel,
}

/// The fence of one step.
#[derive(Clone, Debug, Default)]
pub struct Fence {
    /// Highest generation that ever owned the step; never decreases.
    highest: Option<Generation>,
    /// When the owner was replaced by one of its own generation, oldest first.
    takeovers: VecDeque<Moment>,
}

impl Fence {
    /// Judges a newcomer of `generation` and, when it wins, remembers it.
    pub fn admit(
        &mut self,
        generation: Generation,
        owner_present: bool,
        now: Moment,
    ) -> FenceVerdict {
        match self.highest {
            Some(highest) if generation < highest && !mutant::is(Mutant::AcceptLowerGeneration) => {
                return FenceVerdict::Superseded(highest);
            }
            Some(highest) if generation == highest && owner_present => {
                while self
                    .takeovers
                    .front()
                    .is_some_and(|&t| now.since(t) >= WINDOW)
                {
                    self.takeovers.pop_front();
                }
                if self.takeovers.len() >= MAX_TAKEOVERS {
                    return FenceVerdict::Duel;
                }
                self.takeovers.push_back(now);
            }
            Some(highest) if generation > highest => self.takeovers.clear(),
            _ => {}
        }
        self.highest = Some(generation);
        FenceVerdict::Owner
    }

    /// Highest generation that ever owned the step.
    pub fn highest(&self) -> Option<Generation> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(n: i32) -> Generation {
        Generation::new(n).unwrap()
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_lower_generation_is_refused_even_when_nobody_is_connected() {
        let mut fence = Fence::default();
        assert_eq!(
            fence.admit(generation(4), false, at(0)),
            FenceVerdict::Owner
        );
        let lower = fence.admit(generation(3), false, at(1));
        assert_eq!(lower, FenceVerdict::Superseded(generation(4)));
        assert_eq!(fence.highest(), Some(generation(4)));
    }

    #[test]
    fn the_fourth_takeover_within_ten_seconds_is_a_duel() {
        let mut fence = Fence::default();
        fence.admit(generation(1), false, at(0));
        for second in 0..3 {
            assert_eq!(
                fence.admit(generation(1), true, at(second)),
                FenceVerdict::Owner
            );
        }
        assert_eq!(fence.admit(generation(1), true, at(3)), FenceVerdict::Duel);
        assert_eq!(
            fence.admit(generation(1), true, at(10)),
            FenceVerdict::Owner,
            "the first has aged"
        );
    }

    #[test]
    fn a_reconnect_after_a_disconnect_is_no_takeover() {
        let mut fence = Fence::default();
        for _ in 0..20 {
            assert_eq!(
                fence.admit(generation(1), false, at(0)),
                FenceVerdict::Owner
            );
        }
    }

    #[test]
    fn a_higher_generation_ends_a_duel() {
        let mut fence = Fence::default();
        for _ in 0..5 {
            fence.admit(generation(1), true, at(0));
        }
        assert_eq!(fence.admit(generation(1), true, at(0)), FenceVerdict::Duel);
        assert_eq!(fence.admit(generation(2), true, at(0)), FenceVerdict::Owner);
        assert_eq!(fence.admit(generation(2), true, at(0)), FenceVerdict::Owner);
    }
}

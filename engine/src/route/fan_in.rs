//! What a Story asks of a join: the settings `fanIn` of spec 2.3 and 2.8.

use std::time::Duration;

/// How the branches of a step with more than one `needs` meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanInPlan {
    /// How many branches make one joined packet.
    pub mode: FanInMode,
    /// How long the first branch of an id waits for the others; `None` waits for ever. Also how
    /// long, from that first branch on, an id that fired absorbs its later ones.
    pub timeout: Option<Duration>,
    /// Most ids that wait, and most ids that fired and are remembered; 0 counts as 1.
    pub max_entries: usize,
    /// What becomes of the branches that are there when the time is over.
    pub on_timeout: OnTimeout,
}

impl Default for FanInPlan {
    /// The defaults of spec 2.8.
    fn default() -> Self {
        Self {
            mode: FanInMode::All,
            timeout: Some(Duration::from_secs(30)),
            max_entries: 1000,
            on_timeout: OnTimeout::Drop,
        }
    }
}

/// `fanIn.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanInMode {
    /// Every branch.
    #[default]
    All,
    /// The first branch; later ones of the same id are absorbed.
    Any,
    /// So many different branches; later ones are absorbed. 0, and more than there are branches,
    /// mean every branch.
    Quorum(u32),
}

impl FanInMode {
    /// How many of `branches` must be there; at least 1.
    #[must_use]
    pub fn needed(self, branches: usize) -> usize {
        let wanted = match self {
            Self::All | Self::Quorum(0) => branches,
            Self::Any => 1,
            Self::Quorum(n) => usize::try_from(n).unwrap_or(branches),
        };
        wanted.min(branches).max(1)
    }
}

/// `fanIn.onTimeout`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// Every branch that is there is dropped as `fan_in_timeout`.
    #[default]
    Drop,
    /// The branch that came last is delivered, joined with those that are there.
    Partial,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_needs_at_least_one_branch_and_at_most_all() {
        let needed = |mode: FanInMode| [1, 2, 5].map(|branches| mode.needed(branches));
        assert_eq!(needed(FanInMode::All), [1, 2, 5]);
        assert_eq!(needed(FanInMode::Any), [1, 1, 1]);
        assert_eq!(needed(FanInMode::Quorum(0)), [1, 2, 5]);
        assert_eq!(needed(FanInMode::Quorum(1)), [1, 1, 1]);
        assert_eq!(needed(FanInMode::Quorum(2)), [1, 2, 2]);
        assert_eq!(needed(FanInMode::Quorum(u32::MAX)), [1, 2, 5]);
        assert_eq!(FanInMode::All.needed(0), 1);
    }
}

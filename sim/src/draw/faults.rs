//! What goes wrong in a world, and when.

use crate::random::Random;
use crate::time::Nanos;
use crate::wire::Kind;

/// One thing that goes wrong, or that somebody does against the grain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A connection breaks, at any byte.
    Cut {
        /// Whose.
        client: usize,
    },
    /// A connection goes silent; both sides find out by their timeouts.
    HalfOpen {
        /// Whose.
        client: usize,
    },
    /// The hub process dies and comes back later, knowing nothing.
    Crash {
        /// How long it is away.
        away: Nanos,
    },
    /// A client opens a second connection of its generation and forgets the first.
    Duplicate {
        /// Which.
        client: usize,
    },
    /// A newer incarnation takes over.
    Handoff {
        /// From which.
        client: usize,
        /// It knows nothing of what its predecessor did.
        fresh: bool,
    },
    /// An older incarnation tries to come back.
    Older {
        /// Of which.
        client: usize,
    },
    /// A client process dies and is started again, knowing nothing.
    Restart {
        /// Which.
        client: usize,
    },
    /// A client leaves for so long that what waits for it is given up.
    Away {
        /// Which.
        client: usize,
        /// How long.
        span: Nanos,
    },
    /// Somebody barges in.
    Interrupt {
        /// Who.
        client: usize,
        /// One lane or all.
        lane: Option<Kind>,
    },
}

pub(super) fn draw(
    random: &mut Random,
    clients: usize,
    calm_at: Nanos,
    interrupts: bool,
) -> Vec<(Nanos, Fault)> {
    let end = calm_at.0.min(Nanos::secs(5).0);
    let mut faults = Vec::new();
    let count = random.pick(&[0, 2, 4, 8, 14]);
    let crashes = random.chance(40);
    for _ in 0..count {
        let at = Nanos(random.between(1_000_000, end));
        let client = random.index(clients);
        let fault = match random.between(0, 99) {
            0..=34 => Fault::Cut { client },
            35..=41 => Fault::HalfOpen { client },
            42..=51 if crashes => Fault::Crash {
                away: Nanos::millis(random.between(1, 300)),
            },
            52..=61 => Fault::Duplicate { client },
            62..=76 => Fault::Handoff {
                client,
                fresh: random.chance(50),
            },
            77..=86 => Fault::Older { client },
            _ => Fault::Restart { client },
        };
        faults.push((at, fault));
    }
    if interrupts {
        for _ in 0..random.between(1, 4) {
            let at = Nanos(random.between(1_000_000, end));
            let client = random.index(clients);
            let lane = random
                .chance(30)
                .then(|| random.pick(&[Kind::Binary, Kind::Audio]));
            faults.push((at, Fault::Interrupt { client, lane }));
        }
    }
    faults
}

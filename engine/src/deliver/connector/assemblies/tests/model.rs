//! Sets against a list that is gone through for every chunk.

use proptest::prelude::*;

use super::*;

/// A set, as far as it has come: the indices that went, and the bytes of each.
#[derive(Clone, Debug)]
struct Plain {
    key: (String, String, String),
    edge: u32,
    count: u32,
    total: u32,
    went: Vec<(u32, u32)>,
    last: Moment,
}

#[derive(Default)]
struct Model(Vec<Plain>);

impl Plain {
    fn bytes(&self) -> u64 {
        self.went.iter().map(|(_, len)| u64::from(*len)).sum()
    }

    fn take(&mut self, piece: &Piece<'_>, held: u64) -> bool {
        let totals = [piece.total, self.total].map(u64::from);
        let disagree = totals[0] != totals[1] && !totals.contains(&0);
        if piece.edge != self.edge || piece.count != self.count || disagree {
            return false;
        }
        if self.went.iter().any(|(index, _)| *index == piece.index) {
            return true;
        }
        let len = u64::from(piece.len);
        let (bytes, total) = (self.bytes() + len, totals[0].max(totals[1]));
        let is_last = self.went.len() as u32 + 1 == self.count;
        let is_its_size = total == 0 || bytes == total || bytes < total && !is_last;
        let fits = bytes <= 10 << 20 && held + len <= 64 << 20;
        if fits && is_its_size {
            self.went.push((piece.index, piece.len));
            self.total = total as u32;
        }
        fits && is_its_size
    }
}

impl Model {
    fn bytes(&self) -> u64 {
        self.0.iter().map(Plain::bytes).sum()
    }

    fn take(&mut self, piece: &Piece<'_>, now: Moment) -> bool {
        self.0
            .retain(|set| now.since(set.last) < Duration::from_secs(240));
        let held = self.bytes();
        let (stream, partition, id) = piece.key;
        let key = (stream.into(), partition.into(), id.into());
        let known = self.0.iter().position(|set| set.key == key);
        if known.is_none() && self.0.len() == 256 {
            return false;
        }
        let mut set = Plain {
            key,
            edge: piece.edge,
            count: piece.count,
            total: 0,
            went: Vec::new(),
            last: now,
        };
        if let Some(at) = known {
            set = self.0.remove(at);
        }
        let goes = set.take(piece, held);
        if goes {
            set.last = now;
        }
        if (goes || known.is_some()) && set.went.len() as u32 != set.count {
            self.0.push(set);
        }
        goes
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// Chunks of the set that these places of names make.
    Chunks([usize; 3], Run),
    /// The first chunks of so many sets, of so many bytes each.
    Begin(usize, u32),
    /// So many seconds pass.
    Pass(u64),
    /// The clock steps back by so many.
    StepBack(u64),
}

/// Chunks of one set, one after the other.
#[derive(Clone, Debug)]
struct Run {
    edge: u32,
    /// Another count than that of the set.
    odd_count: Option<u32>,
    first: prop::sample::Index,
    most: usize,
    /// Of each.
    len: u32,
    said: Said,
}

/// What chunks say of their payload.
#[derive(Clone, Copy, Debug)]
enum Said {
    Nothing,
    /// As many bytes as all of them have, if all are as long.
    All,
    Bytes(u32),
}

const NAMES: [&str; 2] = ["a", "ab"];
const COUNTS: [u32; 4] = [2, 3, 5, 256];
const MIB: u32 = 1 << 20;

fn run() -> impl Strategy<Value = Run> {
    let odd_count = prop_oneof![12 => Just(None), 1 => (1..7u32).prop_map(Some)];
    let most = prop_oneof![8 => 1..4usize, 2 => 50..300usize];
    let len = prop_oneof![9 => Just(10), 2 => 1..20u32, 1 => 1..=11 * MIB];
    let said = prop_oneof![
        6 => Just(Said::Nothing),
        3 => Just(Said::All),
        1 => (1..40u32).prop_map(Said::Bytes),
    ];
    let first = any::<prop::sample::Index>();
    let edge = prop_oneof![12 => Just(0), 1 => Just(1)];
    let run = (edge, odd_count, first, most, len, said);
    run.prop_map(|(edge, odd_count, first, most, len, said)| Run {
        edge,
        odd_count,
        first,
        most,
        len,
        said,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let key = prop::array::uniform3(0..NAMES.len());
    prop_oneof![
        24 => (key, run()).prop_map(|(key, run)| Op::Chunks(key, run)),
        1 => (250..258usize, Just(1)).prop_map(|(sets, len)| Op::Begin(sets, len)),
        1 => (5..10usize, Just(8 * MIB)).prop_map(|(sets, len)| Op::Begin(sets, len)),
        2 => prop_oneof![0..130u64, 238..242u64].prop_map(Op::Pass),
        1 => (0..130u64).prop_map(Op::StepBack),
    ]
}

/// Gives each chunk that comes of `op` to `each`.
fn play(op: &Op, mut each: impl FnMut(&Piece<'_>)) {
    match op {
        Op::Chunks(key, run) => {
            let count = COUNTS[key.iter().sum::<usize>()];
            let count = run.odd_count.unwrap_or(count);
            let first = run.first.index(count as usize) as u32;
            for index in (first..count).take(run.most) {
                each(&Piece {
                    key: (NAMES[key[0]], NAMES[key[1]], NAMES[key[2]]),
                    edge: run.edge,
                    count,
                    total: match run.said {
                        Said::Nothing => 0,
                        Said::All => run.len.saturating_mul(count),
                        Said::Bytes(bytes) => bytes,
                    },
                    index,
                    len: run.len,
                });
            }
        }
        Op::Begin(sets, len) => {
            for n in 0..*sets {
                each(&Piece {
                    key: ("many", "", &n.to_string()),
                    edge: 0,
                    count: 2,
                    total: 0,
                    index: 0,
                    len: *len,
                });
            }
        }
        Op::Pass(_) | Op::StepBack(_) => {}
    }
}

proptest! {
    #[test]
    fn what_goes_is_what_a_plain_list_lets_go(ops in prop::collection::vec(op(), 1..80)) {
        let (mut sets, mut model) = (Assemblies::default(), Model::default());
        let mut clock = 0_u64;
        for op in &ops {
            match op {
                Op::Pass(seconds) => clock += seconds,
                Op::StepBack(seconds) => clock = clock.saturating_sub(*seconds),
                Op::Chunks(..) | Op::Begin(..) => {}
            }
            play(op, |piece| {
                let goes = sets.judge(piece, at(clock)).is_ok();
                if goes {
                    sets.note(piece, at(clock));
                }
                assert_eq!(goes, model.take(piece, at(clock)), "{piece:?} at {clock}");
            });
            prop_assert_eq!(sets.sets.len(), model.0.len());
            prop_assert_eq!(sets.bytes, model.bytes());
        }
    }
}

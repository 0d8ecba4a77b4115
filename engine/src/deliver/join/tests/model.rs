//! Joins against a list that is scanned each time.

use proptest::prelude::*;

use super::*;

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];

#[derive(Clone, Debug)]
enum Op {
    /// A branch of a key, after so many milliseconds, of so many bytes.
    Offer(usize, usize, u64, usize),
    /// After so many milliseconds; what is over is kept.
    Expire(u64),
    /// One of those that are kept.
    PutBack(usize),
    /// Those of which this branch is there; they are kept as well.
    Take(usize),
    Drain,
}

/// An id as the spec says it: the branches in the order in which they came, or what has been seen
/// of an id that fired.
#[derive(Clone, Debug)]
struct Id {
    key: &'static str,
    began: u64,
    nth: u32,
    fired: bool,
    /// Branch, item, size; of an id that fired, only the branch counts.
    came: Vec<(usize, u32, usize)>,
}

#[derive(Default)]
struct Model {
    branches: usize,
    need: usize,
    max: usize,
    timeout: Option<u64>,
    ids: Vec<Id>,
    count: u32,
}

impl Model {
    fn oldest(&self, fired: bool) -> Option<usize> {
        let some = (0..self.ids.len()).filter(|&n| self.ids[n].fired == fired);
        some.min_by_key(|&n| self.ids[n].nth)
    }

    fn waiting(&self) -> Vec<&Id> {
        let mut all: Vec<&Id> = self.ids.iter().filter(|id| !id.fired).collect();
        all.sort_by_key(|id| id.nth);
        all
    }

    fn due(&self, id: &Id, now: u64) -> bool {
        self.timeout
            .is_some_and(|timeout| id.began + timeout <= now)
    }

    fn offer(&mut self, key: &'static str, came: (usize, u32, usize), now: u64) -> String {
        if came.0 >= self.branches {
            return "absorbed".into();
        }
        let seen = |id: &Id| id.came.iter().any(|c| c.0 == came.0);
        let known = self.ids.iter().position(|id| id.key == key);
        let mut said = "waits".to_string();
        match known {
            Some(at) if self.ids[at].fired && !seen(&self.ids[at]) => {
                self.ids[at].came.push(came);
                self.tidy();
                return "absorbed".into();
            }
            Some(at) if !self.ids[at].fired => {
                let id = &mut self.ids[at];
                if let Some(old) = id.came.iter().position(|c| c.0 == came.0) {
                    said = format!("replaces {:?}", id.came.remove(old));
                }
                id.came.push(came);
            }
            _ => {
                self.ids.retain(|id| id.key != key);
                if self.need > 1 && self.waiting().len() == self.max {
                    let oldest = self.oldest(false).unwrap();
                    said = format!("evicts {}", shown(&self.ids.remove(oldest)));
                }
                self.count += 1;
                self.ids.push(Id {
                    key,
                    began: now,
                    nth: self.count,
                    fired: false,
                    came: vec![came],
                });
            }
        }
        let id = self.ids.iter_mut().find(|id| id.key == key).unwrap();
        if id.came.len() == self.need {
            id.fired = true;
            said = format!("fires {}", shown(id));
            self.tidy();
        }
        said
    }

    /// Forgets what can absorb nothing, and what is too much.
    fn tidy(&mut self) {
        let branches = self.branches;
        self.ids.retain(|id| !id.fired || id.came.len() < branches);
        while self.ids.iter().filter(|id| id.fired).count() > self.max {
            let oldest = self.oldest(true).unwrap();
            self.ids.remove(oldest);
        }
    }

    fn expire(&mut self, now: u64) -> Vec<Id> {
        let over = self.waiting().into_iter().filter(|id| self.due(id, now));
        let over: Vec<Id> = over.cloned().collect();
        let ids = std::mem::take(&mut self.ids);
        self.ids = ids.into_iter().filter(|id| !self.due(id, now)).collect();
        over
    }

    fn take(&mut self, branch: usize) -> Vec<Id> {
        let has = |id: &Id| !id.fired && id.came.iter().any(|c| c.0 == branch);
        let taken = self.waiting().into_iter().filter(|id| has(id)).cloned();
        let taken: Vec<Id> = taken.collect();
        self.ids.retain(|id| !has(id));
        taken
    }

    fn put_back(&mut self, id: Id) -> bool {
        let free = self.waiting().len() < self.max;
        let free = free && self.ids.iter().all(|other| other.key != id.key);
        if free {
            self.ids.push(id);
        }
        free
    }
}

/// In the order of the branches, and which came last.
fn shown(id: &Id) -> String {
    let mut parts = id.came.clone();
    parts.sort_unstable();
    format!("{} {parts:?} last {}", id.key, id.came.last().unwrap().0)
}

fn shown_round(key: &str, round: &Round<u32>) -> String {
    let parts = round.parts.iter();
    let parts: Vec<_> = parts.map(|p| (p.branch.at(), p.item, p.size)).collect();
    format!(
        "{key} {parts:?} last {}",
        round.parts[round.last].branch.at()
    )
}

fn shown_entry(entry: &Entry<u32>) -> String {
    shown_round(&entry.key, &entry.round)
}

fn told(key: &str, outcome: &Outcome<u32>) -> (Verdict, String) {
    match outcome {
        Outcome::Wait(None) => (Verdict::Wait, "waits".into()),
        Outcome::Wait(Some(Displaced::Replaced(p))) => {
            let old = (p.branch.at(), p.item, p.size);
            (Verdict::Wait, format!("replaces {old:?}"))
        }
        Outcome::Wait(Some(Displaced::Evicted(entry))) => {
            (Verdict::Wait, format!("evicts {}", shown_entry(entry)))
        }
        Outcome::Fire(round) => (Verdict::Fire, format!("fires {}", shown_round(key, round))),
        Outcome::Absorbed(_) => (Verdict::Absorbed, "absorbed".into()),
    }
}

/// The join and its model side by side.
struct Pair {
    join: Join<u32>,
    model: Model,
    now: u64,
    /// What expired and is put back later, by both.
    over: Vec<(Entry<u32>, Id)>,
}

fn millis(n: u64) -> Moment {
    Moment::from_nanos(n * 1_000_000)
}

impl Pair {
    fn new(mode: FanInMode, branches: usize, max: usize, timeout: Option<u64>) -> Self {
        let plan = FanInPlan {
            mode,
            timeout: timeout.map(Duration::from_millis),
            max_entries: max,
            ..FanInPlan::default()
        };
        let need = match mode {
            FanInMode::Any => 1,
            FanInMode::Quorum(n) if n > 0 && (n as usize) < branches => n as usize,
            _ => branches,
        };
        Self {
            join: Join::new(&plan, branches),
            model: Model {
                branches,
                need,
                max,
                timeout,
                ..Model::default()
            },
            now: 0,
            over: Vec::new(),
        }
    }

    fn step(&mut self, item: u32, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Offer(key, branch, later, size) => {
                self.now += later;
                let (key, at) = (KEYS[key], Branch::new(branch).unwrap());
                let part = Part {
                    branch: at,
                    item,
                    size,
                };
                let announced = self.join.peek(key, at);
                let outcome = self.join.offer(key, part, millis(self.now));
                let (verdict, said) = told(key, &outcome);
                prop_assert_eq!(announced, verdict);
                let expected = self.model.offer(key, (branch, item, size), self.now);
                prop_assert_eq!(said, expected);
            }
            Op::Expire(later) => {
                self.now += later;
                let entries = self.join.expire(millis(self.now));
                let ids = self.model.expire(self.now);
                self.put_by(entries, ids)?;
            }
            Op::PutBack(nth) if !self.over.is_empty() => {
                let (entry, id) = self.over.remove(nth % self.over.len());
                let taken = self.join.put_back(entry).is_ok();
                prop_assert_eq!(taken, self.model.put_back(id));
            }
            Op::PutBack(_) => {}
            Op::Take(branch) => {
                let there =
                    |round: &Round<u32>| round.parts.iter().any(|p| p.branch.at() == branch);
                let entries = self.join.take_where(there);
                let ids = self.model.take(branch);
                self.put_by(entries, ids)?;
            }
            Op::Drain => {
                let said: Vec<String> = self.join.drain().iter().map(shown_entry).collect();
                let expected: Vec<String> = self.model.waiting().into_iter().map(shown).collect();
                prop_assert_eq!(said, expected);
                self.model.ids.clear();
                self.over.clear();
            }
        }
        self.agree()
    }

    fn put_by(&mut self, entries: Vec<Entry<u32>>, ids: Vec<Id>) -> Result<(), TestCaseError> {
        let said: Vec<String> = entries.iter().map(shown_entry).collect();
        prop_assert_eq!(said, ids.iter().map(shown).collect::<Vec<_>>());
        self.over.extend(entries.into_iter().zip(ids));
        Ok(())
    }

    fn agree(&self) -> Result<(), TestCaseError> {
        let waiting = self.model.waiting();
        prop_assert_eq!(self.join.len(), waiting.len());
        prop_assert_eq!(self.join.by_key.len(), waiting.len());
        let parts = waiting.iter().flat_map(|id| &id.came);
        prop_assert_eq!(self.join.bytes(), parts.map(|c| c.2).sum::<usize>());
        let timeout = self.model.timeout;
        let due = timeout.and_then(|t| Some(millis(waiting.iter().map(|id| id.began).min()? + t)));
        prop_assert_eq!(self.join.next_deadline(), due);
        prop_assert_eq!(self.join.fired.len(), self.model.ids.len() - waiting.len());
        Ok(())
    }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let offer = (0..KEYS.len(), 0usize..5, 0u64..4, 0usize..100);
    let op = prop_oneof![
        40 => offer.prop_map(|(key, branch, later, size)| Op::Offer(key, branch, later, size)),
        6 => (0u64..20).prop_map(Op::Expire),
        4 => (0usize..4).prop_map(Op::PutBack),
        1 => (0usize..5).prop_map(Op::Take),
        1 => Just(Op::Drain),
    ];
    proptest::collection::vec(op, 1..150)
}

fn mode() -> impl Strategy<Value = FanInMode> {
    prop_oneof![
        Just(FanInMode::All),
        Just(FanInMode::Any),
        (0u32..6).prop_map(FanInMode::Quorum),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever comes, in whatever order: a join says and keeps what the model says and keeps.
    #[test]
    fn a_join_does_what_the_model_does(
        mode in mode(),
        branches in 1usize..5,
        max in 1usize..5,
        timeout in proptest::option::of(1u64..40),
        ops in ops(),
    ) {
        let mut pair = Pair::new(mode, branches, max, timeout);
        for (n, op) in ops.into_iter().enumerate() {
            pair.step(n as u32, op)?;
        }
    }
}

//! Joins as sentences: what comes, and what becomes of it.

mod bounds;
mod model;
mod rounds;

use super::*;
use crate::route::FanInMode;

/// Joins of items that are named by their branch and a number: `A1` is of branch `A`.
struct Table {
    join: Join<&'static str>,
    now: Moment,
}

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(seconds * 1_000_000_000)
}

/// Branch `A` is 0, `B` is 1, ...
fn branch(item: &str) -> Branch {
    Branch::new(usize::from(item.as_bytes()[0] - b'A')).unwrap()
}

/// An item takes as many bytes as its number says.
fn part(item: &'static str) -> Part<&'static str> {
    Part {
        branch: branch(item),
        item,
        size: item[1..].parse().unwrap(),
    }
}

/// `A1 B2*`: in the order of the branches, the last that came marked.
fn round(round: &Round<&'static str>) -> String {
    let mark = |n: usize| if n == round.last { "*" } else { "" };
    let parts = round.parts.iter().enumerate();
    let parts = parts.map(|(n, p)| format!("{}{}", p.item, mark(n)));
    parts.collect::<Vec<_>>().join(" ")
}

/// `x: A1 B2*`.
fn entry(entry: &Entry<&'static str>) -> String {
    format!("{}: {}", entry.key, round(&entry.round))
}

fn entries(all: &[Entry<&'static str>]) -> Vec<String> {
    all.iter().map(entry).collect()
}

impl Table {
    fn new(mode: FanInMode, branches: usize) -> Self {
        Self::with(FanInPlan { mode, ..plan() }, branches)
    }

    fn with(plan: FanInPlan, branches: usize) -> Self {
        Self {
            join: Join::new(&plan, branches),
            now: Moment::default(),
        }
    }

    /// Offers `x A1`: item `A1` of id `x`. Holds what is announced against what happens.
    fn offer(&mut self, text: &'static str) -> String {
        let (key, item) = text.split_once(' ').unwrap();
        let announced = self.join.peek(key, branch(item));
        let (there, len) = (self.join.there(key).to_vec(), self.join.len());
        let (verdict, said) = match self.join.offer(key, part(item), self.now) {
            Outcome::Wait(None) => (Verdict::Wait, "waits".into()),
            Outcome::Wait(Some(Displaced::Replaced(old))) => {
                (Verdict::Wait, format!("replaces {}", old.item))
            }
            Outcome::Wait(Some(Displaced::Evicted(old))) => {
                (Verdict::Wait, format!("evicts {}", entry(&old)))
            }
            Outcome::Fire(fired) => {
                let others = fired.parts.iter().filter(|p| p.item != item).cloned();
                assert_eq!(others.collect::<Vec<_>>(), there, "{text}");
                assert_eq!(self.join.len(), len - usize::from(!there.is_empty()));
                (Verdict::Fire, format!("fires {}", round(&fired)))
            }
            Outcome::Absorbed(part) => {
                assert_eq!((part.item, self.join.len()), (item, len), "{text}");
                (Verdict::Absorbed, "absorbed".into())
            }
        };
        assert_eq!(announced, verdict, "{text}");
        said
    }

    /// Offers line by line and compares with what each line says.
    fn tell(&mut self, lines: &[(&'static str, &str)]) {
        for (n, (offer, said)) in lines.iter().enumerate() {
            assert_eq!(self.offer(offer), *said, "line {}: {offer}", n + 1);
        }
    }
}

/// 10 s, 3 ids.
fn plan() -> FanInPlan {
    FanInPlan {
        timeout: Some(Duration::from_secs(10)),
        max_entries: 3,
        ..FanInPlan::default()
    }
}

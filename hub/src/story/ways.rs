//! Ways from engram to engram through the primitives between them (spec 2, 2.1 'Graph').
//!
//! Owns: which primitives a packet passes on its way to each engram and to each `stop`, and how
//! many ways there may be. Never does: evaluate what stands on a way.

use super::{PrimitiveKind, Step, StepKind, Story};

/// Most ways of one Story: primitives in a lattice multiply them.
const MAX_WAYS: usize = 4096;
/// Most primitives that all ways of one Story pass together.
const MAX_PASSED: usize = 65_536;

/// A way that packets of one engram may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The engram whose packets go this way, by index into [`Story::steps`].
    pub from: usize,
    /// The primitives that they pass, in order.
    pub via: Vec<usize>,
    /// The engram that gets them, or the `stop` that ends the run.
    pub to: usize,
    /// By which of the `needs` of `to` the way comes, from 0.
    pub branch: usize,
}

impl Way {
    /// Whether the step stands behind `from` on this way, its end included.
    pub fn passes(&self, step: usize) -> bool {
        self.to == step || self.via.contains(&step)
    }
}

/// All ways of a Story, ordered by `from`, then `to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// Those that end at an engram. Several may lead from one to the same other.
    pub edges: Vec<Way>,
    /// Those that end at a `stop`.
    pub stops: Vec<Way>,
}

impl Ways {
    /// Every way, to engrams first.
    pub fn all(&self) -> impl Iterator<Item = &Way> {
        self.edges.iter().chain(&self.stops)
    }
}

/// Finds all ways.
///
/// # Errors
/// What is to be said if there are too many.
pub(super) fn find(story: &Story) -> Result<Ways, String> {
    let mut search = Search {
        leads: leading(story),
        ways: Ways::default(),
        passed: 0,
        story,
    };
    for (from, step) in story.steps.iter().enumerate() {
        if step.is_engram() && !search.walk(&mut vec![from]) {
            return Err(format!(
                "the primitives make more than {MAX_WAYS} ways between engrams (or ways of more \
                 than {MAX_PASSED} primitives together); let fewer of them meet and part again"
            ));
        }
    }
    let Ways { edges, stops } = &mut search.ways;
    for ways in [edges, stops] {
        ways.sort_by_key(|way| (way.from, way.to));
    }
    Ok(search.ways)
}

/// Whether each step is the end of a way, or a primitive that leads to one.
fn leading(story: &Story) -> Vec<bool> {
    let mut leads: Vec<bool> = story.steps.iter().map(is_end).collect();
    let mut found: Vec<usize> = (0..leads.len()).filter(|step| leads[*step]).collect();
    while let Some(to) = found.pop() {
        for &from in story.steps.get(to).map_or(&[][..], |step| &step.needs) {
            if let Some(leads) = leads.get_mut(from).filter(|leads| !**leads) {
                *leads = true;
                found.push(from);
            }
        }
    }
    leads
}

fn is_end(step: &Step) -> bool {
    step.is_engram() || is_stop(step)
}

fn is_stop(step: &Step) -> bool {
    matches!(step.kind, StepKind::Primitive(PrimitiveKind::Stop))
}

struct Search<'s> {
    story: &'s Story,
    leads: Vec<bool>,
    ways: Ways,
    passed: usize,
}

impl Search<'_> {
    /// Goes on from the last of `path`, which begins at an engram; false if there are too many
    /// ways.
    fn walk(&mut self, path: &mut Vec<usize>) -> bool {
        let story = self.story;
        let Some(&at) = path.last() else {
            return true;
        };
        for to in story.downstream(at) {
            let leads = self.leads.get(to).copied().unwrap_or_default();
            let Some(step) = story.steps.get(to).filter(|_| leads) else {
                continue;
            };
            if is_end(step) {
                if !self.take(path, (at, to), step) {
                    return false;
                }
            } else if !path.contains(&to) {
                // What comes round again is a cycle, which the graph reports.
                path.push(to);
                let fits = self.walk(path);
                path.pop();
                if !fits {
                    return false;
                }
            }
        }
        true
    }

    fn take(&mut self, path: &[usize], (last, to): (usize, usize), step: &Step) -> bool {
        let Some((&from, via)) = path.split_first() else {
            return true;
        };
        self.passed += via.len();
        let ways = if is_stop(step) {
            &mut self.ways.stops
        } else {
            &mut self.ways.edges
        };
        let branch = step.needs.iter().position(|need| *need == last);
        ways.push(Way {
            from,
            via: via.to_vec(),
            to,
            branch: branch.unwrap_or_default(),
        });
        let count = self.ways.edges.len() + self.ways.stops.len();
        count <= MAX_WAYS && self.passed <= MAX_PASSED
    }
}

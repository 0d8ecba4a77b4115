//! `needs` to edges (spec 2.1 'Graph').
//!
//! Owns: which step feeds which, and what is wrong with that. Never does: look at transports'
//! settings, or evaluate anything.

use std::collections::{BTreeSet, HashMap};

use super::Edge;
use super::read::{View, did_you_mean};

/// What the graph needs to know of a step.
pub(super) struct Node<'a> {
    pub(super) id: String,
    pub(super) name: String,
    /// `None` if omitted; an empty list counts as having it.
    pub(super) needs: Option<Vec<View<'a>>>,
    pub(super) transport: Option<String>,
    pub(super) view: View<'a>,
}

/// How a step without `needs` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As a source; if no step has `needs`, as a link of a chain in declared order.
    Declared,
    /// As downstream of every earlier step on the same transport
    /// (annotation `hub/graph: every-earlier-step`).
    EveryEarlierStep,
}

/// The edges, ordered; problems and the chain's warning are reported.
pub(super) fn edges(nodes: &[Node<'_>], steps: &View<'_>, reading: Reading) -> Vec<Edge> {
    let known = index(nodes);
    let chain = reading == Reading::Declared && nodes.iter().all(|node| node.needs.is_none());
    let mut edges = BTreeSet::new();
    for (to, node) in nodes.iter().enumerate() {
        let mut from: Vec<usize> = match &node.needs {
            Some(needs) => needs
                .iter()
                .filter_map(|need| resolve(need, nodes, &known))
                .collect(),
            None if chain => to.checked_sub(1).into_iter().collect(),
            None if reading == Reading::EveryEarlierStep => earlier(nodes, to),
            None => Vec::new(),
        };
        edges.extend(from.drain(..).map(|from| Edge { from, to }));
    }
    let edges: Vec<Edge> = edges.into_iter().collect();
    if chain && !edges.is_empty() {
        let chosen: Vec<String> = edges.iter().map(|edge| shown(nodes, *edge)).collect();
        steps.warn(format!(
            "no step has needs, so the steps are taken as a chain in declared order: {}; write \
             needs to say who is downstream of whom",
            chosen.join(", ")
        ));
    }
    report_cycle(nodes, steps, &edges);
    edges
}

/// Ids, and names that are no other step's id.
fn index<'n>(nodes: &'n [Node<'_>]) -> HashMap<&'n str, usize> {
    let names = nodes.iter().enumerate().rev();
    let mut known: HashMap<&str, usize> = names.map(|(i, n)| (n.name.as_str(), i)).collect();
    let ids = nodes.iter().enumerate().rev();
    known.extend(ids.map(|(i, n)| (n.id.as_str(), i)));
    known
}

/// Reports every id and every name that stood before.
pub(super) fn report_duplicates(nodes: &[Node<'_>]) {
    let mut ids = HashMap::new();
    let mut names = HashMap::new();
    for node in nodes {
        let id = node.view.node.get("id").is_some();
        let at = |field: &'static str| {
            let fields = node.view.fields();
            let view = fields.and_then(|fields| fields.get(field));
            view.unwrap_or_else(|| node.view.clone())
        };
        if let Some(line) = ids.insert(&node.id, node.view.node.line) {
            at(if id { "id" } else { "name" }).problem(format!(
                "duplicate id {:?}: the step in line {line} has it already",
                node.id
            ));
        } else if let Some(line) = names.insert(&node.name, node.view.node.line) {
            at("name").problem(format!(
                "duplicate name {:?}: the step in line {line} has it already",
                node.name
            ));
        }
    }
}

fn resolve(need: &View<'_>, nodes: &[Node<'_>], known: &HashMap<&str, usize>) -> Option<usize> {
    let text = need.text()?;
    let found = known.get(text).copied();
    if found.is_none() {
        let ids = nodes.iter().map(|node| node.id.as_str());
        need.problem(format!(
            "{text:?} is no step of this Story{}",
            did_you_mean(text, ids)
        ));
    }
    found
}

/// Earlier steps whose packets the incumbent would hand to the step at `to`: those on the same
/// transport, and those on none.
fn earlier(nodes: &[Node<'_>], to: usize) -> Vec<usize> {
    let Some(target) = nodes.get(to) else {
        return Vec::new();
    };
    let feeds = |node: &Node<'_>| node.transport.is_none() || node.transport == target.transport;
    let before = nodes.iter().enumerate().take(to);
    before
        .filter(|(_, node)| feeds(node))
        .map(|(from, _)| from)
        .collect()
}

fn shown(nodes: &[Node<'_>], edge: Edge) -> String {
    let id = |i: usize| nodes.get(i).map_or("?", |node| node.id.as_str());
    format!("{} -> {}", id(edge.from), id(edge.to))
}

/// Reports one cycle, if there is any.
fn report_cycle(nodes: &[Node<'_>], steps: &View<'_>, edges: &[Edge]) {
    let Some(cycle) = cycle(nodes.len(), edges) else {
        return;
    };
    let id = |i: &usize| nodes.get(*i).map_or("?", |node| node.id.as_str());
    let mut names: Vec<&str> = cycle.iter().map(id).collect();
    names.extend(cycle.first().map(id));
    let first = cycle.first().and_then(|first| nodes.get(*first));
    let at = View {
        node: first.map_or(steps.node, |node| node.view.node),
        ..steps.clone()
    };
    at.problem(format!(
        "the steps form a cycle: {}; what both speaks and listens, such as a room, appears as \
         two steps",
        names.join(" -> ")
    ));
}

/// A cycle in flow order that begins with its earliest step.
fn cycle(steps: usize, edges: &[Edge]) -> Option<Vec<usize>> {
    let mut upstreams = vec![0_usize; steps];
    let mut downstream = vec![Vec::new(); steps];
    for edge in edges {
        if let Some(count) = upstreams.get_mut(edge.to) {
            *count += 1;
        }
        if let Some(targets) = downstream.get_mut(edge.from) {
            targets.push(edge.to);
        }
    }
    // Take away steps that nothing feeds until only cycles and what they feed are left.
    let mut left: BTreeSet<usize> = (0..steps).collect();
    let mut free: Vec<usize> = left
        .iter()
        .copied()
        .filter(|i| upstreams.get(*i) == Some(&0))
        .collect();
    while let Some(step) = free.pop() {
        left.remove(&step);
        for &to in downstream.get(step).into_iter().flatten() {
            if let Some(count) = upstreams.get_mut(to) {
                *count -= 1;
                if *count == 0 {
                    free.push(to);
                }
            }
        }
    }
    // Every step that is left is fed by one that is left: going upstream must come round.
    let mut upstream = vec![*left.first()?];
    loop {
        let at = *upstream.last()?;
        let from = edges
            .iter()
            .find(|edge| edge.to == at && left.contains(&edge.from))?
            .from;
        if let Some(start) = upstream.iter().position(|seen| *seen == from) {
            let mut cycle: Vec<usize> = upstream.split_off(start);
            cycle.reverse();
            let earliest = cycle.iter().enumerate().min_by_key(|(_, step)| **step)?.0;
            cycle.rotate_left(earliest);
            return Some(cycle);
        }
        upstream.push(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle_of(steps: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
        let edges: Vec<Edge> = edges.iter().map(|&(from, to)| Edge { from, to }).collect();
        cycle(steps, &edges)
    }

    #[test]
    fn a_graph_without_cycle_has_none() {
        assert_eq!(cycle_of(0, &[]), None);
        assert_eq!(cycle_of(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]), None);
    }

    #[test]
    fn a_cycle_is_told_in_flow_order_from_its_earliest_step() {
        assert_eq!(cycle_of(1, &[(0, 0)]), Some(vec![0]));
        assert_eq!(cycle_of(3, &[(0, 2), (2, 1), (1, 0)]), Some(vec![0, 2, 1]));
    }

    #[test]
    fn steps_before_and_behind_a_cycle_are_no_part_of_it() {
        let edges = [(0, 1), (1, 2), (2, 1), (2, 3), (3, 4)];
        assert_eq!(cycle_of(5, &edges), Some(vec![1, 2]));
    }
}

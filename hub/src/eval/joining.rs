//! What a sample meets where a way ends in a join (spec 2.3).
//!
//! Owns: which other branches are taken to have come before it: those that the sample gives under
//! `steps`, and no others.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use engine::decide::{Arrived, Meeting, join_id};
use engine::route::{FanInPlan, RunPlan};
use transport_proto::splice::put_payload;
use transport_proto::view::Dialect;

use super::sample::Sample;
use crate::story::{Story, Way};

/// A join as a sample finds it.
pub(super) struct Joining<'s> {
    /// The `needs` that the other branches come by, by id.
    pub(super) others: Vec<&'s str>,
    /// What the sample meets.
    pub(super) meeting: Meeting,
    /// Why it waits, or passes the join by.
    pub(super) why: Option<String>,
}

/// What a sample meets at the end of a way; `None` where it does not end in a join.
pub(super) fn joining<'s>(
    (story, plan): (&'s Story, &RunPlan),
    way: &Way,
    sample: &Sample,
) -> Option<Joining<'s>> {
    let fan_in = plan.steps.get(way.to)?.fan_in.as_ref()?;
    let needs = &story.steps.get(way.to)?.needs;
    let id = |at: usize| story.steps.get(at).map_or("?", |step| &*step.id);
    let into: Vec<&Way> = story
        .ways
        .edges
        .iter()
        .filter(|other| other.to == way.to)
        .collect();
    let mut branches: Vec<usize> = into.iter().map(|other| other.branch).collect();
    branches.sort_unstable();
    branches.dedup();
    branches.retain(|branch| *branch != way.branch);
    let named = |branch: &usize| needs.get(*branch).map_or("?", |need| id(*need));
    let others: Vec<&str> = branches.iter().map(named).collect();
    // What came by a branch is named after its last step, or the engram that it began at.
    let came = |branch: &usize| {
        let ways = into.iter().filter(|other| other.branch == *branch);
        let from = ways.map(|other| id(other.from));
        let names: Vec<&str> = from.chain([named(branch)]).collect();
        let given = |(name, _): &&(String, Bytes)| names.contains(&&**name);
        sample.steps.iter().find(given).and_then(arrived)
    };
    let there: Vec<Arc<Arrived>> = branches.iter().filter_map(came).collect();
    let (meeting, why) = if join_id(&sample.bytes, &sample.view).is_none() {
        let text =
            "metadata has no bubu.join.key and no bubu.envelope.message_id: it joins nothing";
        (Meeting::None, Some(text.to_owned()))
    } else {
        met(
            fan_in,
            (there, into.iter().map(|w| w.branch).max()),
            &others,
        )
    };
    Some(Joining {
        others,
        meeting,
        why,
    })
}

fn met(
    fan_in: &FanInPlan,
    (mut there, last): (Vec<Arc<Arrived>>, Option<usize>),
    others: &[&str],
) -> (Meeting, Option<String>) {
    let needed = fan_in.mode.needed(last.map_or(1, |last| last + 1));
    if there.len() + 1 < needed {
        let text = format!(
            "it waits for {} more of {} (taken to be absent; what they gave may stand under \
             \"steps\" in the sample)",
            needed - 1 - there.len(),
            others.join(", ")
        );
        return (Meeting::Wait, Some(text));
    }
    // More never wait: those before would have fired without this one.
    there.truncate(needed - 1);
    (Meeting::Fire(there), None)
}

/// A packet of another step, with this payload.
fn arrived((id, body): &(String, Bytes)) -> Option<Arc<Arrived>> {
    let mut packet = BytesMut::new();
    put_payload(&mut packet, Dialect::Packet, body);
    Arrived::new(id, packet.freeze()).ok().map(Arc::new)
}

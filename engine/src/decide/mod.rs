//! What becomes of a packet on each edge of its step (spec 2.3, 4): whether it takes the edge, and
//! what is changed in it on the way.
//!
//! Owns the order of decisions (primitives on the way, `if`, join, routing rules, inputs, schema,
//! cap) and what an edge changes. Pure: a packet, what the run's Story asks and the time go in, a
//! verdict for each edge comes out, on whatever thread. Never counts, queues or keeps anything.
//!
//! A step whose edges ask for nothing has no [`StepPrograms`], and its packets never come here.

mod change;
mod document;
mod envelope;
mod job;
mod schema;
mod way;

use std::sync::Arc;

use bytes::Bytes;
use expr::Surroundings;
use smallvec::SmallVec;
use transport_proto::view::PacketView;

use crate::account::DropReason;
use crate::ids::StepIndex;
use crate::route::{EdgePrograms, EmitPrograms, RunPlan};

pub use change::Change;
pub(crate) use change::Cuts;
use document::Documents;
pub(crate) use document::weight;
pub use job::Job;
use way::Way;

/// Bytes of documents past which a packet is decided away from the data plane (spec 4.4).
pub(crate) const LARGE: usize = 64 * 1024;

/// Longest text of what went wrong, in bytes.
const MAX_FAULT: usize = 512;

/// What is asked of the packets that one step emits, and what is asked beforehand: which parts of
/// a packet must be looked at.
#[derive(Debug)]
pub struct StepPrograms {
    id: Arc<str>,
    inputs: Bytes,
    emits: Option<Arc<EmitPrograms>>,
    edges: Vec<EdgeAsks>,
    max_downstreams: usize,
    /// Whether anything reads the payload or the inputs of a packet.
    reads_documents: bool,
}

/// What one edge asks.
#[derive(Debug)]
struct EdgeAsks {
    programs: Option<Arc<EdgePrograms>>,
    /// Whether `steps` is read.
    reads_steps: bool,
}

impl StepPrograms {
    /// What `plan` asks of packets of `step`; `None` where it asks for nothing.
    #[must_use]
    pub fn of(plan: &RunPlan, step: StepIndex) -> Option<Self> {
        let source = plan.steps.get(step.at())?;
        let mut reads_documents = false;
        let edges: Vec<EdgeAsks> = plan
            .edges
            .iter()
            .filter(|edge| edge.from == step)
            .map(|edge| {
                let programs = edge
                    .programs
                    .clone()
                    .filter(|programs| !programs.is_empty());
                let mut reads_steps = false;
                if let Some(programs) = &programs {
                    let reads = programs.reads();
                    reads_steps = reads.reads_root("steps");
                    reads_documents |=
                        reads_steps || reads.reads_payload() || programs.schema.is_some();
                }
                EdgeAsks {
                    programs,
                    reads_steps,
                }
            })
            .collect();
        let emits = source.emits.clone();
        if let Some(emits) = &emits {
            reads_documents |= emits.schema.is_some();
            let mut on_the_way = emits.stops.iter().flatten();
            reads_documents |= on_the_way.any(|primitive| {
                let reads = primitive.reads();
                reads.reads_payload() || reads.reads_root("steps")
            });
        }
        if emits.is_none() && edges.iter().all(|edge| edge.programs.is_none()) {
            return None;
        }
        Some(Self {
            id: source.id.clone(),
            inputs: plan.inputs.clone(),
            emits,
            edges,
            max_downstreams: source.max_downstreams,
            reads_documents,
        })
    }

    /// Whether a packet is so large that it is to be decided elsewhere.
    pub(crate) fn is_large(&self, packet: &[u8], view: &PacketView) -> bool {
        self.reads_documents && packet.len() > LARGE && weight(packet, view) > LARGE
    }
}

/// What became of a packet on one edge.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It does not take the edge.
    NotTaken,
    /// It ends there.
    Dropped(DropReason, Box<str>),
    /// It takes the edge, changed so.
    Taken(Change),
}

/// What became of a packet.
#[derive(Clone, Debug)]
pub struct Decided {
    /// On each edge of its step, in the order of the plan.
    pub edges: SmallVec<[Verdict; 4]>,
    /// Whether it ends the run (spec 2.7).
    pub stops: bool,
}

/// A packet to decide on.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Its bytes.
    pub packet: &'a [u8],
    /// The result of walking them.
    pub view: &'a PacketView,
    /// What its programs are told of the world.
    pub surroundings: &'a Surroundings,
}

/// What all ways of one packet see.
struct Scene<'a> {
    question: Question<'a>,
    programs: &'a StepPrograms,
    documents: &'a Documents<'a>,
}

impl StepPrograms {
    /// Decides what becomes of a packet.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Decided {
        let mut documents = if self.reads_documents {
            Documents::of(question.packet, question.view)
        } else {
            Documents::default()
        };
        let output = self.emits.as_ref().and_then(|emits| emits.schema.as_ref());
        let mut filled_in = None;
        if let Some(output) = output {
            match schema::judge_output(output.as_ref(), &documents) {
                Ok(None) => {}
                Ok(Some(payload)) => {
                    documents.replace_payload(&payload);
                    filled_in = Some(payload);
                }
                Err(why) => return self.none(DropReason::Schema, &why),
            }
        }
        let scene = Scene {
            question: *question,
            programs: self,
            documents: &documents,
        };
        let mut taken = 0;
        let edges = self.edges.iter().map(|asks| {
            let mut verdict = Way::new(&scene, asks, filled_in.clone()).verdict(asks);
            if let Verdict::Taken(_) = verdict {
                taken += 1;
                if taken > self.max_downstreams {
                    verdict = Verdict::Dropped(DropReason::MaxDownstreams, Box::default());
                }
            }
            verdict
        });
        let edges = edges.collect();
        let stops = self.emits.as_ref().is_some_and(|emits| {
            let mut stops = emits.stops.iter();
            stops.any(|via| Way::new(&scene, &ALL, filled_in.clone()).gets_through(via))
        });
        Decided { edges, stops }
    }

    fn none(&self, reason: DropReason, why: &str) -> Decided {
        let one = |_: &EdgeAsks| Verdict::Dropped(reason, why.into());
        Decided {
            edges: self.edges.iter().map(one).collect(),
            stops: false,
        }
    }
}

/// What is read on the way to a `stop`: anything.
static ALL: EdgeAsks = EdgeAsks {
    programs: None,
    reads_steps: true,
};

/// The text of a fault, cut to what people read.
fn shorten(mut text: String) -> Box<str> {
    if text.len() > MAX_FAULT {
        let end = (0..=MAX_FAULT).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
    }
    text.into()
}

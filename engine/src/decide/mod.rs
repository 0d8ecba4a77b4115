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
mod facts;
mod job;
mod meeting;
mod schema;
mod watermark;
mod way;

use std::sync::Arc;

use bytes::Bytes;
use expr::Surroundings;
use smallvec::SmallVec;
use transport_proto::view::PacketView;

use crate::account::DropReason;
use crate::ids::StepIndex;
use crate::route::{EdgePrograms, EmitPrograms, HookPlan, RunPlan, TimestampSource};

pub use change::Change;
pub(crate) use change::{Cuts, json_of};
use document::Documents;
pub use document::documents;
pub(crate) use document::weight;
pub use job::Job;
pub use meeting::{Arrived, Meeting, Reached, join_id};
pub(crate) use watermark::event_time;
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
    /// Whether any edge may replace them: then what an envelope frame says of them is rewritten.
    replaces_documents: bool,
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
        let (mut reads_documents, mut replaces_documents) = (false, false);
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
                    reads_steps = programs.reads().reads_root("steps");
                    reads_documents |= programs.reads_documents();
                    replaces_documents |= programs.replaces_documents();
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
            replaces_documents |= emits.schema.is_some();
            let mut on_the_way = emits.stops.iter().flatten();
            reads_documents |= on_the_way.any(|primitive| {
                let reads = primitive.reads();
                reads.reads_payload() || reads.reads_root("steps")
            });
        }
        let mut own = plan.edges.iter().filter(|edge| edge.from == step);
        let joins = own.any(|edge| {
            let target = plan.steps.get(edge.to.at());
            target.is_some_and(|target| target.fan_in.is_some())
        });
        if emits.is_none() && !joins && edges.iter().all(|edge| edge.programs.is_none()) {
            return None;
        }
        Some(Self {
            id: source.id.clone(),
            inputs: plan.inputs.clone(),
            emits,
            edges,
            max_downstreams: source.max_downstreams,
            reads_documents,
            replaces_documents,
        })
    }

    /// What a step asks of lifecycle hooks.
    pub(crate) fn of_hook(asked: &HookPlan, plan: &RunPlan) -> Self {
        let programs = Some(asked.programs.clone());
        let reads_steps = asked.programs.reads().reads_root("steps");
        Self {
            id: "hub".into(),
            inputs: plan.inputs.clone(),
            emits: None,
            edges: vec![EdgeAsks {
                programs,
                reads_steps,
            }],
            max_downstreams: 1,
            reads_documents: true,
            replaces_documents: true,
        }
    }

    /// Where its packets say when what they speak of happened.
    pub(crate) fn watermark(&self) -> Option<&TimestampSource> {
        self.emits.as_ref()?.watermark.as_ref()
    }

    /// Whether a packet, or one that it meets, is so large that it is to be decided elsewhere.
    pub(crate) fn is_large(
        &self,
        (packet, view): (&[u8], &PacketView),
        meetings: &[Meeting],
    ) -> bool {
        let meets_large = |(asks, meeting): (&EdgeAsks, &Meeting)| {
            let mut others = meeting.others().iter();
            asks.reads_steps && others.any(|other| weight(&other.packet, &other.view) > LARGE)
        };
        if self.edges.iter().zip(meetings).any(meets_large) {
            return true;
        }
        if packet.len() <= LARGE {
            return false;
        }
        let rewrites = self.replaces_documents && document::is_envelope(packet, view);
        self.reads_documents && weight(packet, view) > LARGE || rewrites && view.media_len() > LARGE
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
    /// It waits for those that it is joined with.
    Waits,
}

/// What became of a packet.
#[derive(Clone, Debug)]
pub struct Decided {
    /// On each edge of its step, in the order of the plan.
    pub edges: SmallVec<[Verdict; 2]>,
    /// What it met on the edges that end in a join; none where no edge does.
    pub(crate) meetings: Vec<Meeting>,
    /// How far it came on these, where it came to meet others.
    pub(crate) reached: Vec<Option<Box<Reached>>>,
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
    /// What it meets on each edge of its step; none where no edge ends in a join.
    pub meetings: &'a [Meeting],
    /// What its programs are told of the world.
    pub surroundings: &'a Surroundings,
}

/// What all ways of one packet see.
struct Scene<'a> {
    question: Question<'a>,
    programs: &'a StepPrograms,
    documents: &'a Documents<'a>,
    /// The payload with the defaults of the step's schema filled in.
    filled_in: Option<Bytes>,
}

impl StepPrograms {
    /// Decides what becomes of a packet.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Decided {
        let documents = if self.reads_documents {
            Documents::of(question.packet, question.view)
        } else {
            Documents::default()
        };
        let output = self.emits.as_ref().and_then(|emits| emits.schema.as_ref());
        let mut filled_in = None;
        if let Some(output) = output {
            match schema::judge_output(output.as_ref(), &documents) {
                Ok(None) => {}
                Ok(Some(payload)) => filled_in = Some(payload),
                Err(why) => return self.none((DropReason::Schema, &why), question.meetings),
            }
        }
        let scene = Scene {
            question: *question,
            programs: self,
            documents: &documents,
            filled_in,
        };
        let mut decided = Decided::none();
        let mut taken = 0;
        for (nth, asks) in self.edges.iter().enumerate() {
            let meeting = question.meetings.get(nth).unwrap_or(&Meeting::None);
            let (mut verdict, reached) = Way::new(&scene, asks, meeting).verdict(asks);
            if let Verdict::Taken(_) = verdict {
                taken += 1;
                if taken > self.max_downstreams {
                    verdict = Verdict::Dropped(DropReason::MaxDownstreams, Box::default());
                }
            }
            decided.edges.push(verdict);
            if !question.meetings.is_empty() {
                decided.reached.push(reached);
            }
        }
        decided.meetings = question.meetings.to_vec();
        decided.stops = self.emits.as_ref().is_some_and(|emits| {
            let mut stops = emits.stops.iter();
            stops.any(|via| Way::new(&scene, &ALL, &Meeting::None).gets_through(via))
        });
        decided
    }

    /// Decides on a packet that waited for others on the edge `nth` of its step: these are all that
    /// have come.
    pub(crate) fn decide_late(
        &self,
        nth: usize,
        (packet, surroundings): (&Arrived, &Surroundings),
        others: Vec<Arc<Arrived>>,
    ) -> Verdict {
        let Some(asks) = self.edges.get(nth) else {
            return Verdict::NotTaken;
        };
        let documents = Documents::of(&packet.packet, &packet.view);
        let question = Question {
            packet: &packet.packet,
            view: &packet.view,
            meetings: &[],
            surroundings,
        };
        let scene = Scene {
            question,
            programs: self,
            documents: &documents,
            filled_in: None,
        };
        let meeting = Meeting::Fire(others);
        Way::new(&scene, asks, &meeting).late_verdict(asks, &packet.reached)
    }

    fn none(&self, (reason, why): (DropReason, &str), meetings: &[Meeting]) -> Decided {
        let one = |_: &EdgeAsks| Verdict::Dropped(reason, why.into());
        Decided {
            edges: self.edges.iter().map(one).collect(),
            meetings: meetings.to_vec(),
            ..Decided::none()
        }
    }
}

impl Decided {
    /// These verdicts, for a packet that meets nobody and ends nothing.
    #[must_use]
    pub fn of(edges: impl Iterator<Item = Verdict>) -> Self {
        Self {
            edges: edges.collect(),
            ..Self::none()
        }
    }

    fn none() -> Self {
        Self {
            edges: SmallVec::new(),
            meetings: Vec::new(),
            reached: Vec::new(),
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

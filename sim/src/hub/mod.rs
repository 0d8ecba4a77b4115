//! One hub process of the world: the shell around one engine, as the real one drives it.
//!
//! Owns the engine and the streams it serves. Cuts bytes into messages, feeds them, tells the
//! witness everything that crosses, and keeps what is blocked until it may be offered again.

mod feed;
mod plan;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use engine::{
    Accepts, Actions, ConnId, DropReason, Engine, Generation, Limits, Moment, Pieces, Refusal,
    Registration,
};

pub(crate) use plan::run_plan;

use crate::draw::{NAMESPACE, RUN, Script};
use crate::oracle::{Broken, EdgeNumbers, Fact, Link, Step, Why};
use crate::time::Nanos;
use crate::wire::Deframer;
use crate::world::Witness;

/// Who registers.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer {
    pub(crate) link: Link,
    pub(crate) step: usize,
    pub(crate) generation: i32,
    pub(crate) epoch: Option<String>,
    pub(crate) pause: bool,
    pub(crate) control: bool,
}

/// One registered stream.
struct Stream {
    conn: ConnId,
    data: Deframer,
    control: Deframer,
    out: Deframer,
    /// Messages that wait because the first of them is blocked.
    held: VecDeque<Vec<u8>>,
    /// The first held message's flow was taken in already.
    flow_done: bool,
    blocked: bool,
}

impl Stream {
    fn new(conn: ConnId) -> Self {
        Self {
            conn,
            data: Deframer::default(),
            control: Deframer::default(),
            out: Deframer::default(),
            held: VecDeque::new(),
            flow_done: false,
            blocked: false,
        }
    }
}

/// What the world has to do after a call.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Something waits to be written.
    pub(crate) write: Vec<Link>,
    /// These streams have lost their step.
    pub(crate) superseded: Vec<Link>,
}

/// One hub process.
pub(crate) struct Hub {
    engine: Engine,
    actions: Actions,
    streams: BTreeMap<Link, Stream>,
    conns: BTreeMap<ConnId, Link>,
    names: Vec<String>,
    pub(crate) effects: Effects,
}

fn moment(now: Nanos) -> Moment {
    Moment::from_nanos(now.0)
}

/// Limits of every world.
fn limits(script: &Script) -> Limits {
    Limits {
        queue_budget_bytes: script.queue_bytes,
        state_ttl: Duration::from_nanos(script.state_ttl.0),
        heartbeat_interval: Duration::from_secs(10),
        ..Limits::default()
    }
}

impl Hub {
    /// A process that starts with nothing but its Story.
    pub(crate) fn start(script: &Script, epoch: &str) -> Result<Self, String> {
        let mut engine = Engine::new(limits(script), epoch);
        engine.attach(run_plan(script)).map_err(|e| e.to_string())?;
        Ok(Self {
            engine,
            actions: Actions::default(),
            streams: BTreeMap::new(),
            conns: BTreeMap::new(),
            names: script.steps.iter().map(|s| s.name.clone()).collect(),
            effects: Effects::default(),
        })
    }

    /// Lets a stream in, or says why not.
    pub(crate) fn accept(
        &mut self,
        who: &Newcomer,
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<Result<(), Why>, Broken> {
        let Some(generation) = Generation::new(who.generation) else {
            return Ok(Err(Why::Other));
        };
        let registration = Registration {
            namespace: NAMESPACE,
            run: RUN,
            step: &self.names[who.step],
            generation,
            producer_epoch: who.epoch.as_deref(),
            accepts: Accepts {
                pause: who.pause,
                control: who.control,
            },
        };
        let step = Step(who.step);
        match self
            .engine
            .register(registration, moment(now), &mut self.actions)
        {
            Ok(conn) => {
                self.streams.insert(who.link, Stream::new(conn));
                self.conns.insert(conn, who.link);
                let fact = Fact::Registered {
                    link: who.link,
                    step,
                    generation: who.generation,
                    epoch: who.epoch.as_deref(),
                    pause: who.pause,
                    control: who.control,
                };
                witness.tell(now, fact)?;
                self.carry_out(now, witness)?;
                Ok(Ok(()))
            }
            Err(refusal) => {
                let why = match refusal {
                    Refusal::Superseded(_) => Why::Superseded,
                    Refusal::Duel { .. } => Why::Duel,
                    _ => Why::Other,
                };
                let generation = who.generation;
                witness.tell(
                    now,
                    Fact::Refused {
                        step,
                        generation,
                        why,
                    },
                )?;
                Ok(Err(why))
            }
        }
    }

    /// The bytes to write to a socket now, about `budget` of them.
    pub(crate) fn write(
        &mut self,
        link: Link,
        budget: usize,
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<Vec<u8>, Broken> {
        let Some(stream) = self.streams.get_mut(&link) else {
            return Ok(Vec::new());
        };
        let mut pieces = Pieces::new();
        self.engine.take(
            stream.conn,
            budget,
            moment(now),
            &mut pieces,
            &mut self.actions,
        );
        let bytes: Vec<u8> = pieces.iter().flat_map(|p| p.iter().copied()).collect();
        stream.out.feed(&bytes);
        while let Some(message) = stream.out.next_message() {
            let message = &message[..];
            witness.tell(now, Fact::Sent { link, message })?;
        }
        if stream.out.partial() > 0 {
            return Err(Broken {
                at: now,
                invariant: "the hub hands whole messages to a socket",
                what: format!("{} bytes of one on link {}", stream.out.partial(), link.0),
            });
        }
        if !bytes.is_empty() {
            self.carry_out(now, witness)?;
        }
        Ok(bytes)
    }

    /// The connection is gone, or its stream has been ended.
    pub(crate) fn gone(
        &mut self,
        link: Link,
        now: Nanos,
        witness: &mut Witness,
    ) -> Result<(), Broken> {
        let Some(stream) = self.streams.remove(&link) else {
            return Ok(());
        };
        self.conns.remove(&stream.conn);
        self.engine
            .disconnect(stream.conn, moment(now), &mut self.actions);
        witness.tell(now, Fact::Left { link })?;
        self.carry_out(now, witness)
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: Nanos, witness: &mut Witness) -> Result<(), Broken> {
        self.engine.tick(moment(now), &mut self.actions);
        self.carry_out(now, witness)
    }

    /// When the engine wants its next tick.
    pub(crate) fn next_deadline(&self) -> Option<Nanos> {
        Some(Nanos(self.engine.next_deadline()?.as_nanos()))
    }

    /// Does what the engine asks for, until it asks for nothing more; then shows its numbers.
    fn carry_out(&mut self, now: Nanos, witness: &mut Witness) -> Result<(), Broken> {
        loop {
            self.show(now, witness)?;
            for (conn, _) in self.actions.superseded.drain(..) {
                self.effects.superseded.extend(self.conns.get(&conn));
            }
            for conn in self.actions.wake.drain(..) {
                self.effects.write.extend(self.conns.get(&conn));
            }
            self.actions.events.clear();
            let resumed: Vec<ConnId> = self.actions.resume.drain(..).collect();
            if resumed.is_empty() {
                return Ok(());
            }
            for conn in resumed {
                if let Some(&link) = self.conns.get(&conn) {
                    self.resume(link, now, witness)?;
                }
            }
        }
    }

    /// Packets that wait or are in flight, on all edges.
    pub(crate) fn pending(&self) -> u64 {
        let snapshot = self.engine.snapshot();
        snapshot.edges.iter().map(|e| e.queued + e.in_flight).sum()
    }

    fn show(&self, now: Nanos, witness: &mut Witness) -> Result<(), Broken> {
        let snapshot = self.engine.snapshot();
        let edges: Vec<EdgeNumbers> = snapshot
            .edges
            .iter()
            .map(|edge| EdgeNumbers {
                accepted: edge.counts.accepted,
                delivered: edge.counts.delivered,
                dropped: DropReason::ALL
                    .iter()
                    .map(|&r| (r.as_str(), edge.counts.dropped(r)))
                    .filter(|(_, n)| *n > 0)
                    .collect(),
                queued: edge.queued,
                in_flight: edge.in_flight,
            })
            .collect();
        witness.tell(now, Fact::Counts { edges: &edges })
    }
}

//! One world: clients, network, hub and judge, driven by the agenda.
//!
//! Owns virtual time. One seed gives one history, bit for bit.

mod calm;
mod clients;
mod faults;
mod hubside;
mod links;
mod witness;

pub(crate) use witness::Witness;

use crate::client::Client;
use crate::draw::{Fault, Script};
use crate::hub::Hub;
use crate::oracle::{Broken, Fact, Link, Seen};
use crate::random::Random;
use crate::time::{Agenda, Nanos};
use links::Wire;

/// Heartbeat timeout of every world (spec 2.6).
pub(crate) const HEARTBEAT_TIMEOUT: Nanos = Nanos::secs(30);
/// Events after which a world is stuck in a loop.
const MOST_EVENTS: u64 = 400_000;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Control,
    Down,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A client opens a connection.
    Dial { client: usize },
    /// A dial reaches the hub.
    Accept { link: Link },
    /// The client learns that it was refused, or that its stream ended.
    ClientNotices { link: Link },
    /// The hub learns that a connection is gone.
    HubNotices { link: Link },
    /// Bytes may have arrived.
    Arrive { link: Link, way: Way },
    /// The hub may write.
    HubWrite { link: Link },
    /// A producer may send.
    Produce { client: usize },
    /// A consumer may give receipts.
    Receipt { client: usize },
    /// A client's heartbeat.
    Beat { client: usize },
    /// A producer hears of a turn.
    Turn { client: usize, turn: u64 },
    /// The hub's regular tick.
    Tick,
    /// The tick that the engine asked for.
    Deadline,
    /// Something goes wrong.
    Fault(Fault),
    /// The hub comes back.
    HubUp,
    /// Nothing goes wrong any more.
    Calm,
    /// Is everything done?
    Look,
}

/// How a world ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// The invariant that broke, if one did.
    pub broken: Option<Broken>,
    /// What it exercised.
    pub seen: Seen,
    /// Digest of everything that happened, in order.
    pub digest: u64,
    /// Every event in words, when asked for.
    pub trace: Vec<String>,
}

/// One world under way.
pub(crate) struct World {
    now: Nanos,
    agenda: Agenda<Event>,
    random: Random,
    script: Script,
    hub: Option<Hub>,
    /// How many hub processes there have been.
    hubs: u32,
    clients: Vec<Client>,
    links: Vec<Wire>,
    witness: Witness,
    calm: bool,
    turn: u64,
    /// The earliest deadline that is on the agenda.
    deadline: Option<Nanos>,
    /// Deadlines that were due and stayed where they were.
    stuck: u32,
    /// How often it was asked whether everything is done.
    looks: u32,
    reuse_epoch: bool,
}

/// How a world is to be played.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Write every event down in words.
    pub trace: bool,
    /// A known bug: a hub that restarts goes on under its old epoch.
    pub reuse_epoch: bool,
}

/// Runs the world of `seed`.
pub fn run(seed: u64, options: Options) -> Outcome {
    let mut world = World::new(seed, options);
    let broken = world.play().err();
    let (seen, digest, trace) = world.witness.into_parts();
    Outcome {
        seed,
        broken,
        seen,
        digest,
        trace,
    }
}

impl World {
    fn new(seed: u64, options: Options) -> Self {
        let script = Script::draw(seed);
        let mut random = Random::new(seed ^ 0x5157_4f52_4c44);
        let witness = Witness::new(&script, options.trace);
        let clients = script.steps.iter().enumerate();
        let clients = clients
            .map(|(step, s)| Client::new(step, s, &mut random))
            .collect();
        Self {
            now: Nanos::default(),
            agenda: Agenda::default(),
            random,
            script,
            hub: None,
            hubs: 0,
            clients,
            links: Vec::new(),
            witness,
            calm: false,
            turn: 0,
            deadline: None,
            stuck: 0,
            looks: 0,
            reuse_epoch: options.reuse_epoch,
        }
    }

    fn play(&mut self) -> Result<(), Broken> {
        self.hub_up()?;
        for client in 0..self.clients.len() {
            self.dial_soon(client);
            let soon = self.soon(Nanos::millis(20));
            self.agenda.schedule(soon, Event::Produce { client });
            self.agenda.schedule(soon, Event::Receipt { client });
            self.agenda
                .schedule(soon.after(Nanos::secs(10)), Event::Beat { client });
        }
        for (at, fault) in self.script.faults.clone() {
            self.agenda.schedule(at, Event::Fault(fault));
        }
        self.agenda.schedule(Nanos::millis(250), Event::Tick);
        self.agenda.schedule(self.script.calm_at, Event::Calm);
        let mut events = 0;
        while let Some((at, event)) = self.agenda.pop() {
            self.now = at;
            events += 1;
            self.witness.seen().events += 1;
            if events > MOST_EVENTS {
                return Err(self.broken("a world comes to an end", "too many events"));
            }
            if matches!(event, Event::Look) && self.look()? {
                return Ok(());
            }
            self.happen(event)?;
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Dial { client } => self.dial(client),
            Event::Accept { link } => self.accept(link),
            Event::ClientNotices { link } => {
                self.client_notices(link);
                Ok(())
            }
            Event::HubNotices { link } => self.hub_notices(link),
            Event::Arrive { link, way } => self.arrive(link, way),
            Event::HubWrite { link } => self.hub_write(link),
            Event::Produce { client } => {
                self.produce(client);
                Ok(())
            }
            Event::Receipt { client } => {
                self.give_receipts(client);
                Ok(())
            }
            Event::Beat { client } => {
                self.beat(client);
                Ok(())
            }
            Event::Turn { client, turn } => {
                if let Some(producer) = self.clients[client].producer.as_mut() {
                    producer.open_turn(turn);
                }
                Ok(())
            }
            Event::Tick => {
                self.agenda
                    .schedule(self.now.after(Nanos::millis(500)), Event::Tick);
                self.tick()
            }
            Event::Deadline => self.due(),
            Event::Fault(fault) => self.fault(fault),
            Event::HubUp => self.hub_up(),
            Event::Calm => self.calm(),
            Event::Look => Ok(()),
        }
    }

    /// A random moment within `span` from now.
    fn soon(&mut self, span: Nanos) -> Nanos {
        self.now.after(Nanos(self.random.between(0, span.0)))
    }

    fn broken(&self, invariant: &'static str, what: &str) -> Broken {
        Broken {
            at: self.now,
            invariant,
            what: what.to_owned(),
        }
    }

    fn tell(&mut self, fact: Fact<'_>) -> Result<(), Broken> {
        self.witness.tell(self.now, fact)
    }
}

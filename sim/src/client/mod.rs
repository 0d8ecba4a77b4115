//! The programs around the hub: what they send, what they say they got.
//!
//! Owns one [`Client`] per step. Never sees the hub but through bytes.

mod consumer;
mod producer;

pub(crate) use consumer::Consumer;
pub(crate) use producer::Producer;

use crate::draw::StepScript;
use crate::oracle::{Link, Promise};
use crate::random::Random;
use crate::time::Nanos;
use crate::wire::{self, Deframer};

/// One client process (and, after handoffs and restarts, its successors).
#[derive(Debug)]
pub(crate) struct Client {
    pub step: usize,
    pub generation: i32,
    /// Which process, from 0.
    pub life: u16,
    /// The connection that it uses.
    pub link: Option<Link>,
    /// A dial is on its way.
    pub dialing: bool,
    pub producer: Option<Producer>,
    pub consumer: Option<Consumer>,
    inbox: Deframer,
    script: StepScript,
    random: Random,
}

impl Client {
    pub(crate) fn new(step: usize, script: &StepScript, random: &mut Random) -> Self {
        let mut client = Self {
            step,
            generation: 3,
            life: 0,
            link: None,
            dialing: false,
            producer: None,
            consumer: None,
            inbox: Deframer::default(),
            script: script.clone(),
            random: random.fork(),
        };
        client.born();
        client
    }

    /// A process that knows nothing takes the place of this one. What its predecessor had not
    /// finished is gone with it; what it still meant to make, it makes.
    pub(crate) fn reborn(&mut self) {
        self.life += 1;
        let left = self.producer.as_ref().map_or(0, Producer::left);
        self.born();
        if let Some(producer) = self.producer.as_mut() {
            producer.set_left(left);
        }
    }

    fn born(&mut self) {
        let (step, life) = (self.step as u8, self.life);
        let promise = self.script.settings.promise;
        let per_partition = matches!(
            promise,
            Promise::AtLeastOnce {
                per_partition: true,
                ..
            }
        );
        self.producer = self
            .script
            .producer
            .clone()
            .map(|habits| Producer::new(step, life, habits, self.random.fork()));
        self.consumer = self
            .script
            .consumer
            .clone()
            .map(|habits| Consumer::new(habits, per_partition, self.random.fork()));
    }

    /// The `hub-producer-epoch` that it declares.
    pub(crate) fn epoch(&self) -> Option<String> {
        let producer = self.producer.as_ref()?;
        producer
            .numbers()
            .then(|| format!("e{}.{}", self.step, self.life))
    }

    /// Whether it declares `hub-accept: pause`.
    pub(crate) fn pauses(&self) -> bool {
        self.producer.as_ref().is_some_and(Producer::pauses)
    }

    /// Whether it declares `hub-accept: control`.
    pub(crate) fn acts_on_control(&self) -> bool {
        self.producer
            .as_ref()
            .is_some_and(Producer::acts_on_control)
    }

    /// It uses `link` from now on.
    pub(crate) fn connected(&mut self, link: Link) {
        self.link = Some(link);
        self.inbox = Deframer::default();
        if let Some(producer) = self.producer.as_mut() {
            producer.connected();
        }
        if let Some(consumer) = self.consumer.as_mut() {
            consumer.connected();
        }
    }

    /// Bytes came on the connection that it uses.
    pub(crate) fn read(&mut self, bytes: &[u8], now: Nanos) {
        self.inbox.feed(bytes);
        while let Some(message) = self.inbox.next_message() {
            let Some(process) = wire::process(&message) else {
                continue;
            };
            if let (Some(flow), Some(producer)) = (&process.flow, self.producer.as_mut()) {
                producer.told(flow);
            }
            let media = process.packet.filter(|p| p.tag().is_some());
            let Some(packet) = media else {
                continue;
            };
            let Some(consumer) = self.consumer.as_mut() else {
                continue;
            };
            // A translator makes one payload of each that it has not seen.
            if consumer.got(&packet, message.len() + 5, now)
                && let Some(producer) = self.producer.as_mut()
            {
                producer.set_left(producer.left() + 1);
            }
        }
    }

    /// What it still has to do, in words; empty when nothing.
    pub(crate) fn waiting(&self) -> Option<String> {
        let producer = self.producer.as_ref()?;
        let what = producer.waiting()?;
        Some(format!("{} waits: {what}", self.script.name))
    }
}

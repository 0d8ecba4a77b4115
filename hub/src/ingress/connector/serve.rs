//! Connector streams of one connection: opening them, binding Data to Control, ending both.

use std::sync::Arc;

use engine::{Bound, Generation, Registration};
use h2::RecvStream;
use h2::server::SendResponse;
use http::Request;
use tokio::task::spawn_local;
use transport_proto::names::request as names;
use transport_proto::view::Dialect;

use super::bridge::{Bridge, bridge};
use super::capabilities::Capabilities;
use super::control::ControlWakers;
use super::link::{Link, Parked, Session};
use super::{Control, named, resolve};
use crate::egress::{Chunk, Flow};
use crate::ingress::Status;
use crate::ingress::calls::Call;
use crate::ingress::connection::Connection;
use crate::ingress::peers::Seat;
use crate::ingress::registration::{accepts, check_protocol, producer_epoch, refusal_status};
use crate::ingress::request::{
    Refused, check_grpc, grpc_response, last_words, refuse, take_stream_seat,
};
use crate::plane::Wakers;

/// The connector streams of one connection.
#[derive(Default)]
pub(in crate::ingress) struct Connectors {
    link: Link,
    /// By the place that [`Call`] names.
    controls: Vec<Option<Box<Control>>>,
    free: Vec<usize>,
}

/// A Control that was taken.
struct Opened {
    session: Session,
    seat: Seat,
    /// Its place among the Controls of its connection.
    own: usize,
    wakers: ControlWakers,
    /// What it is told of its step's media.
    capabilities: Arc<Capabilities>,
}

impl Connection {
    /// Opens a Data stream. Whose it is, Control says.
    pub(in crate::ingress) fn data(
        &mut self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Chunk>,
    ) {
        // Only a batch engram names no version, and it has no Control (spec 3).
        let is_batch = !request.headers().contains_key(names::PROTOCOL);
        let seat = check_grpc(&request)
            .and_then(|()| match is_batch {
                true => Ok(()),
                false => check_protocol(request.headers()),
            })
            .and_then(|()| take_stream_seat(&self.door, &self.peer));
        let seat = match seat {
            Ok(seat) => seat,
            Err(status) => {
                return self.refuse((request, respond), status, (String::new(), Vec::new()));
            }
        };
        // At once: the client waits for these before it says anything.
        let Ok(send) = respond.send_response(grpc_response(), false) else {
            return;
        };
        if is_batch {
            let one = Bridge {
                door: self.door.clone(),
                peer: self.peer.clone(),
                deframer: self.deframer(request.headers()),
                body: request.into_body(),
                send,
                seat,
            };
            spawn_local(bridge(one, self.door.stop.clone()));
            return;
        }
        let parked = Parked {
            deframer: Box::new(self.deframer(request.headers()).parting(Dialect::Connector)),
            body: request.into_body(),
            send,
            seat,
            since: self.door.plane.now(),
        };
        if let Err(parked) = self.connectors().link.park(parked) {
            let status = Status::resource_exhausted(
                "too many Data streams of this connection wait for their Control",
            );
            self.end_parked(parked, &status);
        }
        self.pair();
    }

    /// Opens a Control stream: it says who speaks on this connection.
    pub(in crate::ingress) fn control(
        &mut self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Chunk>,
    ) {
        let binding = named(request.headers()).unwrap_or_default().to_owned();
        let place = self.streams.place();
        let opened = self.introduce(&request, place);
        let Opened {
            session,
            seat,
            own,
            wakers,
            capabilities,
        } = match opened {
            Ok(opened) => opened,
            Err(status) => {
                self.streams.give_back(place);
                let parked = self.connectors().link.take_parked();
                return self.refuse((request, respond), status, (binding, parked));
            }
        };
        let stream = session.stream.clone();
        let Ok(send) = respond.send_response(grpc_response(), false) else {
            self.streams.give_back(place);
            self.connectors().free.push(own);
            return self.door.plane.disconnect(&stream);
        };
        let deframer = Control::deframer(request.headers());
        let control = Control::open(
            (self.door.plane.clone(), stream),
            (request.into_body(), deframer, send),
            (self.heard.clone(), seat),
            wakers,
            capabilities,
        );
        self.connectors().put(own, control);
        if let Some(unused) = self.connectors().link.open(session) {
            self.streams.give_back(unused);
        }
        self.pair();
    }

    /// Registers the client of a Control whose Data will be served at `place`.
    fn introduce(&mut self, request: &Request<RecvStream>, place: usize) -> Result<Opened, Status> {
        check_grpc(request)?;
        let headers = request.headers();
        check_protocol(headers)?;
        let binding = named(headers)?;
        let (producer_epoch, accepts) = (producer_epoch(headers)?, accepts(headers));
        let bound = resolve(&self.door.plane, binding)?;
        self.connectors().link.bind(&canonical(&bound))?;
        let who = Registration {
            namespace: &bound.namespace,
            run: &bound.run,
            step: &bound.step,
            // A binding on loopback carries none (spec 3).
            generation: Generation::FIRST,
            producer_epoch,
            accepts,
        };
        let seat = take_stream_seat(&self.door, &self.peer)?;
        let own = self.connectors().place();
        let own_wakers = ControlWakers {
            read: self.calls.waker(Call::ReadControl(own)),
            write: self.calls.waker(Call::WriteControl(own)),
        };
        let wakers = Wakers {
            write: self.calls.waker(Call::Write(place)),
            read: self.calls.waker(Call::Read(place)),
            control: Some(own_wakers.write.clone()),
        };
        let registered = self.door.plane.register(who, &self.peer.name, &wakers);
        let stream = registered.map_err(|refusal| {
            self.connectors().free.push(own);
            refusal_status(&refusal)
        })?;
        self.door.registrations.note(tonic::Code::Ok);
        tracing::info!(stream = %stream.name, peer = %self.peer.name, "engram connected");
        let session = Session {
            stream,
            place: Some(place),
            wakers,
            since: self.door.plane.now(),
        };
        Ok(Opened {
            session,
            seat,
            own,
            wakers: own_wakers,
            capabilities: self.door.catalog.of(&bound),
        })
    }

    /// Serves the Data of the session, once both are there; sees to it that neither waits for ever.
    fn pair(&mut self) {
        if let Some((session, parked)) = self.connectors().link.pair() {
            let (stream, wakers) = (session.stream.clone(), session.wakers.clone());
            let Some(place) = session.place.take() else {
                return self.end_parked(parked, &Parked::late());
            };
            stream.set_carried(true);
            let carrier = (parked.body, *parked.deframer, parked.send);
            self.serve(place, stream, carrier, (parked.seat, wakers));
        }
        let calls = self.calls.clone();
        let call = move || calls.waker(Call::Overdue);
        self.connectors().link.watch(call);
    }

    /// Ends what has waited for its other half for too long.
    pub(in crate::ingress) fn overdue(&mut self) {
        let now = self.door.plane.now();
        let late = self.connectors().link.give_up(now);
        for parked in late {
            self.end_parked(parked, &Parked::late());
        }
        self.pair();
    }

    fn end_parked(&self, parked: Parked, status: &Status) {
        spawn_local(last_words(parked.end(status), self.door.stop.clone()));
    }

    /// Refuses a stream, known by its binding, and what ends with it.
    fn refuse(
        &mut self,
        (request, respond): (Request<RecvStream>, SendResponse<Chunk>),
        status: Status,
        (key, parked): (String, Vec<Parked>),
    ) {
        let refused = Refused {
            status,
            key,
            parked,
            stop: self.door.stop.clone(),
        };
        let (door, peer) = (self.door.clone(), self.peer.clone());
        spawn_local(refuse((door, peer), request, respond, refused));
    }

    /// Made for the first that comes.
    fn connectors(&mut self) -> &mut Connectors {
        self.connectors.get_or_insert_default()
    }

    pub(in crate::ingress) fn read_control(&mut self, place: usize) {
        self.each_control(place, Control::read);
    }

    pub(in crate::ingress) fn write_control(&mut self, place: usize) {
        self.each_control(place, Control::write);
    }

    fn each_control(&mut self, place: usize, work: impl FnOnce(&mut Control) -> Flow) {
        let Some(over) = self.connectors().each(place, work) else {
            return;
        };
        if let Some(unused) = self.connectors().link.close(over.stream()) {
            self.streams.give_back(unused);
        }
        if let Some(body) = over.unheard() {
            spawn_local(last_words(body, self.door.stop.clone()));
        }
    }

    /// What came before the end of the connection counts.
    pub(in crate::ingress) fn read_controls(&mut self) {
        let controls = self.connectors.as_ref().map_or(0, |c| c.controls.len());
        for place in 0..controls {
            self.read_control(place);
        }
    }
}

impl Connectors {
    fn place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.controls.push(None);
            self.controls.len() - 1
        })
    }

    fn put(&mut self, place: usize, control: Control) {
        if let Some(slot) = self.controls.get_mut(place) {
            *slot = Some(Box::new(control));
        }
    }

    /// Has `work` done on a Control, which is handed out when it is over.
    fn each(
        &mut self,
        place: usize,
        work: impl FnOnce(&mut Control) -> Flow,
    ) -> Option<Box<Control>> {
        let slot = self.controls.get_mut(place)?;
        if work(slot.as_mut()?) == Flow::Open {
            return None;
        }
        self.free.push(place);
        slot.take()
    }
}

/// One spelling for each binding: with and without a namespace it is the same.
fn canonical(bound: &Bound) -> String {
    format!("{}/{}-{}", bound.namespace, bound.run, bound.step)
}

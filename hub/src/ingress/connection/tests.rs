//! Connections on real sockets and one thread: what has come is known before any has its turn.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener as StdListener, TcpStream as StdStream};
use std::sync::mpsc;
use std::time::Instant;

use engine::{Engine, Limits, Moment};
use tokio::sync::watch;
use tokio::task::{LocalSet, yield_now};

use super::super::peers::What;
use super::super::{Catalog, Peers, Refusals, Turnstile, Watch};
use super::*;
use crate::events::{Reporter, Writer as Events};
use crate::plane::{Alarm, DataPlane, Decider};
use crate::telemetry::Registrations;

/// Longest that anything here may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// After so long a connection is quiet.
const QUIET: Duration = Duration::from_millis(100);
const MANY: usize = 100;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

fn door() -> Rc<Door> {
    let (ticks, _asked) = mpsc::channel();
    let (decider, _decisions) = Decider::new();
    let events = Events::spawn(&[], "e".into()).expect("a thread starts");
    let reporter = Reporter::new(events.outlet);
    let engine = Engine::new(Limits::default(), "e");
    let plane = Rc::new(DataPlane::new(engine, Alarm::new(ticks), decider, reporter));
    let config = Arc::new(Config::default());
    let (routes, _health) = crate::control::routes().expect("they are built in");
    Rc::new(Door {
        config: config.clone(),
        refusals: Rc::new(Refusals::new(Duration::ZERO)),
        peers: Peers::new(config.limits.clone()),
        registrations: Arc::new(Registrations::default()),
        routes,
        catalog: Catalog::default(),
        watch: Watch::new(Duration::from_secs(1)),
        turnstile: Turnstile::new(plane.clock()),
        usher: Rc::default(),
        read_ahead: Rc::default(),
        stop: watch::channel(false).1,
        plane,
    })
}

/// Both ends of a connection.
struct Pair {
    client: StdStream,
    /// The hub's end, to see what has come there.
    socket: StdStream,
    connection: Rc<RefCell<Box<Connection>>>,
}

impl Pair {
    async fn open(door: &Rc<Door>, listener: &StdListener) -> Self {
        let addr = listener.local_addr().expect("it is bound");
        let mut client = StdStream::connect(addr).expect("connected");
        let (socket, peer) = listener.accept().expect("accepted");
        client.write_all(&SETTINGS).expect("written");
        socket.set_nonblocking(true).expect("set");
        let ours = socket.try_clone().expect("cloned");
        let ours = TcpStream::from_std(ours).expect("it is watched");
        // As when it came along with the preface: the first turn finds it.
        ours.readable().await.expect("something has come");
        let seat = door.peers.seat(peer.ip(), What::Connection);
        let client_name = Peer {
            ip: peer.ip(),
            name: "client".into(),
        };
        let start = (PREFACE, ours);
        let seat = seat.expect("there is room");
        let connection = Connection::greet(door.clone(), client_name, start, seat);
        let connection = Rc::new(RefCell::new(connection.expect("greeted")));
        let pair = Self {
            client,
            socket,
            connection,
        };
        wait_for(&pair.socket);
        pair
    }

    /// What the client has got since it last looked: something.
    fn heard(&mut self) -> Vec<u8> {
        self.client.set_nonblocking(true).expect("set");
        wait_for(&self.client);
        let mut heard = vec![0; 1000];
        let len = self.client.read(&mut heard).expect("it is there");
        heard.truncate(len);
        heard
    }

    /// Its last turn was at `last`.
    fn rested_since(&self, last: Moment) {
        self.connection.borrow_mut().manners = Manners::new(last);
    }
}

/// Waits until something has come to `socket`, its end included.
fn wait_for(socket: &StdStream) {
    let until = Instant::now() + DEADLINE;
    let nothing = |peeked: std::io::Result<usize>| {
        peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    while nothing(socket.peek(&mut [0])) {
        assert!(Instant::now() < until, "nothing has come");
        std::thread::yield_now();
    }
}

/// Connections, the last of which streams, at rest.
struct Rig {
    door: Rc<Door>,
    tasks: LocalSet,
    pairs: Vec<Pair>,
    /// Whose turns there were.
    turns: Rc<RefCell<Vec<usize>>>,
}

impl Rig {
    async fn new() -> Self {
        let door = door();
        let listener = StdListener::bind("127.0.0.1:0").expect("bound");
        let mut pairs = Vec::new();
        for _ in 0..=MANY {
            pairs.push(Pair::open(&door, &listener).await);
        }
        let rig = Self {
            tasks: LocalSet::new(),
            pairs,
            turns: Rc::default(),
            door: door.clone(),
        };
        rig.tasks.spawn_local(door.usher.clone().usher());
        for (n, pair) in rig.pairs.iter().enumerate() {
            let (connection, turns) = (pair.connection.clone(), rig.turns.clone());
            rig.tasks.spawn_local(poll_fn(move |cx| {
                let mut connection = connection.borrow_mut();
                let last = connection.manners.last();
                let polled = Pin::new(&mut **connection).poll(cx);
                if connection.manners.last() != last {
                    turns.borrow_mut().push(n);
                }
                polled
            }));
        }
        let now = || door.plane.now().since(Moment::default());
        let mut before = 0;
        rig.run_until(|turns| {
            let rest = turns.len() == std::mem::replace(&mut before, turns.len());
            rest && turns.len() > MANY && now() >= QUIET
        })
        .await;
        rig.turns.borrow_mut().clear();
        for pair in &rig.pairs[..MANY] {
            pair.rested_since(Moment::default());
        }
        rig.pairs[MANY].rested_since(Moment::from_nanos(u64::MAX));
        rig
    }

    async fn run_until(&self, mut done: impl FnMut(&[usize]) -> bool) {
        let run = self.tasks.run_until(async {
            while !done(&self.turns.borrow()) {
                yield_now().await;
            }
        });
        let in_time = tokio::time::timeout(DEADLINE, run).await;
        assert!(in_time.is_ok(), "{:?}", self.turns.borrow());
    }

    /// The one that streams sends something, after all that the others did has come; who had a turn
    /// before it.
    async fn stream(&mut self) -> usize {
        for pair in &self.pairs[..MANY] {
            wait_for(&pair.socket);
        }
        let streaming = &mut self.pairs[MANY];
        streaming.client.write_all(&PING).expect("written");
        wait_for(&streaming.socket);
        self.run_until(|turns| turns.contains(&MANY)).await;
        let turns = self.turns.borrow();
        turns.iter().take_while(|&&turn| turn != MANY).count()
    }
}

#[tokio::test]
async fn quiet_connections_that_all_send_at_once_let_one_that_streams_pass_and_all_have_their_turn()
{
    let mut rig = Rig::new().await;
    for pair in &mut rig.pairs[..MANY] {
        pair.client.write_all(&PING).expect("written");
    }
    assert_eq!(rig.stream().await, 8);
    rig.run_until(|turns| (0..MANY).all(|one| turns.contains(&one)))
        .await;
}

#[tokio::test]
async fn quiet_connections_that_all_end_at_once_let_one_that_streams_pass() {
    let mut rig = Rig::new().await;
    for pair in &rig.pairs[..MANY] {
        pair.client
            .shutdown(std::net::Shutdown::Both)
            .expect("shut");
    }
    assert_eq!(rig.stream().await, 8);
}

#[tokio::test]
async fn a_connection_has_a_turn_for_what_came_and_then_rests() {
    let mut rig = Rig::new().await;
    let streaming = &mut rig.pairs[MANY];
    streaming.client.write_all(&PING).expect("written");
    wait_for(&streaming.socket);
    let mut looks = 0;
    rig.run_until(|turns| {
        looks += usize::from(!turns.is_empty());
        looks > 1000
    })
    .await;
    // One may follow in which it finds nothing more to write.
    let turns = rig.turns.borrow();
    assert!(turns.len() <= 2, "{turns:?}");
}

/// Many clients send no request before they know the hub's settings.
#[tokio::test]
async fn a_client_that_says_no_more_than_its_settings_hears_those_of_the_hub_and_that_it_has_them()
{
    let mut rig = Rig::new().await;
    let heard = rig.pairs[0].heard();
    let frames = |kind: u8, flags: u8| {
        heard
            .windows(9)
            .any(|at| at[3..] == [kind, flags, 0, 0, 0, 0])
    };
    assert!(frames(4, 0), "SETTINGS: {heard:?}");
    assert!(frames(4, 1), "their acknowledgement: {heard:?}");
}

#[tokio::test]
async fn a_connection_at_rest_hears_at_once_that_the_hub_ends_it() {
    let mut rig = Rig::new().await;
    rig.pairs[0].heard();
    rig.door.watch.stop();
    rig.run_until(|turns| (0..=MANY).all(|one| turns.iter().filter(|&&t| t == one).count() > 1))
        .await;
    let heard = rig.pairs[0].heard();
    assert_eq!(heard[3], 7, "GOAWAY: {heard:?}");
}

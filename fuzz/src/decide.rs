//! Arbitrary packets under everything that Stories may ask of them (spec 2.3, 4).
//!
//! Whatever a packet holds: it is decided on, to the same each time, and what an edge changes in it
//! gives a packet that is well formed, whose Structs and JSON frame agree, and whose other fields
//! are the bytes that came.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use engine::StepIndex;
use engine::decide::{Arrived, Change, Meeting, Question, StepPrograms, Verdict};
use expr::json::{self, Style};
use expr::{Surroundings, Value, structs};
use transport_proto::envelope_json::member;
use transport_proto::names::mime;
use transport_proto::splice::{Cut, Kept};
use transport_proto::view::{Dialect, PacketView};

const STORIES: &str = include_str!("../stories/decide.yaml");
/// Longest text of what went wrong, in bytes.
const MOST_WORDS: usize = 512;

/// The first three bytes pick the step, what the packet meets and how much of the rest is a packet
/// that came before it; what follows is the packet.
pub fn decide(data: &[u8]) {
    let [which, meets, len, rest @ ..] = data else {
        return;
    };
    let asked = asked();
    let Some(programs) = asked.get(usize::from(*which) % asked.len()) else {
        return;
    };
    let (other, packet) = rest.split_at(rest.len().min(usize::from(*len)));
    let Ok(view) = PacketView::parse(packet, Dialect::Packet) else {
        return;
    };
    let meetings = meetings(*meets, other);
    let question = Question {
        packet,
        view: &view,
        meetings: &meetings,
        surroundings: &Surroundings {
            now_nanos: 1_715_000_000_000_000_000,
            seed: 7,
        },
    };
    let decided = programs.decide(&question);
    let again = programs.decide(&question);
    assert_eq!(
        format!("{decided:?}"),
        format!("{again:?}"),
        "the same twice"
    );
    for verdict in &decided.edges {
        match verdict {
            Verdict::Taken(change) => taken(change, packet, &view),
            Verdict::Dropped(_, why) => assert!(why.len() <= MOST_WORDS, "{why}"),
            Verdict::NotTaken | Verdict::Waits => {}
        }
    }
}

/// The programs of every step of the Stories that asks for anything.
fn asked() -> &'static [StepPrograms] {
    static ASKED: OnceLock<Vec<StepPrograms>> = OnceLock::new();
    ASKED.get_or_init(|| {
        let options = hub::story::LoadOptions::default();
        let stories = hub::story::load_str("decide.yaml", STORIES, &options);
        let snapshot = stories.expect("the Stories load").snapshot;
        let config = hub::config::Config::default();
        let plans = snapshot
            .runs
            .iter()
            .map(|run| hub::app::run_plan(&config, run).expect("inputs that fit"));
        let of = |plan| (0..64).filter_map(move |step| StepPrograms::of(&plan, StepIndex(step)));
        let asked: Vec<_> = plans.flat_map(of).collect();
        assert!(asked.len() >= 4, "the Stories ask for something");
        asked
    })
}

/// What the packet meets on each edge; two bits of `meets` an edge, over and over.
fn meetings(meets: u8, other: &[u8]) -> Vec<Meeting> {
    let arrived = Arrived::new("b", Bytes::copy_from_slice(other));
    let others: Vec<_> = arrived.into_iter().map(Arc::new).collect();
    (0..16)
        .map(|edge| match meets.rotate_right(edge * 2) & 3 {
            0 => Meeting::None,
            1 => Meeting::Wait,
            2 => Meeting::Absorbed,
            _ => Meeting::Fire(others.clone()),
        })
        .collect()
}

fn taken(change: &Change, packet: &[u8], view: &PacketView) {
    let out = change.applied(packet, view);
    if change.is_none() {
        assert_eq!(out, packet, "what is not changed stays");
    }
    let after = match PacketView::parse(&out, Dialect::Packet) {
        Ok(after) => after,
        Err(error) => panic!("the changed packet is none: {error}"),
    };
    let cut = Cut {
        inputs: change.replaces_inputs(),
        payload: change.replaces_payload(),
        frame: change.replaces_frame(),
        ..Cut::default()
    };
    assert_eq!(
        rest(packet, view, &cut),
        rest(&out, &after, &cut),
        "the other fields stay"
    );
    assert!(change.partition().is_none_or(|name| !name.is_empty()));
    if change.replaces_frame() {
        assert_eq!(view.mime_type(packet), after.mime_type(&out));
        assert_eq!(view.timestamp_ms(), after.timestamp_ms());
    }
    let had = view.payload_ranges().next().is_some();
    if change.replaces_payload() && had {
        let now = sole(&out, after.payload_ranges());
        assert!(now.is_some(), "a payload in a Struct stays in one");
    }
    agree(change, (&out, &after));
}

fn rest(packet: &[u8], view: &PacketView, cut: &Cut<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    Kept::of(packet, view, cut).copy_to(packet, &mut out);
    out
}

/// What is new in the Structs, the JSON frame says too.
fn agree(change: &Change, (packet, view): (&[u8], &PacketView)) {
    let payload = sole(packet, view.payload_ranges());
    let inputs = sole(packet, view.inputs_ranges());
    if change.replaces_inputs() {
        assert!(inputs.is_some(), "new inputs are in one Struct");
    }
    let is_whole = !view.envelope().is_some_and(|envelope| envelope.is_chunk());
    let media = view.frame_view().map(|frame| &packet[frame.media()]);
    let (Some(media), Some(kind), true) = (media, view.mime_type(packet), is_whole) else {
        assert!(!change.replaces_frame(), "there is no JSON frame");
        return;
    };
    if kind != mime::PACKET_JSON {
        if change.replaces_frame() {
            let raw = json::parse(media).expect("the frame is JSON");
            assert!(raw.as_map().is_some(), "the payload is an object");
        }
        return;
    }
    let documents = [
        ("payload", change.replaces_payload(), payload),
        ("inputs", change.replaces_inputs(), inputs),
    ];
    for (name, is_new, body) in documents {
        if is_new {
            let at = member(media, name).expect("the envelope says it too");
            let said = json::parse(&media[at]).expect("JSON");
            let body = structs::decode(body.expect("one Struct"));
            assert_eq!(text(&said), text(&Value::Map(body)), "{name} agrees");
        }
    }
}

/// The only occurrence of a field.
fn sole(packet: &[u8], mut ranges: impl Iterator<Item = Range<usize>>) -> Option<&[u8]> {
    let first = ranges.next()?;
    ranges.next().is_none().then(|| &packet[first])
}

fn text(value: &Value<'_>) -> String {
    let style = Style {
        indented: false,
        html_safe: false,
    };
    let mut out = Vec::new();
    json::write(value, style, &mut out).expect("JSON");
    String::from_utf8(out).expect("UTF-8")
}

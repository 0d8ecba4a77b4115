//! The JSON envelope in a frame: what receivers cannot decode, or take for something that they
//! refuse, never reaches one.

use serde_json::json;

use super::oracle::ENVELOPE;
use super::shapes::{Packet, Shape, binary, object};
use super::world::World;
use super::{Neighbours, assert_told_apart};

pub fn said(text: &[u8]) -> Packet {
    Packet {
        frame: Some(transport_proto::v1::data_packet::Frame::Binary(binary(
            text, ENVELOPE,
        ))),
        ..Packet::default()
    }
}

/// Envelopes that are taken, and those beside them that are not.
const TEXTS: [(&str, &str); 38] = [
    ("{}", "{"),
    (" {} ", "{}{}"),
    (r#"{"kind":"data"}"#, r#"{"kind":"data",}"#),
    (r#"{"kind":"k.k"}"#, r#"{"kind":"k k"}"#),
    (r#"{"kind":null,"payload":1}"#, r#"{"kind":1}"#),
    (r#"{"kind":"k"}"#, r#"{"kind":["k"]}"#),
    (r#"{"KIND":"k"}"#, r#"{"KIND":"k k"}"#),
    (r#"{"k\u0069nd":"k"}"#, r#"{"k\u0069nd":"k k"}"#),
    (r#"{"kind":"\u006b"}"#, r#"{"kind":"k\ud800"}"#),
    (
        r#"{"kind":"k k","kind":"k"}"#,
        r#"{"kind":"k","kind":"k k"}"#,
    ),
    (
        r#"{"kind":"k","kind":null}"#,
        r#"{"kind":"k k","kind":null}"#,
    ),
    ("{\"\u{212a}ind\":\"k\"}", "{\"\u{212a}ind\":\"k k\"}"),
    (r#"{"version":"v2"}"#, r#"{"version":2}"#),
    (r#"{"messageId":"m"}"#, r#"{"messageId":{}}"#),
    (r#"{"timestampMs":0}"#, r#"{"timestampMs":-1}"#),
    (
        r#"{"timestampMs":9223372036854}"#,
        r#"{"timestampMs":9223372036855}"#,
    ),
    (r#"{"timestampMs":1}"#, r#"{"timestampMs":1.5}"#),
    (r#"{"timestampMs":1000}"#, r#"{"timestampMs":1e3}"#),
    (r#"{"timestampMs":null}"#, r#"{"timestampMs":"1"}"#),
    ("{\"time\u{17f}tampMs\":1}", "{\"time\u{17f}tampMs\":-1}"),
    (
        r#"{"timestampMs":1,"payload":{}}"#,
        r#"{"timestampMs":18446744073709551615}"#,
    ),
    (r#"{"metadata":{"a":"b"}}"#, r#"{"metadata":{"a":1}}"#),
    (r#"{"metadata":null}"#, r#"{"metadata":[]}"#),
    (r#"{"metadata":{"a":null}}"#, r#"{"metadata":{"a":{}}}"#),
    (r#"{"transports":[]}"#, r#"{"transports":{}}"#),
    (r#"{"transports":[null]}"#, r#"{"transports":[1]}"#),
    (
        r#"{"transports":[{"name":"t"}]}"#,
        r#"{"transports":[{"name":1}]}"#,
    ),
    (
        r#"{"transports":[{"typedConfig":{}}]}"#,
        r#"{"transports":[{"typedConfig":[]}]}"#,
    ),
    (
        r#"{"transports":[{"typedConfig":{"transportRef":"r"}}]}"#,
        r#"{"transports":[{"TypedConfig":{"ModeReason":1}}]}"#,
    ),
    (
        r#"{"transports":[{},{},{},{},{},{},{},{},{},{}]}"#,
        r#"{"transports":[{},{},{},{},{},{},{},{},{},{},{}]}"#,
    ),
    (r#"{"payload":0}"#, r#"{"payload":00}"#),
    (r#"{"payload":[true]}"#, r#"{"payload":[tru]}"#),
    (r#"{"payload":"\\"}"#, r#"{"payload":"\x"}"#),
    (r#"{"payload":"\t"}"#, "{\"payload\":\"\t\"}"),
    (r#"{"inputs":{"a":{}}}"#, r#"{"inputs":NaN}"#),
    (r#"{"inputs":[1,2]}"#, r#"{"inputs":[1 2]}"#),
    (r#"{"a":1}"#, "\u{feff}{\"a\":1}"),
    (r#"{"a":1}"#, r#"["a",1]"#),
];

/// Envelopes, each beside one that is refused, and what is done to the packets that they are in.
pub fn beside(with: impl Fn(&mut Packet, usize)) -> Vec<Neighbours> {
    let mut nth = 0;
    let mut packet = |text: &[u8]| {
        let mut packet = said(text);
        nth += 1;
        with(&mut packet, nth);
        vec![packet]
    };
    let mut all = Vec::new();
    for (keeps, breaks) in TEXTS {
        all.push(Neighbours {
            name: format!("{breaks} beside {keeps}"),
            keeps: packet(keeps.as_bytes()),
            breaks: packet(breaks.as_bytes()),
        });
    }
    all.push(Neighbours {
        name: "a kind that is no UTF-8".to_owned(),
        keeps: packet(b"{\"payload\":\"\xff\"}"),
        breaks: packet(b"{\"kind\":\"\xff\"}"),
    });
    all
}

#[tokio::test]
async fn envelopes_that_cannot_be_read_are_told_from_those_that_can() {
    let mut world = World::start().await;
    assert_told_apart(&mut world, &beside(|_, _| {})).await;
}

#[tokio::test]
async fn whatever_a_packet_says_of_its_kind_no_engram_gets_what_it_refuses() {
    let mut world = World::start().await;
    let kinds = [
        r#""kind":"error""#,
        r#""kind":"ERROR","kind":null"#,
        r#""Kind":"\u0065rror""#,
        r#""kind":" error ""#,
        r#""kind":"noop""#,
        r#""kind":"heartbeat","kind":null"#,
        r#""kind":"data","KIND":"Noop""#,
        r#""kind":" noop""#,
        r#""kind":"hook""#,
    ];
    let named = [
        None,
        Some(""),
        Some(" "),
        Some("data"),
        Some("error"),
        Some("noop"),
        Some(" error"),
    ];
    let types = [
        ENVELOPE,
        "Application/Vnd.Bubu.Packet+JSON",
        "application/vnd.bubu.packet+json; charset=utf-8",
        "application/vnd.bubu.packet+json ",
    ];
    for kind in kinds {
        for name in named {
            for media_type in types {
                for more in [
                    "",
                    r#","payload":{"a":1}"#,
                    r#","payload":null"#,
                    r#","payload":[1]"#,
                ] {
                    for with_struct in [false, true] {
                        let text = format!("{{{kind}{more}}}");
                        let mut packet = said(text.as_bytes());
                        super::shapes::on_binary(&mut packet, |b| b.mime_type = media_type.into());
                        let named = name.map(|name| ("bubu.envelope.kind", name));
                        packet.metadata = crate::engram::owned(named.as_slice());
                        packet.payload = with_struct.then(|| object("a", "b"));
                        let label = format!("{name:?} {text} {media_type} {with_struct}");
                        world.say(&label, &[packet]);
                    }
                }
            }
        }
        world.say("mark", &[Shape::Binary.packet(1)]);
        for sink in &mut world.sinks {
            sink.until("mark").await;
        }
    }
}

#[tokio::test]
async fn an_error_arrives_with_its_payload_in_the_struct_alone() {
    let mut world = World::start().await;
    let text = json!({"kind": "error", "payload": {"message": "no"}}).to_string();
    let texts = [text.clone(), text.replace("}}", "},\"kind\":null}")];
    for text in &texts {
        world.say("error", &[said(text.as_bytes())]);
    }
    world.say("mark", &[Shape::Binary.packet(1)]);
    for sink in &mut world.sinks {
        let got = sink.until("mark").await;
        assert_eq!(got.len(), texts.len(), "{}", sink.step);
        for message in got {
            assert_eq!(message.payload, Some(object("message", "no")));
        }
    }
}

#[tokio::test]
async fn what_calls_itself_a_heartbeat_or_a_noop_comes_without_its_frame() {
    let mut world = World::start().await;
    for shape in super::shapes::ALL {
        for size in super::SIZES {
            for kind in ["noop", "NOOP", "heartbeat", "HeartBeat"] {
                let mut packet = shape.packet(size);
                let key = "bubu.envelope.kind".to_owned();
                packet.metadata.insert(key, kind.to_owned());
                world.say("quiet", &[packet]);
            }
        }
        world.say("mark", &[Shape::Binary.packet(1)]);
        for sink in &mut world.sinks {
            for message in sink.until("mark").await {
                assert_eq!(message.frame, None, "{shape:?}");
            }
        }
    }
}

//! The rules: for each the last packet that keeps it and the first that breaks it.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use transport_proto::v1;

use super::shapes::{
    ALL, CODED, FRAMED, MEDIA, PICTURES, PLAIN, Packet, READ, SAYING, STRUCTURED, Shape,
    clear_media, holding, on_audio, on_binary, on_envelope, on_video, set_codec, set_time,
};

/// What makes a packet of some shapes keep a rule, or break it (`true`).
pub struct Rule {
    pub name: &'static str,
    pub shapes: &'static [Shape],
    pub edit: Box<dyn Fn(&mut Packet, bool)>,
}

fn rule(
    name: &'static str,
    shapes: &'static [Shape],
    edit: impl Fn(&mut Packet, bool) + 'static,
) -> Rule {
    let edit = Box::new(edit);
    Rule { name, shapes, edit }
}

/// A rule of one text: the packet that has `keeps` keeps it, the one that has `breaks` breaks it.
fn texts(
    name: &'static str,
    shapes: &'static [Shape],
    (keeps, breaks): (String, String),
    put: impl Fn(&mut Packet, &str) + 'static,
) -> Rule {
    rule(name, shapes, move |packet, is_broken| {
        put(packet, if is_broken { &breaks } else { &keeps });
    })
}

/// Texts of `most` characters and of one more.
fn up_to(most: usize) -> (String, String) {
    ("é".repeat(most), "é".repeat(most + 1))
}

fn pair(keeps: &str, breaks: &str) -> (String, String) {
    (keeps.to_owned(), breaks.to_owned())
}

/// A rule of one number.
fn numbers<N: Copy + 'static>(
    name: &'static str,
    shapes: &'static [Shape],
    (keeps, breaks): (N, N),
    put: impl Fn(&mut Packet, N) + 'static,
) -> Rule {
    rule(name, shapes, move |packet, is_broken| {
        put(packet, if is_broken { breaks } else { keeps });
    })
}

/// Metadata until there are `most` pairs.
pub fn fill(packet: &mut Packet, most: usize) {
    for nth in packet.metadata.len()..most {
        packet.metadata.insert(format!("filler-{nth}"), "v".into());
    }
}

/// What the hub itself adds (spec 2.3), and the label that tests tell packets by.
const OWN: usize = 3;
const LABEL: usize = 1;

pub fn all() -> Vec<Rule> {
    let mut rules = metadata();
    rules.extend(transports());
    rules.extend(audio());
    rules.extend(pictures());
    rules.extend(frames());
    rules.extend(documents());
    rules
}

fn metadata() -> Vec<Rule> {
    let key = |packet: &mut Packet, key: &str| {
        packet.metadata.insert(key.to_owned(), "v".into());
    };
    let value = |packet: &mut Packet, value: &str| {
        packet.metadata.insert("key".into(), value.to_owned());
    };
    let kind = |packet: &mut Packet, kind: &str| {
        let key = "bubu.envelope.kind".to_owned();
        packet.metadata.insert(key, kind.to_owned());
    };
    let most = 100 - OWN - LABEL;
    vec![
        numbers("pairs", ALL, (most, 101 - LABEL), fill),
        numbers("pairs with the hub's", ALL, (most, most + 1), fill),
        rule(
            "pairs of which the hub writes some anew",
            ALL,
            move |packet, is_broken| {
                for own in ["storyrun-name", "storyrun-namespace", "current-step-id"] {
                    packet.metadata.insert(own.into(), "old".into());
                }
                fill(packet, 100 - LABEL + usize::from(is_broken));
            },
        ),
        texts("a key's length", ALL, up_to(128), key),
        texts("an empty key", ALL, pair("k", ""), key),
        texts("space before a key", ALL, pair("k k", " k"), key),
        texts("space after a key", ALL, pair("k\tk", "k\t"), key),
        texts("wide space around a key", ALL, pair("k", "\u{3000}k"), key),
        texts(
            "no-break space after a key",
            ALL,
            pair("k\u{200b}", "k\u{a0}"),
            key,
        ),
        texts("a value's length", ALL, up_to(1024), value),
        texts(
            "space in a kind",
            PLAIN,
            pair("my.own-kind_1", "my kind"),
            kind,
        ),
        texts("letters of a kind", PLAIN, pair("Kind", "kïnd"), kind),
        texts("a mark in a kind", PLAIN, pair("k.k", "k/k"), kind),
        texts(
            "an error with a media frame",
            MEDIA,
            pair("data", "Error"),
            kind,
        ),
        texts("a stream's id", ALL, up_to(128), |p, id| {
            on_envelope(p, |e| e.stream_id = id.into());
        }),
        texts("a partition", ALL, up_to(128), |p, id| {
            on_envelope(p, |e| e.partition = id.into());
        }),
    ]
}

fn transports() -> Vec<Rule> {
    let one = |edit: fn(&mut v1::TransportDescriptor, &str)| {
        move |packet: &mut Packet, text: &str| {
            let mut transport = v1::TransportDescriptor::default();
            edit(&mut transport, text);
            packet.transports.push(transport);
        }
    };
    let config = |edit: fn(&mut v1::TransportConfig, &str)| {
        move |packet: &mut Packet, text: &str| {
            let mut config = v1::TransportConfig::default();
            edit(&mut config, text);
            packet.transports.push(v1::TransportDescriptor {
                typed_config: Some(config),
                ..v1::TransportDescriptor::default()
            });
        }
    };
    vec![
        numbers("transports", ALL, (10_usize, 11), |packet, many| {
            let transport = v1::TransportDescriptor {
                name: "t".into(),
                ..v1::TransportDescriptor::default()
            };
            packet.transports = vec![transport; many];
        }),
        texts(
            "a transport's name",
            ALL,
            up_to(128),
            one(|t, text| t.name = text.into()),
        ),
        texts(
            "a transport's kind",
            ALL,
            up_to(128),
            one(|t, text| t.kind = text.into()),
        ),
        texts(
            "a transport's mode",
            ALL,
            up_to(128),
            one(|t, text| t.mode = text.into()),
        ),
        texts(
            "a reference",
            ALL,
            up_to(253),
            config(|c, text| c.transport_ref = text.into()),
        ),
        texts(
            "a reason",
            ALL,
            up_to(512),
            config(|c, text| c.mode_reason = text.into()),
        ),
    ]
}

fn audio() -> Vec<Rule> {
    let shapes = &[Shape::Audio];
    let rate = |p: &mut Packet, rate| on_audio(p, |a| a.sample_rate_hz = rate);
    let channels = |p: &mut Packet, many| on_audio(p, |a| a.channels = many);
    vec![
        numbers("a low rate", shapes, (8000, 7999), rate),
        numbers("a high rate", shapes, (192_000, 192_001), rate),
        numbers("no rate", shapes, (8000, 0), rate),
        numbers("a rate below nothing", shapes, (8000, -16_000), rate),
        numbers("no channel", shapes, (1, 0), channels),
        numbers("many channels", shapes, (8, 9), channels),
        numbers("channels below nothing", shapes, (8, -1), channels),
    ]
}

fn pictures() -> Vec<Rule> {
    let width = |p: &mut Packet, width| on_video(p, |v| v.width = width);
    let height = |p: &mut Packet, height| on_video(p, |v| v.height = height);
    vec![
        numbers("a picture's width", PICTURES, (16_384, 16_385), width),
        numbers("a picture's height", PICTURES, (16_384, 16_385), height),
        numbers("a raw picture's width", &[Shape::Raw], (1, 0), width),
        numbers("a raw picture's height", &[Shape::Raw], (1, 0), height),
        texts("no codec", &[Shape::Video], pair("v", ""), set_codec),
        rule(
            "no codec and not raw",
            &[Shape::Raw],
            |packet, is_broken| {
                on_video(packet, |v| v.raw = !is_broken);
            },
        ),
    ]
}

fn frames() -> Vec<Rule> {
    const LATEST: u64 = 9_223_372_036_854;
    let media_type = |p: &mut Packet, text: &str| on_binary(p, |b| b.mime_type = text.into());
    let only = &[Shape::Binary];
    let long = |len: usize| format!("a/{}", "b".repeat(len - 2));
    vec![
        texts("a codec's length", CODED, up_to(32), set_codec),
        texts(
            "space before a codec",
            CODED,
            pair("v p8", " vp8"),
            set_codec,
        ),
        texts(
            "space after a codec",
            CODED,
            pair("vp8", "vp8\n"),
            set_codec,
        ),
        texts(
            "a codec of space alone",
            CODED,
            pair("x", "\u{2003}"),
            set_codec,
        ),
        numbers("a frame's time", FRAMED, (LATEST, LATEST + 1), set_time),
        numbers("a time past 63 bits", FRAMED, (LATEST, 1 << 63), set_time),
        numbers(
            "a time that says nothing",
            FRAMED,
            (LATEST, u64::MAX),
            set_time,
        ),
        rule("a frame without bytes", MEDIA, |packet, is_broken| {
            if is_broken {
                clear_media(packet);
            }
        }),
        rule(
            "an envelope without bytes",
            STRUCTURED,
            |packet, is_broken| {
                if is_broken {
                    clear_media(packet);
                }
            },
        ),
        texts(
            "a media type's length",
            only,
            (long(255), long(256)),
            media_type,
        ),
        texts(
            "three parts of a media type",
            only,
            pair("a/b", "a/b/c"),
            media_type,
        ),
        texts("no subtype", only, pair("a", "a/"), media_type),
        texts("no type", only, pair("*/*", "/b"), media_type),
        texts(
            "space in a media type",
            only,
            pair("a-b/c", "a b/c"),
            media_type,
        ),
        texts(
            "a letter in a media type",
            only,
            pair("a/c", "a/ç"),
            media_type,
        ),
        texts(
            "a parameter without value",
            only,
            pair("a/b; c=d", "a/b; c"),
            media_type,
        ),
        texts(
            "a parameter twice",
            only,
            pair("a/b; c=1; d=1", "a/b; c=1; c=1"),
            media_type,
        ),
        texts(
            "a quote that is open",
            only,
            pair("a/b; c=\"d\"", "a/b; c=\"d"),
            media_type,
        ),
        texts("two ends", only, pair("a/b;", "a/b;;"), media_type),
    ]
}

/// Structs that are read, and what JSON cannot say in them.
fn documents() -> Vec<Rule> {
    let number = |number| Some(Kind::NumberValue(number));
    let nested = |kind: Option<Kind>| {
        let list = ListValue {
            values: vec![Value { kind: number(1.0) }, Value { kind }],
        };
        let list = holding("list", Some(Kind::ListValue(list)));
        holding("deep", Some(Kind::StructValue(list)))
    };
    let payload: fn(&mut Packet, Struct) = |packet, body| packet.payload = Some(body);
    let inputs: fn(&mut Packet, Struct) = |packet, body| packet.inputs = Some(body);
    let mut rules = Vec::new();
    // Of a packet without a frame the hub makes JSON, in which what is nothing is null.
    for (shapes, framed, put) in [(READ, CODED, payload), (SAYING, FRAMED, inputs)] {
        let mut add = |name, shapes, keeps: Struct, breaks: Struct| {
            rules.push(rule(name, shapes, move |packet, is_broken| {
                let body = if is_broken { &breaks } else { &keeps };
                put(packet, body.clone());
            }));
        };
        let zero = || holding("a", number(-0.0));
        add("no number", shapes, zero(), holding("a", number(f64::NAN)));
        add(
            "a number without end",
            shapes,
            zero(),
            holding("a", number(f64::INFINITY)),
        );
        add(
            "one below all",
            shapes,
            zero(),
            holding("a", number(f64::NEG_INFINITY)),
        );
        add(
            "a value that is none",
            framed,
            holding("a", Some(Kind::NullValue(0))),
            holding("a", None),
        );
        add(
            "deep inside",
            shapes,
            nested(number(f64::MAX)),
            nested(number(f64::NAN)),
        );
        add(
            "none deep inside",
            framed,
            nested(Some(Kind::BoolValue(false))),
            nested(None),
        );
    }
    rules
}

//! The rules of frames, media types and Structs.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use super::rules::{Rule, numbers, pair, rule, texts, up_to};
use super::shapes::{
    CODED, FRAMED, MEDIA, PICTURES, Packet, READ, SAYING, STRUCTURED, Shape, clear_media, holding,
    on_audio, on_binary, on_video, set_codec, set_time,
};

pub fn audio() -> Vec<Rule> {
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

pub fn pictures() -> Vec<Rule> {
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

pub fn frames() -> Vec<Rule> {
    const LATEST: u64 = 9_223_372_036_854;
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
    ]
}

pub fn media_types() -> Vec<Rule> {
    let media_type = |p: &mut Packet, text: &str| on_binary(p, |b| b.mime_type = text.into());
    let only = &[Shape::Binary];
    let long = |len: usize| format!("a/{}", "b".repeat(len - 2));
    vec![
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
pub fn documents() -> Vec<Rule> {
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

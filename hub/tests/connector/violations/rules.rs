//! The rules: for each the last packet that keeps it and the first that breaks it.

use transport_proto::v1;

use super::frames::{audio, documents, frames, media_types, pictures};
use super::shapes::{ALL, MEDIA, PLAIN, Packet, Shape, on_envelope};

/// What makes a packet of some shapes keep a rule, or break it (`true`).
pub struct Rule {
    pub name: &'static str,
    pub shapes: &'static [Shape],
    pub edit: Box<Edit>,
}

type Edit = dyn Fn(&mut Packet, bool);

pub fn rule(
    name: &'static str,
    shapes: &'static [Shape],
    edit: impl Fn(&mut Packet, bool) + 'static,
) -> Rule {
    let edit = Box::new(edit);
    Rule { name, shapes, edit }
}

/// A rule of one text: the packet that has `keeps` keeps it, the one that has `breaks` breaks it.
pub fn texts(
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
pub fn up_to(most: usize) -> (String, String) {
    ("é".repeat(most), "é".repeat(most + 1))
}

pub fn pair(keeps: &str, breaks: &str) -> (String, String) {
    (keeps.to_owned(), breaks.to_owned())
}

/// A rule of one number.
pub fn numbers<N: Copy + 'static>(
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
    rules.extend(media_types());
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

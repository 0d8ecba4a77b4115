//! What mutation begins with.

use std::fs;
use std::path::Path;

use prost::Message;
use transport_proto::v1;

/// Inputs for the target of that name.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "story" => stories(),
        "view" => packets().iter().map(Message::encode_to_vec).collect(),
        "process_request" => packets().into_iter().map(request).collect(),
        "envelope" => packets()
            .iter()
            .filter_map(|packet| Some(packet.envelope.as_ref()?.encode_to_vec()))
            .collect(),
        "envelope_json" => envelopes(),
        "template" => expressions(),
        "cel" => in_cel(),
        "decide" => decided(),
        _ => operations(),
    }
}

/// Story files of the repository, where they are at hand.
fn stories() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [
        "conformance/stories/loads",
        "conformance/stories/refused",
        "deploy/stories",
    ];
    let mut files: Vec<_> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(root.join(folder)).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    files
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .collect()
}

/// Expressions of the vectors and of Story files, where they are at hand: texts as they are, other
/// values as JSON.
fn expressions() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let vectors = root.join("conformance/vectors/expressions.jsonl");
    let vectors = fs::read_to_string(vectors).unwrap_or_default();
    let cases = vectors.lines().filter_map(|line| {
        let case: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(match case.get("expr")? {
            serde_json::Value::String(text) => text.clone().into_bytes(),
            other => other.to_string().into_bytes(),
        })
    });
    let mut all: Vec<_> = cases.collect();
    for story in stories() {
        let text = String::from_utf8_lossy(&story).into_owned();
        let lines = text.lines().filter(|line| line.contains("{{"));
        all.extend(lines.filter_map(|line| {
            let (from, to) = (line.find("{{")?, line.rfind("}}")?);
            Some(line.get(from..to + 2)?.as_bytes().to_vec())
        }));
    }
    all
}

/// CEL, and what templates and CEL may share.
fn in_cel() -> Vec<Vec<u8>> {
    let texts = [
        r#"{{ packet.metadata.lang == "de" && packet.n > 2 }}"#,
        "{{ packet.users.filter(u, u.age > 30).map(u, u.name) }}",
        "{{ packet.items.exists(i, i == 'b') || !has(packet.nowhere) }}",
        "<speak>{{ packet.text }} ({{ packet.metadata['participant.id'] }})</speak>",
        "{{ packet.obj.c.e[2].f + string(packet.n) }}",
        "{{ {'a': [1, 2u, 3.5, b'x', null], packet.s: steps.stt.text} }}",
        "{{ packet.text.startsWith('Hello') ? size(packet.items) : -1 }}",
        "{{ packet.text.matches('^H.*d$') }}",
        "{{ duration('1h30m') < duration('2h') }}",
        "{{ timestamp(packet.when).getFullYear() }}",
        "{{ packet.nums.all(x, x > 0.0) && inputs.flags.debug }}",
        "{{ int(packet.s) % 2 * 7 - 3 / 2 }}",
        "{{ double(packet.pi) >= 3.14 && 'a' in packet.o }}",
        "{{ steps['my-step'].x in [1, 2, 3] }}",
        "{{ packet.text.contains('world') && packet.audio.sample_rate_hz == 16000.0 }}",
        "{{ packet.?nowhere.orValue('x') }}",
        "{{ max(1, 2, packet.n) }}",
        "{{ packet.words.split(' ').map(w, w + '!') }}",
        r#"{"a": "{{ packet.l[0] }}", "$bubuTemplate": "x + 1", "$bubuTemplateVars": {"x": 1}}"#,
    ];
    let mut all: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    // Most of these are paths, which mean the same in both.
    all.extend(expressions().into_iter().take(200));
    all
}

fn packets() -> Vec<v1::DataPacket> {
    let envelope = v1::StreamEnvelope {
        stream_id: "ns/r/a@1".to_owned(),
        sequence: 300,
        partition: "p1".to_owned(),
        chunk_id: "c".to_owned(),
        chunk_index: 1,
        chunk_count: 3,
        chunk_bytes: 4,
        total_bytes: 12,
    };
    let metadata = |n: usize| {
        (0..n)
            .map(|n| (format!("key{n}"), "value".repeat(n)))
            .collect()
    };
    let binary = v1::data_packet::Frame::Binary(v1::BinaryFrame {
        payload: vec![1, 2, 3, 4].into(),
        mime_type: "application/x".to_owned(),
        timestamp_ms: 1_700_000_000_000,
    });
    let audio = v1::data_packet::Frame::Audio(v1::AudioFrame {
        pcm: vec![0; 32].into(),
        sample_rate_hz: 16_000,
        channels: 1,
        ..v1::AudioFrame::default()
    });
    vec![
        v1::DataPacket::default(),
        v1::DataPacket {
            metadata: metadata(3),
            frame: Some(binary),
            envelope: Some(envelope.clone()),
            ..v1::DataPacket::default()
        },
        v1::DataPacket {
            metadata: metadata(1),
            frame: Some(audio),
            envelope: Some(v1::StreamEnvelope {
                sequence: u64::MAX,
                ..envelope
            }),
            ..v1::DataPacket::default()
        },
    ]
}

/// Packets with documents of all kinds, before each step, meeting nobody or another of them.
fn decided() -> Vec<Vec<u8>> {
    let documents = documents();
    let mut all = Vec::new();
    for (n, packet) in documents.iter().enumerate() {
        for which in 0..8 {
            let bytes = packet.encode_to_vec();
            all.push([&[which, 0, 0], &*bytes].concat());
            let other = documents[(n + 1) % documents.len()].encode_to_vec();
            if let Ok(len) = u8::try_from(other.len()) {
                all.push([&[which, 0b1110_0100, len], &*other, &*bytes].concat());
            }
        }
    }
    all
}

fn documents() -> Vec<v1::DataPacket> {
    let object = |json: &str| -> Option<prost_types::Struct> {
        let value = expr::json::parse(json.as_bytes())?;
        let mut body = bytes::BytesMut::new();
        expr::structs::encode(&value, &mut body).ok()?;
        Message::decode(&*body).ok()
    };
    let payload = r#"{"text": "Hi", "n": 3, "ok": true, "user": {"id": 7}, "items": ["a", "b"]}"#;
    let inputs = r#"{"text": "before", "deep": {"l": [1, null]}}"#;
    let metadata = [("lang", "de"), ("bubu.join.key", "1")];
    let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let base = v1::DataPacket {
        metadata: metadata.into(),
        ..v1::DataPacket::default()
    };
    let framed = |kind: &str, json: String| {
        Some(v1::data_packet::Frame::Binary(v1::BinaryFrame {
            payload: json.into(),
            mime_type: kind.to_owned(),
            timestamp_ms: 40,
        }))
    };
    let envelope = format!(
        r#"{{"kind":"data","metadata":{{"x":"y"}},"payload":{payload},"inputs":{inputs},"more":[]}}"#
    );
    let structs = v1::DataPacket {
        payload: object(payload),
        inputs: object(inputs),
        ..base.clone()
    };
    let json = "application/vnd.bubu.packet+json";
    let mut all = vec![
        v1::DataPacket {
            frame: framed(json, envelope.clone()),
            ..structs.clone()
        },
        v1::DataPacket {
            frame: framed(json, envelope),
            ..base.clone()
        },
        v1::DataPacket {
            frame: framed("application/json", payload.to_owned()),
            ..base.clone()
        },
        v1::DataPacket {
            frame: framed("application/x+json; v=1", payload.to_owned()),
            ..structs.clone()
        },
        v1::DataPacket {
            payload: object(r#"{"text": "bye", "bye": true, "rude": true, "user": {}}"#),
            ..v1::DataPacket::default()
        },
        structs,
    ];
    all.extend(packets());
    all
}

fn request(packet: v1::DataPacket) -> Vec<u8> {
    let flow = packet.envelope.is_some().then(|| v1::FlowControl {
        ack: 7,
        credits_messages: 3,
        ..v1::FlowControl::default()
    });
    let request = v1::ProcessRequest {
        packet: Some(packet),
        flow,
    };
    request.encode_to_vec()
}

fn envelopes() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"version":"v1","kind":"data","payload":{"a":[1,-2.5e3,"\u00e4\n"]},"inputs":null}"#,
        r#" { "PayLoad" : 1 , "payload" : true , "metadata" : { "k" : "v" } } "#,
        r#"{"pay\u006coad":"}","x":[[{"inputs":[]}]],"input\u017f":0}"#,
        "{}",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Everybody connects, packets flow, some are receipted.
fn operations() -> Vec<Vec<u8>> {
    (0..=15u8)
        .map(|flavour| {
            let mut out = vec![flavour];
            for step in 0..6 {
                out.extend([5, step, 4]);
            }
            for n in 0..40 {
                out.extend([0, n, 2, n, n, 3, 2 + n % 4, 7, 3, 1, n]);
            }
            out
        })
        .collect()
}

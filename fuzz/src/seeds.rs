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

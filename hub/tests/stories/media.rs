//! What Transports list of media.

use hub::story::{AudioFormat, Media, VideoFormat};

use crate::story::{A_TO_B, loads, problems, streaming, warnings};

/// A Story on a Transport with these fields in its `spec`.
fn with(fields: &str) -> String {
    let transport = format!(
        "apiVersion: transport.bubustack.io/v1alpha1\nkind: Transport\n\
         metadata: {{ name: voice }}\nspec: {{ provider: p, driver: d, {fields} }}\n---\n"
    );
    let story = streaming(A_TO_B).replace(
        "  pattern: streaming\n",
        "  pattern: streaming\n  transports: [{ name: t, transportRef: voice }]\n",
    );
    transport + &story
}

fn media(fields: &str) -> Media {
    let loaded = loads(&with(fields));
    let step = &loaded.snapshot.stories[0].steps[0];
    (*step.media).clone()
}

#[test]
fn a_transports_lists_belong_to_its_steps() {
    let listed = media(
        "supportedAudio: [{ name: pcm16, sampleRateHz: 16000, channels: 1 }, { name: opus }, g711], \
         supportedVideo: [{ name: vp8, profile: '0' }, h264], supportedBinary: [a/b]",
    );
    let audio = |codec: &str| AudioFormat {
        codec: codec.to_owned(),
        ..AudioFormat::default()
    };
    let mut pcm = audio("pcm16");
    (pcm.sample_rate_hz, pcm.channels) = (Some(16_000), Some(1));
    assert_eq!(listed.audio, [pcm, audio("opus"), audio("g711")]);
    let vp8 = VideoFormat {
        codec: "vp8".to_owned(),
        profile: Some("0".to_owned()),
    };
    let h264 = VideoFormat {
        codec: "h264".to_owned(),
        profile: None,
    };
    assert_eq!(listed.video, [vp8, h264]);
    assert_eq!(listed.binary, ["a/b"]);
    assert!(media("description: none").is_empty());
}

#[test]
fn what_is_no_name_is_left_out_with_a_warning() {
    let long = "x".repeat(65);
    let yaml = with(&format!(
        "supportedAudio: [{{ name: pcm16 }}, {{ name: '' }}, {{ name: {long} }}, {{}}]"
    ));
    let listed = &loads(&yaml).snapshot.stories[0].steps[0].media;
    assert_eq!(listed.audio.len(), 1);
    let told = warnings(&loads(&yaml));
    let told = told
        .iter()
        .filter(|w| w.contains("supportedAudio["))
        .count();
    assert_eq!(told, 3);
}

#[test]
fn a_binding_lists_no_more_than_32() {
    let all = (0..33)
        .map(|n| format!("c{n}"))
        .collect::<Vec<_>>()
        .join(", ");
    let yaml = with(&format!("supportedVideo: [{all}]"));
    assert_eq!(
        loads(&yaml).snapshot.stories[0].steps[0].media.video.len(),
        32
    );
    assert!(
        warnings(&loads(&yaml))[0].contains("supportedVideo"),
        "{:?}",
        warnings(&loads(&yaml))
    );
}

#[test]
fn rates_and_channels_are_those_of_the_contract() {
    for (field, wrong) in [
        ("sampleRateHz", 7999),
        ("sampleRateHz", 192_001),
        ("channels", 9),
    ] {
        let yaml = with(&format!(
            "supportedAudio: [{{ name: a, {field}: {wrong} }}]"
        ));
        let path = format!("supportedAudio[0].{field}");
        assert!(problems(&yaml)[0].contains(&path), "{:?}", problems(&yaml));
    }
}

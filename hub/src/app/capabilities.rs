//! What engrams are told of the media of their steps, from what Transports list.

use std::sync::Arc;

use engine::Bound;

use crate::ingress::{
    AUDIO_CHANNELS, AUDIO_CODEC, AUDIO_RATE, BINARY_TYPE, Capabilities, Catalog, VIDEO_CODEC,
    VIDEO_PROFILE,
};
use crate::story::{Media, Snapshot};

/// Those of every step that engrams run.
pub(super) fn catalog(stories: &Snapshot) -> Catalog {
    let mut catalog = Catalog::default();
    for run in stories.runs.iter().filter(|run| run.story.routed) {
        let steps = run.story.steps.iter();
        for step in steps.filter(|step| step.is_engram() && !step.media.is_empty()) {
            let bound = Bound {
                namespace: run.namespace.as_str().into(),
                run: run.name.as_str().into(),
                step: step.id.as_str().into(),
            };
            catalog.add(bound, Arc::new(capabilities(&step.media)));
        }
    }
    catalog
}

fn capabilities(media: &Media) -> Capabilities {
    let mut all = Capabilities::default();
    let (audio, video) = (&media.audio, &media.video);
    let text = |number: u64| number.to_string();
    all.say(AUDIO_CODEC, audio.iter().map(|a| a.codec.clone()));
    all.say(
        AUDIO_RATE,
        audio.iter().filter_map(|a| a.sample_rate_hz).map(text),
    );
    all.say(
        AUDIO_CHANNELS,
        audio.iter().filter_map(|a| a.channels).map(text),
    );
    all.say(VIDEO_CODEC, video.iter().map(|v| v.codec.clone()));
    all.say(
        VIDEO_PROFILE,
        video.iter().filter_map(|v| v.profile.clone()),
    );
    all.say(BINARY_TYPE, media.binary.iter().cloned());
    all
}

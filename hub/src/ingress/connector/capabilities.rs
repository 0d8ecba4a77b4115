//! What an engram is told of the media of its step, and what comes of a codec that it asks for
//! (spec 3, "Handshake").
//!
//! Owns the words. The hub passes media through as it comes: what may be chosen is what the Story
//! lists, and nothing is changed by choosing it.

use std::collections::HashMap;
use std::sync::Arc;

use engine::Bound;

use super::response::LONGEST_VALUE;

/// Keys of metadata, as engrams know them.
pub(crate) const AUDIO_CODEC: &str = "audio.codec";
pub(crate) const AUDIO_RATE: &str = "audio.sample_rate_hz";
pub(crate) const AUDIO_CHANNELS: &str = "audio.channels";
pub(crate) const VIDEO_CODEC: &str = "video.codec";
pub(crate) const VIDEO_PROFILE: &str = "video.profile";
pub(crate) const BINARY_TYPE: &str = "binary.mime";

/// What a Story says of the media of one step: the values of each key, in the order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities(Vec<(&'static str, Vec<String>)>);

/// What is known of each step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog(HashMap<Key, Arc<Capabilities>>);

/// Namespace, run and step.
type Key = (Arc<str>, Arc<str>, Arc<str>);

/// An answer to `codec-select`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice<'a> {
    /// These are passed on, as they are spelt here.
    Taken(Vec<(&'static str, &'a str)>),
    /// Why not.
    Refused(String),
}

impl Capabilities {
    /// Says that `key` may have any of `values`; without values nothing is said.
    pub(crate) fn say(&mut self, key: &'static str, values: impl IntoIterator<Item = String>) {
        let mut known = Vec::new();
        for value in values {
            if !known.contains(&value) {
                known.push(value);
            }
        }
        if !known.is_empty() {
            self.0.push((key, known));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As metadata: values of one key after a comma, as many as fit.
    pub(super) fn metadata(&self) -> Vec<(&'static str, String)> {
        let joined = |values: &[String]| {
            let mut joined = String::new();
            for value in values {
                if joined.chars().count() + 1 + value.chars().count() > LONGEST_VALUE {
                    break;
                }
                if !joined.is_empty() {
                    joined.push(',');
                }
                joined.push_str(value);
            }
            joined
        };
        let all = self.0.iter();
        all.map(|(key, values)| (*key, joined(values))).collect()
    }

    /// What comes of asking for the codecs and media types that `wanted` names by key: all of them
    /// are listed, or nothing is chosen.
    pub(super) fn choose<'w>(&self, wanted: impl Fn(&str) -> Option<&'w str>) -> Choice<'_> {
        let mut taken = Vec::new();
        let mut asked = false;
        for key in [AUDIO_CODEC, VIDEO_CODEC, BINARY_TYPE] {
            let Some(codec) = wanted(key).map(str::trim).filter(|codec| !codec.is_empty()) else {
                continue;
            };
            asked = true;
            let Some((key, values)) = self.0.iter().find(|(known, _)| *known == key) else {
                return Choice::Refused(format!(
                    "the Story lists nothing for {key}: whatever comes is passed on"
                ));
            };
            match values.iter().find(|v| v.eq_ignore_ascii_case(codec)) {
                Some(value) => taken.push((*key, value.as_str())),
                None => {
                    let (codec, values) = (codec.escape_debug(), values.join(", "));
                    return Choice::Refused(format!(
                        "{key} {codec} is not among what the Story lists: {values}"
                    ));
                }
            }
        }
        if asked {
            Choice::Taken(taken)
        } else {
            Choice::Refused(format!(
                "it names none of {AUDIO_CODEC}, {VIDEO_CODEC}, {BINARY_TYPE}"
            ))
        }
    }
}

impl Catalog {
    /// Takes note of what is said of a step.
    pub(crate) fn add(&mut self, step: Bound, capabilities: Arc<Capabilities>) {
        let Bound {
            namespace,
            run,
            step,
        } = step;
        self.0.insert((namespace, run, step), capabilities);
    }

    /// What is known of a step; nothing, if nothing is said of it.
    pub(super) fn of(&self, step: &Bound) -> Arc<Capabilities> {
        let key = (step.namespace.clone(), step.run.clone(), step.step.clone());
        self.0.get(&key).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Capabilities {
        let mut capabilities = Capabilities::default();
        let own = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        capabilities.say(AUDIO_CODEC, own(&["pcm16", "opus", "pcm16"]));
        capabilities.say(AUDIO_RATE, own(&["16000"]));
        capabilities.say(VIDEO_CODEC, own(&[]));
        capabilities.say(BINARY_TYPE, own(&["a/b"]));
        capabilities
    }

    fn chosen<'c>(capabilities: &'c Capabilities, wanted: &[(&str, &str)]) -> Choice<'c> {
        let find = |key: &str| wanted.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        capabilities.choose(find)
    }

    #[test]
    fn what_is_listed_is_announced_in_its_order() {
        let expected = [
            (AUDIO_CODEC, "pcm16,opus".to_owned()),
            (AUDIO_RATE, "16000".to_owned()),
            (BINARY_TYPE, "a/b".to_owned()),
        ];
        assert_eq!(listed().metadata(), expected);
        assert!(Capabilities::default().is_empty());
    }

    #[test]
    fn an_announcement_keeps_the_limit_of_a_value() {
        let mut capabilities = Capabilities::default();
        let long = (0..32).map(|n| format!("{n:02}{}", "é".repeat(62)));
        capabilities.say(AUDIO_CODEC, long);
        let [(_, value)] = &capabilities.metadata()[..] else {
            panic!("one key");
        };
        let len = value.chars().count();
        assert!((900..=LONGEST_VALUE).contains(&len), "{len}");
        assert!(value.ends_with('é'), "whole names only");
    }

    #[test]
    fn what_the_story_lists_is_chosen_as_it_is_spelt_there() {
        let wanted = [(AUDIO_CODEC, " OPUS "), (BINARY_TYPE, "a/b")];
        let expected = vec![(AUDIO_CODEC, "opus"), (BINARY_TYPE, "a/b")];
        assert_eq!(chosen(&listed(), &wanted), Choice::Taken(expected));
    }

    #[test]
    fn what_it_does_not_list_is_refused_with_what_it_does() {
        let refused = |wanted: &[(&str, &str)]| match chosen(&listed(), wanted) {
            Choice::Refused(why) => why,
            Choice::Taken(taken) => panic!("{taken:?}"),
        };
        let why = refused(&[(AUDIO_CODEC, "flac"), (BINARY_TYPE, "a/b")]);
        assert!(why.contains("flac") && why.contains("pcm16, opus"), "{why}");
        let why = refused(&[(VIDEO_CODEC, "vp8")]);
        assert!(why.contains("lists nothing for video.codec"), "{why}");
        for nothing in [&[][..], &[(AUDIO_RATE, "16000")], &[(AUDIO_CODEC, " ")]] {
            let why = refused(nothing);
            assert!(why.contains("names none"), "{why}");
        }
    }
}

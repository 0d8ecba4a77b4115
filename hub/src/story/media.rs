//! What a Transport lists of media: `supportedAudio`, `supportedVideo`, `supportedBinary`.
//!
//! Owns: these lists as engrams are told of them. Never does: refuse a packet whose codec is not
//! listed.

use super::fields::Fields;
use super::read::View;

/// Most entries of a list, as in a `BindingInfo` (spec 1).
const MOST: usize = 32;
/// Longest name of a codec, in characters.
const LONGEST_CODEC: usize = 64;
/// Longest media type, in characters.
const LONGEST_TYPE: usize = 255;
/// Rates in Hz and channels that audio may have (spec 1).
const RATES: std::ops::RangeInclusive<u64> = 8000..=192_000;
const CHANNELS: std::ops::RangeInclusive<u64> = 1..=8;

/// What the transport of a step lists, in the order of preference; empty where it lists nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `supportedAudio`
    pub audio: Vec<AudioFormat>,
    /// `supportedVideo`
    pub video: Vec<VideoFormat>,
    /// `supportedBinary`: media types.
    pub binary: Vec<String>,
}

/// An entry of `supportedAudio`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioFormat {
    /// `name`: the codec.
    pub codec: String,
    /// `sampleRateHz`
    pub sample_rate_hz: Option<u64>,
    /// `channels`
    pub channels: Option<u64>,
}

/// An entry of `supportedVideo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoFormat {
    /// `name`: the codec.
    pub codec: String,
    /// `profile`
    pub profile: Option<String>,
}

impl Media {
    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.audio.is_empty() && self.video.is_empty() && self.binary.is_empty()
    }

    /// Reads the lists of a Transport's `spec`. An entry that cannot be read is left out, with a
    /// warning.
    pub(super) fn read(spec: &Fields<'_>) -> Self {
        Self {
            audio: list(spec, "supportedAudio", audio),
            video: list(spec, "supportedVideo", video),
            binary: list(spec, "supportedBinary", |view| {
                named(view, view.as_text(), LONGEST_TYPE)
            }),
        }
    }
}

fn list<T>(spec: &Fields<'_>, name: &'static str, read: impl Fn(&View<'_>) -> Option<T>) -> Vec<T> {
    let Some(view) = spec.get(name) else {
        return Vec::new();
    };
    let items = view.items_or_none();
    if items.len() > MOST {
        view.warn(format!(
            "of {} entries engrams are told {MOST}",
            items.len()
        ));
    }
    items.iter().filter_map(read).take(MOST).collect()
}

fn audio(view: &View<'_>) -> Option<AudioFormat> {
    let Some(fields) = entry(view) else {
        let codec = named(view, view.as_text(), LONGEST_CODEC)?;
        return Some(AudioFormat {
            codec,
            ..AudioFormat::default()
        });
    };
    let number = |name, allowed| fields.get(name).and_then(|view| view.count(allowed));
    let format = AudioFormat {
        sample_rate_hz: number("sampleRateHz", RATES),
        channels: number("channels", CHANNELS),
        codec: codec(view, &fields)?,
    };
    fields.finish(&[]);
    Some(format)
}

fn video(view: &View<'_>) -> Option<VideoFormat> {
    let Some(fields) = entry(view) else {
        let codec = named(view, view.as_text(), LONGEST_CODEC)?;
        return Some(VideoFormat {
            codec,
            ..VideoFormat::default()
        });
    };
    let profile = fields.get("profile");
    let profile = profile.and_then(|view| named(&view, view.as_text(), LONGEST_CODEC));
    let codec = codec(view, &fields)?;
    fields.finish(&[]);
    Some(VideoFormat { codec, profile })
}

/// The fields of an entry, where it is no bare name.
fn entry<'a>(view: &View<'a>) -> Option<Fields<'a>> {
    match view.as_text() {
        Some(_) => None,
        None => view.fields(),
    }
}

fn codec(view: &View<'_>, fields: &Fields<'_>) -> Option<String> {
    let name = fields.get("name");
    let text = name.as_ref().and_then(View::as_text);
    named(name.as_ref().unwrap_or(view), text, LONGEST_CODEC)
}

fn named(view: &View<'_>, text: Option<&str>, longest: usize) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let text = text.filter(|text| text.chars().count() <= longest);
    if text.is_none() {
        view.warn(format!(
            "must be a name of up to {longest} characters; engrams are not told of it"
        ));
    }
    text.map(str::to_owned)
}

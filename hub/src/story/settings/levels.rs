//! The levels that settings come from, lowest first: `Transport.spec.defaultSettings` <
//! `Transport.spec.streaming` < a Story transport's `settings` < its `streaming` (spec 2.1).

use std::time::Duration;

use super::apply;
use super::{Ordering, ReplayMode, Semantics, StreamingSettings};
use crate::story::read::View;
use crate::story::{LoadOptions, Place};

/// One level as it was written.
pub(in crate::story) struct Level<'a> {
    pub(in crate::story) view: View<'a>,
    /// Raw JSON belongs to a provider too: unknown keys in it never warn.
    pub(in crate::story) raw: bool,
    /// Whether a Transport gives it, which other Stories may build on too.
    pub(in crate::story) shared: bool,
}

/// Every level of one transport of one Story, lowest first.
#[derive(Default)]
pub(in crate::story) struct Levels<'a>(pub(in crate::story) Vec<Level<'a>>);

impl Levels<'_> {
    /// Merges the levels field by field; what is wrong is reported through each level's view.
    pub(in crate::story) fn merge(&self, options: &LoadOptions) -> StreamingSettings {
        let mut settings = StreamingSettings::default();
        settings.backpressure.buffer.max_messages = options.buffer_messages;
        settings.backpressure.buffer.max_bytes = options.buffer_bytes;
        for level in &self.0 {
            apply::level(level, &mut settings);
        }
        self.settle(&mut settings, options);
        settings
    }

    /// Where the highest level that gives a setting gives it; the path is that of 2.8, such as
    /// `delivery.replay.mode`.
    pub(in crate::story) fn place_of(&self, setting: &str) -> Option<Place> {
        self.view_of(setting).map(|view| view.place())
    }

    /// The value of a setting at the highest level that gives it.
    pub(in crate::story) fn view_of(&self, setting: &str) -> Option<View<'_>> {
        self.0.iter().rev().find_map(|level| {
            let mut view = level.view.clone();
            for name in setting.split('.') {
                view.node = view.node.get(name).filter(|node| !node.is_null())?;
                crate::story::yaml::join(&mut view.path, name);
            }
            Some(view)
        })
    }

    /// Targets of the rules that the Story's own levels give; a Transport's rules may be meant
    /// for other Stories.
    pub(in crate::story) fn own_rule_targets(&self) -> Vec<View<'_>> {
        let own = self.0.iter().filter(|level| !level.shared);
        own.flat_map(|level| rule_targets(&level.view)).collect()
    }

    fn gives(&self, setting: &str) -> bool {
        self.view_of(setting).is_some()
    }

    /// What settings imply for each other (spec 2.4, 2.8).
    fn settle(&self, settings: &mut StreamingSettings, options: &LoadOptions) {
        let buffer = &settings.backpressure.buffer;
        let flow = &mut settings.flow_control;
        if !self.gives("flowControl.initialCredits.messages") {
            flow.initial_credits.messages = buffer.max_messages;
        }
        if !self.gives("flowControl.initialCredits.bytes") {
            flow.initial_credits.bytes = buffer.max_bytes;
        }
        if flow.resume_pct > flow.pause_pct {
            match self.view_of("flowControl.resumeThreshold.bufferPct") {
                Some(view) => view.problem(format!(
                    "must be at most pauseThreshold.bufferPct, {}, is {}",
                    flow.pause_pct, flow.resume_pct
                )),
                None => flow.resume_pct = flow.pause_pct / 2,
            }
            flow.resume_pct = flow.resume_pct.min(flow.pause_pct);
        }
        let delivery = &mut settings.delivery;
        if delivery.replay.mode != ReplayMode::None {
            delivery.semantics = Semantics::AtLeastOnce;
        }
        if delivery.semantics == Semantics::AtLeastOnce && delivery.ordering == Ordering::None {
            delivery.ordering = Ordering::PerStream;
        }
        let routing = &mut settings.routing;
        routing.max_downstreams = routing.max_downstreams.min(options.max_downstreams);
    }
}

/// Every entry of `routing.rules[].target.steps`.
fn rule_targets<'a>(level: &View<'a>) -> Vec<View<'a>> {
    let inner = |view: &View<'a>, names: &[&str]| {
        names.iter().try_fold(view.clone(), |view, name| {
            let mut path = view.path.clone();
            crate::story::yaml::join(&mut path, name);
            let node = view.node.get(name)?;
            Some(View { node, path, ..view })
        })
    };
    let items = |view: Option<View<'a>>| view.map(|view| view.items_or_none()).unwrap_or_default();
    items(inner(level, &["routing", "rules"]))
        .iter()
        .flat_map(|rule| items(inner(rule, &["target", "steps"])))
        .collect()
}

/// Seconds, where 0 means that there is no bound.
pub(super) fn unless_zero(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

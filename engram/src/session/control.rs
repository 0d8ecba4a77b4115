//! Directives that a session acts on by itself.

use transport_proto::names::action::INTERRUPT;

use crate::control::ControlDirective;

/// The turn that an interrupt opens, and the lane that it is for (spec 2.5); `None` for
/// other directives and for one whose turn is no number.
pub(super) fn interrupt(directive: &ControlDirective) -> Option<(u64, Option<&str>)> {
    if !directive.is(INTERRUPT) {
        return None;
    }
    let turn = directive.metadata.get("turn")?.trim().parse().ok()?;
    let lane = directive.metadata.get("lane").map(|lane| lane.trim());
    Some((turn, lane.filter(|lane| !lane.is_empty())))
}

//! Directives that a session acts on by itself.

use transport_proto::names::action::INTERRUPT;

use crate::control::ControlDirective;

/// The turn that an interrupt opens (spec 2.5); `None` for other directives and for one
/// whose turn is no number.
pub(super) fn interrupt(directive: &ControlDirective) -> Option<u64> {
    if !directive.is(INTERRUPT) {
        return None;
    }
    directive.metadata.get("turn")?.trim().parse().ok()
}

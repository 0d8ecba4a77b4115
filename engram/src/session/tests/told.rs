//! What is said beside packets and receipts, and to which connection.

use super::*;

fn directives(session: &mut Session) -> usize {
    let told = std::iter::from_fn(|| session.next_told());
    told.filter(|told| matches!(told, Told::Directive(_)))
        .count()
}

#[test]
fn what_one_connection_was_to_be_told_is_not_told_to_the_next() {
    let mut session = ready();
    session.tell(ControlDirective::new("ack"));
    session.disconnected();
    session.tell(ControlDirective::new("interrupt"));
    session.connected(true);
    assert_eq!(directives(&mut session), 0);
    session.tell(ControlDirective::new("ack"));
    assert_eq!(directives(&mut session), 1, "before the handshake too");
}

#[test]
fn a_hub_that_directs_faster_than_it_reads_takes_no_memory_without_bound() {
    let mut session = ready();
    for _ in 0..5000 {
        session.tell(ControlDirective::new("ack"));
    }
    assert_eq!(directives(&mut session), 1024);
    session.tell(ControlDirective::new("ack"));
    assert_eq!(directives(&mut session), 1);
}

#[test]
fn an_engram_that_owes_nothing_is_not_stuck_in_a_drain() {
    let mut session = ready();
    let draining = ControlDirective::new("handoff.draining");
    assert_eq!(session.directed(&draining), Ok(false));
    assert!(!session.is_stuck_in_drain(), "the hub ends when it likes");
    send(&mut session, "a");
    handed(&mut session);
    assert!(session.is_stuck_in_drain());
    arrive(&mut session, 1);
    assert!(!session.is_stuck_in_drain(), "there is work to do");
}

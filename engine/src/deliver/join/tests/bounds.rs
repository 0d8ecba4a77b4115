//! What ends what waits, and what is remembered: time, numbers, the end of the run.

use super::*;

#[test]
fn what_waits_too_long_expires_in_the_order_of_arrival() {
    let mut table = Table::new(FanInMode::All, 3);
    table.tell(&[("y B1", "waits"), ("x A1", "waits")]);
    table.now = at(4);
    table.tell(&[("z C1", "waits"), ("y A1", "waits")]);
    assert_eq!(table.join.next_deadline(), Some(at(10)));
    let early = Moment::from_nanos(at(10).as_nanos() - 1);
    assert_eq!(entries(&table.join.expire(early)), [""; 0]);
    assert_eq!(entries(&table.join.expire(at(10))), ["y: A1* B1", "x: A1*"]);
    assert_eq!(table.join.next_deadline(), Some(at(14)));
    assert_eq!(entries(&table.join.expire(at(99))), ["z: C1*"]);
    assert_eq!(table.join.next_deadline(), None);
}

#[test]
fn the_clock_of_an_id_starts_with_its_first_branch_and_no_later_one_sets_it_back() {
    let mut table = Table::new(FanInMode::All, 3);
    table.offer("x A1");
    table.now = at(9);
    table.tell(&[("x B1", "waits"), ("x A2", "replaces A1")]);
    assert_eq!(entries(&table.join.expire(at(10))), ["x: A2* B1"]);
}

#[test]
fn what_is_overdue_still_fires_until_somebody_asks() {
    let mut table = Table::new(FanInMode::All, 2);
    table.offer("x A1");
    table.now = at(99);
    table.tell(&[("x B1", "fires A1 B1*")]);
    assert_eq!(entries(&table.join.expire(at(99))), [""; 0]);
}

#[test]
fn a_branch_that_comes_after_its_id_expired_waits_for_the_others_anew() {
    let mut table = Table::new(FanInMode::All, 2);
    table.offer("x A1");
    assert_eq!(entries(&table.join.expire(at(10))), ["x: A1*"]);
    table.now = at(11);
    table.tell(&[("x B1", "waits")]);
    assert_eq!(table.join.next_deadline(), Some(at(21)));
}

#[test]
fn without_a_timeout_nothing_expires() {
    let timeout = None;
    let mut table = Table::with(FanInPlan { timeout, ..plan() }, 2);
    table.offer("x A1");
    assert_eq!(table.join.next_deadline(), None);
    let end_of_time = Moment::from_nanos(u64::MAX);
    assert_eq!(entries(&table.join.expire(end_of_time)), [""; 0]);
    table.tell(&[("x B1", "fires A1 B1*")]);
}

#[test]
fn what_came_while_the_clock_had_stepped_back_is_over_with_what_came_before() {
    let mut table = Table::new(FanInMode::All, 2);
    table.now = at(50);
    table.offer("x A1");
    table.now = at(20);
    table.offer("y A1");
    assert_eq!(entries(&table.join.expire(at(59))), [""; 0]);
    assert_eq!(entries(&table.join.expire(at(60))), ["x: A1*", "y: A1*"]);
}

#[test]
fn one_id_too_many_evicts_the_oldest_that_waits() {
    let mut table = Table::new(FanInMode::All, 2);
    table.tell(&[
        ("c A1", "waits"),
        ("b B1", "waits"),
        ("a A1", "waits"),
        ("c A2", "replaces A1"),
        ("d A1", "evicts c: A2*"),
        ("b A1", "fires A1* B1"),
        ("e A1", "waits"),
        ("f A1", "evicts a: A1*"),
    ]);
    assert_eq!(table.join.len(), 3);
    assert_eq!(entries(&table.join.drain()), ["d: A1*", "e: A1*", "f: A1*"]);
}

#[test]
fn an_id_that_fires_at_once_evicts_nobody() {
    let max_entries = 0;
    let mode = FanInMode::All;
    let mut table = Table::with(
        FanInPlan {
            mode,
            max_entries,
            ..plan()
        },
        2,
    );
    table.tell(&[
        ("x A1", "waits"),
        ("x B1", "fires A1 B1*"),
        ("y A1", "waits"),
        ("z A1", "evicts y: A1*"),
        ("z B1", "fires A1 B1*"),
    ]);
}

#[test]
fn a_bound_of_none_lets_one_id_wait_and_one_be_remembered() {
    let max_entries = 0;
    let mode = FanInMode::Quorum(2);
    let mut table = Table::with(
        FanInPlan {
            mode,
            max_entries,
            ..plan()
        },
        3,
    );
    table.offer("x A1");
    let over = table.join.expire(at(10)).remove(0);
    assert!(table.join.put_back(over).is_ok());
    table.tell(&[("x B1", "fires A1 B1*"), ("x C1", "absorbed")]);
}

#[test]
fn an_id_that_fired_is_remembered_until_its_time_is_over() {
    let mut table = Table::new(FanInMode::Quorum(2), 3);
    table.offer("x A1");
    table.now = at(8);
    table.tell(&[("x B1", "fires A1 B1*")]);
    table.join.expire(Moment::from_nanos(at(10).as_nanos() - 1));
    assert_eq!(table.join.fired.len(), 1);
    table.join.expire(at(10));
    assert_eq!(table.join.fired.len(), 0);
    table.tell(&[("x C1", "waits")]);
}

#[test]
fn what_fired_has_no_deadline() {
    let mut table = Table::new(FanInMode::Any, 2);
    table.offer("x A1");
    assert_eq!(
        (table.join.next_deadline(), table.join.fired.len()),
        (None, 1)
    );
}

#[test]
fn of_too_many_ids_that_fired_the_oldest_is_forgotten() {
    let timeout = None;
    let mode = FanInMode::Any;
    let mut table = Table::with(
        FanInPlan {
            mode,
            timeout,
            ..plan()
        },
        3,
    );
    table.tell(&[
        ("d A1", "fires A1*"),
        ("c A1", "fires A1*"),
        ("b A1", "fires A1*"),
        ("a A1", "fires A1*"),
        ("c B1", "absorbed"),
        ("d B1", "fires B1*"),
        ("b B1", "absorbed"),
        ("c C1", "fires C1*"),
    ]);
    assert_eq!(table.join.fired.len(), 3);
}

#[test]
fn a_new_round_makes_an_id_that_fired_the_newest_again() {
    let mode = FanInMode::Any;
    let mut table = Table::with(FanInPlan { mode, ..plan() }, 2);
    table.tell(&[
        ("x A1", "fires A1*"),
        ("y A1", "fires A1*"),
        ("z A1", "fires A1*"),
        ("x A2", "fires A2*"),
        ("w A1", "fires A1*"),
        ("x B1", "absorbed"),
        ("y B1", "fires B1*"),
    ]);
}

#[test]
fn an_id_that_has_nothing_left_to_absorb_takes_no_place() {
    let mut table = Table::new(FanInMode::Any, 2);
    table.tell(&[("x A1", "fires A1*"), ("x B1", "absorbed")]);
    assert_eq!(table.join.fired.len(), 0);
    let mut table = Table::new(FanInMode::All, 2);
    table.tell(&[("x A1", "waits"), ("x B1", "fires A1 B1*")]);
    assert_eq!(table.join.fired.len(), 0);
}

#[test]
fn bytes_are_those_of_what_waits() {
    let mut table = Table::new(FanInMode::All, 2);
    let mut bytes = |offer| {
        table.offer(offer);
        table.join.bytes()
    };
    assert_eq!(bytes("x A100"), 100);
    assert_eq!(bytes("y B30"), 130);
    assert_eq!(bytes("x A7"), 37);
    assert_eq!(bytes("z A1"), 38);
    assert_eq!(bytes("w A2"), 33, "x is evicted");
    assert_eq!(bytes("y A900"), 3, "y fires");
    let over = table.join.expire(at(10));
    assert_eq!(table.join.bytes(), 0);
    for entry in over {
        assert!(table.join.put_back(entry).is_ok());
    }
    assert_eq!(table.join.bytes(), 3);
    table.join.drain();
    assert_eq!(table.join.bytes(), 0);
}

#[test]
fn an_entry_put_back_keeps_its_place_and_stays_due() {
    let mut table = Table::new(FanInMode::All, 2);
    table.tell(&[("x A1", "waits"), ("y A1", "waits")]);
    let mut over = table.join.expire(at(10));
    table.now = at(10);
    table.offer("z A1");
    assert!(table.join.put_back(over.remove(1)).is_ok());
    assert!(table.join.put_back(over.remove(0)).is_ok());
    assert_eq!(table.join.next_deadline(), Some(at(10)));
    assert_eq!(entries(&table.join.expire(at(11))), ["x: A1*", "y: A1*"]);
}

#[test]
fn an_entry_put_back_can_still_become_whole() {
    let mut table = Table::new(FanInMode::All, 2);
    table.offer("x A1");
    let over = table.join.expire(at(10)).remove(0);
    assert!(table.join.put_back(over).is_ok());
    table.tell(&[("x B1", "fires A1 B1*")]);
    assert_eq!(table.join.next_deadline(), None);
}

#[test]
fn an_entry_is_not_put_back_over_an_id_that_came_anew() {
    let mut table = Table::new(FanInMode::Quorum(2), 3);
    table.offer("x A1");
    let over = table.join.expire(at(10)).remove(0);
    table.offer("x B1");
    let over = table.join.put_back(over).unwrap_err();
    assert_eq!(entry(&over), "x: A1*");
    table.tell(&[("x C1", "fires B1 C1*")]);
    assert!(table.join.put_back(over).is_err(), "x has fired");
    assert_eq!(table.join.len(), 0);
}

#[test]
fn an_entry_is_not_put_back_when_as_many_ids_wait_as_may() {
    let mut table = Table::new(FanInMode::All, 2);
    table.offer("x A1");
    let over = table.join.expire(at(10)).remove(0);
    table.tell(&[("a A1", "waits"), ("b A1", "waits"), ("c A1", "waits")]);
    assert!(table.join.put_back(over).is_err());
    assert_eq!(table.join.len(), 3);
}

#[test]
fn a_drain_gives_all_that_waits_and_forgets_what_fired() {
    let mut table = Table::new(FanInMode::Quorum(2), 3);
    table.tell(&[
        ("y B1", "waits"),
        ("x A1", "waits"),
        ("z A1", "waits"),
        ("z C1", "fires A1 C1*"),
    ]);
    assert_eq!(entries(&table.join.drain()), ["y: B1*", "x: A1*"]);
    assert_eq!((table.join.len(), table.join.fired.len()), (0, 0));
    assert_eq!(table.join.next_deadline(), None);
    table.tell(&[("z B1", "waits"), ("x B1", "waits")]);
}

#[test]
fn an_interrupt_takes_what_it_wants_and_leaves_the_rest_in_order() {
    let mut table = Table::new(FanInMode::Quorum(2), 3);
    table.tell(&[
        ("w A1", "waits"),
        ("w B1", "fires A1 B1*"),
        ("z A1", "waits"),
        ("y B2", "waits"),
        ("x A3", "waits"),
    ]);
    let of_a = |round: &Round<&str>| round.parts[0].branch == branch("A");
    let mut taken = table.join.take_where(of_a);
    assert_eq!(entries(&taken), ["z: A1*", "x: A3*"]);
    assert_eq!((table.join.len(), table.join.bytes()), (1, 2));
    assert!(table.join.put_back(taken.remove(1)).is_ok());
    table.tell(&[("z B1", "waits"), ("w C1", "absorbed")]);
    assert_eq!(entries(&table.join.drain()), ["y: B2*", "x: A3*", "z: B1*"]);
}

//! Which branches meet, in each mode.

use super::*;

#[test]
fn all_fires_when_every_branch_is_there_whatever_the_order() {
    let mut table = Table::new(FanInMode::All, 3);
    table.tell(&[
        ("x C1", "waits"),
        ("x A1", "waits"),
        ("x B1", "fires A1 B1* C1"),
        ("y A2", "waits"),
        ("y B2", "waits"),
        ("y C2", "fires A2 B2 C2*"),
    ]);
}

#[test]
fn ids_do_not_meet_one_another() {
    let mut table = Table::new(FanInMode::All, 2);
    table.tell(&[
        ("x A1", "waits"),
        ("y B2", "waits"),
        ("xy B3", "waits"),
        ("x B4", "fires A1 B4*"),
        ("y A5", "fires A5* B2"),
    ]);
}

#[test]
fn all_of_one_branch_fires_at_once_and_again() {
    let mut table = Table::new(FanInMode::All, 1);
    table.tell(&[("x A1", "fires A1*"), ("x A2", "fires A2*")]);
}

#[test]
fn any_fires_at_the_first_branch_and_absorbs_the_later_ones() {
    let mut table = Table::new(FanInMode::Any, 3);
    table.tell(&[
        ("x B1", "fires B1*"),
        ("x A1", "absorbed"),
        ("x C1", "absorbed"),
        ("y C2", "fires C2*"),
    ]);
}

#[test]
fn each_delta_of_one_branch_fires_in_any() {
    let mut table = Table::new(FanInMode::Any, 2);
    table.tell(&[
        ("x A1", "fires A1*"),
        ("x A2", "fires A2*"),
        ("x B1", "absorbed"),
        ("x A3", "fires A3*"),
        ("x B2", "absorbed"),
    ]);
}

#[test]
fn a_branch_absorbed_twice_begins_a_new_round_in_any() {
    let mut table = Table::new(FanInMode::Any, 3);
    table.tell(&[
        ("x A1", "fires A1*"),
        ("x B1", "absorbed"),
        ("x B2", "fires B2*"),
        ("x A2", "absorbed"),
    ]);
}

#[test]
fn a_quorum_fires_at_so_many_different_branches_and_absorbs_the_rest() {
    let mut table = Table::new(FanInMode::Quorum(2), 4);
    table.tell(&[
        ("x D1", "waits"),
        ("x D2", "replaces D1"),
        ("x B1", "fires B1* D2"),
        ("x A1", "absorbed"),
        ("x C1", "absorbed"),
    ]);
}

#[test]
fn a_branch_seen_before_the_quorum_fired_begins_a_new_round() {
    let mut table = Table::new(FanInMode::Quorum(2), 3);
    table.tell(&[
        ("x A1", "waits"),
        ("x B1", "fires A1 B1*"),
        ("x A2", "waits"),
        ("x C1", "fires A2 C1*"),
        ("x B2", "absorbed"),
    ]);
}

#[test]
fn a_branch_that_was_absorbed_begins_a_new_round_when_it_comes_again() {
    let mut table = Table::new(FanInMode::Quorum(2), 4);
    table.tell(&[
        ("x A1", "waits"),
        ("x B1", "fires A1 B1*"),
        ("x C1", "absorbed"),
        ("x C2", "waits"),
        ("x D1", "fires C2 D1*"),
    ]);
}

#[test]
fn a_quorum_of_none_and_one_of_more_than_there_are_mean_all() {
    for quorum in [0, 2, 9] {
        let mut table = Table::new(FanInMode::Quorum(quorum), 2);
        table.tell(&[
            ("x A1", "waits"),
            ("x B1", "fires A1 B1*"),
            ("x B2", "waits"),
        ]);
    }
}

#[test]
fn the_same_branch_again_takes_the_place_of_the_former_and_is_the_last() {
    let mut table = Table::new(FanInMode::All, 3);
    table.tell(&[
        ("x A1", "waits"),
        ("x B1", "waits"),
        ("x A2", "replaces A1"),
    ]);
    let waiting = table.join.drain();
    assert_eq!(entries(&waiting), ["x: A2* B1"]);
}

#[test]
fn a_fresh_round_begins_after_all_fired() {
    let mut table = Table::new(FanInMode::All, 2);
    table.tell(&[
        ("x A1", "waits"),
        ("x B1", "fires A1 B1*"),
        ("x B2", "waits"),
        ("x A2", "fires A2* B2"),
    ]);
}

#[test]
fn a_branch_that_the_step_does_not_have_is_absorbed_and_counts_for_nothing() {
    let mut table = Table::new(FanInMode::Quorum(2), 3);
    table.tell(&[
        ("x D1", "absorbed"),
        ("x A1", "waits"),
        ("x D2", "absorbed"),
        ("x B1", "fires A1 B1*"),
        ("x D3", "absorbed"),
        ("x C1", "absorbed"),
    ]);
}

#[test]
fn sixty_four_branches_join() {
    assert_eq!(Branch::new(MAX_BRANCHES), None);
    let mut join = Join::new(&plan(), 100);
    for n in 0..MAX_BRANCHES {
        let part = Part {
            branch: Branch::new(n).unwrap(),
            item: n,
            size: 1,
        };
        match join.offer("x", part, at(0)) {
            Outcome::Fire(round) => {
                assert_eq!((n, round.last, round.bytes()), (63, 63, 64));
                assert!(round.parts.iter().map(|p| p.item).eq(0..MAX_BRANCHES));
            }
            outcome => assert_eq!((outcome, n < 63), (Outcome::Wait(None), true)),
        }
    }
    assert_eq!(join.len(), 0);
}

#[test]
fn each_of_sixty_four_branches_is_told_from_the_others() {
    let mode = FanInMode::Any;
    let mut join = Join::new(&FanInPlan { mode, ..plan() }, MAX_BRANCHES);
    let mut offer = |n| {
        let part = Part {
            branch: Branch::new(n).unwrap(),
            item: n,
            size: 1,
        };
        matches!(join.offer("x", part, at(0)), Outcome::Fire(_))
    };
    for n in 0..MAX_BRANCHES {
        assert_eq!(offer(n), n == 0, "branch {n} for the first time");
    }
    assert!(offer(40) && offer(40), "a new round each time");
    for n in (0..MAX_BRANCHES).filter(|&n| n != 40) {
        assert!(!offer(n), "branch {n} for the first time since");
    }
}

#[test]
fn which_part_came_last_stands_when_others_are_taken_out() {
    let part = |place, item| Part {
        branch: Branch::new(place).unwrap(),
        item,
        size: 1,
    };
    let round = || Round {
        parts: vec![part(0, "a"), part(1, "b"), part(2, "c")],
        last: 1,
    };
    let (mut one, mut other) = (round(), round());
    assert_eq!(one.take_parts(|item| *item == "a"), [part(0, "a")]);
    assert_eq!(one.parts[one.last].item, "b");
    assert_eq!(other.take_parts(|item| *item == "b"), [part(1, "b")]);
    assert_eq!(other.parts[other.last].item, "c");
}

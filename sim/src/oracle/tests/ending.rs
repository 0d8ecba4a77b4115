//! What is left at the end.

use super::*;

#[test]
fn what_is_pending_at_the_end_is_noticed() {
    let mut h = History::new(KEPT);
    h.through(1);
    h.counts((1, 0), ("expired", 0), (0, 1)).unwrap();
    let verdict = h.tell(Fact::End { waiting: "" });
    breaks(verdict, "when faults stop, pending reaches 0");
}

#[test]
fn somebody_who_still_waits_at_the_end_is_noticed() {
    let mut h = History::new(KEPT);
    let verdict = h.tell(Fact::End {
        waiting: "src waits",
    });
    breaks(verdict, "when faults stop, everybody gets done");
}

#[test]
fn a_loss_that_no_counted_reason_explains_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    h.counts((1, 0), ("evicted", 1), (0, 0)).unwrap();
    let verdict = h.tell(Fact::End { waiting: "" });
    breaks(verdict, "nothing is lost without a counted reason");
}

#[test]
fn a_drop_that_is_counted_twice_is_noticed() {
    let promise = Promise::AtLeastOnce {
        dead_letter: true,
        per_partition: false,
        redelivery: None,
    };
    let mut h = History::new(promise);
    h.through(1);
    h.ack(C, 1);
    h.took(item(2)).unwrap();
    h.counts((2, 1), ("lane_full", 1), (0, 0)).unwrap();
    h.tell(Fact::End { waiting: "" }).unwrap();
    // As if the hub had counted the same one under two reasons.
    h.oracle.life.edges[0].last.dropped.push(("dead_letter", 1));
    let verdict = h.tell(Fact::End { waiting: "" });
    breaks(verdict, "every drop is counted once");
}

#[test]
fn a_step_that_stays_away_loses_what_waits_and_nothing_before() {
    for (away, fine) in [(601, true), (599, false)] {
        let mut h = History::new(KEPT);
        h.took_all(1);
        h.tell(Fact::Left { link: C }).unwrap();
        h.at = Nanos::secs(away);
        h.counts((1, 0), ("evicted", 1), (0, 0)).unwrap();
        let verdict = h.tell(Fact::End { waiting: "" });
        if fine {
            verdict.unwrap();
        } else {
            breaks(verdict, "nothing is lost without a counted reason");
        }
    }
}

//! Waits between connections.

use super::*;
use crate::start::{Retries, Tunables};

#[test]
fn waits_double_within_their_jitter_up_to_the_limit() {
    let tunables = Tunables {
        backoff_base: Duration::from_millis(100),
        backoff_max: Duration::from_secs(1),
        retries: Retries::AtMost(6),
        ..Tunables::default()
    };
    let mut backoff = Backoff::new(&tunables);
    let mut jitter = Jitter::seeded(1);
    for expected in [100, 200, 400, 800, 1000, 1000] {
        let wait = backoff.next(&mut jitter).expect("another try").as_millis();
        assert!(
            (expected * 8 / 10..=expected * 12 / 10).contains(&wait),
            "{wait} for {expected}"
        );
        assert!(wait <= 1000);
    }
    assert_eq!(backoff.next(&mut jitter), None);
    backoff.became_ready();
    assert!(backoff.next(&mut jitter).is_some());
}

#[test]
fn engrams_that_lost_one_hub_do_not_come_back_at_once() {
    let waits = |seed| Backoff::new(&Tunables::default()).next(&mut Jitter::seeded(seed));
    let distinct: std::collections::BTreeSet<_> = (0..100).map(waits).collect();
    assert!(distinct.len() > 90);
}

#[test]
fn a_limit_below_the_first_wait_shortens_no_wait() {
    let tunables = Tunables {
        backoff_base: Duration::from_secs(2),
        backoff_max: Duration::from_secs(1),
        ..Tunables::default()
    };
    let wait = Backoff::new(&tunables).next(&mut Jitter::seeded(1));
    assert!(wait > Some(Duration::from_secs(1)), "{wait:?}");
}

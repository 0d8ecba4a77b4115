use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Waker;

use tokio::task::LocalSet;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

fn at(millis: u64) -> Moment {
    Moment::from_nanos(millis * 1_000_000)
}

fn crowd(line: &mut Line, many: usize) -> Vec<Ticket> {
    let one = |_| {
        let mut ticket = Ticket::default();
        line.waiting.join(&mut ticket, Waker::noop());
        ticket
    };
    (0..many).map(one).collect()
}

/// How many of the crowd may pass; they do.
fn passed(crowd: &mut [Ticket]) -> usize {
    let cx = Context::from_waker(Waker::noop());
    let may = |t: &mut &mut Ticket| t.poll(&cx) == Some(Poll::Ready(()));
    crowd
        .iter_mut()
        .filter_map(|mut t| may(&mut t).then_some(()))
        .count()
}

#[test]
fn who_comes_alone_passes_at_once_and_so_do_a_few() {
    let mut line = Line::default();
    for millis in 1..1000 {
        assert!(line.passes(at(millis)));
    }
    assert!((0..16).all(|_| line.passes(at(2000))));
    assert!(!line.passes(at(2000)));
    assert_eq!(line.beats, 0, "that is no storm");
}

#[test]
fn a_storm_passes_a_few_each_beat() {
    let mut line = Line::default();
    let mut crowd = crowd(&mut line, 3);
    for millis in 1..=3 {
        assert!(!line.passes(at(millis)), "others stand in line");
        line.beat(at(millis));
        while line.call_next() {}
        assert_eq!(passed(&mut crowd), 1);
    }
    assert!(!line.passes(at(3)), "the beat has no room for one more");
    assert!(line.passes(at(4)));
}

#[test]
fn a_late_beat_makes_up_for_what_it_missed_but_for_no_more_than_two() {
    let mut line = Line::default();
    let mut crowd = crowd(&mut line, 100);
    line.beat(at(1000));
    while line.call_next() {}
    assert_eq!(passed(&mut crowd), 2);
}

#[test]
fn who_asks_while_others_wait_makes_up_for_no_beats() {
    let mut line = Line::default();
    let mut crowd = crowd(&mut line, 100);
    assert!(!line.passes(at(1000)));
    line.beat(at(1000));
    while line.call_next() {}
    assert_eq!(passed(&mut crowd), 2);
}

#[test]
fn nobody_overtakes_those_who_may_pass_and_have_not_been_called_yet() {
    let mut line = Line::default();
    let _crowd = crowd(&mut line, 1);
    line.beat(at(1000));
    assert!(!line.passes(at(1000)));
}

#[test]
fn nobody_is_called_before_its_beat() {
    let mut line = Line::default();
    let mut crowd = crowd(&mut line, 2);
    assert!(!line.call_next());
    assert_eq!(passed(&mut crowd), 0);
}

#[test]
fn what_is_left_of_a_beat_is_added_to_the_next() {
    let mut line = Line::default();
    for millis in 1..=3 {
        line.beat(at(millis));
    }
    let mut crowd = crowd(&mut line, 10);
    while line.call_next() {}
    assert_eq!(passed(&mut crowd), 3);
}

#[test]
fn who_asks_within_a_beat_does_not_put_the_next_one_off() {
    let mut line = Line::default();
    assert!((0..16).all(|_| line.passes(at(1000))));
    for tenth in 1..=9 {
        let now = Moment::from_nanos(at(1000).as_nanos() + tenth * 100_000);
        assert!(!line.passes(now));
    }
    assert!(line.passes(at(1001)));
}

#[test]
fn a_storm_goes_on_as_long_as_not_as_many_may_pass_as_after_a_rest() {
    let mut line = Line {
        beats: 10 * PATIENCE,
        began: at(1000),
        ..Line::default()
    };
    assert!(line.passes(at(1001)));
    assert_eq!(line.beats, 10 * PATIENCE);
}

#[test]
fn a_storm_that_lasts_is_let_through_faster() {
    let mut line = Line::default();
    let mut crowd = crowd(&mut line, 10_000);
    let mut millis = 0;
    while !line.waiting.is_empty() {
        millis += 1;
        line.beat(at(millis));
        while line.call_next() {}
    }
    let all = crowd.len();
    assert_eq!(passed(&mut crowd), all);
    // Of ten thousand 4,500 pass one by one, and the rest in pairs.
    assert_eq!(millis, 4_500 + 5_500 / 2);
}

#[test]
fn a_long_rest_lets_no_more_through_than_a_short_one() {
    let mut line = Line::default();
    assert!(
        line.passes(at(1000)),
        "most of what the rest allows is left"
    );
    assert!((0..RESTED).all(|_| line.passes(at(5000))));
    assert!(!line.passes(at(5000)));
}

#[test]
fn a_storm_after_a_rest_begins_anew() {
    let mut line = Line {
        beats: 10 * PATIENCE,
        ..Line::default()
    };
    assert!((0..RESTED).all(|_| line.passes(at(1000))));
    let mut crowd = crowd(&mut line, 10);
    line.beat(at(1001));
    while line.call_next() {}
    assert_eq!(passed(&mut crowd), A_BEAT);
}

#[test]
fn those_who_do_not_ask_make_a_crowd_as_well() {
    let turnstile = Turnstile::new(Clock::start());
    turnstile.allow(3);
    for _ in 0..3 {
        assert!(!turnstile.is_crowded());
        turnstile.note();
    }
    assert!(turnstile.is_crowded());
}

#[test]
fn somebody_who_waits_makes_a_crowd() {
    let turnstile = Turnstile::new(Clock::start());
    let _crowd = crowd(&mut turnstile.line.borrow_mut(), 1);
    turnstile.line.borrow_mut().left = 3;
    assert!(turnstile.is_crowded());
}

#[test]
fn the_crowd_is_gone_a_beat_after_the_last_of_it_has_passed() {
    let turnstile = Turnstile::new(Clock::started(Duration::from_secs(1)));
    let mut crowd = crowd(&mut turnstile.line.borrow_mut(), 1);
    turnstile.allow(1);
    assert_eq!(passed(&mut crowd), 1);
    assert!(turnstile.is_crowded());
    turnstile.line.borrow_mut().began = Moment::default();
    assert!(!turnstile.is_crowded());
}

#[test]
fn an_open_turnstile_holds_nobody() {
    let turnstile = Turnstile::new(Clock::start());
    let mut crowd = crowd(&mut turnstile.line.borrow_mut(), 100);
    turnstile.open();
    assert_eq!(passed(&mut crowd), 100);
    let cx = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        let pass = turnstile.poll_pass(&mut Ticket::default(), &cx);
        assert!(pass.is_ready());
    }
}

/// Many tasks that pass the turnstile, each of which notes its number.
fn those_who_ask(tasks: &LocalSet, turnstile: &Rc<Turnstile>, many: usize) -> Rc<Seen> {
    let seen = Rc::new(Seen::default());
    for one in 0..many {
        let (turnstile, seen) = (turnstile.clone(), seen.clone());
        tasks.spawn_local(async move {
            let mut ticket = Ticket::default();
            poll_fn(|cx| turnstile.poll_pass(&mut ticket, cx)).await;
            let began = turnstile.line.borrow().began;
            seen.passed
                .borrow_mut()
                .push((one, began, seen.looks.get()));
        });
    }
    seen
}

#[derive(Default)]
struct Seen {
    /// Who, in which beat, and after how many looks at the others.
    passed: RefCell<Vec<(usize, Moment, usize)>>,
    looks: Cell<usize>,
}

impl Seen {
    /// Looks until so many have passed.
    async fn until(&self, many: usize) {
        let all = async {
            while self.passed.borrow().len() < many {
                self.looks.set(self.looks.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, all).await;
        assert!(in_time.is_ok(), "{:?} have passed", self.passed.borrow());
    }
}

#[tokio::test]
async fn all_those_who_wait_pass_in_the_order_in_which_they_asked() {
    let turnstile = Turnstile::new(Clock::start());
    let tasks = LocalSet::new();
    tasks.spawn_local(turnstile.clone().turn());
    for _ in 0..2 {
        let seen = those_who_ask(&tasks, &turnstile, 40);
        tasks.run_until(seen.until(40)).await;
        let passed = seen.passed.take();
        assert!(passed.iter().map(|(one, ..)| *one).eq(0..40), "{passed:?}");
    }
}

#[tokio::test]
async fn the_thread_rests_between_two_beats() {
    let turnstile = Turnstile::new(Clock::start());
    let _crowd = crowd(&mut turnstile.line.borrow_mut(), 40);
    let (mut clear, mut polls) = (pin!(turnstile.clear()), 0);
    let counted = poll_fn(|cx| {
        polls += 1;
        clear.as_mut().poll(cx)
    });
    let cleared = tokio::time::timeout(DEADLINE, counted).await;
    assert!(cleared.is_ok());
    // A few for each of the forty; it would be thousands.
    assert!(polls <= 400, "{polls}");
}

#[tokio::test]
async fn the_others_are_looked_at_between_two_that_pass_in_a_beat() {
    let turnstile = Turnstile::new(Clock::start());
    // A storm that has lasted: ten in a beat.
    turnstile.line.borrow_mut().beats = 9 * PATIENCE;
    let tasks = LocalSet::new();
    let guard = crowd(&mut turnstile.line.borrow_mut(), 1);
    let seen = those_who_ask(&tasks, &turnstile, 9);
    tasks.run_until(tokio::task::yield_now()).await;
    tasks.spawn_local(turnstile.clone().turn());
    tasks.run_until(seen.until(9)).await;
    let passed = seen.passed.take();
    assert!(
        passed.windows(2).all(|two| two[0].1 == two[1].1),
        "in one beat: {passed:?}"
    );
    assert!(
        passed.windows(2).all(|two| two[0].2 < two[1].2),
        "{passed:?}"
    );
    drop(guard);
}

#[tokio::test]
async fn the_line_is_left_alone_once_nobody_waits() {
    let turnstile = Turnstile::new(Clock::start());
    let _crowd = crowd(&mut turnstile.line.borrow_mut(), 3);
    let cleared = tokio::time::timeout(DEADLINE, turnstile.clear()).await;
    assert!(cleared.is_ok());
    assert!(turnstile.line.borrow().waiting.is_empty());
}

/// Outside a runtime a timer would panic.
#[test]
fn there_is_no_timer_before_somebody_waits() {
    let turnstile = Turnstile::new(Clock::start());
    let mut turning = pin!(turnstile.turn());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(turning.as_mut().poll(&mut cx).is_pending());
}

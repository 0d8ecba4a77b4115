use std::sync::mpsc;

use engine::Limits;

use super::*;
use crate::events::Writer;

const IN_2023: i64 = 1_700_000_000_000_000_000;

#[test]
fn the_engine_hears_with_each_tick_what_the_clock_on_the_wall_shows() {
    let (ticks, _asked) = mpsc::channel();
    let (decider, _decisions) = Decider::new();
    let writer = Writer::spawn(&[], "e".into()).unwrap();
    let reporter = Reporter::new(writer.outlet);
    let engine = Engine::new(Limits::default(), "e");
    let plane = DataPlane::new(engine, Alarm::new(ticks), decider, reporter);
    plane.inner.borrow_mut().clock = plane.clock.beside(|| IN_2023);
    plane.tick(Duration::from_secs(30));
    let zero = plane.with_engine(|engine| engine.unix_nanos(Moment::default()));
    assert!(zero > 0 && zero <= IN_2023, "{zero}");
}

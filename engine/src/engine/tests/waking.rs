//! Who is woken, and when.

use super::guarantee::{guaranteed, sequences};
use super::*;

#[test]
fn an_at_least_once_target_is_woken_once_for_many_packets() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.actions.wake.clear();
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert_eq!(rig.actions.wake[..], [c]);
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.send(p, "4", 10, at(5));
    assert_eq!(rig.actions.wake[..], [c, c], "it had caught up");
}

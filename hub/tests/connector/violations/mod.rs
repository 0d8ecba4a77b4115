//! What would end an engram's session, generated: every limit of the contract (spec 1) and all that
//! kills the public SDK beyond it (spec 3), on every shape of packet, said by a sidecar and by an
//! engram, for engrams whose packets are numbered and for those whose are not.
//!
//! What reaches an engram is judged by an oracle of its own, never by what the hub judges with.

mod chunks;
mod envelopes;
mod expected;
mod frames;
mod growth;
mod json;
mod merges;
mod oracle;
mod rules;
mod shapes;
mod sizes;
mod world;

use expected::assert_same;
use rules::Rule;
use shapes::Packet;
use world::World;

/// Sizes of the largest field of a packet: copied, and shared with what came in.
const SIZES: [usize; 2] = [40, 9000];

/// A packet that keeps a rule, and one that breaks it.
struct Neighbours {
    name: String,
    keeps: Vec<Packet>,
    breaks: Vec<Packet>,
}

/// Has all of them said, in one go; asserts that of each pair the one that keeps the rule reaches
/// each engram unchanged and the other reaches none, and is counted.
async fn assert_told_apart(world: &mut World, all: &[Neighbours]) {
    let before = world.stopped() as usize;
    for (nth, Neighbours { keeps, breaks, .. }) in all.iter().enumerate() {
        world.say("breaks", breaks);
        world.say(&nth.to_string(), keeps);
    }
    world.say("mark", &[shapes::Shape::Binary.packet(1)]);
    for sink in &mut world.sinks {
        let got = sink.until("mark").await;
        let mut got = got.iter();
        for (nth, Neighbours { name, keeps, .. }) in all.iter().enumerate() {
            let what = format!("{name}, at {}", sink.step);
            let got = got.next().unwrap_or_else(|| panic!("{what}: missing"));
            let label = crate::engram::label(got);
            assert_eq!(label, nth.to_string(), "{what}");
            // Where it is said in parts, the last one says what counts.
            if let [keeps] = &keeps[..] {
                let mut keeps = keeps.clone();
                keeps.metadata.insert("n".into(), nth.to_string());
                assert_same(got, &keeps, sink, &what);
            }
        }
        assert_eq!(got.next(), None);
    }
    let what = format!("{} packets from {}", all.len(), all[0].name);
    world.wait_for_stopped(before + 2 * all.len(), &what).await;
}

fn neighbours(rule: &Rule) -> Vec<Neighbours> {
    let all = rule.shapes.iter().flat_map(|shape| {
        SIZES.map(|size| {
            let of = |is_broken| {
                let mut packet = shape.packet(size);
                (rule.edit)(&mut packet, is_broken);
                vec![packet]
            };
            let name = format!("{}, {shape:?} of {size}", rule.name);
            let (keeps, breaks) = (of(false), of(true));
            Neighbours {
                name,
                keeps,
                breaks,
            }
        })
    });
    all.collect()
}

#[tokio::test]
async fn a_packet_that_breaks_a_rule_reaches_no_engram_and_its_neighbour_does_unchanged() {
    let mut world = World::start().await;
    for rule in rules::all() {
        assert_told_apart(&mut world, &neighbours(&rule)).await;
    }
}

#[tokio::test]
async fn a_heartbeat_that_breaks_a_rule_ends_nobodys_session() {
    let mut world = World::start().await;
    for rule in rules::all() {
        for shape in rule.shapes {
            for is_broken in [false, true] {
                let mut packet = shape.packet(40);
                (rule.edit)(&mut packet, is_broken);
                let key = "bubu-heartbeat".to_owned();
                packet.metadata.insert(key, "true".into());
                world.say("beat", &[packet]);
            }
        }
        world.say("mark", &[shapes::Shape::Binary.packet(1)]);
        for sink in &mut world.sinks {
            let got = sink.until("mark").await;
            assert!(got.is_empty(), "{}: {got:?}", rule.name);
        }
    }
}

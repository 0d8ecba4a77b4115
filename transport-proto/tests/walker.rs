//! A walker says of each packet what a walk of its own says, whatever came before it.

mod arbitrary;

use arbitrary::packet::{WrongWires, encoded_packet};
use proptest::prelude::*;
use transport_proto::splice::{Cut, Kept};
use transport_proto::view::{PacketView, Walker};

const CUT: Cut<'static> = Cut {
    metadata_keys: &["type", "from"],
    envelope: true,
    inputs: true,
    payload: false,
    frame: false,
};

fn facts(view: &PacketView, packet: &[u8]) -> String {
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        view.violation(),
        view.frame_view(),
        view.envelope(),
        view.metadata_pairs(packet).collect::<Vec<_>>(),
        view.payload_ranges().collect::<Vec<_>>(),
        view.inputs_ranges().collect::<Vec<_>>(),
    )
}

fn same_as_alone(walker: &mut Walker, packet: &[u8]) -> Result<(), TestCaseError> {
    let alone = PacketView::parse_in_process(packet, walker.view().dialect());
    let after = walker.walk_in_process(packet);
    match alone {
        Ok(alone) => {
            prop_assert_eq!(after, Ok(()));
            prop_assert_eq!(facts(walker.view(), packet), facts(&alone, packet));
            prop_assert_eq!(walker.kept(), &Kept::of(packet, &alone, &CUT));
        }
        Err(malformed) => prop_assert_eq!(after, Err(malformed)),
    }
    Ok(())
}

/// Some bytes of a packet changed: places, as parts of its length, and what stands there instead.
fn changes() -> impl Strategy<Value = Vec<(f64, u8)>> {
    prop::collection::vec((0.0..1.0, any::<u8>()), 0..4)
}

proptest! {
    #[test]
    fn a_packet_looks_as_it_does_alone_after_those_that_nearly_equal_it(
        (dialect, first) in encoded_packet(WrongWires::Sometimes),
        others in prop::collection::vec(changes(), 1..20),
    ) {
        let mut walker = Walker::new(dialect, CUT);
        same_as_alone(&mut walker, &first)?;
        for changes in others {
            let mut next = first.clone();
            for (place, byte) in changes {
                let at = (place * next.len() as f64) as usize;
                if let Some(there) = next.get_mut(at) {
                    *there = byte;
                }
            }
            same_as_alone(&mut walker, &next)?;
        }
    }
}

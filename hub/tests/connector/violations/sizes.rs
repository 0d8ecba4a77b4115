//! 10 MiB: the largest message that an engram takes. Its client here refuses a larger one, as the SDK
//! does, so that a hub that sends one fails these tests.

use prost::Message;
use transport_proto::v1::data_packet::Frame;

use super::shapes::{Packet, Shape, binary, object};
use super::world::World;

const MIB: usize = 1 << 20;
const MOST: usize = 10 * MIB;
/// The largest has so many bytes more for a client of Process.
const HEAD: usize = 5;

fn of(size: usize) -> Packet {
    Packet {
        frame: Some(Frame::Binary(binary(&vec![b'x'; size], "a/b"))),
        ..Packet::default()
    }
}

/// Has `packet` said; how long it is at each sink that gets it.
async fn sizes(world: &mut World, packet: Packet) -> Vec<Option<usize>> {
    world.say("large", &[packet]);
    world.say("mark", &[Shape::Binary.packet(1)]);
    let mut sizes = Vec::new();
    for sink in &mut world.sinks {
        let got = sink.until("mark").await;
        sizes.push(got.first().map(Message::encoded_len));
    }
    sizes
}

#[tokio::test]
async fn nothing_over_10_mib_reaches_an_engram_and_what_is_as_large_does() {
    let mut world = World::start().await;
    let added = sizes(&mut world, of(3 * MIB)).await;
    let added: Vec<_> = added.iter().map(|len| len.unwrap() - 3 * MIB).collect();
    let (least, most) = (*added.iter().min().unwrap(), *added.iter().max().unwrap());
    // A number that is 0 is written, and not counted here.
    let zero = 2;
    let all = sizes(&mut world, of(MOST - most - zero - HEAD)).await;
    assert!(all.iter().all(Option::is_some), "{all:?}");
    for over in [0, 1] {
        sizes(&mut world, of(MOST - most + over)).await;
    }
    let none = sizes(&mut world, of(MOST - least + 1)).await;
    assert_eq!(none, [None; 4]);
}

#[tokio::test]
async fn what_grows_past_10_mib_as_its_frame_is_made_ends_in_the_hub() {
    let mut world = World::start().await;
    let bare = |text: &str, size: usize| Packet {
        payload: Some(object("text", &text.repeat(size / text.len()))),
        ..Packet::default()
    };
    // In JSON a quotation mark takes two bytes, beside the one in the Struct; a control character six.
    for (text, times) in [("x", 2), ("\"", 3), ("\u{1}", 7)] {
        let most = MOST / times;
        let all = sizes(&mut world, bare(text, most - 1000)).await;
        assert!(all.iter().all(Option::is_some), "{text:?}: {all:?}");
        let before = world.stopped() as usize;
        let none = sizes(&mut world, bare(text, most + 1000)).await;
        assert_eq!(none, [None; 4], "{text:?}");
        world.wait_for_stopped(before + 2, text).await;
    }
}

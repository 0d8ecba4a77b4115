"""Packets of every kind, and such as no engram on the SDK survives."""

import time

import grpc

from engram import LARGEST as OPTIONS
from packets import LARGEST, OCTETS, audio, deadly, kinds, named, oversized, says, small
from transport.v1.hub_pb2 import ProcessRequest
from transport.v1.transport_pb2 import BinaryFrame

PROCESS = "/transport.v1.HubService/Process"


def every_kind(scene):
    """What comes back says what was sent, however the SDK packs it."""
    go, sink = scene.go("echo"), scene.sink
    for packet in kinds():
        sent, name = says(packet), packet.metadata["n"]
        scene.source.send(packet)
        back = sink.until(name)
        assert says(back) == sent, f"{name} was {sent!r} and is {says(back)!r}"
    assert len(go.heard("session")) == 1
    return f"back and the same: {', '.join(sink.names())}"


def in_order(scene, count=5000):
    """Many packets, in order; the rate is told, not judged."""
    scene.go("echo")
    sink = scene.sink
    began = time.monotonic()
    for n in range(count):
        scene.source.send(audio(n))
    sink.until(str(count - 1))
    rate = count / (time.monotonic() - began)
    scene.source.until_settled()
    assert sink.names() == [str(n) for n in range(count)], "missing or out of order"
    return f"sent, receipted and seen {count}, in order; {rate:.0f} a second, both ends in Python"


def deadly_ones(scene):
    """Each of these would end the SDK's session: none arrives, and the engram goes on."""
    go, sink = scene.go("echo"), scene.sink
    packets = list(deadly())
    for packet in packets:
        scene.source.send(packet)
    return survived(scene, go, sink, f"{len(packets)} malformed packets stopped at the hub")


def oversized_ones(scene):
    """Too large for the hub, too large once it is addressed, too large once it is whole."""
    go, sink = scene.go("echo"), scene.sink
    too_large = named("oversized", binary=BinaryFrame(payload=b"x" * LARGEST, mime_type=OCTETS))
    code = refused(scene, ProcessRequest(packet=too_large).SerializeToString())
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED, code
    scene.source.send(oversized())
    scene.source.send(*chunks(4, 3 << 20))
    scene.source.until_settled()
    edge = scene.hub.edge("source", "go")
    assert edge["dropped"].get("oversize", 0) >= 1, edge
    return survived(scene, go, sink, "three oversized payloads stopped at the hub")


def malformed_bytes(scene):
    """Bytes that are no message end the stream that they came on, and no other."""
    go, sink = scene.go("echo"), scene.sink
    for bytes_ in (b"\xff\xff\xff no protobuf", bytes([0x0A, 6, 0x0A, 4, 0x0A, 2, 0xC3, 0x28])):
        code = refused(scene, bytes_)
        assert code == grpc.StatusCode.INVALID_ARGUMENT, code
    return survived(scene, go, sink, "two streams of no messages ended")


def survived(scene, go, sink, what):
    scene.source.send(small("after"))
    sink.until("after")
    assert sink.names() == ["after"], sink.names()
    assert len(go.heard("session")) == 1, "the engram's session ended"
    return f"{what}; the engram answers on the session that it had"


def refused(scene, request):
    """How the hub ends a Process stream of the source that says `request`."""
    with grpc.insecure_channel(scene.hub.address, options=OPTIONS) as channel:
        process = channel.stream_stream(PROCESS, request_serializer=bytes, response_deserializer=bytes)
        metadata = (
            ("bubu-transport-protocol", "1.0.0"),
            ("storyrun-name", "interop"),
            ("storyrun-namespace", "default"),
            ("current-step-id", "source"),
            ("connector-generation", "1"),
        )
        try:
            for _ in process(iter([request]), metadata=metadata, timeout=30):
                pass
        except grpc.RpcError as error:
            return error.code()
    return None


def chunks(count, size):
    """One payload in so many chunks."""
    for index in range(count):
        packet = named("oversized", binary=BinaryFrame(payload=b"x" * size, mime_type=OCTETS))
        packet.envelope.chunk_id, packet.envelope.stream_id = "c", "s"
        packet.envelope.chunk_index, packet.envelope.chunk_count = index, count
        packet.envelope.chunk_bytes, packet.envelope.total_bytes = size, count * size
        yield packet


CASES = {
    "packets: every kind there and back": ("go", every_kind),
    "packets: 5,000 in order": ("go", in_order),
    "packets: malformed ones never reach the engram": ("go", deadly_ones),
    "packets: oversized ones never reach the engram": ("go", oversized_ones),
    "packets: bytes that are no message end only their own stream": ("go", malformed_bytes),
}

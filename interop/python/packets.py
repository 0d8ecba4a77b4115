"""Packets for the checks: one of every kind, and such as would end an SDK's session."""

import json

from google.protobuf.struct_pb2 import Struct
from transport.v1.hub_pb2 import DataPacket
from transport.v1.transport_pb2 import AudioFrame, BinaryFrame, VideoFrame

ENVELOPE = "application/vnd.bubu.packet+json"
KIND = "bubu.envelope.kind"
OCTETS = "application/octet-stream"
LARGEST = 10 << 20  # bytes of a message


def struct(**fields):
    made = Struct()
    made.update(fields)
    return made


def named(name, **fields):
    metadata = {"n": str(name), **fields.pop("metadata", {})}
    return DataPacket(metadata=metadata, **fields)


def small(name, **fields):
    return named(name, binary=BinaryFrame(payload=b"1", mime_type="a/b"), **fields)


def audio(name):
    """20 ms of sound: 640 bytes."""
    return named(name, audio=AudioFrame(pcm=b"1" * 640, sample_rate_hz=16000, channels=1, codec="pcm16"))


def interrupt(turn):
    return DataPacket(metadata={"hub-control": "interrupt", "bubu.turn": str(turn)})


def envelope(**fields):
    return BinaryFrame(payload=json.dumps({"version": "v1", **fields}).encode(), mime_type=ENVELOPE)


def kinds():
    """One packet of every kind that engrams exchange."""
    failed = {"version": "v1", "type": "timeout", "message": "too late"}
    sound = AudioFrame(pcm=b"\1" * 640, sample_rate_hz=16000, channels=1, codec="pcm16")
    picture = VideoFrame(payload=b"\2" * 50_000, codec="vp8", width=64, height=64)
    yield named("audio", audio=sound, payload=struct(a=1))
    yield named("video", video=picture)
    yield named("binary", binary=BinaryFrame(payload=b"\3" * 100, mime_type=OCTETS))
    yield named("json", binary=BinaryFrame(payload=b'{"a":1}', mime_type="application/json"))
    yield named("struct", payload=struct(text="hello"), inputs=struct(lang="en"))
    yield named("envelope", metadata={KIND: "data"}, payload=struct(x=1), binary=envelope(kind="data", payload={"x": 1}))
    yield named("error", metadata={KIND: "error"}, payload=struct(**failed), binary=envelope(kind="error", payload=failed))
    yield named("large", binary=BinaryFrame(payload=b"x" * (9 << 20), mime_type=OCTETS))


def says(packet):
    """What a packet says, however it is packed: its frame, or the JSON that stands for it."""
    frame = packet.WhichOneof("frame")
    if frame in ("audio", "video"):
        return getattr(packet, frame).SerializeToString()
    if frame == "binary" and packet.binary.mime_type == ENVELOPE:
        said = json.loads(packet.binary.payload)
        return said.get("payload"), said.get("inputs")
    if frame == "binary" and packet.binary.mime_type == "application/json":
        return json.loads(packet.binary.payload), None
    if frame == "binary":
        return packet.binary.payload
    return dict(packet.payload) or None, dict(packet.inputs) or None


def deadly():
    """Packets of which each would end the SDK's session."""
    plain = BinaryFrame(payload=b"1", mime_type="a/b")
    yield named("deadly", audio=AudioFrame(sample_rate_hz=16000, channels=1))
    yield named("deadly", audio=AudioFrame(pcm=b"11", sample_rate_hz=1, channels=1))
    yield named("deadly", video=VideoFrame(payload=b"1"))
    yield named("deadly", video=VideoFrame(payload=b"1", raw=True))
    yield named("deadly", binary=BinaryFrame(payload=b"1", mime_type="a/b/c"))
    yield named("deadly", binary=BinaryFrame(payload=b"1", mime_type=ENVELOPE))
    yield named("deadly", metadata={" k": "v"}, binary=plain)
    yield named("deadly", metadata={"k": "v" * 2000}, binary=plain)
    yield named("deadly", metadata={KIND: "a b"}, binary=plain)
    yield named("deadly", metadata={KIND: "noop"}, payload=struct(a=1))
    yield named("deadly", payload=struct(a=float("nan")))


def oversized():
    """A packet that the hub takes and that no engram does once it is addressed to it."""
    bare = named("oversized", binary=BinaryFrame(payload=b"", mime_type=OCTETS))
    room = LARGEST - bare.ByteSize() - 64
    return named("oversized", binary=BinaryFrame(payload=b"x" * room, mime_type=OCTETS))

"""source (Python) -> go (an echo on the public Go SDK, connected directly) -> sink (Python),
through the real hub: every kind of packet both ways, packets that would end the SDK's session,
order and rate, the engram killed, the hub drained and the hub killed.

    go_echo.py HUB GO-ECHO STORY [PACKETS]

Prints what it did with times, closes with a verdict, and exits 1 if a packet of the quiet parts is
missing or out of order, a deadly one reached the engram, or the engram did not outlive the hub.
What the SDK itself loses when it is killed is counted apart: it numbers nothing that it sends.
"""

import json
import os
import signal
import subprocess
import sys
import time

from chain import DEADLINE, Process, free_port
from engram import Engram
from google.protobuf.struct_pb2 import Struct
from transport.v1.hub_pb2 import DataPacket
from transport.v1.transport_pb2 import AudioFrame, BinaryFrame, VideoFrame

ENVELOPE = "application/vnd.bubu.packet+json"
KIND = "bubu.envelope.kind"


def struct(**fields):
    made = Struct()
    made.update(fields)
    return made


def named(name, **fields):
    metadata = {"n": name, **fields.pop("metadata", {})}
    return DataPacket(metadata=metadata, **fields)


def envelope(**fields):
    return BinaryFrame(payload=json.dumps({"version": "v1", **fields}).encode(), mime_type=ENVELOPE)


def kinds():
    """One packet of every kind that engrams exchange."""
    failed = {"version": "v1", "type": "timeout", "message": "too late"}
    audio = AudioFrame(pcm=b"\1" * 640, sample_rate_hz=16000, channels=1, codec="pcm16")
    video = VideoFrame(payload=b"\2" * 50_000, codec="vp8", width=64, height=64)
    yield named("audio", audio=audio, payload=struct(a=1))
    yield named("video", video=video)
    yield named("binary", binary=BinaryFrame(payload=b"\3" * 100, mime_type="application/octet-stream"))
    yield named("json", binary=BinaryFrame(payload=b'{"a":1}', mime_type="application/json"))
    yield named("struct", payload=struct(text="hello"), inputs=struct(lang="en"))
    yield named("envelope", metadata={KIND: "data"}, payload=struct(x=1), binary=envelope(kind="data", payload={"x": 1}))
    yield named("error", metadata={KIND: "error"}, payload=struct(**failed), binary=envelope(kind="error", payload=failed))
    yield named("large", binary=BinaryFrame(payload=b"x" * (9 << 20), mime_type="application/octet-stream"))


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


class GoEcho:
    def __init__(self, hub, echo, story):
        self.hub_path, self.echo_path, self.story = hub, echo, story
        self.address = f"127.0.0.1:{free_port()}"
        self.seen = []
        self.began = time.monotonic()

    def say(self, what):
        print(f"{time.monotonic() - self.began:7.2f} s  {what}", flush=True)

    def start_hub(self):
        command = [self.hub_path, "run", self.story, "--listen", self.address, "--admin", "127.0.0.1:0"]
        self.hub = Process(*command)
        ready = self.hub.child.stdout.readline()
        assert ready.startswith("ready "), f"the hub says {ready!r}"

    def start_echo(self):
        asked = [self.hub_path, "binding", self.story, "--step", "go", "--endpoint", self.address, "--format", "value"]
        binding = subprocess.check_output(asked, text=True).strip()
        os.environ["BUBU_TRANSPORT_BINDING"] = binding
        self.echo = Process(self.echo_path)

    def take(self, packet):
        self.seen.append(packet.metadata["n"])
        return []

    def until(self, name, patience=DEADLINE):
        limit = time.monotonic() + patience
        while name not in self.seen:
            assert time.monotonic() < limit, f"{name} has not come back after {patience:.0f} s: {self.seen[-3:]}"
            assert self.echo.child.poll() is None, "the Go engram has ended"
            time.sleep(0.005)

    def numbered(self, first, count):
        for n in range(first, first + count):
            frame = AudioFrame(pcm=b"1" * 640, sample_rate_hz=16000, channels=1, codec="pcm16")
            self.source.send(named(str(n), audio=frame))

    def run(self, packets):
        self.start_hub()
        self.start_echo()
        self.sink = Engram(self.address, "sink", self.take)
        self.source = Engram(self.address, "source", lambda packet: [])
        for packet in kinds():
            self.source.send(packet)
            self.until(packet.metadata["n"])
        self.say(f"back from the Go engram: {', '.join(self.seen)}")
        for packet in deadly():
            self.source.send(packet)
        self.source.send(named("after", binary=BinaryFrame(payload=b"1", mime_type="a/b")))
        self.until("after")
        assert "deadly" not in self.seen, "a packet that ends the SDK's session got through"
        self.say("11 deadly packets stopped at the hub; the engram answers")
        self.quiet(packets)
        self.kill_echo(packets)
        self.end_hub(signal.SIGTERM, "drained")
        self.end_hub(signal.SIGKILL, "killed")
        for engram in (self.source, self.sink):
            engram.stop()
        self.echo.end(signal.SIGTERM)
        self.hub.end(signal.SIGTERM)

    def quiet(self, packets):
        self.seen.clear()
        began = time.monotonic()
        self.numbered(0, packets)
        self.until(str(packets - 1))
        rate = packets / (time.monotonic() - began)
        assert self.seen == [str(n) for n in range(packets)], "missing or out of order"
        self.say(f"{packets} packets back in order, {rate:.0f} a second (both ends in Python)")

    def kill_echo(self, packets):
        self.seen.clear()
        self.numbered(0, packets)
        self.until(str(packets // 4))
        self.echo.end(signal.SIGKILL)
        self.start_echo()
        self.until(str(packets - 1))
        assert self.source.settled(DEADLINE), "not all packets are settled"
        different = len(set(self.seen))
        self.say(
            f"killed the Go engram under way: sent {packets}, receipted {packets}, seen {different}, "
            f"seen twice {len(self.seen) - different}, lost in the SDK {packets - different}"
        )

    def end_hub(self, how, called):
        self.seen.clear()
        self.hub.end(how)
        self.start_hub()
        self.source.send(named(called, binary=BinaryFrame(payload=b"1", mime_type="a/b")))
        self.until(called)
        self.say(f"{called} the hub and started it again: the same Go process answers")


def main():
    hub, echo, story, *rest = sys.argv[1:]
    run = GoEcho(hub, echo, story)
    try:
        run.run(int(rest[0]) if rest else 5_000)
        print("every part passed")
        return 0
    finally:
        for name in ("hub", "echo"):
            process = getattr(run, name, None)
            if process is not None and process.child.poll() is None:
                process.end(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())

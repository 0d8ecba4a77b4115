"""source (Python) -> rust (Rust SDK) -> python (this client) -> sink (Python), through the
real hub: at_least_once packets across cut connections, a killed engram and a drained hub.

    chain.py HUB ECHO STORY [PACKETS]

Prints what it did with times, closes with a verdict, and exits 1 if a packet is missing,
reordered or altered.
"""

import json
import signal
import socket
import subprocess
import sys
import time

from engram import Engram
from transport.v1.hub_pb2 import DataPacket
from transport.v1.transport_pb2 import BinaryFrame

DEADLINE = 120.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program of ours, ended by its own id."""

    def __init__(self, *command):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def end(self, how):
        self.child.send_signal(how)
        return self.child.wait(60)


class Chain:
    def __init__(self, hub, echo, story, packets):
        self.hub_path, self.echo_path, self.story, self.packets = hub, echo, story, packets
        self.address = f"127.0.0.1:{free_port()}"
        self.seen, self.twice, self.altered = [], 0, 0
        self.known = set()
        self.began = time.monotonic()

    def say(self, what):
        print(f"{time.monotonic() - self.began:7.2f} s  {what}", flush=True)

    def start_hub(self):
        command = [self.hub_path, "run", self.story, "--listen", self.address, "--admin", "127.0.0.1:0"]
        self.hub = Process(*command)
        ready = self.hub.child.stdout.readline()
        assert ready.startswith("ready "), f"the hub says {ready!r}"

    def start_echo(self):
        self.echo = Process(self.echo_path, self.address, "default", "interop", "rust")

    def take(self, packet):
        number = int(packet.metadata["number"])
        self.altered += packet != self.expected(number, packet)
        if number in self.known:
            self.twice += 1
        else:
            self.known.add(number)
            self.seen.append(number)
        return []

    @staticmethod
    def packet(number):
        body = json.dumps({"number": number}).encode()
        frame = BinaryFrame(payload=body, mime_type="application/x-interop")
        return DataPacket(metadata={"number": str(number)}, binary=frame)

    def expected(self, number, packet):
        wanted = self.packet(number)
        wanted.envelope.CopyFrom(packet.envelope)
        for key in ("storyrun-name", "storyrun-namespace", "current-step-id"):
            wanted.metadata[key] = packet.metadata[key]
        return wanted

    def until(self, count):
        limit = time.monotonic() + DEADLINE
        while len(self.seen) < count:
            assert time.monotonic() < limit, f"{len(self.seen)} of {count} packets after {DEADLINE:.0f} s"
            time.sleep(0.01)

    def run(self):
        self.start_hub()
        self.start_echo()
        sink = Engram(self.address, "sink", self.take)
        relay = Engram(self.address, "python", lambda packet: [self.again(packet)])
        source = Engram(self.address, "source", lambda packet: [])
        self.say(f"hub, Rust and Python engrams are up; {self.packets} packets begin")
        part = self.packets // 5
        sent = 0
        for what in (None, "cut", "kill", "drain", None):
            for _ in range(part):
                sent += 1
                source.send(self.packet(sent))
            self.until(sent - part // 2)
            self.disturb(what, (relay, sink))
        assert source.settled(DEADLINE), f"{len(source.kept)} packets are not settled"
        self.until(sent)
        self.say("every packet is settled")
        for engram in (source, relay, sink):
            engram.stop()
        self.echo.end(signal.SIGTERM)
        self.hub.end(signal.SIGTERM)
        return self.verdict(sent, source)

    @staticmethod
    def again(packet):
        answer = DataPacket()
        answer.CopyFrom(packet)
        return answer

    def disturb(self, what, engrams):
        if what == "cut":
            for engram in engrams:
                engram.cut()
            self.say("cut the connections of the Python engrams")
        if what == "kill":
            self.echo.end(signal.SIGKILL)
            self.start_echo()
            self.say("killed the Rust engram (SIGKILL) and started it again")
        if what == "drain":
            status = self.hub.end(signal.SIGTERM)
            self.start_hub()
            self.say(f"drained the hub (SIGTERM, exit status {status}) and started it again")

    def verdict(self, sent, source):
        missing = sent - len(self.seen)
        late = sum(1 for before, after in zip(self.seen, self.seen[1:]) if after < before)
        print(
            f"sent {sent}, settled {sent - len(source.kept)}, seen {len(self.seen)}, seen twice {self.twice}, "
            f"missing {missing}, first seen out of order {late}, altered {self.altered}"
        )
        return 1 if missing or late or self.altered else 0


def main():
    hub, echo, story, *rest = sys.argv[1:]
    chain = Chain(hub, echo, story, int(rest[0]) if rest else 10_000)
    try:
        return chain.run()
    finally:
        for name in ("hub", "echo"):
            process = getattr(chain, name, None)
            if process is not None and process.child.poll() is None:
                process.end(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())

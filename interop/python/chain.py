"""source (Python) -> rust (Rust SDK) -> python (this client) -> sink (Python), through the
real hub: at_least_once packets across cut connections, a killed engram and a drained hub.

    chain.py HUB RUST-ENGRAM STORY [PACKETS]

Prints what it did with times, closes with a verdict, and exits 1 if a packet is missing,
reordered or altered.
"""

import json
import signal
import sys

from ends import Source
from engram import Engram
from packets import named
from rig import Hub, Program, ending_all, say, until
from transport.v1.transport_pb2 import BinaryFrame

ROUTING = ("storyrun-name", "storyrun-namespace", "current-step-id")


def packet(number):
    body = json.dumps({"number": number}).encode()
    return named(number, binary=BinaryFrame(payload=body, mime_type="application/x-interop"))


class Chain:
    def __init__(self, hub, rust, story, packets):
        self.rust_path, self.packets = rust, packets
        self.hub = Hub(hub, story)
        self.seen, self.twice, self.altered = [], 0, 0
        self.known = set()
        self.start_rust()

    def start_rust(self):
        self.rust = Program("rust", self.rust_path, "echo", self.hub.address, "default", "interop", "rust")

    def take(self, arrived):
        number = int(arrived.metadata["n"])
        for key in ROUTING:
            del arrived.metadata[key]
        self.altered += arrived != packet(number)
        if number in self.known:
            self.twice += 1
        else:
            self.known.add(number)
            self.seen.append(number)
        return []

    def until(self, count):
        until(lambda: f"{len(self.seen)} of {count} packets", lambda: len(self.seen) >= count, 120)

    def run(self):
        sink = Engram(self.hub.address, "sink", self.take)
        relay = Engram(self.hub.address, "python", lambda arrived: [arrived])
        source = Source(self.hub.address)
        say(f"hub, Rust and Python engrams are up; {self.packets} packets begin")
        part = self.packets // 5
        sent = 0
        for what in (None, "cut", "kill", "drain", None):
            for _ in range(part):
                sent += 1
                source.send(packet(sent))
            self.until(sent - part // 2)
            self.disturb(what, (relay, sink))
        source.until_settled()
        self.until(sent)
        say("every packet is settled")
        for engram in (source, relay, sink):
            engram.stop()
        self.rust.end()
        self.hub.end()
        return self.verdict(sent, source)

    def disturb(self, what, engrams):
        if what == "cut":
            for engram in engrams:
                engram.cut()
            say("cut the connections of the Python engrams")
        if what == "kill":
            self.rust.end(signal.SIGKILL)
            self.start_rust()
            say("killed the Rust engram (SIGKILL) and started it again")
        if what == "drain":
            status = self.hub.end()
            self.hub.start()
            say(f"drained the hub (SIGTERM, exit status {status}) and started it again")

    def verdict(self, sent, source):
        missing = sent - len(self.seen)
        late = sum(1 for before, after in zip(self.seen, self.seen[1:]) if after < before)
        print(
            f"sent {sent}, settled {source.settled_count()}, seen {len(self.seen)}, seen twice {self.twice}, "
            f"missing {missing}, first seen out of order {late}, altered {self.altered}"
        )
        return 1 if missing or late or self.altered else 0


def main():
    hub, rust, story, *rest = sys.argv[1:]
    with ending_all():
        return Chain(hub, rust, story, int(rest[0]) if rest else 10_000).run()


if __name__ == "__main__":
    sys.exit(main())

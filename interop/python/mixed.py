"""source (Python) -> go (Go SDK) -> rust (Rust SDK) -> python (Process) -> sink (Python) through
the real hub, the first two connected directly: at_least_once packets while each engram is
restarted and the hub is drained.

    mixed.py HUB GO-ENGRAM RUST-ENGRAM STORY [PACKETS]

Each part sends its share, disturbs the chain under way, and ends when the last packet, which is
sent after the disturbance, has come and nothing waits anywhere. What is missing is then told apart
by what the Go engram wrote on its messages: each has a number of the engram's own, so that what
the SDK was given, what the hub took from it (its account), and what came are three figures.

* lost in the SDK: given to the SDK with its Done() said, and never taken in by the hub. This SDK
  numbers nothing and keeps nothing that it sends (spec 3), so a SIGKILL may cost so much.

Anything else that is missing fails, and so does a part that must lose nothing: a drain among them,
since the hub takes what engrams make of their last packets until all is flushed.
"""

import pathlib
import signal
import sys

from ends import Source
from engram import Engram
from packets import audio
from rig import Hub, Program, Talker, ending_all, say, until

RELAY = str(pathlib.Path(__file__).with_name("relay.py"))
LOOKS = 20  # that find an engram where it was: it stands
COLUMNS = ("sent", "receipted", "seen", "seen twice", "missing", "lost in SDK")


class Arrivals:
    """What came to the sink in one part."""

    def __init__(self):
        self.emissions, self.twice = {}, 0  # number -> what the Go engram called it, first
        self.distinct = set()  # emissions

    def take(self, packet):
        number, emission = int(packet.metadata["n"]), packet.metadata["go"]
        self.twice += number in self.emissions
        self.emissions.setdefault(number, emission)
        self.distinct.add(emission)
        return []


class Mixed:
    def __init__(self, hub, go, rust, story, packets):
        self.programs = {"go": go, "rust": rust}
        self.hub = Hub(hub, story)
        self.go, self.rust = self.start("go"), self.start("rust")
        self.start_python()
        self.sink = Engram(self.hub.address, "sink", lambda packet: self.came.take(packet))
        self.source = Source(self.hub.address)
        self.share, self.sent, self.rows = packets // len(PARTS), 0, []
        self.failed = False

    def start(self, step):
        return Talker(step, self.programs[step], "echo", env=self.hub.binding(step))

    def start_python(self):
        self.python = Program("python", sys.executable, RELAY, self.hub.address, "python")

    # --- what is done to the chain ---

    def nothing(self):
        pass

    def restart_rust(self):
        self.rust.end(signal.SIGKILL)
        self.rust = self.start("rust")

    def restart_python(self):
        self.python.end(signal.SIGKILL)
        self.start_python()

    def bounce_go(self):
        """As spec 3 says: nothing more is sent, all is receipted and quiet; then it ends."""
        self.until_quiet()
        self.go.end(signal.SIGTERM)
        self.go = self.start("go")

    def kill_go(self):
        self.go.end(signal.SIGKILL)
        self.go = self.start("go")

    def kill_go_under_pressure(self):
        """At worst: the hub does not read it, as what it sends finds no room."""
        self.rust.child.send_signal(signal.SIGSTOP)
        looks = [None] * LOOKS

        def stands():
            """Whether the way is full, and the engram has come no further for some time."""
            looks.append(self.hub.edge("source", "go")["delivered"])
            looks.pop(0)
            return self.hub.edge("go", "rust")["paused"] and len(set(looks)) == 1
        until("the Go engram never came to a stand", stands, 20)
        self.kill_go()
        self.rust.child.send_signal(signal.SIGCONT)

    def bounce_hub(self):
        self.until_quiet()
        self.drain_hub()

    def drain_hub(self):
        self.drained = True
        self.taken += self.accepted()
        status, refused, abandoned = self.hub.drain()
        self.hub.start()
        assert status == 0, f"the hub ended with {status}"
        if refused or abandoned:
            say(f"the hub refused {refused} packets or more while it drained, and abandoned {abandoned} (who numbers keeps)")

    # --- parts ---

    def until_quiet(self):
        """Until all that was sent has come, and nothing waits for anybody."""
        sent = self.sent - self.begun
        until(lambda: f"{len(self.came.emissions)} of {sent}", lambda: len(self.came.emissions) == sent)
        self.source.until_settled()
        until("something waits still", self.hub.is_quiet)

    def send(self):
        self.sent += 1
        self.source.send(audio(self.sent))

    def part(self, what, disturb, may_lose=None):
        """`may_lose`: None or "SDK"."""
        self.came, self.begun, self.taken = Arrivals(), self.sent, -self.accepted()
        self.drained = False
        settled = self.source.settled_count()
        for _ in range(self.share - 1):
            self.send()
        reached = self.share // 3
        until(lambda: f"{len(self.came.emissions)} of {reached}", lambda: len(self.came.emissions) >= reached)
        disturb()
        self.send()
        until(lambda: f"the last packet of: {what}", lambda: self.sent in self.came.emissions)
        self.source.until_settled()
        until("something waits still", self.hub.is_quiet)
        self.taken += self.accepted()
        self.account(what, may_lose, self.source.settled_count() - settled)

    def accepted(self):
        """What the present hub took from the Go engram."""
        return self.hub.edge("go", "rust")["accepted"]

    def account(self, what, may_lose, receipted):
        seen = len(self.came.emissions)
        missing = self.share - seen
        # What the hub took has come; so what has not come was never taken. What it takes while it
        # drains nobody can ask it any more.
        all_came = self.drained or self.taken == len(self.came.distinct)
        accounted = all_came and (may_lose == "SDK" or missing == 0)
        self.rows.append((what, self.share, receipted, seen, self.came.twice, missing, missing))
        told = f"the hub took {self.taken} from the Go engram, {len(self.came.distinct)} of these came"
        say(f"{what}: ok" if accounted else f"{what}: FAILED: missing {missing}; {told}")
        self.failed = self.failed or not accounted or receipted != self.share

    def run(self):
        say("hub, Go, Rust and Python engrams are up")
        for what, disturb, *may_lose in PARTS:
            self.part(what, lambda: disturb(self), *may_lose)
        self.source.stop()
        self.sink.stop()
        for program in (self.python, self.rust, self.go, self.hub):
            program.end()
        return self.verdict()

    def verdict(self):
        totals = [sum(column) for column in zip(*(row[1:] for row in self.rows))]
        width = max(len(row[0]) for row in self.rows)
        print(f"{'':{width}}  " + "  ".join(f"{name:>12}" for name in COLUMNS))
        for what, *figures in [*self.rows, ("all", *totals)]:
            print(f"{what:{width}}  " + "  ".join(f"{figure:>12}" for figure in figures))
        return 1 if self.failed else 0


PARTS = (
    ("undisturbed", Mixed.nothing),
    ("Rust engram killed (SIGKILL)", Mixed.restart_rust),
    ("Python engram killed (SIGKILL)", Mixed.restart_python),
    ("Go engram bounced (quiet, SIGTERM)", Mixed.bounce_go),
    ("hub bounced (quiet, SIGTERM)", Mixed.bounce_hub),
    ("hub drained under way (SIGTERM)", Mixed.drain_hub),
    ("Go engram killed under way (SIGKILL)", Mixed.kill_go, "SDK"),
    ("Go engram killed, its way full (SIGKILL)", Mixed.kill_go_under_pressure, "SDK"),
)


def main():
    hub, go, rust, story, *rest = sys.argv[1:]
    with ending_all():
        return Mixed(hub, go, rust, story, int(rest[0]) if rest else 10_000).run()


if __name__ == "__main__":
    sys.exit(main())

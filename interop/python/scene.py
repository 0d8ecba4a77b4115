"""What a check of the Go SDK is played in: the hub, an engram on the SDK, and both ends."""

import functools
import pathlib
import signal

from ends import Sink, Source
from rig import Hub, Talker, until

STORIES = pathlib.Path(__file__).resolve().parent.parent / "stories"


class Scene:
    """A hub on one of the Stories; what else there is comes to be when it is asked for."""

    def __init__(self, hub, go, story):
        self.go_path = go
        self.hub = Hub(hub, str(STORIES / f"{story}.yaml"))

    @functools.cached_property
    def source(self):
        return Source(self.hub.address)

    @functools.cached_property
    def sink(self):
        return Sink(self.hub.address)

    def go(self, part, **binding):
        """Starts the Go engram, and waits until its stream has begun."""
        program = Talker("go", self.go_path, part, env=self.hub.binding("go", **binding))
        program.until("session")
        return program

    def puppet(self, **binding):
        return Puppet("go", self.go_path, "puppet", env=self.hub.binding("go", **binding))

    def receipted(self):
        return self.hub.edge("source", "go")["delivered"]

    def until_receipted(self, count):
        until(lambda: f"{self.receipted()} of {count} are receipted", lambda: self.receipted() == count)

    def end(self):
        """Ends everything in order, as far as it was begun."""
        for name in ("source", "sink"):
            if name in self.__dict__:
                self.__dict__[name].stop()
        status = self.hub.end(signal.SIGTERM)
        assert status == 0, f"the hub ended with {status}"


class Puppet(Talker):
    """A Go engram that does what it is told (interop/go/engram/puppet.go)."""

    def __init__(self, *command, env):
        super().__init__(*command, env=env)
        self.told = 0
        self.until("session")

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        self.told += 1
        self.until("did", self.told)

    def got(self, count, **wanted):
        """Waits for so many packets; gives the facts of all that came."""
        self.until("got", count, **wanted)
        return self.heard("got", **wanted)

    def names(self):
        return [fact["name"] for fact in self.heard("got")]

    def done(self, *facts):
        """Says that these packets are done, in this order; without any, all of them."""
        self.tell("done " + (" ".join(str(fact["id"]) for fact in facts) or "all"))

    def directives(self, of=None):
        return [fact for fact in self.heard("directive") if of in (None, fact["type"])]

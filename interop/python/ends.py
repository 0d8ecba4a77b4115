"""The two ends of a check's Story: a source and a sink of its own, over HubService.Process."""

from engram import Engram
from rig import DEADLINE, until


class Source(Engram):
    """Sends what it is told to, and hears what is settled."""

    def __init__(self, address, step="source"):
        super().__init__(address, step, lambda packet: [])

    def until_settled(self):
        assert self.settled(DEADLINE), f"{len(self.kept)} of {self.number} packets are not settled"


class Sink(Engram):
    """Keeps what comes, in its order."""

    def __init__(self, address, step="sink"):
        self.packets = []
        super().__init__(address, step, self._keep)

    def _keep(self, packet):
        self.packets.append(packet)
        return []

    def names(self):
        return [packet.metadata["n"] for packet in list(self.packets)]

    def until(self, name):
        """Waits for a packet; gives it."""
        seen = 0

        def holds():
            nonlocal seen
            while seen < len(self.packets):
                if self.packets[seen].metadata["n"] == name:
                    return True
                seen += 1
            return False
        until(lambda: f"{name} has not come; the last were {self.names()[-3:]}", holds)
        return self.packets[seen]

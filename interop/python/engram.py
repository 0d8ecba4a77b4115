"""An engram over HubService.Process, written as a user of grpcio would.

It registers, numbers what it sends and keeps it until the hub says that it is settled,
acknowledges what it has taken care of, and connects again when the connection is lost.
"""

import collections
import itertools
import queue
import threading
import time

import grpc

from transport.v1.hub_pb2 import ProcessRequest
from transport.v1.hub_pb2_grpc import HubServiceStub
from transport.v1.transport_pb2 import FlowControl

ACCEPT = "control"
HEARTBEAT = "bubu-heartbeat"
LEAVE_AFTER = 0.5  # seconds
# The contract's largest message is 10 MiB; grpcio takes 4 MiB if not told otherwise.
LARGEST = [("grpc.max_receive_message_length", 10 << 20)]


class Engram:
    """One step of one run. `handle(packet)` is called for each packet, in its order, and
    gives the packets to be sent for it; a packet is acknowledged once these are settled."""

    def __init__(self, address, step, handle, run="interop", namespace="default"):
        self.address, self.step, self.handle = address, step, handle
        self.run, self.namespace = run, namespace
        self.epoch = f"python-{time.time_ns():x}"
        self.lock = threading.Condition()
        self.kept = collections.OrderedDict()  # number -> its packets, not settled
        self.number = 0
        self.done = set()  # (stream, sequence) handled, so that copies are not handled again
        self.connections = self.resent = self.copies = 0
        self.outgoing = None  # the present connection's
        self.stopping = False
        self.call = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    # --- what users call ---

    def send(self, *packets):
        """Numbers a packet, or the chunks of one payload, and sends it; gives its number."""
        with self.lock:
            return self._send(*packets)

    def settled_count(self):
        """How many of those that were sent are settled."""
        with self.lock:
            return self.number - len(self.kept)

    def settled(self, deadline):
        """Waits until everything sent is settled."""
        with self.lock:
            return self.lock.wait_for(lambda: not self.kept, deadline)

    def cut(self):
        """Ends the connection, as a network would."""
        call = self.call
        if call is not None:
            call.cancel()

    def stop(self):
        self.stopping = True
        self.cut()
        self.thread.join(10)

    # --- the connection ---

    def _metadata(self):
        return (
            ("bubu-transport-protocol", "1.0.0"),
            ("storyrun-name", self.run),
            ("storyrun-namespace", self.namespace),
            ("current-step-id", self.step),
            ("connector-generation", "1"),
            ("startup.capabilities", "none"),
            ("hub-producer-epoch", self.epoch),
            ("hub-accept", ACCEPT),
        )

    def _serve(self):
        while not self.stopping:
            outgoing = queue.Queue()
            with grpc.insecure_channel(self.address, options=LARGEST) as channel:
                stub = HubServiceStub(channel)
                requests = iter(outgoing.get, None)
                self.call = stub.Process(requests, metadata=self._metadata())
                try:
                    self._talk(self.call, outgoing)
                except grpc.RpcError:
                    pass
                finally:
                    outgoing.put(None)
            time.sleep(0.05)

    def _talk(self, call, outgoing):
        self.call.initial_metadata()  # the hub has accepted
        with self.lock:
            self.connections += 1
            self.resent += len(self.kept)
            self.outgoing = outgoing
            for packet in itertools.chain.from_iterable(self.kept.values()):
                outgoing.put(ProcessRequest(packet=packet))
        line = Line(outgoing)
        for response in call:
            if response.HasField("flow"):
                self._settle(response.flow.ack)
            if response.HasField("packet"):
                self._take(response.packet, line)
            with self.lock:
                line.acknowledge(self._oldest())

    def _take(self, packet, line):
        if packet.metadata.get("hub-control") == "draining" and self.kept:
            # It takes no more packets, so what we keep is settled by the next hub, and what
            # waits for that is not acknowledged to this one: leave, or its drain waits for us.
            threading.Timer(LEAVE_AFTER, self.cut).start()
        if packet.metadata.get(HEARTBEAT) == "true" or packet.WhichOneof("frame") is None:
            return
        sequence = packet.envelope.sequence
        identity = (packet.envelope.stream_id, sequence)
        with self.lock:
            if sequence and identity in self.done:
                self.copies += 1
            else:
                self.done.add(identity)
                packet.ClearField("envelope")  # the hub's numbers end here
                for answer in self.handle(packet):
                    self._send(answer)
            line.took(sequence, self.number)

    def _send(self, *packets):
        self.number += 1
        self.kept[self.number] = packets
        for packet in packets:
            packet.envelope.sequence = self.number
            if self.outgoing is not None:
                self.outgoing.put(ProcessRequest(packet=packet))
        return self.number

    def _settle(self, ack):
        with self.lock:
            while self.kept and next(iter(self.kept)) <= ack:
                self.kept.popitem(last=False)
            self.lock.notify_all()

    def _oldest(self):
        return next(iter(self.kept), self.number + 1)


class Line:
    """What one connection brought and has not been acknowledged: its sequence, and the
    number up to which the engram's own packets must be settled before it may be."""

    def __init__(self, outgoing):
        self.outgoing, self.open = outgoing, collections.deque()

    def took(self, sequence, number):
        if sequence:
            self.open.append((sequence, number))

    def acknowledge(self, oldest):
        ack = 0
        while self.open and self.open[0][1] < oldest:
            ack = self.open.popleft()[0]
        if ack:
            self.outgoing.put(ProcessRequest(flow=FlowControl(ack=ack)))

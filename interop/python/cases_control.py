"""What is said on Control."""

from packets import interrupt, small
from rig import until

HELLO = "acme.hello"


def handshake(scene):
    """The first word is the hub's, and it asks for no capabilities."""
    puppet = scene.puppet()
    first = puppet.until("directive")
    assert first["type"] == "connector.ready", first
    assert first["metadata"] == {"startup.capabilities": "none"}, first
    scene.source.send(small("after"))
    puppet.until("got", name="after")
    puppet.done()
    scene.source.until_settled()
    assert [fact["type"] for fact in puppet.directives()] == ["connector.ready"], puppet.directives()
    return "connector.ready with startup.capabilities none, and nothing else; the stream began"


def interrupts(scene):
    """A handler of the engram's own hears of a barge-in, and what waited for it is gone."""
    puppet = scene.puppet()
    in_flight, waiting = 96, 50
    for n in range(in_flight + waiting):
        scene.source.send(small(n))
    puppet.got(in_flight)
    until("the queue", lambda: scene.hub.edge("source", "go")["queued"] == waiting)
    scene.source.send(interrupt(1))
    told = puppet.until("directive", type="interrupt")
    assert told["metadata"] == {"turn": "1"}, told
    puppet.done()
    scene.source.send(small("after"))
    puppet.until("got", name="after")
    puppet.done()
    scene.source.until_settled()
    edge = scene.hub.edge("source", "go")
    assert edge["dropped"] == {"interrupted": waiting}, edge
    assert edge["delivered"] == in_flight + 1, edge
    assert len(puppet.names()) == in_flight + 1
    return f"{in_flight} in flight were kept, {waiting} that waited are dropped, the next turn came"


def answers(scene):
    """What a handler says to the hub is answered where the contract knows it, and not where it
    does not: two peers that answer each other's own actions never end."""
    puppet = scene.puppet()
    for turn, (reply, received) in enumerate(
        [(HELLO, None), ("heartbeat", "heartbeat"), ("noop", "noop"), ("handoff.ready", "13")], 1
    ):
        before = len(puppet.directives("ack"))
        puppet.tell(f"answer interrupt {reply}")
        scene.source.send(interrupt(turn))
        puppet.until("directive", turn, type="interrupt")
        if received is not None:
            # Control keeps its order: an answer to what was said before would stand before it.
            puppet.until("directive", before + 1, type="ack")
            ack = puppet.directives("ack")[before]["metadata"]
            assert ack["received"] == received, ack
            assert ack["handled"] == str(received == "heartbeat").lower(), ack
    assert [fact for fact in puppet.directives() if HELLO in str(fact)] == []
    scene.source.send(small("after"))
    puppet.until("got", name="after")
    puppet.done()
    scene.source.until_settled()
    assert len(puppet.heard("session")) == 1
    acks = [(a["metadata"]["received"], a["metadata"]["handled"]) for a in puppet.directives("ack")]
    return f"{HELLO} is left unanswered; answered: " + ", ".join(f"{r} handled {h}" for r, h in acks)


CASES = {
    "handshake: the hub speaks first, capabilities none": ("go", handshake),
    "control: an interrupt reaches a handler of the engram's own": ("go", interrupts),
    "control: known actions are answered, unknown ones are not": ("go", answers),
}

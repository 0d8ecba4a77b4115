"""Receipts: what the engram says with Done(), when, and what the SDK makes of it."""

from packets import small
from proxy import Proxy
from rig import until

IN_FLIGHT = 96  # what the hub leaves unreceipted at an engram on the SDK (spec 3)


def send(scene, count, first=0):
    for n in range(first, first + count):
        scene.source.send(small(n))


def in_order(scene, count=60):
    """Each Done() settles what stands before it too, and not more."""
    puppet = scene.puppet()
    send(scene, count)
    held = puppet.got(count)
    for done, fact in enumerate(held, 1):
        puppet.done(fact)
        assert scene.source.settled_count() <= done
    scene.source.until_settled()
    assert puppet.names() == [str(n) for n in range(count)]
    return f"{count} receipted one after the other: settled {count}, seen twice 0, missing 0"


def out_of_order(scene, count=60):
    """Last first. What is not done holds the ack-through back, and it alone comes again."""
    proxy = Proxy(scene.hub.address)
    puppet = scene.puppet(address=proxy.address)
    send(scene, count)
    held = puppet.got(count)
    left = (held[0], held[7])
    puppet.done(*(fact for fact in reversed(held) if fact not in left))
    scene.until_receipted(count - len(left))
    assert scene.source.settled_count() == 0, "the first is not done"
    proxy.cut()
    puppet.until("session", 2)
    again = puppet.got(len(left), session=2)
    puppet.done(*again)
    scene.source.until_settled()
    assert [fact["name"] for fact in again] == ["0", "7"], again
    assert len(puppet.names()) == count + len(left), "what was receipted came again"
    proxy.close()
    return f"{count - len(left)} of {count} receipted last first; after a cut only 0 and 7 came again"


def late(scene, count=40):
    """A Done() after the end of its session says nothing: the packets come again, none is lost."""
    proxy = Proxy(scene.hub.address)
    puppet = scene.puppet(address=proxy.address)
    send(scene, count)
    held = puppet.got(count)
    proxy.cut()
    puppet.until("ended")
    puppet.done(*held)
    puppet.until("session", 2)
    again = puppet.got(count, session=2)
    assert [fact["name"] for fact in again] == [str(n) for n in range(count)], again
    puppet.done(*again)
    scene.source.until_settled()
    assert scene.receipted() == count
    proxy.close()
    return f"{count} done after their session: seen twice {count}, receipted {count}, missing 0"


def full_queue(scene):
    """With the SDK's own buffer of 16 its receipt queue overflows, and what it drops comes again."""
    again, rounds = 0, 0
    puppet = scene.puppet(tuned=False)
    while again == 0 or rounds < 2:
        rounds += 1
        assert rounds <= 10, "the SDK lost no receipt: nothing was tried"
        again += burst(scene, puppet, rounds)
    total = rounds * IN_FLIGHT
    return f"buffer 16: sent and settled {total}, missing 0; shown again as the SDK lost a receipt {again}"


def roomy_queue(scene, rounds=10):
    """With the hub's binding the queue holds all that is in flight."""
    puppet = scene.puppet()
    again = sum(burst(scene, puppet, number) for number in range(1, rounds + 1))
    assert again == 0, f"{again} packets came again"
    return f"buffer 128: sent and settled {rounds * IN_FLIGHT}, missing 0, seen twice 0"


def burst(scene, puppet, number):
    """Has all that may be in flight done in one go, then everything at once that comes again;
    gives how much that was."""
    first, before = (number - 1) * IN_FLIGHT, len(puppet.names())
    puppet.tell("hold")
    send(scene, IN_FLIGHT, first)
    puppet.got(before + IN_FLIGHT)
    puppet.done()
    puppet.tell("prompt")
    scene.source.until_settled()
    until("the account", lambda: scene.hub.is_quiet())
    names = puppet.names()[before:]
    assert set(names) == {str(n) for n in range(first, first + IN_FLIGHT)}, "missing"
    return len(names) - IN_FLIGHT


CASES = {
    "receipts: Done() in order": ("go", in_order),
    "receipts: Done() out of order": ("go", out_of_order),
    "receipts: Done() after the session's end": ("go", late),
    "receipts: a full receipt queue (the SDK's 16)": ("receipts", full_queue),
    "receipts: a burst of 96 with the binding's 128": ("receipts", roomy_queue),
}

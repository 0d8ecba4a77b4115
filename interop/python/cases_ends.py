"""Engrams and hubs that end: who gets what again, and who goes on."""

import signal

from packets import small
from rig import say, until


def send(scene, count, first=0):
    for n in range(first, first + count):
        scene.source.send(small(n))


def restarted(how, called):
    """The engram ends with some receipted and some not: a new process gets the rest."""
    def play(scene, count=60, done=25):
        first = scene.puppet()
        send(scene, count)
        held = first.got(count)
        first.done(*held[:done])
        scene.until_receipted(done)
        first.end(how)
        second = scene.puppet()
        again = second.got(count - done)
        second.done()
        scene.source.until_settled()
        assert [fact["name"] for fact in again] == [str(n) for n in range(done, count)], again
        return f"{called} with {done} of {count} receipted: the new process got the other {count - done}, missing 0"
    return play


def drained(scene, count=60):
    """The hub waits for what the engram works on, ends its session, and is met again."""
    puppet = scene.puppet()
    send(scene, count)
    puppet.got(count)
    scene.hub.program.child.send_signal(signal.SIGTERM)
    told = puppet.until("directive", type="handoff.draining")
    assert told["metadata"]["phase"] == "draining", told
    puppet.done()
    status = scene.hub.program.child.wait(60)
    losses = "with losses" in scene.hub.program.last_words()
    assert status == 0 and not losses, scene.hub.program.last_words()
    scene.hub.start()
    return answers_again(scene, puppet, count, "drained with 60 in hand: all receipted first")


def killed(scene, count=60):
    """A hub that is killed forgets what was in flight. The source numbers what it sends, so it
    comes again, under another identity."""
    puppet = scene.puppet()
    send(scene, count)
    puppet.got(count)
    scene.hub.end(signal.SIGKILL)
    puppet.until("ended")
    scene.hub.start()
    puppet.until("session", 2)
    puppet.got(count, session=2)
    puppet.done()
    scene.source.until_settled()
    return answers_again(scene, puppet, count, f"killed with {count} in hand: {count} came again")


def answers_again(scene, puppet, count, what):
    puppet.tell("prompt")
    scene.source.send(small("after"))
    puppet.until("got", name="after")
    scene.source.until_settled()
    assert set(puppet.names()) == {*(str(n) for n in range(count)), "after"}, "missing"
    puppet.tell("emit back")
    scene.sink.until("back")
    twice = len(puppet.names()) - count - 1
    return f"{what}; the same Go process goes on, missing 0, seen twice {twice}"


def outlives(scene, times=5):
    """The hub comes and goes; the engram's process stays, and each time it is met again."""
    go = scene.go("echo")
    for time in range(times):
        name = f"{time}"
        scene.source.send(small(name))
        scene.sink.until(name)
        scene.source.until_settled()
        until("quiet", scene.hub.is_quiet)
        how = (signal.SIGTERM, signal.SIGKILL)[time % 2]
        scene.hub.end(how)
        scene.hub.start()
    scene.source.send(small("last"))
    scene.sink.until("last")
    say(f"sessions of the one process: {len(go.heard('session'))}")
    return f"{times} hubs ended in turn by SIGTERM and SIGKILL; the sixth is answered by the same process"


CASES = {
    "ends: the engram restarted by SIGTERM": ("go", restarted(signal.SIGTERM, "SIGTERM")),
    "ends: the engram restarted by SIGKILL": ("go", restarted(signal.SIGKILL, "SIGKILL")),
    "ends: the hub drained (SIGTERM) with packets in hand": ("go", drained),
    "ends: the hub killed (SIGKILL) with packets in hand": ("go", killed),
    "ends: one engram process outlives five hubs": ("go", outlives),
}

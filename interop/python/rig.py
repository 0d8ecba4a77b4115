"""What the checks stand on: programs that are ended by their own ids, the hub among them, and
waiting for what must come to be, with a deadline."""

import atexit
import contextlib
import faulthandler
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

DEADLINE = 60.0
# Of a whole check. Nothing in one may take so long: what does is shown, and ended.
LONGEST = 240.0
LOOK_EVERY = 0.005
BINDING = "BUBU_TRANSPORT_BINDING"

_running = set()
_began = time.monotonic()


def say(what):
    print(f"{time.monotonic() - _began:7.2f} s  {what}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, holds, patience=DEADLINE):
    """Looks until `holds()`; `what` says what was waited for in vain."""
    limit = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < limit, f"after {patience:.0f} s: {what() if callable(what) else what}"
        time.sleep(LOOK_EVERY)


class Program:
    """A program with standard input and output for lines; its standard error goes to a file."""

    def __init__(self, name, *command, env=None):
        self.name, self.log, self.lines = name, f"{name}.log", []
        with open(self.log, "a") as log:
            self.child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env={**os.environ, **(env or {})},
            )
        _running.add(self)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.child.stdout:
            self.lines.append(self.heard_line(line))

    def heard_line(self, line):
        """What is kept of a line of its standard output."""
        return line

    def is_running(self):
        return self.child.poll() is None

    def end(self, how=signal.SIGTERM):
        """Ends the program; gives its exit status."""
        if self.is_running():
            self.child.send_signal(how)
        status = self.child.wait(DEADLINE)
        _running.discard(self)
        return status

    def last_words(self, lines=15):
        with open(self.log) as log:
            return "".join(f"{self.name}: {line}" for line in log.readlines()[-lines:])

    def cpu(self):
        """Seconds of processor time so far."""
        with open(f"/proc/{self.child.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Talker(Program):
    """A program of ours: every line of its standard output is a fact. `on_fact` is called with
    each as it comes."""

    def __init__(self, name, *command, env=None, on_fact=lambda fact: None):
        self.on_fact = on_fact
        super().__init__(name, *command, env=env)

    def heard_line(self, line):
        fact = json.loads(line)
        self.on_fact(fact)
        return fact

    def heard(self, event, **wanted):
        """The facts of an event, in their order."""
        return [
            fact for fact in list(self.lines)
            if fact["event"] == event and all(fact.get(key) == value for key, value in wanted.items())
        ]

    def until(self, event, count=1, **wanted):
        """Waits for the count-th fact of an event; gives it."""
        def holds():
            assert self.is_running(), f"{self.name} has ended\n{self.last_words()}"
            return len(self.heard(event, **wanted)) >= count
        until(lambda: f"{len(self.heard(event, **wanted))} of {count} {event} {wanted or ''}", holds)
        return self.heard(event, **wanted)[count - 1]


class Hub:
    """The hub on one Story; it can be ended and begun again at the same port."""

    def __init__(self, path, story):
        self.path, self.story = path, story
        self.address = f"127.0.0.1:{free_port()}"
        self.start()

    def start(self):
        command = [self.path, "run", self.story, "--listen", self.address, "--admin", "127.0.0.1:0"]
        self.program = Program("hub", *command)
        program = self.program
        until(program.last_words, lambda: program.lines or not program.is_running())
        assert program.lines, program.last_words()
        self.admin = dict(word.split("=") for word in program.lines[0].split()[1:])["admin"]

    def end(self, how=signal.SIGTERM):
        return self.program.end(how)

    def drain(self):
        """Has it drain, and watches; gives its exit status, how many packets it was last seen to
        have refused for it, and how many it says that it abandoned."""
        refused, program = 0, self.program
        program.child.send_signal(signal.SIGTERM)
        while program.is_running():
            with contextlib.suppress(OSError):  # the admin server has ended
                refused = self.metric("hub_packets_refused_total", reason="shutdown")
        abandoned = re.search(r"abandoned: (\d+)", program.last_words(2))
        return program.end(), int(refused), int(abandoned[1]) if abandoned else 0

    def get(self, page):
        with urllib.request.urlopen(f"http://{self.admin}{page}", timeout=10) as answer:
            return answer.read().decode()

    def run(self):
        return json.loads(self.get("/api/v1/runs/default/interop"))

    def edge(self, source, target):
        return next(e for e in self.run()["edges"] if (e["from"], e["to"]) == (source, target))

    def is_connected(self, step):
        return next(s for s in self.run()["steps"] if s["id"] == step)["connected"]

    def is_quiet(self):
        """Whether nothing waits for anybody, neither to be sent nor for its receipt."""
        return all(edge["queued"] == edge["inFlight"] == 0 for edge in self.run()["edges"])

    def metric(self, name, **labels):
        """The sum of all series of a metric with these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        series = (line for line in self.get("/metrics").splitlines() if line.startswith((name + "{", name + " ")))
        return sum(float(line.split()[-1]) for line in series if all(each in line for each in wanted))

    def binding(self, step, address=None, tuned=True):
        """The environment of an engram that connects as a step. Not `tuned`: with the SDK's own
        defaults in place of what the hub's binding says."""
        asked = [self.path, "binding", self.story, "--step", step, "--format", "value"]
        asked += ["--endpoint", address or self.address]
        value = json.loads(subprocess.check_output(asked, text=True, timeout=DEADLINE))
        if not tuned:
            del value["binding"]["payload"]
        return {BINDING: json.dumps(value)}


@contextlib.contextmanager
def ending_all():
    """Whatever happens, no program outlives this, and it comes to an end."""
    watch = threading.Timer(LONGEST, give_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    except AssertionError:
        for program in list(_running):
            print(program.last_words(), end="")
        raise
    finally:
        watch.cancel()
        kill_all()


def give_up():
    print(f"not done after {LONGEST:.0f} s:", flush=True)
    faulthandler.dump_traceback(sys.stdout)
    for program in list(_running):
        print(program.last_words(), end="")
    kill_all()
    sys.stdout.flush()
    os._exit(1)


def kill_all():
    for program in list(_running):
        if program.is_running():
            program.end(signal.SIGKILL)


atexit.register(kill_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

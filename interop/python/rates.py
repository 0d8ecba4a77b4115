"""Go SDK -> hub -> Go SDK beside Rust SDK -> hub -> Rust SDK: the same Story, bindings and
packets (audio of 640 bytes, at least once), in turns.

    rates.py HUB GO-ENGRAM RUST-ENGRAM STORY [PACKETS] [ROUNDS]

Each measurement has a hub of its own, a source that sends as fast as it may, and a sink that
receipts each packet. Messages per second and the hub's processor time per message are those between
the sink's first tenth and its last. Rates are printed and not judged: only what is missing or out of
order fails.
"""

import statistics
import sys
import time

from rig import Hub, Talker, ending_all, say, until


class Measured:
    """What came of one measurement."""

    def __init__(self, per_second, cpu_micros):
        self.per_second, self.cpu_micros = per_second, cpu_micros


def measure(hub_path, engram, story, packets):
    hub = Hub(hub_path, story)
    marks = {}

    def mark(fact):
        marks[fact["event"]] = (time.monotonic(), hub.program.cpu())

    sink = Talker("sink", engram, "sink", str(packets), env=hub.binding("sink"), on_fact=mark)
    until("the sink is not connected", lambda: hub.is_connected("sink"))
    source = Talker("source", engram, "source", str(packets), env=hub.binding("source"))
    complete = sink.until("complete")
    assert complete["disorders"] == 0, f"{complete['disorders']} packets were missing, twice or out of order"
    for program in (source, sink, hub):
        program.end()
    (begun, cpu_begun), (ended, cpu_ended) = marks["begun"], marks["complete"]
    measured = packets - packets // 10
    return Measured(measured / (ended - begun), (cpu_ended - cpu_begun) / measured * 1e6)


def main():
    hub, go, rust, story, *rest = sys.argv[1:]
    packets, rounds = (int(rest[0]) if rest else 100_000), (int(rest[1]) if len(rest) > 1 else 3)
    makes = {"Go": go, "Rust": rust}
    measured = {make: [] for make in makes}
    with ending_all():
        for turn in range(1, rounds + 1):
            for make, engram in makes.items():
                measured[make].append(measure(hub, engram, story, packets))
            figures = ", ".join(
                f"{make} {each[-1].per_second:,.0f}/s at {each[-1].cpu_micros:.2f} us of the hub"
                for make, each in measured.items()
            )
            say(f"round {turn}: {figures}")
    table(measured)


def table(measured):
    medians = {
        make: (median(each, "per_second"), median(each, "cpu_micros")) for make, each in measured.items()
    }
    print(f"{'medians':12}  {'messages/s':>12}  {'hub CPU/message':>16}")
    for make, (per_second, cpu_micros) in medians.items():
        print(f"{make + ' SDK':12}  {per_second:>12,.0f}  {cpu_micros:>13.2f} us")
    rates = [rust.per_second / go.per_second for go, rust in zip(measured["Go"], measured["Rust"])]
    cpu = [rust.cpu_micros / go.cpu_micros for go, rust in zip(measured["Go"], measured["Rust"])]
    print(f"{'Rust / Go':12}  {statistics.median(rates):>12.2f}  {statistics.median(cpu):>13.2f}")


def median(each, figure):
    return statistics.median(getattr(measured, figure) for measured in each)


if __name__ == "__main__":
    main()

"""What the public Go SDK and the hub owe each other, case by case.

    cases.py --names           the names, one a line
    cases.py HUB GO NAME       plays one

Each prints what it counted; the exit status is 1 where something was owed in vain.
"""

import sys

import cases_control
import cases_ends
import cases_packets
import cases_receipts
from rig import ending_all, say
from scene import Scene

CASES = {
    **cases_control.CASES,
    **cases_packets.CASES,
    **cases_receipts.CASES,
    **cases_ends.CASES,
}


def main():
    if sys.argv[1:] == ["--names"]:
        print("\n".join(CASES))
        return
    hub, go, name = sys.argv[1:]
    story, play = CASES[name]
    with ending_all():
        scene = Scene(hub, go, story)
        say(play(scene))
        scene.end()


if __name__ == "__main__":
    main()

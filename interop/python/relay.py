"""An engram over HubService.Process in a process of its own: it sends on what it gets, and
acknowledges it once that is settled. It ends with its standard input.

    relay.py HOST:PORT STEP
"""

import sys

from engram import Engram


def main():
    address, step = sys.argv[1:]
    Engram(address, step, lambda packet: [packet])
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""A wire between an engram and the hub that can be cut."""

import contextlib
import socket
import threading


class Proxy:
    """Takes connections at `address` and hands everything on to the hub, both ways."""

    def __init__(self, hub):
        self.hub = hub
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock, self.open = threading.Lock(), []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Ends every connection, as a network would; new ones may come."""
        with self.lock:
            ended, self.open = self.open, []
        for each in ended:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self.cut()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                host, port = self.hub.rsplit(":", 1)
                there = socket.create_connection((host, int(port)))
                with self.lock:
                    self.open += [here, there]
                for source, target in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

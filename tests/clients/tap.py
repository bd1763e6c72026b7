"""Stands between a client and the gateway, passes bytes on untouched, and keeps the client's requests."""

import json
import socket
import threading
import time


class Tap:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.target, self.requests, self.lock = (host, int(port)), [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            gateway = socket.create_connection(self.target)
            threading.Thread(target=self.pump, args=(client, gateway, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(gateway, client, False), daemon=True).start()

    def pump(self, source, target, keep):
        held = b""
        try:
            while data := source.recv(65536):
                if keep:
                    held = self.take(held + data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def take(self, data):
        """Keeps the requests that are whole; returns the rest."""
        while b"\r\n\r\n" in data:
            head, rest = data.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                break
            method, path, _ = lines[0].split(" ")
            with self.lock:
                self.requests.append({"method": method, "path": path, "headers": headers,
                                      "body": json.loads(rest[:length] or b"{}")})
            data = rest[length:]
        return data

    def wait(self, count, seconds=30):
        deadline = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} requests, not {count}"
            time.sleep(0.02)

    def close(self):
        self.listener.close()

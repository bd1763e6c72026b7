"""Idle connections beside normal requests, of a gateway that runs: memory of each, and what the others notice.

  python3 bench/gateway/idle.py 127.0.0.1:8080 PID [COUNT] [CA.pem]     (`ulimit -n` and limits.connections above COUNT)
"""

import re
import socket
import ssl
import sys
import time
from pathlib import Path

REQUEST = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


def memory_bytes(pid):
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def connect(address, context):
    host, port = address.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), timeout=10)
    return context.wrap_socket(s, server_hostname=host) if context else s


def ask(s):
    s.sendall(REQUEST)
    if not s.recv(4096).startswith(b"HTTP/1.1 200"):
        raise SystemExit("the gateway does not answer with 200")


def latencies_ms(address, context, count=500):
    s, found = connect(address, context), []
    for _ in range(count):
        begin = time.perf_counter()
        ask(s)
        found.append(1000 * (time.perf_counter() - begin))
    found.sort()
    return f"p50 {found[count // 2]:.3f} ms, worst {found[-1]:.3f} ms"


def main():
    address, pid = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    context = ssl.create_default_context(cafile=sys.argv[4]) if len(sys.argv) > 4 else None
    print("alone ", latencies_ms(address, context))
    before, held = memory_bytes(pid), []
    for _ in range(count):
        held.append(connect(address, context))
        ask(held[-1])
    print("beside", latencies_ms(address, context))
    print(f"{count} idle connections, {(memory_bytes(pid) - before) / count:.0f} bytes of the gateway's memory each")


main()

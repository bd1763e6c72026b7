"""An OpenAI-compatible upstream that can misbehave on purpose.

One server stands for all experts; the request's "model" says which. What it does next for a model is a list of
behaviours (callables taking a Request); the last one repeats. Every request is recorded as it came.
"""

import json
import socket
import struct
import threading
import time


class Request:
    def __init__(self, sock, target, headers, body):
        self.sock, self.target, self.headers, self.body = sock, target, headers, body
        self.json = json.loads(body)
        self.at = time.monotonic()
        self.cancelled = threading.Event()  # the gateway closed the connection before we were done
        self.sent_bytes = 0

    def send(self, data):
        try:
            self.sock.sendall(data)
            self.sent_bytes += len(data)
        except OSError:
            self.cancelled.set()
            raise

    def head(self, status=200, content_type="application/json", headers=(), length=None):
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}"]
        lines += [f"{k}: {v}" for k, v in headers]
        lines.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, obj):
        data = obj if isinstance(obj, bytes) else json.dumps(obj).encode()
        self.chunk(b"data: " + data + b"\n\n")

    def end(self):
        self.send(b"0\r\n\r\n")

    def whole(self, status, obj, headers=()):
        data = obj if isinstance(obj, bytes) else json.dumps(obj).encode()
        self.head(status, headers=headers, length=len(data))
        self.send(data)

    def wait_for_hangup(self, seconds):
        """Waits until the gateway closes; True when it did."""
        self.sock.settimeout(seconds)
        try:
            gone = self.sock.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            gone = True
        if gone:
            self.cancelled.set()
        return gone


def delta(text=None, finish=None, **more):
    d = {} if text is None else {"content": text}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": d, "finish_reason": finish}], **more}


def usage_of(usage):
    return {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}


def answer(text="hello world", usage=(10, 5), delay=0.0, pause=0.0):
    """Whole or streamed, as asked; usage None leaves it out."""
    def behave(r):
        time.sleep(delay)
        if not r.json.get("stream"):
            body = {"id": "c1", "object": "chat.completion", "created": 1, "model": r.json["model"],
                    "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                                 "finish_reason": "stop"}]}
            if usage is not None:
                body["usage"] = usage_of(usage)
            r.whole(200, body)
            return
        r.head(content_type="text/event-stream")
        r.event({**delta(""), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""},
                                           "finish_reason": None}]})
        for word in text.split(" "):
            time.sleep(pause)
            r.event(delta(word + " "))
        r.event(delta(finish="stop"))
        if usage is not None and (r.json.get("stream_options") or {}).get("include_usage"):
            r.event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                     "usage": usage_of(usage)})
        r.event(b"[DONE]")
        r.end()
    return behave


def status(code, message="no", headers=(), body=None):
    return lambda r: r.whole(code, body if body is not None else {"error": {"message": message, "type": "t",
                                                                            "param": None, "code": None}}, headers)


def stall(seconds=20):
    """Accepts the request and says nothing."""
    return lambda r: r.wait_for_hangup(seconds)


def stall_mid_stream(seconds=20):
    def behave(r):
        r.head(content_type="text/event-stream")
        r.event(delta("one "))
        r.wait_for_hangup(seconds)
    return behave


def cut_mid_stream(r):
    r.head(content_type="text/event-stream")
    r.event(delta("one "))
    time.sleep(0.05)
    r.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_before_head(r):
    r.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def error_event(*before, error=None):
    """A 200 stream whose first (or later) event is an error."""
    def behave(r):
        r.head(content_type="text/event-stream")
        for text in before:
            r.event(delta(text))
        r.event({"error": error or {"message": "overheated", "type": "server_error", "code": 503}})
        r.end()
    return behave


class Upstream:
    def __init__(self):
        self.requests, self.behaviours, self.lock = [], {}, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def on(self, model, *behaviours):
        self.behaviours[model] = list(behaviours)

    def of(self, model):
        with self.lock:
            return [r for r in self.requests if r.json["model"] == model]

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            while True:
                try:
                    request = self.read(sock)
                    if request is None:
                        return
                    with self.lock:
                        self.requests.append(request)
                        todo = self.behaviours.get(request.json["model"], [answer()])
                        behave = todo.pop(0) if len(todo) > 1 else todo[0]
                    sock.settimeout(None)
                    if behave(request) is not None or behave in (cut_mid_stream, cut_before_head):
                        return
                except (OSError, ValueError):
                    return

    @staticmethod
    def read(sock):
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return None
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            more = sock.recv(1 << 20)
            if not more:
                return None
            body += more
        return Request(sock, lines[0], headers, body)

    def close(self):
        self.listener.close()

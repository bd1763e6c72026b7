"""A server on loopback that answers every request with JSON; what it says is up to its subclasses."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JsonServer(ThreadingHTTPServer):
    """Listens from the first moment, on a thread of its own, until it is closed."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reply(self, method, path, headers, body):
        """The status, and what is sent as JSON, or as it is where it is bytes; None: nothing. Names of headers are small."""
        raise NotImplementedError

    def handle_error(self, request, client_address):
        pass  # the client was killed

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        answer = self.server.reply(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        if answer is None:
            self.close_connection = True
            return
        status, said = answer
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def completion(text, tokens_in, tokens_out):
    """A whole chat completion."""
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}}


def serving(kind):
    """What a fixture yields from: a function that starts servers of this kind. They are closed after the test."""
    made = []

    def start(*arguments, **options):
        made.append(kind(*arguments, **options))
        return made[-1]
    yield start
    for server in made:
        server.close()

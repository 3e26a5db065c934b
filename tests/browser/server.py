"""`llmtrace serve` on a free port, with a store of its own."""

import gzip
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

STARTING_S = 30


class Server:
    """The running program. `url` leads to its page."""

    def __init__(self, program: Path, folder: Path, *options: str, listen: str = "127.0.0.1:0", environment: dict | None = None):
        command = [program, "serve", "--listen", listen, "--store", folder / "llmtrace.db", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        self.said, self.url, self.token = [], None, None
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        deadline = time.monotonic() + STARTING_S
        while self.url is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("llmtrace serve does not start: " + "".join(self.said))
            reader.join(0.01)

    def _read(self) -> None:
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.match(r"\s*page\s+(http://\S+)", line):
                self.url = found[1]

    def request(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, body, {name.replace("_", "-"): held for name, held in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def json(self, path: str):
        status, body = self.request(path)
        if status != 200:
            raise AssertionError(f"{path}: {status} {body[:300]}")
        return json.loads(body)

    def send(self, spans: dict) -> None:
        """Sends an OTLP request; what it answers is stored."""
        body = gzip.compress(json.dumps(spans).encode(), 1)
        status, answer = self.request("/v1/traces", body, Content_Type="application/json", Content_Encoding="gzip")
        if status != 200 or json.loads(answer).get("partialSuccess"):
            raise AssertionError(f"{status} {answer[:500]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

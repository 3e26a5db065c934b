"""A backend as a process of ours on 127.0.0.1, which ends with the script."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

STARTING_S = 180
STOPPING_S = 10


class Server:
    """A server that answers at `url` once the constructor returns."""

    def __init__(self, name: str, folder: Path, arguments: list[str], port: int, health: str, environment: dict):
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{name}.log"
        began = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).parent / arguments[0], *arguments[1:]],
                cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, **environment})
        try:
            self._wait(self.url + health)
        except BaseException:
            self.stop()
            raise
        self.started_s = time.monotonic() - began

    def _wait(self, url: str) -> None:
        deadline = time.monotonic() + STARTING_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(url, timeout=5).close()
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def memory_mb(self) -> float:
        """Resident memory of the server and the processes it started."""
        pages = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                group = stat.read_text().rpartition(")")[2].split()[2]
                if int(group) == self.process.pid:
                    pages += int(stat.with_name("statm").read_text().split()[1])
            except OSError:  # it has ended
                continue
        return pages * os.sysconf("SC_PAGESIZE") / 1e6

    def stop(self) -> None:
        """Ends the server and the processes it started."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, ending)
                self.process.wait(STOPPING_S)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait(STOPPING_S)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

#!/usr/bin/env python3
"""Opens every page of `llmtrace serve` in headless Chromium and does what a reader does there.

    python3 tests/browser/run.py                 all of it
    python3 tests/browser/run.py --only WORDS    the tests whose names hold these words
    python3 tests/browser/run.py --shots DIR     also pictures of each page: wide and narrow, light and dark
    python3 tests/browser/run.py --keep          leaves the servers running until Enter is pressed

Needs Chromium and its driver (Debian: apt-get install chromium chromium-driver); installs Selenium in target/venv.
Prints a line for each test; exits with 1 if one fails.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import python_venv  # noqa: E402

python_venv.enter(HERE / "requirements.txt")
import browser  # noqa: E402
import compare_page  # noqa: E402
import dashboard_page  # noqa: E402
import findings_page  # noqa: E402
import first_visit  # noqa: E402
import graph_page  # noqa: E402
import hostile  # noqa: E402
import hostile_pages  # noqa: E402
import list_page  # noqa: E402
import live  # noqa: E402
import login  # noqa: E402
import looks  # noqa: E402
import narrow  # noqa: E402
import otlp  # noqa: E402
import scores  # noqa: E402
import session_pages  # noqa: E402
import shots  # noqa: E402
import trace_page  # noqa: E402
import without_script  # noqa: E402
from harness import Site  # noqa: E402
from server import Server  # noqa: E402
from traces import World  # noqa: E402

# The last one sends traces of its own, which the lists of the others do not have.
USUAL = [list_page, trace_page, session_pages, dashboard_page, compare_page, findings_page, scores, live, narrow, looks, graph_page]


def build() -> Path:
    subprocess.run(["cargo", "build", "--quiet", "-p", "llmtrace-cli", "--manifest-path", python_venv.ROOT / "Cargo.toml"], check=True)
    return python_venv.BUILD / "debug" / "llmtrace"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", default="", metavar="WORDS")
    arguments.add_argument("--shots", type=Path, metavar="DIR")
    arguments.add_argument("--keep", action="store_true")
    asked = arguments.parse_args()
    browser.programs()
    program, began, failed = build(), time.monotonic(), []

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmtrace-browser-")))

        def serve(name: str, *options: str, **more) -> Server:
            (folder / name).mkdir()
            server = Server(program, folder / name, *options, **more)
            stack.callback(server.stop)
            return server

        def site(server: Server, *flags: str) -> Site:
            opened = browser.Browser(server.url, *flags)
            stack.callback(opened.close)
            return Site(opened, server, world)

        def run(module, at: Site) -> None:
            failed.extend(module.test.run(module.__name__, at, asked.only, asked.shots))

        world, usual, odd = World(), serve("usual"), serve("hostile")
        for trace in world.traces:
            usual.send(trace.request())
        for make in hostile.ALL.values():
            odd.send(otlp.request(make(world.now), hostile.SERVICE))
        print(f"{len(world.traces)} traces and {len(hostile.ALL)} hostile ones stored after {time.monotonic() - began:.1f} s", flush=True)

        of_usual = site(usual)
        for module in USUAL:
            run(module, of_usual)
        run(hostile_pages, site(odd))
        run(without_script, site(usual, "--blink-settings=scriptEnabled=false"))
        run(first_visit, site(serve("empty")))
        guarded = serve("guarded", listen="0.0.0.0:0", environment=login.environment())
        guarded.token = login.TOKEN
        guarded.send(world.traces[-1].request())
        run(login, site(guarded))
        if asked.shots:
            shots.take(of_usual, asked.shots)
        if asked.keep:
            input(f"\n{usual.url}\n{odd.url}\nEnter ends them. ")
    print(f"{len(failed)} failed; {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

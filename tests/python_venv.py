"""A virtual environment for a script of these tests, in the build folder: made once, and again when its list changes."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


def enter(requirements: Path) -> None:
    """Goes on as the same script under a Python that has `requirements`; returns if that is already so."""
    place = BUILD / "venv" / requirements.parent.name
    python = place / "bin" / "python"
    if Path(sys.prefix) == place:
        return
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    made = place / "made-from"
    if not made.exists() or made.read_text() != wanted:
        print(f"installing {requirements.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
        subprocess.run(install, check=True, env={**os.environ, "PIP_CACHE_DIR": str(BUILD / "venv" / "cache")})
        made.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])

"""Local models beside their peers on one machine: python compare.py FOLDER LENS [ROUNDS]

FOLDER is what random_gpt2.py wrote, LENS the program of `cargo build --release -p llmtrace-benches --features lens --bin lens`.
Each job runs in a process of its own with two threads; the jobs take turns, round after round, so that all bear the same load.
A figure is CPU time a call in milliseconds: the least of a round's calls, the median over the rounds.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

TOKENS = (128, 512)
CALLS = {128: 6, 512: 4}
LOADS = 3
THREADS = "2"
PEER = Path(__file__).with_name("peer.py")
# OpenMP's threads spin while they wait, which costs CPU time where other programs run; "passive" ones sleep. glibc gives
# freed memory back to the system and has to get it anew for each cache; told to be "keeping", it does not.
SETTINGS = {
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "keeping": {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=4294967296:glibc.malloc.mmap_threshold=4294967296"},
}
JOBS = [
    ("ours", "forward"),
    ("ours, keeping", "forward"),
    ("transformers", "forward"),
    ("transformers, passive", "forward"),
    ("ours", "cache"),
    ("ours, keeping", "cache"),
    ("transformers, passive", "cache"),
    ("transformer_lens", "cache"),
    ("transformer_lens, passive", "cache"),
    ("ours", "gradient"),
    ("transformers", "gradient"),
    ("transformers, passive", "gradient"),
]
# What of ours over what, at most.
GOALS = [
    (("ours", "forward"), ("transformers", "forward"), 1.2),
    (("ours", "forward"), ("transformers, passive", "forward"), 1.2),
    (("ours", "cache"), ("ours", "forward"), 1.1),
    (("ours, keeping", "cache"), ("ours, keeping", "forward"), 1.1),
    (("ours", "cache"), ("transformers, passive", "cache"), None),
    (("ours", "cache"), ("transformer_lens", "cache"), 1.2),
    (("ours", "cache"), ("transformer_lens, passive", "cache"), 1.2),
    (("ours", "gradient"), ("transformers", "gradient"), 1.2),
    (("ours", "gradient"), ("transformers, passive", "gradient"), 1.2),
    (("ours", "load"), ("transformers", "load"), None),
]


def main() -> None:
    folder, lens = sys.argv[1], sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    cases = [(who, job, tokens) for tokens in TOKENS for who, job in JOBS]
    cases += [("ours", "load", 1), ("transformers", "load", 1)]
    times, memory = {case: [] for case in cases}, {case: [] for case in cases}
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for _ in range(rounds):
        for case in cases:
            least, peak = measured(folder, lens, *case)
            times[case].append(least)
            memory[case].append(peak)
    print(f"load after: {os.getloadavg()[0]:.1f}\n")
    print(f"{'job':<10}{'tokens':>7}  {'who':<26}{'CPU ms':>9}{'spread':>16}{'peak MiB':>10}")
    for case in cases:
        who, job, tokens = case
        spread = f"{min(times[case]):.0f}-{max(times[case]):.0f}"
        print(f"{job:<10}{tokens:>7}  {who:<26}{statistics.median(times[case]):>9.0f}{spread:>16}{max(memory[case]):>10.0f}")
    print(f"\n{'ours':<24}{'tokens':>7}  {'over':<34}{'ratio':>6}  goal")
    for ours, theirs, goal in GOALS:
        for tokens in (1,) if ours[1] == "load" else TOKENS:
            ratio = statistics.median(a / b for a, b in zip(times[*ours, tokens], times[*theirs, tokens]))
            goal_text = f"at most {goal}" if goal else ""
            print(f"{' '.join(ours):<24}{tokens:>7}  {' '.join(theirs):<34}{ratio:>6.2f}  {goal_text}")


def measured(folder, lens, who, job, tokens):
    """The least CPU time of a process's calls, and its peak memory."""
    environment = os.environ | {"OMP_NUM_THREADS": THREADS, "RAYON_NUM_THREADS": THREADS}
    library, _, setting = who.partition(", ")
    environment |= SETTINGS.get(setting, {})
    calls = str(LOADS if job == "load" else CALLS[tokens])
    command = [lens, folder] if library == "ours" else [sys.executable, str(PEER), folder, library]
    run = subprocess.run([*command, job, str(tokens), calls], env=environment, check=True, capture_output=True, text=True)
    *calls, peak = (float(line) for line in run.stdout.split())
    return min(calls), peak


if __name__ == "__main__":
    main()

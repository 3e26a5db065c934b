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
# OpenMP's threads spin while they wait, which costs CPU time where other programs run; "passive" ones sleep.
JOBS = [
    ("ours", "forward"),
    ("transformers", "forward"),
    ("transformers, passive", "forward"),
    ("ours", "cache"),
    ("transformers, passive", "cache"),
    ("transformer_lens", "cache"),
    ("transformer_lens, passive", "cache"),
    ("ours", "gradient"),
    ("transformers", "gradient"),
    ("transformers, passive", "gradient"),
]
# Ours over whose, at most.
GOALS = [
    ("forward", "transformers", "forward", 1.2),
    ("forward", "transformers, passive", "forward", 1.2),
    ("cache", "ours", "forward", 1.1),
    ("cache", "transformers, passive", "cache", None),
    ("cache", "transformer_lens", "cache", 1.2),
    ("cache", "transformer_lens, passive", "cache", 1.2),
    ("gradient", "transformers", "gradient", 1.2),
    ("gradient", "transformers, passive", "gradient", 1.2),
    ("load", "transformers", "load", None),
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
    print(f"\n{'ours':<10}{'tokens':>7}  {'over':<34}{'ratio':>6}  goal")
    for job, who, their_job, goal in GOALS:
        for tokens in (1,) if job == "load" else TOKENS:
            pairs = zip(times["ours", job, tokens], times[who, their_job, tokens])
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            goal_text = f"at most {goal}" if goal else ""
            print(f"{job:<10}{tokens:>7}  {who + ' ' + their_job:<34}{ratio:>6.2f}  {goal_text}")


def measured(folder, lens, who, job, tokens):
    """The least CPU time of a process's calls, and its peak memory."""
    environment = os.environ | {"OMP_NUM_THREADS": THREADS, "RAYON_NUM_THREADS": THREADS}
    if who.endswith("passive"):
        environment["OMP_WAIT_POLICY"] = "passive"
    calls = str(LOADS if job == "load" else CALLS[tokens])
    library = who.split(",")[0]
    command = [lens, folder] if who == "ours" else [sys.executable, str(PEER), folder, library]
    run = subprocess.run([*command, job, str(tokens), calls], env=environment, check=True, capture_output=True, text=True)
    *calls, peak = (float(line) for line in run.stdout.split())
    return min(calls), peak


if __name__ == "__main__":
    main()

"""Attribution graphs beside autograd's on one machine: python compare.py MODEL TRANSCODERS CIRCUIT [ROUNDS]

MODEL is what benches/lens/random_gpt2.py wrote, TRANSCODERS what random_transcoders.py wrote, CIRCUIT the program of
`cargo build --release -p llmtrace-benches --features lens --bin circuit`. Each run is a process of its own with two threads;
they take turns. A figure is CPU time a graph in seconds: the median over the rounds.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

TOKENS = "32"
THREADS = "2"
GOAL = 1 / 3
PEER = Path(__file__).with_name("peer.py")


def main() -> None:
    model, transcoders, circuit = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    commands = {"ours": [circuit], "autograd": [sys.executable, str(PEER)]}
    times, memory, found = {who: [] for who in commands}, {who: [] for who in commands}, {}
    environment = os.environ | {"OMP_NUM_THREADS": THREADS, "RAYON_NUM_THREADS": THREADS, "OMP_WAIT_POLICY": "passive"}
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for _ in range(rounds):
        for who, command in commands.items():
            command = [*command, model, transcoders, TOKENS, "1"]
            run = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            milliseconds, found[who], peak = run.stdout.strip().split("\n")
            times[who].append(float(milliseconds) / 1e3)
            memory[who].append(float(peak))
    print(f"load after: {os.getloadavg()[0]:.1f}\n")
    print(f"{'who':<10}{'CPU s':>8}{'spread':>14}{'peak MiB':>10}  active, nodes, sizes of the targets' edges")
    for who in commands:
        spread = f"{min(times[who]):.1f}-{max(times[who]):.1f}"
        print(f"{who:<10}{statistics.median(times[who]):>8.1f}{spread:>14}{max(memory[who]):>10.0f}  {found[who]}")
    ratio = statistics.median(ours / theirs for ours, theirs in zip(times["ours"], times["autograd"]))
    print(f"\nours over autograd: {ratio:.2f}, goal at most {GOAL:.2f}")


if __name__ == "__main__":
    main()

"""What starting costs: CPU seconds of `--version`, CPU seconds until the first request, peak memory of a whole run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from qagent.testing import Fault, LoopbackOllama

RUNS = 7
READ = '<tools>\n{"name": "list_files", "arguments": {}}\n</tools>'


def qagent() -> str:
    """The console script beside this interpreter."""
    return str(Path(sys.executable).with_name("qagent"))


def used(command: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one run of a command."""
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=env
    )
    _, _, usage = os.wait4(child.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)


def cpu(command: Sequence[str], env: dict[str, str]) -> float:
    return statistics.median(used(command, env)[0] for _ in range(RUNS))


def until_first_request(env: dict[str, str], folder: str) -> float:
    """CPU seconds of `qagent -p` when its first prompt has arrived at the server, which then keeps it waiting."""
    with LoopbackOllama([Fault("stall")]) as server:
        command = [qagent(), "-p", "What is here?", "-C", folder, "--host", server.url]
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=env
        )
        server.wait_for(2)
        times = psutil.Process(child.pid).cpu_times()
        child.kill()
        child.wait()
    return times.user + times.system


def whole_run(env: dict[str, str], folder: str) -> tuple[float, float]:
    with LoopbackOllama([READ, "Nothing much."]) as server:
        return used([qagent(), "-p", "What is here?", "-C", folder, "--host", server.url], env)


def row(what: str, value: str, goal: str = "") -> None:
    print(f"{what:50} {value:>12} {goal:>12}")


def main() -> None:
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "QAGENT_HOME": home}
        bare = cpu([sys.executable, "-c", "pass"], env)
        version = cpu([qagent(), "--version"], env)
        first = statistics.median(until_first_request(env, folder) for _ in range(RUNS))
        runs = [whole_run(env, folder) for _ in range(RUNS)]
    row("", "median", "goal")
    row("python -c pass, CPU", f"{bare * 1000:.1f} ms")
    row("qagent --version, CPU, x python -c pass", f"{version / bare:.2f}", "<= 2")
    row("qagent -p, CPU until its first request", f"{first:.3f} s", "<= 0.35 s")
    row("qagent -p, two turns, CPU", f"{statistics.median(c for c, _ in runs):.3f} s")
    row("qagent -p, two turns, peak memory", f"{statistics.median(m for _, m in runs):.1f} MB", "<= 70 MB")


if __name__ == "__main__":
    main()

"""`make fuzz`: coverage-guided fuzzing of what reads strangers' bytes (atheris, which is libFuzzer for Python).

Each target runs in a process of its own, which libFuzzer ends at the first exception, at an input that takes 20 seconds
(on a machine with other work a second means nothing), and at 1 GB. The corpus that it finds is kept in build/fuzz and
used again; the inputs that failed are there too. `make fuzz ARGS="mime --runs 1000000"`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import click

HERE = Path(__file__).parent
NAMES = ("mime", "header", "codecs", "edit", "text", "smtp", "milter", "archives", "frames", "senders")
SHOWN_EVERY = 15
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_PULSE = re.compile(r"#(\d+)\s+\S+\s+cov: (\d+)")


@click.command()
@click.argument("targets", nargs=-1, type=click.Choice(NAMES))
@click.option("--runs", default=200_000, show_default=True, help="Executions of each target.")
@click.option("--seconds", default=300, show_default=True, help="Seconds for each target at most.")
@click.option("--folder", default="build/fuzz", show_default=True, type=click.Path(path_type=Path))
def main(targets: tuple[str, ...], runs: int, seconds: int, folder: Path) -> None:
    """Fuzz TARGETS, all of them by default. Exit status 1 if one fails."""
    total, failed = 0, list[str]()
    for target in targets or NAMES:
        done, code = _fuzzed(target, runs, seconds, folder / target)
        total += done
        if code:
            failed.append(target)
    print(f"{total:,} executions; failed: {', '.join(failed) or 'none'}", flush=True)
    sys.exit(1 if failed else 0)


def _fuzzed(target: str, runs: int, seconds: int, folder: Path) -> tuple[int, int]:
    """How many executions there were, and the exit status of the fuzzer."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    limits = [f"-runs={runs}", f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=1024", "-max_len=4096"]
    command = [sys.executable, HERE / "run.py", target, corpus, *limits, f"-artifact_prefix={folder}/"]
    count, coverage, last = 0, 0, list[str]()
    shown_at = time.monotonic()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=pipe, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = [*last[-60:], line]
            if pulse := _PULSE.match(line):
                count, coverage = int(pulse[1]), int(pulse[2])
            if done := _DONE.search(line):
                count = int(done[1])
            if time.monotonic() - shown_at > SHOWN_EVERY:
                shown_at = time.monotonic()
                print(f"  {target}: {count:,} executions, coverage {coverage}", flush=True)
    if process.returncode:
        print("".join(last), flush=True)
    kept, outcome = len(list(corpus.iterdir())), "FAILED" if process.returncode else "no failure"
    print(f"{target}: {count:,} executions, coverage {coverage}, {kept} inputs kept, {outcome}", flush=True)
    return count, process.returncode


if __name__ == "__main__":
    main()

"""One target under the fuzzer: `run.py TARGET CORPUS [libFuzzer's options]`; started by `__main__.py`."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("fuzzing needs atheris, which has no wheel for this Python or machine")

with atheris.instrument_imports(include=["gateway", "filters"]):
    import targets
import seeds


def main() -> None:
    """Writes the seeds into the corpus and hands over to libFuzzer, which does not come back."""
    target, corpus = sys.argv[1], Path(sys.argv[2])
    for seed in seeds.seeds(target):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[3:]], targets.TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

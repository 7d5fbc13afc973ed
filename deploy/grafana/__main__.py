"""Writes the dashboards: `python deploy/grafana [FOLDER]`, else into `dashboards/` beside this file.

They are in `mail.py`, `machine.py` and `office.py`, made of `parts.py`. A test holds what is checked in to them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from boards import Board, built
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from machine import FILTERS, FLOW
from mail import OVERVIEW, REFUSED
from office import GOVERNMENT, KEPT

BOARDS: tuple[Board, ...] = (OVERVIEW, REFUSED, FILTERS, FLOW, KEPT, GOVERNMENT)


def main(folder: Path) -> None:
    """Writes one file for each dashboard."""
    for board in BOARDS:
        text = json.dumps(built(board), cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / f"{board.name}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dashboards")

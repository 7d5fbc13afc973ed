"""What the audit trail says of the letters; `mailwarden trace` looks it up too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from shown import Outcome

from gateway.store.open import open_store


async def recall(folder: Path, begun: datetime, outcomes: Sequence[Outcome]) -> None:
    """Gives each letter its records since that moment. Raises StoreUnavailable."""
    by_id = {outcome.id: outcome for outcome in outcomes if outcome.id}
    stores = await open_store(folder)
    try:
        async for record in stores.trail.search(since=begun):
            if record.id in by_id:
                by_id[record.id].records.append(record)
    finally:
        await stores.close()

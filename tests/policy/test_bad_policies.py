"""Each file in tests/policies/err is one mistake, and the .out beside it is what an operator is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.policy.load import load

ERR = Path(__file__).parents[1] / "policies" / "err"
NAMES = sorted(path.stem for path in ERR.glob("*.yaml") if not path.name.endswith(".cases.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_is_told_at_its_place(
    name: str, places: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ERR)
    with pytest.raises(ConfigurationError) as caught:
        load(f"{name}.yaml", places=places)
    assert f"{caught.value}\n" == Path(f"{name}.out").read_text()

"""A Prometheus of the test's own, with rules and settings of `deploy/prometheus`, but scraping every second."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.ports import free_port

DEPLOYED = Path(__file__).parents[2] / "deploy" / "prometheus"
PATIENCE = 30
"""Seconds after which a wait has failed."""

LOOK = 0.25
"""Seconds between two looks at something that tells nobody when it changes."""


class Prometheus:
    """`async with Prometheus(folder, target) as prometheus:` scrapes the target, "HOST:PORT", until its end."""

    def __init__(self, folder: Path, target: str) -> None:
        settings = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
        settings["global"] = dict.fromkeys(("scrape_interval", "evaluation_interval"), "1s")
        settings["rule_files"] = [str(DEPLOYED / pattern) for pattern in settings["rule_files"]]
        [scrape] = settings["scrape_configs"]
        [group] = scrape["static_configs"]
        assert group["targets"] == ["127.0.0.1:9108"]
        group["targets"] = [target]
        folder.mkdir()
        self._folder = folder
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        self._address = f"127.0.0.1:{free_port()}"

    async def __aenter__(self) -> Prometheus:
        self._client = httpx.AsyncClient(base_url=f"http://{self._address}", timeout=PATIENCE)
        self._log = (self._folder / "log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={self._folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/data",
            f"--web.listen-address={self._address}",
            "--log.level=warn",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._ready():
                    await asyncio.sleep(LOOK)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()
        self._log.close()
        await self._client.aclose()

    async def _ready(self) -> bool:
        assert self._process.returncode is None, (self._folder / "log").read_text()
        try:
            return (await self._client.get("/-/ready")).is_success
        except httpx.TransportError:
            return False

    async def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API. An error is a failure of the test."""
        answer = (await self._client.get(f"/api/v1/{path}", params=parameters)).json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]

    async def values(self, query: str) -> list[float]:
        """The numbers of the series that a query gives now, but for those that are none."""
        data = await self.get("query", query=query)
        numbers = (float(each["value"][1]) for each in data["result"])
        return [number for number in numbers if not math.isnan(number)]

    async def until(self, query: str) -> None:
        """Waits until a query has an answer."""
        async with asyncio.timeout(PATIENCE):
            while not await self.values(query):
                await asyncio.sleep(LOOK)

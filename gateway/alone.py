"""Runs the service as one process, started by systemd or from a shell: signals in, readiness out."""

from __future__ import annotations

import asyncio
import gc
import signal

import structlog

from gateway.app import Gateway
from gateway.systemd import Notifier, watched

log = structlog.get_logger()


async def serve(gateway: Gateway, notifier: Notifier, linger: float) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the policy. Sessions may go on for `linger` seconds then."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        notifier.reloading()
        await gateway.reload()
        notifier.ready(_status(gateway))

    def reload_now() -> None:
        task = loop.create_task(reload(), name="reload")
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    async with watched(notifier, gateway.stuck), gateway.running():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, gateway.stop, linger)
        loop.add_signal_handler(signal.SIGHUP, reload_now)
        loop.add_signal_handler(signal.SIGUSR2, log.warning, "not replaced: there is one process (see --workers)")
        keep()
        log.info("ready", policy=gateway.policy.digest, rules=len(gateway.policy.rules))
        notifier.ready(_status(gateway))
        await gateway.until_stopped()
        notifier.stopping(f"draining, {gateway.sessions} sessions")
    log.info("stopped")


def keep() -> None:
    """What is there by now stays: the collector need not go through it again every few messages."""
    gc.collect()
    gc.freeze()


def _status(gateway: Gateway) -> str:
    return f"policy {gateway.policy.digest}, {len(gateway.policy.rules)} rules"

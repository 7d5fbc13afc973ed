"""A real Postfix of the test's own: its folders are temporary, its ports on the loopback address, its files those of
`deploy/postfix/` with the ports replaced, so that what the runbook says is what is proven."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchfiles import awatch

SNIPPETS = Path(__file__).parents[2] / "deploy" / "postfix"
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
PATIENCE = 30
"""Seconds after which a wait has failed. Nothing here takes so long."""

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example.gov.vn
mydestination =
relay_domains = example.gov.vn
alias_maps =
alias_database =
local_header_rewrite_clients =
smtpd_peername_lookup = no
disable_dns_lookups = yes
default_transport = smtp:[127.0.0.1]:{hop}
relay_transport = $default_transport
notify_classes =
"""

MASTER = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def with_ports(text: str, ports: Mapping[str, int]) -> str:
    """A snippet with its services and ports replaced: {"smtp": 20001, "10025": 20002}. None may be missing."""
    for name, port in ports.items():
        service = rf"^{name}(?= +inet )"
        if name.isdigit():
            text, count = re.subn(rf":{name}\b", f":{port}", text)
        else:
            text, count = re.subn(service, f"127.0.0.1:{port}", text, flags=re.MULTILINE)
        assert count, f"the snippet does not mention {name}"
    return text


class Postfix:
    """`async with Postfix(main=TEXT, master=TEXT, hop=PORT) as postfix:` It relays everything to the port `hop`."""

    def __init__(self, *, main: str, master: str, hop: int) -> None:
        # Not below pytest's folder, which is closed to Postfix's own user.
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.folder.chmod(0o755)
        for name in ("etc", "spool", "data"):
            (self.folder / name).mkdir()
        (self.folder / "etc/main.cf").write_text(MAIN.format(folder=self.folder, hop=hop) + main)
        (self.folder / "etc/master.cf").write_text(MASTER + master)
        self.log = self.folder / "log"

    async def __aenter__(self) -> Postfix:
        await run(*AS_ROOT, "chown", "postfix", str(self.folder / "data"))
        try:
            await self.command("postfix", "start")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await run(*AS_ROOT, "postfix", "-c", f"{self.folder}/etc", "stop", fails=True)
        await run(*AS_ROOT, "chown", "-R", str(os.geteuid()), str(self.folder))
        shutil.rmtree(self.folder)

    async def command(self, name: str, *arguments: str) -> str:
        """What one of Postfix's commands prints for this instance."""
        return await run(*AS_ROOT, name, "-c", f"{self.folder}/etc", *arguments)

    async def queue(self) -> list[dict[str, Any]]:
        """The messages in the queue."""
        return [json.loads(line) for line in (await self.command("postqueue", "-j")).splitlines()]

    async def logged(self, pattern: str) -> re.Match[str]:
        """Waits until the log has the pattern."""
        async with asyncio.timeout(PATIENCE):
            async for _ in awatch(self.folder, step=20, rust_timeout=200, yield_on_timeout=True, recursive=False):
                text = self.log.read_text(errors="replace") if self.log.exists() else ""
                if found := re.search(pattern, text):
                    return found
        raise AssertionError("unreachable")


async def run(*command: str, fails: bool = False) -> str:
    """The output of a command, which must succeed unless it `fails`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    text = output.decode(errors="replace")
    assert fails or process.returncode == 0, f"{' '.join(command)}: {text}"
    return text

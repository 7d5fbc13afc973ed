"""A throwaway machine: this one's files under a layer that is forgotten, its own systemd, and a network of its own.

Whatever is installed, enabled and started there is seen there only: files are changed in an overlay in memory, and
processes and mounts live in namespaces of their own and end with the machine. It needs root, as Postfix in `tests/e2e`
does, and a kernel with overlayfs and the second version of control groups.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import tempfile
import uuid
from pathlib import Path

PATIENCE = 240
"""Seconds after which a wait has failed. An installation takes 20 on a machine that does nothing else."""

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

# Of the system's units none runs: these stand for the targets that a unit refers to, and journald does not.
TARGETS = ("basic", "sysinit", "shutdown", "multi-user", "sockets", "network-online", "nss-lookup", "time-sync")

BOOT = """
set -eu
mount -t tmpfs tmpfs {folder}
mkdir {folder}/upper {folder}/work {folder}/root
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {folder}/root
cd {folder}/root
mount -t proc proc proc
mount --rbind /dev dev
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
rm -rf etc/systemd/system var/lib/mailwarden etc/mailwarden opt/mailwarden
mkdir -p etc/systemd/system run/units run/systemd/system
mkdir run/units/service.d
printf '[Service]\\nStandardOutput=append:/run/log\\nStandardError=append:/run/log\\n' >run/units/service.d/log.conf
for target in {targets}; do printf '[Unit]\\nDescription=%s\\n' $target >run/units/$target.target; done
ip link set lo up
# Not chroot alone: in one, no process may make a namespace of users.
mkdir old
pivot_root . old
umount -l old
exec env -i {environment} container=test SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
    chroot . /lib/systemd/systemd --system --unit=basic.target --log-target=null
"""


class Machine:
    """`async with Machine() as machine:` is one that has booted."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self._group = _unified() / f"machine-{uuid.uuid4().hex}"
        self._pid = 0

    async def __aenter__(self) -> Machine:
        self._group.mkdir()
        words = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
        boot = BOOT.format(folder=self._folder, targets=" ".join(TARGETS), environment=words)
        self._process = await asyncio.create_subprocess_exec(
            *("sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(self._group)),
            *("unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"),
            *("sh", "-c", boot),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._booted():
                    assert self._process.returncode is None, "it did not boot: see standard error"
                    await asyncio.sleep(0.02)  # nothing outside can be told
                await self.run("systemctl", "is-system-running", "--wait", fails=True)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)  # and with it, by --kill-child, all processes of the machine
        await self._process.wait()
        for group in sorted(self._group.glob("**/"), reverse=True):
            async with asyncio.timeout(PATIENCE):
                await _removed(group)
        self._folder.rmdir()

    @property
    def log(self) -> str:
        """What the services wrote."""
        path = self.path("/run/log")
        return path.read_text(errors="replace") if path.exists() else ""

    def path(self, path: str) -> Path:
        """Where a file of the machine is found from outside."""
        return Path(f"/proc/{self._pid}/root") / path.lstrip("/")

    async def run(self, *command: str, fails: bool = False) -> str:
        """The output of a command there, which must succeed unless it `fails`."""
        process = await asyncio.create_subprocess_exec(
            *("nsenter", "--target", str(self._pid), "--all", "--root", "--wdns=/", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=ENVIRONMENT,
        )
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
        text = output.decode(errors="replace")
        assert fails or process.returncode == 0, f"{' '.join(command)}: {text}\n{self.log}"
        return text

    async def send(self, server: str, *arguments: str) -> str:
        """What a client of the machine's hears from `server` (host:port) at the end of its message."""
        heard = await self.run(
            *("swaks", "--server", server, "--helo", "client.example.org", "--timeout", "60"),
            *("--from", "an@example.org", "--to", "binh@example.gov.vn", *arguments),
            fails=True,
        )
        return re.findall(r"^<(?:-|~|\*\*) +(\d{3} .*)$", heard, re.MULTILINE)[-2]

    def _booted(self) -> bool:
        """True once systemd listens to systemctl."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with contextlib.suppress(OSError, LookupError):
            self._pid = int(children.read_text().split()[0])
            return (self.path("/run/systemd/private")).exists()
        return False


def _unified() -> Path:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            return Path(line.split()[1])
    raise AssertionError("the kernel has no control groups of the second version")


async def _removed(group: Path) -> None:
    """A control group can go once the last of its processes has."""
    while group.exists():
        try:
            os.rmdir(group)
        except OSError:
            await asyncio.sleep(0.02)

"""Real scanners on loopback, started and stopped by the tests; each lives in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.ports import free_port

START_LIMIT = 30.0
"""Seconds a scanner may take to start on a busy machine."""

DEPLOY = Path(__file__).parents[2] / "deploy"

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""In two pieces, so that no scanner trips on this file."""


@dataclass
class Running:
    """A scanner that runs: its command can be stopped, killed and started again on the same port. `asks` is a command
    that asks it something, and `children` how many answer: their first answers take long."""

    command: list[str]
    port: int
    log: Path
    asks: tuple[str, ...] = ()
    children: int = 1
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            with socket.socket() as attempt:
                attempt.settimeout(1)
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self._ask()
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"{self.command[0]} did not start: {self.log.read_text()[-2000:]}")

    def _ask(self) -> None:
        asking = [
            subprocess.Popen(self.asks, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            for _ in range(self.children if self.asks else 0)
        ]
        for each in asking:
            each.wait(timeout=START_LIMIT)

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        self.process.wait(timeout=START_LIMIT)


@contextmanager
def dnsmasq(folder: Path, *records: str) -> Iterator[Running]:
    """A nameserver with these records (options of dnsmasq), which knows nothing else and asks nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local-ttl=300", "--user=root"]
    options += [f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", f"--pid-file={folder}/pid"]
    running = Running(["/usr/sbin/dnsmasq", *options, *records], port, folder / "dnsmasq.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def clamd(folder: Path, *, stream_limit: str = "64M") -> Iterator[Running]:
    """A clamd that knows EICAR, and the program that the files of the package clamav-testfiles hide."""
    database = folder / "database"
    database.mkdir(parents=True)
    (database / "test.hdb").write_text(
        "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\naa15bcf478d165efd2065190eb473bcb:544:Clam-Test\n"
    )
    (database / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    port = free_port()
    settings = folder / "clamd.conf"
    settings.write_text(
        f"Foreground yes\nDatabaseDirectory {database}\nTCPSocket {port}\nTCPAddr 127.0.0.1\n"
        f"PidFile {folder}/clamd.pid\nMaxThreads 4\nStreamMaxLength {stream_limit}\nIdleTimeout 60\n"
        f"AlertEncrypted yes\nTemporaryDirectory {folder}\n" + ("User root\n" if os.getuid() == 0 else "")
    )
    running = Running(["/usr/sbin/clamd", f"--config-file={settings}"], port, folder / "clamd.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def rspamd(folder: Path) -> Iterator[Running]:
    """An rspamd with one test of its own, SALE, beside those that need no network."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "tld.dat").write_text("com\norg\nnet\nvn\ngov.vn\n")
    (folder / "local.lua").write_text(RSPAMD_RULE)
    settings = folder / "rspamd.conf"
    settings.write_text(
        f"""options {{
  pidfile = "{folder}/rspamd.pid"; filters = "chartable,dkim,regexp"; url_tld = "{folder}/tld.dat";
  history_file = "{folder}/history"; cache_file = "{folder}/symbols.cache"; hs_cache_dir = "{folder}";
  control_socket = "{folder}/rspamd.sock mode=0600"; tempdir = "{folder}"; local_addrs = "192.0.2.0/24";
  dns {{ nameserver = "127.0.0.1:5399"; timeout = 0.2s; retransmits = 1; sockets = 1; }}
}}
logging {{ type = "console"; level = "warning"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
lua = "{folder}/local.lua";
"""
    )
    running = Running(["/usr/bin/rspamd", "-f", "--insecure", "-c", str(settings)], port, folder / "rspamd.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def shipped_rspamd(folder: Path) -> Iterator[Running]:
    """An rspamd with the settings of its package and those of deploy/rspamd, on a port of its own."""
    port = free_port()
    local = folder / "local.d"
    shutil.copytree(DEPLOY / "rspamd" / "local.d", local)
    worker = local / "worker-normal.inc"
    worker.write_text(worker.read_text().replace(":11333", f":{port}"))
    (local / "worker-controller.inc").write_text("enabled = false;\n")
    variables = {"LOCAL_CONFDIR": folder, "DBDIR": folder, "RUNDIR": folder, "LOGDIR": folder}
    command = ["/usr/bin/rspamd", "-f", "--insecure", "-c", "/etc/rspamd/rspamd.conf"]
    for name, value in variables.items():
        command += ["--var", f"{name}={value}"]
    running = Running(command, port, folder / "rspamd.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()


RSPAMD_RULE = """
rspamd_config:register_symbol({ name = 'SALE', type = 'normal', score = 7.5, group = 'test',
  callback = function(task)
    for _, part in ipairs(task:get_text_parts() or {}) do
      if tostring(part:get_content()):find('khuyen mai soc', 1, true) then
        local rcpts = {}
        for _, each in ipairs(task:get_recipients('smtp') or {}) do table.insert(rcpts, each.addr) end
        local from = task:get_from('smtp')
        return true, 1.0, tostring(task:get_from_ip()), task:get_helo() or '', task:get_hostname() or '',
          from and from[1].addr or '', table.concat(rcpts, '+'), task:get_user() or '', task:get_queue_id() or ''
      end
    end
    return false
  end })
"""
"""Hits on three words, and tells what rspamd knows of the envelope."""


@contextmanager
def spamd() -> Iterator[Running]:
    """SpamAssassin's daemon with the options and settings of deploy/spamd, the rules of the package and one of its own,
    SALE, and no network. Started as root it becomes another user, so its files lie where everybody can read."""
    with TemporaryDirectory(prefix="spamd-") as folder:
        Path(folder).chmod(0o755)
        running = _spamd(Path(folder))
        running.start()
        try:
            yield running
        finally:
            running.kill()


def _spamd(folder: Path) -> Running:
    site, home = folder / "site", folder / "home"
    site.mkdir()
    home.mkdir()
    home.chmod(0o777)
    for file in Path("/etc/spamassassin").glob("*.pre"):
        (site / file.name).write_bytes(file.read_bytes())
    shutil.copy(DEPLOY / "spamd" / "local.cf", site)
    (site / "test.cf").write_text(
        "skip_rbl_checks 1\ndns_available no\n"
        "body SALE /khuyen mai soc/i\ndescribe SALE Offers a sale\nscore SALE 7.5\n"
    )
    port = free_port()
    [options] = re.findall(r'^OPTIONS="(.*)"$', (DEPLOY / "spamd" / "default").read_text(), re.MULTILINE)
    if os.getuid() != 0:  # nobody else may become another user
        options = options.replace("--username debian-spamd ", "")
    command = ["/usr/bin/env", f"HOME={home}", "/usr/sbin/spamd", *options.replace(":783", f":{port}").split()]
    command += ["-s", "stderr", f"--siteconfigpath={site}", "--configpath=/usr/share/spamassassin"]
    return Running(command, port, folder / "spamd.log", ("spamc", "-d", "127.0.0.1", "-p", str(port)), children=3)

"""Mail signed by the programs that sign most of it, OpenDKIM and rspamd, with keys that a real nameserver publishes: as
it is it is good, changed by an octet it is not. dkimpy's is in `test_dkim.py`."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from filters._sender_auth.findings import Dkim, Dmarc
from filters.sender_auth import SenderAuth
from gateway.endpoint import HostPort
from tests.e2e.ports import free_port
from tests.engines.daemons import Running, dnsmasq
from tests.filters.sender_auth.letters import LETTER
from tests.filters.test_sender_auth import mail
from tests.filters.zones import Zone
from tests.milter.client import Mta, changed

RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


@dataclass(frozen=True)
class Keys:
    """Private keys in a folder, in the forms that the signers read, and a nameserver with the public ones: selector
    `rsa` and `ed`."""

    folder: Path
    nameserver: HostPort


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    folder = tmp_path_factory.mktemp("keys")
    first, second = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
    for name, key in (("rsa", first), ("ed", second)):
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.pem").write_bytes(text)
        (folder / f"{name}.pem").chmod(0o600)
    pair = second.private_bytes_raw() + second.public_key().public_bytes(*RAW)
    (folder / "ed.pair").write_bytes(base64.b64encode(pair))  # as rspamd has it
    der = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    published = {
        "rsa": f"v=DKIM1; k=rsa; p={base64.b64encode(first.public_key().public_bytes(*der)).decode()}",
        "ed": f"v=DKIM1; k=ed25519; p={base64.b64encode(second.public_key().public_bytes(*RAW)).decode()}",
    }
    records = [f"--txt-record={name}._domainkey.example.org,{key[:200]},{key[200:]}" for name, key in published.items()]
    with dnsmasq(tmp_path_factory.mktemp("dns"), *records, "--local=/org/") as running:
        yield Keys(folder, HostPort("127.0.0.1", running.port))


async def looked(keys: Keys, raw: bytes) -> tuple[list[Dkim], Dmarc]:
    """What the filter finds of a letter, and what follows for its author."""
    looker = SenderAuth(nameservers=(keys.nameserver,))
    findings = [finding async for finding in looker.inspect(mail(raw))]
    [dmarc] = [each for each in findings if isinstance(each, Dmarc)]
    return [each for each in findings if isinstance(each, Dkim)], dmarc


async def holds(keys: Keys, raw: bytes, algorithms: list[str]) -> None:
    """The letter is good as it is and by no signature once an octet of it is another."""
    signatures, dmarc = await looked(keys, raw)
    assert [(each.algorithm, each.result) for each in signatures] == [(one, "pass") for one in algorithms], signatures
    assert all(each.aligned for each in signatures)
    assert dmarc.aligned_by == ("dkim",)
    for old, new in ((b"Moi anh", b"Moi bnh"), (b"hop   giao", b"hop   gieo"), (b"huong@", b"huang@")):
        assert raw.count(old) == 1
        signatures, _ = await looked(keys, raw.replace(old, new))
        assert [each.result for each in signatures] == ["fail"] * len(algorithms)


@contextmanager
def opendkim(keys: Keys, form: str, algorithm: str) -> Iterator[tuple[str, int]]:
    """OpenDKIM as a milter that signs. Gives its address."""
    port = free_port()
    key = "ed" if algorithm.startswith("ed") else "rsa"
    settings = keys.folder / "opendkim.conf"
    settings.write_text(
        f"Background no\nMode s\nSocket inet:{port}@127.0.0.1\nDomain example.org\nSelector {key}\n"
        f"KeyFile {keys.folder}/{key}.pem\nRequireSafeKeys no\n"  # the folders of tests are for all to enter
        f"Canonicalization {form}\nSignatureAlgorithm {algorithm}\n"
    )
    running = Running(["/usr/sbin/opendkim", "-x", str(settings)], port, keys.folder / "opendkim.log")
    running.start()
    try:
        yield "127.0.0.1", port
    finally:
        running.kill()


SIGNED = [
    ("rsa-sha256", "simple/simple"),
    ("rsa-sha256", "simple/relaxed"),
    ("rsa-sha256", "relaxed/simple"),
    ("rsa-sha256", "relaxed/relaxed"),
    ("ed25519-sha256", "relaxed/simple"),
    ("ed25519-sha256", "relaxed/relaxed"),
]
"""With ed25519 and a simple head OpenDKIM 2.11 folds its field once more after it has signed it: they hold for none."""


@pytest.mark.parametrize(("algorithm", "form"), SIGNED)
async def test_opendkim(keys: Keys, algorithm: str, form: str) -> None:
    with opendkim(keys, form, algorithm) as address:
        async with Mta(address) as mta:
            await mta.greet(host=b"localhost", address=b"127.0.0.1")
            raw = changed(LETTER, await mta.send(LETTER, sender=b"<huong@example.org>"))
    assert f"c={form};".encode() in raw
    await holds(keys, raw, [algorithm])


@contextmanager
def rspamd_that_signs(keys: Keys, folder: Path) -> Iterator[Running]:
    """An rspamd whose module dkim_signing has both keys, and no network."""
    port = free_port()
    (folder / "tld.dat").write_text("org\n")
    settings = folder / "rspamd.conf"
    settings.write_text(
        f"""options {{
  pidfile = "{folder}/rspamd.pid"; filters = "dkim"; url_tld = "{folder}/tld.dat"; tempdir = "{folder}";
  history_file = "{folder}/history"; cache_file = "{folder}/symbols.cache"; hs_cache_dir = "{folder}";
  control_socket = "{folder}/rspamd.sock mode=0600"; dns {{ nameserver = "127.0.0.1:5399"; timeout = 0.2s; }}
}}
logging {{ type = "console"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
modules {{ path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }}
dkim {{ }}
dkim_signing {{
  sign_authenticated = true; allow_username_mismatch = true; use_domain = "header"; use_redis = false;
  domain {{ example.org {{ selectors = [
    {{ path = "{keys.folder}/rsa.pem"; selector = "rsa"; }}, {{ path = "{keys.folder}/ed.pair"; selector = "ed"; }}
  ]; }} }}
}}
"""
    )
    running = Running(["/usr/bin/rspamd", "-f", "--insecure", "-c", str(settings)], port, folder / "rspamd.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()


async def test_rspamd_by_two_keys_at_once(keys: Keys, tmp_path: Path) -> None:
    with rspamd_that_signs(keys, tmp_path) as running:
        about = {"User": "huong", "IP": "198.51.100.7", "From": "huong@example.org"}
        request = urllib.request.Request(f"http://127.0.0.1:{running.port}/checkv2", LETTER, about)
        with urllib.request.urlopen(request, timeout=20) as answer:
            fields = json.load(answer)["dkim-signature"]
    raw = b"".join(f"DKIM-Signature: {field}\r\n".encode() for field in fields) + LETTER
    await holds(keys, raw, ["rsa-sha256", "ed25519-sha256"])


FOOTBALL = """\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
"""RFC 8463 appendix A.3, without the second signature, which is by RSA."""


async def test_the_standards_own_letter() -> None:
    key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    zone = Zone({"brisbane._domainkey.football.example.com": {"TXT": [key]}})
    looker = SenderAuth()
    object.__setattr__(looker, "resolver", zone)
    raw = FOOTBALL.replace("\n", "\r\n").encode()
    for letter, result in ((raw, "pass"), (raw.replace(b"hungry", b"hungrz"), "fail")):
        findings = [finding async for finding in looker.inspect(mail(letter, sender="joe@football.example.com"))]
        assert [each.result for each in findings if isinstance(each, Dkim)] == [result]

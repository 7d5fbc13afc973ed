"""Public keys as domains publish them (RFC 6376 section 3.6.1, RFC 8463), and signatures held against them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from filters._sender_auth import tags

LONGEST_KEY = 8192
"""Bits of an RSA key that is used: 4096 is the largest in use, and time grows with the square."""

SHORTEST_KEY = 1024
"""RFC 8301 section 3.2: signatures by shorter ones must not be taken for valid."""

ED25519_OCTETS = 32


class BadKey(Exception):
    """No key that can be used; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """A key and what its owner lets it be used for. `kind` is rsa or ed25519; `bits` its size."""

    kind: str
    bits: int
    key: Any
    hashes: tuple[str, ...]
    testing: bool
    strict: bool


@lru_cache(maxsize=1)
def load_cryptography() -> None:
    """Loads the library, which takes a tenth of a second; once. Commands that look at no mail do without it."""
    for name in ("serialization", "asymmetric.ed25519", "asymmetric.padding", "asymmetric.rsa"):
        import_module(f"cryptography.hazmat.primitives.{name}")


@lru_cache(maxsize=2048)
def parse_key(record: str) -> PublicKey:
    """The key of a TXT record. Raises BadKey."""
    try:
        found = tags.parse(record)
        if found.get("v", "DKIM1") != "DKIM1" or ("v" in found and next(iter(found)) != "v"):
            raise BadKey("the record is of another version")
        if "p" not in found:
            raise BadKey("the record has no key")
        if not found["p"]:
            raise BadKey("the key was revoked")
        if not {"*", "email"} & set(tags.words(found, "s", "*")):
            raise BadKey("the key is not for mail")
        material = tags.octets(found, "p")
    except tags.BadTags as error:
        raise BadKey(str(error)) from None
    kind = found.get("k", "rsa")
    key, bits = _loaded(kind, material)
    flags = tags.words(found, "t", "")
    hashes = tags.words(found, "h", "sha1:sha256")
    return PublicKey(kind, bits, key, hashes, testing="y" in flags, strict="s" in flags)


def is_key(record: str) -> bool:
    """True for a TXT record that may be a key; others stand at such names by mistake."""
    return record.lstrip().startswith("v=DKIM1") or "p=" in record


def verifies(key: PublicKey, function: str, signature: bytes, signed: bytes) -> bool:
    """True if the signature is of `signed`, which was hashed by `function`."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    try:
        if key.kind == "ed25519":
            key.key.verify(signature, hashlib.sha256(signed).digest())  # RFC 8463 section 3
        else:
            key.key.verify(signature, signed, PKCS1v15(), SHA256() if function == "sha256" else SHA1())  # noqa: S303
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _loaded(kind: str, material: bytes) -> tuple[Any, int]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if kind == "ed25519":
        if len(material) != ED25519_OCTETS:
            raise BadKey("the key is no ed25519 key")
        return Ed25519PublicKey.from_public_bytes(material), 8 * ED25519_OCTETS
    if kind != "rsa":
        raise BadKey(f"the key is of an unknown kind, {kind[:20]!a}")
    try:
        key = load_der_public_key(material)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("the key is damaged") from None
    if not isinstance(key, RSAPublicKey):
        raise BadKey("the key is no RSA key")
    if key.key_size > LONGEST_KEY:
        raise BadKey(f"the key has {key.key_size} bits")
    return key, key.key_size

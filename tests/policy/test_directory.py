"""The directory of accounts: what is taken, and that no file of any kind is more than a list of problems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import Account
from gateway.policy.directory import read_directory

CASES = {
    "address alone": ("address\nA@b.vn\n", [Account(address="a@b.vn")]),
    "columns in another order": (
        "unit,STATE,address\nu,Locked,a@b.vn\n", [Account(address="a@b.vn", state="locked", unit="u")],
    ),
    "empty lines and spaces": ("address,state\n\n a@b.vn , \n", [Account(address="a@b.vn")]),
    "quoted values": ('address,unit\na@b.vn,"Phòng A, Sở B"\n', [Account(address="a@b.vn", unit="Phòng A, Sở B")]),
    "no accounts": ("address\n", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "accounts"), CASES.values(), ids=CASES)
def test_accounts(text: str, accounts: list[Account]) -> None:
    read, problems = read_directory(text, "x.csv")
    assert problems == ()
    assert list(read.values()) == accounts


WRONG = {
    "empty": ("", "x.csv:1:1: the first line must name the columns: address, state, kind, unit"),
    "not closed": ('address\n"a@b.vn\n', "x.csv:2:1: not CSV: unexpected end of data"),
    "too many values": ("address\na@b.vn,active\n", "x.csv:2:1: 2 values where there are 1 columns"),
}


@pytest.mark.parametrize(("text", "problem"), WRONG.values(), ids=WRONG)
def test_problems(text: str, problem: str) -> None:
    assert [str(each) for each in read_directory(text, "x.csv")[1]] == [problem]


@given(st.text(), st.lists(st.text(max_size=20), max_size=20))
def test_any_text_is_read(head: str, rows: list[str]) -> None:
    read_directory("\n".join(["address,state", *rows]), "x.csv")
    read_directory(head, "x.csv")

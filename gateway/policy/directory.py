"""The organisation's accounts, from a CSV file (RFC 4180) with a header line: address, state, kind, unit."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from gateway.errors import Problem
from gateway.mail import Account
from gateway.schema.nodes import quote

COLUMNS = ("address", "state", "kind", "unit")
STATES = ("active", "locked", "revoked")

PROBLEM_LIMIT = 200
"""Problems reported of one file; a spreadsheet saved in another form does not fill a screen for an hour."""


def read_directory(text: str, path: str) -> tuple[Mapping[str, Account], tuple[Problem, ...]]:
    """The accounts by address in small letters, and what is wrong, by line. Only `address` must be there."""
    rows = csv.reader(text.splitlines(), strict=True)
    accounts: dict[str, Account] = {}
    problems: list[Problem] = []
    try:
        columns = [name.strip().lower() for name in next(rows, [])]
        if "address" not in columns or not set(columns) <= set(COLUMNS):
            expected = ", ".join(COLUMNS)
            return {}, (Problem(path, 1, 1, f"the first line must name the columns: {expected}"),)
        for row in rows:
            if len(problems) >= PROBLEM_LIMIT:
                break
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(columns):
                message = f"{len(row)} values where there are {len(columns)} columns"
                problems.append(Problem(path, rows.line_num, 1, message))
                continue
            account = _account(dict(zip(columns, (cell.strip() for cell in row), strict=True)))
            if complaint := _complaint(account, accounts):
                problems.append(Problem(path, rows.line_num, 1, complaint))
            accounts[account.address] = account
    except csv.Error as error:
        problems.append(Problem(path, rows.line_num or 1, 1, f"not CSV: {error}"))
    return accounts, tuple(problems)


def _account(row: Mapping[str, str]) -> Account:
    return Account(
        address=row["address"].lower(),
        state=row.get("state", "").lower() or "active",
        kind=row.get("kind", ""),
        unit=row.get("unit", ""),
    )


def _complaint(account: Account, known: Mapping[str, Account]) -> str:
    if account.address.count("@") != 1 or any(char.isspace() for char in account.address):
        return f"{quote(account.address)} is not a mail address"
    if account.state not in STATES:
        return f"state {quote(account.state)} is not one of {', '.join(STATES)}"
    return f"{quote(account.address)} is there twice" if account.address in known else ""

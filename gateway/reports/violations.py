"""violations: rules that held, by clause, unit and account, with the ids of the records that prove it.

For the incident report within a day (control `incident24`): who, when, which rule and clause, what was done. Whether
somebody is to blame is for people to say: a stranger's mail to an official is counted with the official's account too.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.keeping import AuditRecord
from gateway.reports.model import Chart, Column, Report, Table, Value, Words
from gateway.reports.people import People
from gateway.reports.tallies import Hit, Span, Tallies
from gateway.reports.usage import UNIT

EVIDENCE = 10
"""Record ids named for one group; the number tells how many there are, `mailwarden trace --rule` finds them all."""

CASES = 1_000
"""Cases told one by one, the newest."""

CHARTED = 20
"""Rules in the chart: more bars than that cannot be read."""

RULE = Column("rule", Words("Quy tắc", "Rule"))
MODE = Column("mode", Words("Chế độ", "Mode"))
CLAUSE = Column("clauses", Words("Điều khoản", "Clauses"), "texts")
ACCOUNT = Column("account", Words("Hộp thư", "Account"))
ACTION = Column("action", Words("Xử lý", "Action"))
MESSAGES = Column("messages", Words("Số trường hợp", "Cases"), "number")

GROUPS = (
    CLAUSE,
    RULE,
    MODE,
    UNIT,
    ACCOUNT,
    Column("direction", Words("Chiều", "Direction")),
    ACTION,
    MESSAGES,
    Column("first", Words("Lần đầu", "First"), "moment"),
    Column("last", Words("Lần cuối", "Last"), "moment"),
    Column("evidence", Words("Mã bằng chứng", "Evidence"), "texts"),
)

ONE_BY_ONE = (
    Column("moment", Words("Thời điểm", "When"), "moment"),
    Column("id", Words("Mã", "Id")),
    UNIT,
    ACCOUNT,
    Column("direction", Words("Chiều", "Direction")),
    Column("sender", Words("Người gửi", "Sender")),
    Column("recipient", Words("Người nhận", "Recipient")),
    RULE,
    CLAUSE,
    MODE,
    ACTION,
    Column("because", Words("Căn cứ", "Because")),
)

NOTES = (
    Words(
        "Quy tắc ở chế độ shadow chỉ ghi nhận, không tác động đến thư. Chỉ tính quy tắc có viện dẫn điều khoản.",
        "A rule in shadow is recorded and changes nothing. Only rules that cite a clause count.",
    ),
    Words(
        "Thư đến được tính cho hộp thư người nhận, thư đi cho hộp thư người gửi; việc xác định lỗi do người có thẩm "
        "quyền quyết định.",
        "Inbound mail counts for the recipient's account, other mail for the sender's; whose fault it is, people say.",
    ),
)


@dataclass(slots=True)
class Group:
    """What all cases of one kind come to."""

    first: datetime
    last: datetime
    messages: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, record: AuditRecord) -> None:
        """One more; they come oldest first."""
        self.messages += 1
        self.last = record.moment
        if len(self.ids) < EVIDENCE and record.id not in self.ids[-1:]:
            self.ids.append(record.id)


@dataclass(frozen=True, slots=True)
class _Key:
    clauses: tuple[str, ...]
    rule: str
    mode: str
    unit: str
    account: str
    direction: str
    action: str


def violations(
    tallies: Tallies, people: People, cites: Mapping[str, Sequence[str]], span: Span, unit: str = ""
) -> Report:
    """The report for one unit, or for all if it is "". `cites` are the clauses of each rule of the policy."""
    groups: dict[_Key, Group] = {}
    newest: deque[tuple[Hit, _Key]] = deque(maxlen=CASES)
    told = 0
    for hit in tallies.hits(span):
        key = _key(hit, people, cites)
        if not key.clauses or (unit and key.unit != unit):
            continue
        moment = hit.record.moment
        groups.setdefault(key, Group(moment, moment)).add(hit.record)
        newest.append((hit, key))
        told += 1
    order = sorted(groups.items(), key=lambda item: (item[0].clauses, item[0].rule, -item[1].messages, item[0].account))
    rows, cases = [_row(*each) for each in order], [_case(*each) for each in newest]
    return Report(
        key="violations",
        title=Words("Báo cáo các trường hợp vi phạm quy định", "Cases in which a rule held"),
        span=span,
        unit=unit,
        tables=(
            Table("clauses", Words("Theo điều khoản", "By clause"), (CLAUSE, MODE, MESSAGES), _by_clause(groups)),
            Table("groups", Words("Theo quy tắc và hộp thư", "By rule and account"), GROUPS, rows),
            Table("cases", Words("Từng trường hợp", "One by one"), ONE_BY_ONE, cases, more=told - len(cases)),
        ),
        charts=(_chart(groups),),
        notes=NOTES,
    )


def _key(hit: Hit, people: People, cites: Mapping[str, Sequence[str]]) -> _Key:
    facts = hit.record.facts
    account = people.concerned(facts)
    return _Key(
        clauses=tuple(cites.get(hit.rule) or facts.get("clauses", ())),
        rule=hit.rule,
        mode=hit.mode,
        unit=account.unit if account else "",
        account=account.address if account else "",
        direction=str(facts.get("direction", "")),
        action=str(facts.get("action", "")),
    )


def _row(key: _Key, group: Group) -> tuple[Value, ...]:
    return (
        *(key.clauses, key.rule, key.mode, key.unit, key.account, key.direction, key.action),
        *(group.messages, group.first, group.last, tuple(group.ids)),
    )


def _case(hit: Hit, key: _Key) -> tuple[Value, ...]:
    record, facts = hit.record, hit.record.facts
    answers = facts.get("answers") or ()
    because = next((str(each["because"]) for each in answers if each["rule"] == hit.rule), "")
    parties = str(facts.get("sender", "")), str(facts.get("recipient", ""))
    return (
        *(record.moment, record.id, key.unit, key.account, key.direction, *parties),
        *(key.rule, key.clauses, key.mode, key.action, because),
    )


def _by_clause(groups: Mapping[_Key, Group]) -> list[tuple[Value, ...]]:
    counted: Counter[tuple[str, str]] = Counter()
    for key, group in groups.items():
        for clause in key.clauses:
            counted[clause, key.mode] += group.messages
    return [((clause,), mode, count) for (clause, mode), count in sorted(counted.items())]


def _chart(groups: Mapping[_Key, Group]) -> Chart:
    counted: Counter[str] = Counter()
    for key, group in groups.items():
        counted[key.rule] += group.messages
    most = counted.most_common(CHARTED)
    title = Words("Số trường hợp theo quy tắc", "Cases by rule")
    return Chart(title, [rule for rule, _ in most], {"": [count for _, count in most]})

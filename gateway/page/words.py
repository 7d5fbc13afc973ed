"""What the page says of an outcome, in Vietnamese and English. Texts of ours; strangers' texts are never among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.custody.approvals import Reason
from gateway.custody.codes import Fault
from gateway.custody.steps import Act, Answer
from gateway.keeping import State


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    vi: str
    en: str


UNKNOWN = Words("Liên kết này không đúng hoặc không còn hiệu lực.", "This link is wrong, or no longer valid.")
DECIDED = Words(
    "Mã này đã được dùng, hoặc thư này đã được quyết định. Không có gì thay đổi thêm.",
    "This code was used, or this message was decided on already. Nothing more was changed.",
)
EXPIRED = Words("Đã hết hạn quyết định thư này.", "The time to decide on this message is over.")
UNDER_WAY = Words("Thư này đang được gửi đi.", "This message is being sent at this moment.")
FOREIGN = Words(
    "Yêu cầu này không đến từ trang của chúng tôi, hoặc trang đã mở quá lâu. Hãy mở lại liên kết trong thông báo.",
    "This request did not come from our page, or the page was open for too long. Open the link in the notice again.",
)
BAD_FORM = Words("Biểu mẫu không đọc được.", "The form could not be read.")
TOO_LARGE = Words("Nội dung gửi lên quá dài.", "What was sent is too long.")
TOO_MANY = Words("Quá nhiều yêu cầu. Hãy thử lại sau một phút.", "Too many requests. Try again in a minute.")
NOT_NOW = Words("Hiện chưa làm được. Hãy thử lại sau.", "This cannot be done now. Try again later.")
NOT_FOUND = Words("Không có trang này.", "There is no such page.")
NOT_ALLOWED = Words("Không dùng được cách này.", "This method is not allowed.")
SENT_BACK = Words("Chưa có gì được ghi nhận.", "Nothing was taken down.")

FAULTS: Mapping[str, Words] = {
    Fault.UNKNOWN: UNKNOWN,
    Fault.USED: DECIDED,
    Fault.EXPIRED: EXPIRED,
    Fault.OTHER_ACT: UNKNOWN,
    Fault.OTHER_MESSAGE: UNKNOWN,
    Fault.OTHER_PERSON: UNKNOWN,
}
"""What is wrong with a code."""

REASONS: Mapping[str, Words] = {
    Reason.NOT_HELD: Words("Thư này không chờ duyệt.", "This message does not wait for approval."),
    Reason.FINAL: DECIDED,
    Reason.RELEASING: UNDER_WAY,
    Reason.EXPIRED: EXPIRED,
    Reason.APPROVED: Words("Thư này đã được duyệt.", "This message is approved already."),
    Reason.OWN_MAIL: Words("Không ai được duyệt thư của chính mình.", "Nobody decides on mail of his own."),
    Reason.NOT_APPROVER: Words("Bạn không phải người duyệt thư này.", "You are not an approver of this message."),
    Reason.VOTED: Words("Bạn đã duyệt thư này rồi.", "You have approved this message already."),
    Reason.NO_COMMENT: Words("Muốn trả lại thư thì phải ghi lý do.", "To return the message, give a reason."),
    Reason.NO_SUCCESSOR: Words(
        "Không chuyển cho địa chỉ này được: phải là người khác trong cơ quan, không phải người gửi.",
        "It cannot be passed to this address: it must be somebody else of the organisation, and not the sender.",
    ),
}
"""Why a wish is refused."""

ACTS: Mapping[Act, Words] = {
    Act.RELEASED: Words("Đã duyệt. Thư đã được gửi đi.", "Approved. The message was sent."),
    Act.REJECTED: Words("Đã trả lại. Thư không được gửi đi.", "Returned. The message is not sent."),
    Act.FORWARDED: Words("Đã chuyển cho người khác quyết định.", "Passed on: somebody else is asked to decide."),
    Act.APPROVED: Words("Đã ghi nhận. Còn cần người khác duyệt.", "Taken down. Others have to approve it too."),
    Act.DEFERRED: Words(
        "Đã duyệt. Thư chưa gửi được ngay, hệ thống sẽ thử lại.",
        "Approved. The message could not be sent at once; it will be tried again.",
    ),
    Act.REFUSED: Words(
        "Đã duyệt, nhưng máy chủ kế tiếp không nhận thư. Cán bộ phụ trách đã được báo.",
        "Approved, but the next server refused the message. The officers were told.",
    ),
    Act.STOPPED: Words(
        "Đã duyệt, nhưng lần kiểm tra lại đã chặn thư. Cán bộ phụ trách đã được báo.",
        "Approved, but the message was stopped when it was looked at again. The officers were told.",
    ),
    Act.UNKNOWN: Words(
        "Đã duyệt, nhưng không rõ thư đã đến chưa. Cán bộ phụ trách đã được báo.",
        "Approved, but it is not known whether the message arrived. The officers were told.",
    ),
}
"""What came of a wish."""


def said_of(answer: Answer) -> Words:
    """What a person is told of what came of his wish."""
    if answer.act is not None:
        return ACTS[answer.act]
    return REASONS.get(answer.reason) or FAULTS.get(answer.reason, NOT_NOW)


def said_of_state(state: State) -> Words | None:
    """Why nobody decides on a message in this state; None where it waits."""
    if state is State.WAITING:
        return None
    return DECIDED if state.final else UNDER_WAY

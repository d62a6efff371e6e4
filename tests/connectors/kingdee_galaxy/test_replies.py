"""Reading Kingdee's answers: success and failure in all the shapes they come in."""

import json

import pytest

from hub.connect import registry
from hub.connect.answers import Answer
from hub.connect.http import Renew
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)

replies = registry.find("kingdee_galaxy").module("replies")
queries = registry.find("kingdee_galaxy").module("queries")


def envelope(message, code=0, field=None):
    status = {
        "ErrorCode": 500,
        "IsSuccess": "false",
        "Errors": [{"FieldName": field, "Message": message, "DIndex": 0}],
        "SuccessEntitys": [],
        "SuccessMessages": [],
        "MsgCode": code,
    }
    return {"Result": {"ResponseStatus": status}}


def answer(content, *, status=200, idempotent=True):
    body = content if isinstance(content, str) else json.dumps(content)
    return Answer(status, {}, body.encode(), idempotent)


@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: [e], lambda e: [[e]]])
def test_an_envelope_is_found_inside_any_number_of_arrays(wrap):
    status = replies.status_of(wrap(envelope("元数据中标识为FImage的字段不存在", 9)))
    assert not status.ok and status.code == 9
    assert replies.missing_field(status.text()) == "FImage"


def test_rows_are_not_taken_for_failures():
    for rows in ([], [[1]], [[1, "a"]], [["x"], ["y"]], [[None]]):
        assert replies.status_of(rows) is None


def test_success_may_be_told_as_text_and_lists_who():
    done = {"IsSuccess": "true", "SuccessEntitys": [{"Id": 7, "Number": "A", "DIndex": "0"}], "MsgCode": 0}
    status = replies.status_of({"Result": {"ResponseStatus": done}})
    assert status.ok and status.done[0].id == "7" and status.done[0].index == 0


def test_a_conversion_that_failed_makes_a_push_fail():
    found = {"Result": {"ResponseStatus": {"IsSuccess": True}, "ConvertResponseStatus": {"IsSuccess": False}}}
    assert not replies.status_of(found).ok


def test_a_bare_array_of_troubles_is_a_failure():
    status = replies.status_of([{"FieldName": "FName", "Message": "<b>必填</b><br>\r\n字段", "DIndex": 0}])
    assert not status.ok and status.errors[0].message == "必填 字段"


@pytest.mark.parametrize(
    "lost",
    [
        answer([[envelope("会话信息已丢失，请重新登录", 1)]]),
        answer(envelope("whatever", 1)),
        answer(envelope("Session information is lost")),
        answer("response_error:错误信息：\tctx == null"),
        answer("unauthorised", status=401),
        answer("ByRspRetStatusCode -- N001", status=403),
        answer(envelope("会话信息已丢失"), idempotent=False),
    ],
)
def test_a_lost_session_is_renewed_however_it_is_told(lost):
    verdict = replies.classify(lost)
    assert isinstance(verdict, Renew) and isinstance(verdict.error, AuthenticationError)


@pytest.mark.parametrize(
    ("content", "idempotent", "error"),
    [
        (envelope("调用次数超过限制", 14), True, RateLimited),
        (envelope("没有权限", 2), True, ConfigurationError),
        (envelope("许可错误", 7), False, AuthenticationError),
        (envelope("禁止管理员", 15), False, ConfigurationError),
        (envelope("时间戳验证失败，请求链接已失效", 4), True, AuthenticationError),
        (envelope("事务(进程 ID 61)死锁", 4), True, Unavailable),
        ("response_error:发生时间：\t…\r\n错误信息：\tA.B.C no found.", True, ConfigurationError),
        ("response_error:错误信息：\t磁盘空间不足", True, Unavailable),
        ("response_error:错误信息：\t磁盘空间不足", False, UnknownOutcome),
        ("Fail to verify thirty passport", True, AuthenticationError),
        ("Fail to VerifyThirtyPassport", False, AuthenticationError),
    ],
)
def test_what_concerns_the_whole_call_is_sorted_by_what_to_do(content, idempotent, error):
    assert type(replies.classify(answer(content, idempotent=idempotent))) is error


def test_what_concerns_one_record_or_the_general_rules_is_left_alone():
    assert replies.classify(answer(envelope("字段“客户”是必填项", 11), idempotent=False)) is None
    assert replies.classify(answer("<html>maintenance</html>", status=503)) is None
    assert replies.classify(answer([[1, "ctx == null is a fine name"]])) is None


@pytest.mark.parametrize(
    ("message", "code", "error"),
    [
        ("违反字段唯一性要求：编码“C1”重复", 11, AlreadyExists),
        ("已被其他用户修改", 4, VersionConflict),
        ("网络控制冲突", 13, Unavailable),
        ("内码为“7”的数据不存在", 10, Gone),
        ("字段“客户”是必填项", 11, RecordRejected),
    ],
)
def test_records_errors_are_sorted_too(message, code, error):
    found = replies.record_error([replies.Trouble(message, "FCustId")], code, "kingdee/SAL_SaleOrder/7")
    assert type(found) is error and "kingdee/SAL_SaleOrder/7" in str(found)


def test_text_in_a_condition_can_not_get_out_of_its_quotes():
    assert queries.quoted("O'Neill' or 1=1 --") == "'O''Neill'' or 1=1 --'"
    assert queries.literal(7) == "7" and queries.literal("7") == "7"
    assert queries.literal("a7'b") == "'a7''b'"
    assert queries.both("a = 1 or b = 2", "", "c = 3") == "(a = 1 or b = 2) and c = 3"

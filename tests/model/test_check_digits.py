"""The check digit of a 统一社会信用代码, the fast way: whatever the library says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from hub.model.checks import _is_uscc

LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
bodies = st.builds(
    lambda head, tail: head + tail,
    st.text("0123456789", min_size=8, max_size=8),
    st.text(LETTERS, min_size=9, max_size=9),
)


@given(bodies, st.sampled_from(LETTERS + "IOSVZ-a"))
def test_the_fast_check_says_what_the_library_says(body: str, last: str) -> None:
    assert _is_uscc(body + uscc.calc_check_digit(body))
    assert _is_uscc(body + last) == uscc.is_valid(body + last)


@given(st.text(LETTERS + "IOSVZ-a 〇", max_size=20))
def test_of_anything_else_too(number: str) -> None:
    assert _is_uscc(number) == uscc.is_valid(number)

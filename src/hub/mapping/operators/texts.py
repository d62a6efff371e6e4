"""Operators on text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, ClassVar, Literal

from pydantic import Field as Arg

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import WRITABLE_AS_TEXT, Args, FitError, Operator, Place
from hub.model import forms


class Text(Operator):
    """Text as it is, without white space at the ends, in Unicode NFC. What ``text`` fields do by themselves."""

    name = "text"
    alike = True
    takes: ClassVar[frozenset[FieldType]] = WRITABLE_AS_TEXT | {"date", "datetime"}

    def direct(self) -> Callable[[Any], Any] | None:
        return forms.text

    def straight(self) -> bool:
        return True

    def get(self, value: Any) -> Any:
        return forms.text(value)

    def put(self, value: Any, old: Any = None) -> Any:
        return value if value.__class__ is str else forms.text(value)


class Trim(Text):
    """The same as ``text``: white space at the ends is not part of the value."""

    name = "trim"


class Upper(Operator):
    """Upper case, in both directions: case never counts as a difference."""

    name = "upper"
    alike = True

    def form(self, value: Any) -> Any:
        return value and forms.text(value.upper())

    def get(self, value: Any) -> Any:
        text = forms.text(value)
        return text and forms.text(text.upper())  # ΐ in capitals is three characters, in NFC two

    def put(self, value: Any, old: Any = None) -> Any:
        return self.get(value)


class Lower(Operator):
    """Lower case, in both directions: case never counts as a difference."""

    name = "lower"
    alike = True

    def form(self, value: Any) -> Any:
        return value and forms.text(value.lower())

    def get(self, value: Any) -> Any:
        text = forms.text(value)
        return text and forms.text(text.lower())

    def put(self, value: Any, old: Any = None) -> Any:
        return self.get(value)


# Letters and digits only: names in Chinese keep their own punctuation, which is a matter of law on invoices.
_NARROW = {wide: wide - 0xFEE0 for a, z in ("09", "AZ", "az") for wide in range(ord(a) + 0xFEE0, ord(z) + 0xFEE1)}


class Narrow(Operator):
    """Full-width letters and digits as ordinary ones, runs of white space as one space; none is a difference."""

    name = "narrow"
    alike = True

    def form(self, value: Any) -> Any:
        return value and " ".join(str(value).translate(_NARROW).split())

    def get(self, value: Any) -> Any:
        text = forms.text(value)
        if text is None:
            return None
        return " ".join((text if text.isascii() else text.translate(_NARROW)).split())

    def put(self, value: Any, old: Any = None) -> Any:
        return self.get(value)


class AffixArgs(Args):
    text: str = Arg(min_length=1, description="What the remote value has in addition to the canonical one.")
    optional: bool = Arg(False, description="Also take remote values without it (it is still written).")


class Prefix(Operator):
    """The remote value begins with a text that the canonical value doesn't have (``CUST-0012`` ↔ ``0012``)."""

    name = "prefix"
    Args = AffixArgs
    shorthand = "text"

    def get(self, value: Any) -> Any:
        text = forms.text(value) or ""
        mark = self.args.text
        if text.startswith(mark):
            return forms.text(text[len(mark) :])
        if self.args.optional:
            return text
        raise ValueError(f"expected a text that begins with {mark!r}, got {forms.show(value)}")

    def put(self, value: Any, old: Any = None) -> Any:
        return f"{self.args.text}{forms.text(value)}"


class Suffix(Operator):
    """The remote value ends with a text that the canonical value doesn't have (``12 kg`` ↔ ``12``)."""

    name = "suffix"
    Args = AffixArgs
    shorthand = "text"

    def get(self, value: Any) -> Any:
        text = forms.text(value) or ""
        mark = self.args.text.rstrip()
        if mark and text.endswith(mark):
            return forms.text(text[: -len(mark)])
        if self.args.optional:
            return text
        raise ValueError(f"expected a text that ends with {mark!r}, got {forms.show(value)}")

    def put(self, value: Any, old: Any = None) -> Any:
        return f"{forms.text(value)}{self.args.text}"


class CutArgs(Args):
    length: int = Arg(ge=1, description="Characters the remote field has room for.")
    rest: Literal["kept"] | None = Arg(
        None, description="`kept`: what doesn't fit stays in the hub while the remote value is not edited."
    )


class Cut(Operator):
    """Writes no more characters than there is room for.

    Information is lost on the way out, so either the field has ``direction: out`` or the mapping says ``rest: kept``.
    """

    name = "cut"
    Args = CutArgs
    shorthand = "length"

    def fit(self, place: Place) -> None:
        if place.direction == "both" and self.args.rest is None:
            raise FitError(
                "'cut' loses the end of long values, and nothing says what becomes of it",
                f"write {{cut: {{length: {self.args.length}, rest: kept}}}} to keep it in the hub, or direction: out",
            )

    def form(self, value: Any) -> Any:
        """What is cut off is a declared loss: the hub keeps it."""
        return value and (str(value)[: self.args.length].rstrip() or None)

    def get(self, value: Any) -> Any:
        return forms.text(value)

    def put(self, value: Any, old: Any = None) -> Any:
        text = forms.text(value) or ""
        return text[: self.args.length].rstrip() if len(text) > self.args.length else text


class ZerosArgs(Args):
    width: int = Arg(ge=2, le=64, description="Digits of the remote value.")


class Zeros(Operator):
    """The remote code is filled up with zeros on the left (``0000012`` ↔ ``12``)."""

    name = "zeros"
    Args = ZerosArgs
    shorthand = "width"

    def form(self, value: Any) -> Any:
        return value and (str(value).lstrip("0") or "0")

    def get(self, value: Any) -> Any:
        text = forms.text(value) or ""
        if len(text) > self.args.width:
            raise ValueError(f"expected at most {self.args.width} characters, got {forms.show(value)}")
        return text.lstrip("0") or "0"

    def put(self, value: Any, old: Any = None) -> Any:
        text = str(forms.text(value))
        if len(text) > self.args.width:
            raise ValueError(f"{forms.show(text)} has {len(text)} characters, the remote code has {self.args.width}")
        return text.rjust(self.args.width, "0")


_BREAKS = {"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4"}


class _Stripper(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.silent += 1
        elif tag in _BREAKS and self.parts:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.silent = max(0, self.silent - 1)

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


class Html(Operator):
    """The remote text is HTML; the canonical text is what a reader sees. Written back with line breaks as ``<br>``."""

    name = "html"

    def get(self, value: Any) -> Any:
        text = forms.text(value) or ""
        if "<" not in text and "&" not in text:
            return self.form(text)
        stripper = _Stripper()
        stripper.feed(text)
        stripper.close()
        return self.form("".join(stripper.parts))

    def form(self, value: Any) -> Any:
        """White space around line ends is not part of the text, and a space that doesn't break is a space."""
        return value and forms.text(re.sub(r"[ \t]*\n[ \t]*", "\n", str(value).replace("\xa0", " ")))

    def put(self, value: Any, old: Any = None) -> Any:
        return html.escape(str(forms.text(value)), quote=False).replace("\n", "<br>")

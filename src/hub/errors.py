"""The closed list of errors, sorted by what the caller does next.

| error                | the caller …                                                             |
|----------------------|--------------------------------------------------------------------------|
| ConfigurationError   | stops and shows the user what to change (exit code 2)                     |
| AuthenticationError  | stops using that system; a person must look at the credentials (exit 3)  |
| RateLimited          | waits ``wait`` seconds, then goes on                                      |
| Unavailable          | tries again later; nothing was done                                       |
| UnknownOutcome       | probes before sending again: the request may have been carried out        |
| RecordRejected       | writes a dead letter for that one record and goes on                      |
| AlreadyExists        | observes the record that is there and correlates it                       |
| Gone                 | treats the remote record as deleted                                       |
| VersionConflict      | observes the record again and plans anew                                  |
| UnexpectedAnswer     | reports it; the system spoke in a way the connector does not understand   |

Everything raised on purpose in this project is one of these. A message says what happened, ``where`` says where
(``file:line:column`` or ``system/resource/record``), ``cure`` says what to do. Secrets never go into any of the three.
"""

from __future__ import annotations


class HubError(Exception):
    """Base of the closed list. ``what`` happened, ``where``, and the ``cure``."""

    def __init__(self, what: str, *, where: str | None = None, cure: str | None = None) -> None:
        self.what = what
        self.where = where
        self.cure = cure
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} → {self.cure}" if self.cure else text


class ConfigurationError(HubError):
    """The user's files or arguments are wrong."""


class AuthenticationError(HubError):
    """The system refuses our credentials; trying again makes it worse (lockout)."""


class RateLimited(HubError):
    """The system asks us to slow down. ``wait`` is in seconds, None when the system did not say.

    ``spread``: it was not asked at all: the hub itself stopped short of a day's limit, and a later pass goes on.
    """

    def __init__(
        self,
        what: str,
        *,
        wait: float | None = None,
        where: str | None = None,
        cure: str | None = None,
        spread: bool = False,
    ) -> None:
        super().__init__(what, where=where, cure=cure)
        self.wait = wait
        self.spread = spread


class Unavailable(HubError):
    """The system could not be reached or failed in passing; the request had no effect."""


class UnknownOutcome(Unavailable):
    """The answer was lost: the request may or may not have been carried out."""


class UnexpectedAnswer(HubError):
    """The answer is not what the vendor's documentation says (HTML, broken JSON, missing parts)."""


class RecordRejected(HubError):
    """The system refuses this record. ``field`` is the remote field's name, ``code`` the vendor's code."""

    def __init__(
        self,
        what: str,
        *,
        field: str | None = None,
        code: str | None = None,
        where: str | None = None,
        cure: str | None = None,
    ) -> None:
        super().__init__(what, where=where, cure=cure)
        self.field = field
        self.code = code


class AlreadyExists(RecordRejected):
    """A record with this unique value is there already; ``remote_id`` when the system named it."""

    def __init__(
        self,
        what: str,
        *,
        remote_id: str | None = None,
        field: str | None = None,
        code: str | None = None,
        where: str | None = None,
        cure: str | None = None,
    ) -> None:
        super().__init__(what, field=field, code=code, where=where, cure=cure)
        self.remote_id = remote_id


class Gone(HubError):
    """The remote record does not exist any more."""


class VersionConflict(HubError):
    """The remote record moved on since we last saw it; nothing was written."""

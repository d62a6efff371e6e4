"""What a database's refusal means: driver errors → the closed list of ``hub.errors``.

Sources: PostgreSQL manual, appendix A (SQLSTATE); MariaDB knowledge base, error codes; SQLite, result codes.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from hub.errors import AlreadyExists, AuthenticationError, ConfigurationError, HubError, RecordRejected, Unavailable

_NULL_CURE = "give the field a value in the mapping: default for new records, null_as where the hub has none"
_MYSQL_DUPLICATE = {1022, 1062, 1169, 1586}
_MYSQL_RECORD = {1048, 1138, 1216, 1217, 1264, 1265, 1292, 1364, 1366, 1367, 1406, 1411, 1451, 1452, 1644, 3819, 4025}
_MYSQL_LOGIN = {1044, 1045, 1698}
_MYSQL_SETUP = {1049, 1054, 1142, 1143, 1146, 1227, 1290, 1370, 1792}
_SQLITE_SETUP = (
    "no such table",
    "no such column",
    "readonly database",
    "unable to open",
    "not a database",
    "syntax error",
)
_LOGIN_TEXT = re.compile(r"authentication failed|no pg_hba\.conf entry|role .* does not exist|login failed", re.I)
_NO_DATABASE = re.compile(r"database .* does not exist|unknown database", re.I)
_COLUMN_TEXT = re.compile(
    r"(?:column|field) ['`\"](?P<a>[^'`\"]+)['`\"]|for column (?:`[^`]*`\.){0,2}`(?P<b>[^`]+)`"
    r"|constraint failed: [^.,]+\.(?P<c>[^,]+)",
    re.I,
)


def translate(error: DBAPIError, where: str, unique: dict[str, tuple[str, ...]] | None = None) -> HubError:
    """The hub's error for a driver's. ``unique``: names of unique constraints → their columns, to name the field."""
    code, message = _code(error), _message(error)
    kind = _sort(error, code, message)
    if kind is AlreadyExists:
        field = _unique_field(error, message, unique or {})
        return AlreadyExists(message, field=field, code=code, where=where)
    if kind is RecordRejected:
        cure = _NULL_CURE if code in ("23502", "1048", "1364") or "NOT NULL constraint" in message else None
        return RecordRejected(message, field=_field(error, message), code=code, where=where, cure=cure)
    cures = {
        AuthenticationError: "check user and password in the URL",
        ConfigurationError: "check the URL, the names in hub.yaml and the user's permissions (GRANT)",
        Unavailable: None,
    }
    found: HubError = kind(message, where=where, cure=cures.get(kind))
    return found


def is_crossing(error: DBAPIError) -> bool:
    """Whether transactions got in each other's way: this one was rolled back and may simply run again."""
    return _code(error) in ({"1213"} if _is_mysql(error) else {"40001", "40P01"})


def commit_was_refused(error: DBAPIError) -> bool:
    """True when a failed commit certainly changed nothing: the server answered, and said no."""
    if error.connection_invalidated:
        return False
    code = _code(error)
    if code is None:
        return "disk i/o" not in _message(error).lower() and _is_sqlite(error)
    if _is_mysql(error):
        return int(code) < 2000 and int(code) not in {1152, 1158, 1159, 1160, 1161, 1180, 1927}
    return code[:2] not in {"08", "57", "58", "XX"}


def _sort(error: DBAPIError, code: str | None, message: str) -> type[Any]:
    if _is_mysql(error) and code is not None:
        return _sort_mysql(error, int(code))
    if _is_sqlite(error):
        return _sort_sqlite(error, message.lower())
    if code is not None and len(code) == 5:
        return _sort_sqlstate(code)
    if _LOGIN_TEXT.search(message):
        return AuthenticationError
    if _NO_DATABASE.search(message):
        return ConfigurationError
    if isinstance(error, IntegrityError | SqlDataError):
        return RecordRejected
    return ConfigurationError if isinstance(error, ProgrammingError) else Unavailable


def _sort_sqlstate(code: str) -> type[Any]:
    if code == "23505":
        return AlreadyExists
    if code[:2] in {"22", "23", "44", "P0"} or code in {"0A000", "428C9"}:
        return RecordRejected
    if code[:2] == "28":
        return AuthenticationError
    if code[:2] in {"3D", "3F", "42"} or code == "25006":
        return ConfigurationError
    return Unavailable


def _sort_mysql(error: DBAPIError, code: int) -> type[Any]:
    if code in _MYSQL_DUPLICATE:
        return AlreadyExists
    if code in _MYSQL_RECORD:
        return RecordRejected
    if code in _MYSQL_LOGIN:
        return AuthenticationError
    return ConfigurationError if code in _MYSQL_SETUP or isinstance(error, ProgrammingError) else Unavailable


def _sort_sqlite(error: DBAPIError, message: str) -> type[Any]:
    if "unique constraint" in message or "primary key must be unique" in message:
        return AlreadyExists
    if isinstance(error, IntegrityError | SqlDataError) or "datatype mismatch" in message:
        return RecordRejected
    return ConfigurationError if any(words in message for words in _SQLITE_SETUP) else Unavailable


def _code(error: DBAPIError) -> str | None:
    """SQLSTATE, or MySQL's number, or None."""
    original: Any = error.orig
    arguments: Any = getattr(original, "args", ())
    if _is_mysql(error):
        return str(arguments[0]) if arguments and isinstance(arguments[0], int) else None
    state = getattr(original, "sqlstate", None)
    return str(state) if state else None


def _message(error: DBAPIError) -> str:
    original: Any = error.orig
    detail = getattr(original, "diag", None)
    if detail is not None and detail.message_primary:
        # "Failing row contains …" would put the whole row into logs and letters.
        said = str(detail.message_detail or "")
        return str(detail.message_primary) + (f" ({said})" if said and not said.startswith("Failing row") else "")
    arguments: Any = getattr(original, "args", ())
    said = arguments[1] if _is_mysql(error) and len(arguments) > 1 else original
    lines = str(said).strip().splitlines()
    return lines[0] if lines else type(original).__name__


def _field(error: DBAPIError, message: str) -> str | None:
    detail = getattr(error.orig, "diag", None)
    if detail is not None and detail.column_name:
        return str(detail.column_name)
    found = _COLUMN_TEXT.search(message)
    return next((part for part in found.groups() if part), None) if found else None


def _unique_field(error: DBAPIError, message: str, unique: dict[str, tuple[str, ...]]) -> str | None:
    detail = getattr(error.orig, "diag", None)
    name = str(detail.constraint_name) if detail is not None and detail.constraint_name else None
    if name is None and (found := re.search(r"for key '(?:[^']*\.)?([^'.]+)'", message)):
        name = found[1]
    if name in unique:
        return ", ".join(unique[name])
    if _is_sqlite(error) and "failed: " in message:
        return ", ".join(part.partition(".")[2] for part in message.partition("failed: ")[2].split(", "))
    return _field(error, message)


def _is_mysql(error: DBAPIError) -> bool:
    return type(error.orig).__module__.startswith(("pymysql", "MySQLdb", "mysql", "mariadb"))


def _is_sqlite(error: DBAPIError) -> bool:
    return type(error.orig).__module__ == "sqlite3"

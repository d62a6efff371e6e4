"""The vendor's error bodies: codes, messages and details as documented (API v8, status codes and each call)."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


class ApiProblem(Exception):
    """A whole request refused."""

    def __init__(self, status: int, code: str, message: str, details: Body | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.body = error(code, message, details)


def error(code: str, message: str, details: Body | None = None) -> Body:
    """One error object, for a request or for a record."""
    return {"code": code, "details": details or {}, "message": message, "status": "error"}


def success(message: str, details: Body, **more: Any) -> Body:
    """One record's success."""
    return {"code": "SUCCESS", **more, "details": details, "message": message, "status": "success"}


# --- whole requests ------------------------------------------------------------


def invalid_token() -> ApiProblem:
    return ApiProblem(401, "INVALID_TOKEN", "invalid oauth token")


def no_authentication() -> ApiProblem:
    return ApiProblem(401, "AUTHENTICATION_FAILURE", "Authentication failed")


def wrong_scope() -> ApiProblem:
    return ApiProblem(401, "OAUTH_SCOPE_MISMATCH", "Unauthorized")


def too_many_requests() -> ApiProblem:
    return ApiProblem(429, "TOO_MANY_REQUESTS", "too many requests. please try again after some time")


def invalid_url() -> ApiProblem:
    return ApiProblem(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")


def invalid_method() -> ApiProblem:
    return ApiProblem(400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")


def invalid_module() -> ApiProblem:
    return ApiProblem(400, "INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0})


def missing_param(name: str) -> ApiProblem:
    return ApiProblem(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param_name": name})


def bad_param(name: str, supported: list[str] | None = None) -> ApiProblem:
    details: Body = {"param_name": name}
    if supported:
        details["supported_values"] = supported
    return ApiProblem(400, "INVALID_DATA", "invalid data", details)


def over_limit(name: str, limit: int) -> ApiProblem:
    return ApiProblem(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": limit, "param_name": name})


def ambiguous(*names: str) -> ApiProblem:
    return ApiProblem(
        400, "AMBIGUITY_DURING_PROCESSING", "Ambiguity while processing the request",
        {"ambiguity_due_to": [{"param_name": name} for name in names]},
    )  # fmt: skip


def bad_body() -> ApiProblem:
    return ApiProblem(400, "INVALID_DATA", "body", {"expected_data_type": "jsonobject"})


# --- single records ------------------------------------------------------------


def mandatory(name: str, path: str) -> Body:
    return error("MANDATORY_NOT_FOUND", "required field not found", {"api_name": name, "json_path": path})


def invalid(name: str, path: str, **more: Any) -> Body:
    return error("INVALID_DATA", "invalid data", {**more, "api_name": name, "json_path": path})


def invalid_id(path: str, name: str = "id") -> Body:
    return error("INVALID_DATA", "the id given seems to be invalid", {"api_name": name, "json_path": path})


def several(errors: list[Body]) -> Body:
    """One error as it is; more than one wrapped, as the vendor does."""
    if len(errors) == 1:
        return errors[0]
    return error("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request", {"errors": errors})

"""A local server that speaks Zoho CRM's REST API v8 (and its accounts server's) over an org of its own."""

from .app import ZohoSandbox, create_sandbox

__all__ = ["ZohoSandbox", "create_sandbox"]

"""The signature algorithms against published vectors (SDK 8.2.0 with its clock fixed, and LoginBySign)."""

import base64

import pytest

from hub.connect import registry
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import ConfigurationError

auth = registry.find("kingdee_galaxy").module("auth")
settings = registry.find("kingdee_galaxy").module("settings")
sandbox_auth = registry.find("kingdee_galaxy").module("sandbox.auth")

IDENTITY = {
    "url": "https://erp.example.com/k3cloud/",
    "acct_id": "5f0a1b2c3d4e5f",
    "username": "api_user",
    "app_id": "200001_c2FuZGJveC1jbGllbnQtc2VjcmV0LTI0",
    "app_secret": "9a8b7c6d5e4f30211203f4e5d6c7b8a9",
}
PATH = "/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.View.common.kdsvc"


def test_the_signed_headers_are_those_of_the_official_sdk():
    headers = auth.signature_headers(settings.read_settings(IDENTITY, "kingdee"), PATH, 1700000000)
    assert headers == {
        "X-Api-ClientID": "200001",
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": "1700000000",
        "x-api-nonce": "1700000000",
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": ("M2JhMTM4MDJjZWJjZTk5YTFjMjE3ODU3ZmFkNGYzZTliN2MwMDYyZDUyYWFhMzIxYmZiMTE2Mzk1N2Q5ZTc0Zg=="),
        "X-Kd-Appkey": IDENTITY["app_id"],
        "X-Kd-Appdata": "NWYwYTFiMmMzZDRlNWYsYXBpX3VzZXIsMjA1Miww",
        "X-Kd-Signature": "YWJjODk1NDBiZGU5NmYwZTcwM2VmYzA5YTYxNGFjZWJhYWQ3NWMyNDY1Njg5MzBhZTI3YTY5YTc5MGFkYWQyYg==",
    }


@pytest.mark.parametrize("secret_of", [auth.client_secret, sandbox_auth.client_secret])
def test_the_client_secret_hides_in_the_app_id(secret_of):
    assert secret_of(IDENTITY["app_id"]) == "Q1FbUARcQRoAWltWWkcaSwdTSwYVGlYH"
    assert secret_of("200001_short") == secret_of("no-underscore") == ""


@pytest.mark.parametrize("sign", [auth.login_signature, sandbox_auth.sign_login])
def test_the_login_signature_is_over_the_sorted_parts(sign):
    signed = sign(IDENTITY["acct_id"], "api_user", IDENTITY["app_id"], IDENTITY["app_secret"], "1700000000")
    assert signed == "5835ffee492dd19a0d07e97cc520ae587115d8e8bc201c04201f2bb7030bdef6"


def test_the_organisation_travels_in_the_identity():
    headers = auth.signature_headers(settings.read_settings({**IDENTITY, "org_number": "101"}, "k"), PATH, 1)
    assert base64.b64decode(headers["X-Kd-Appdata"]).decode() == "5f0a1b2c3d4e5f,api_user,2052,101"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "https://erp.example.com/"}, "url: Value error, must end in /k3cloud/"),
        ({"app_secrets": "x"}, "app_secrets"),
        ({"batch": 0}, "batch"),
        ({"auth": "password"}, "auth"),
    ],
)
def test_wrong_settings_are_named_and_secrets_are_not_shown(change, says):
    with pytest.raises(ConfigurationError) as problem:
        settings.read_settings({**IDENTITY, **change}, "kingdee")
    assert says in str(problem.value) and "systems.kingdee" in str(problem.value)
    assert IDENTITY["app_secret"] not in str(problem.value)


def test_secrets_stay_out_of_reprs():
    connector = registry.find("kingdee_galaxy").open(IDENTITY, Services("kingdee", MemoryCache()))
    shown = repr(vars(connector)) + repr(vars(connector._client)) + repr(connector._settings)
    assert IDENTITY["app_secret"] not in shown

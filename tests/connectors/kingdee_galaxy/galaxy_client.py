"""A plain client of the sandbox, independent of the connector: signs nothing by itself, keeps a cookie session."""

import requests

FORMS = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService."
LOGINS = "Kingdee.BOS.WebApi.ServicesStub.AuthService."


class Client:
    def __init__(self, running):
        self.app = running.app
        self.url = running.url
        self.http = requests.Session()

    def post(self, service, body, *, path=None, **options):
        response = self.http.post(f"{path or self.url}{service}.common.kdsvc", json=body, timeout=10, **options)
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        return response

    def login(self):
        a = self.app.account
        body = {"parameters": [a.acct_id, a.username, a.password, 2052]}
        found = self.post(LOGINS + "ValidateUser", body).json()
        assert found["LoginResultType"] == 1, found
        return self

    def call(self, method, form=None, data=None, **outer):
        body = {"data": data or {}, **({"formid": form} if form else {}), **outer}
        return self.post(FORMS + method, body).json()

    def status(self, method, form, data, **outer):
        return self.call(method, form, data, **outer)["Result"]["ResponseStatus"]

    def query(self, form, keys, filter="", **more):
        data = {"FormId": form, "FieldKeys": keys, "FilterString": filter, **more}
        return self.call("ExecuteBillQuery", data=data)

    def value(self, form, key, filter):
        rows = self.query(form, key, filter)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]


def order(**head):
    """A packet for a small order, in the right order of typing."""
    model = {
        "FBillTypeID": {"FNUMBER": "XSDD01_SYS"},
        "FDate": "2026-01-15",
        "FSaleOrgId": {"FNumber": "100"},
        "FCustId": {"FNumber": "C00001"},
        "FSalerId": {"FNumber": "S01"},
        **{k: v for k, v in head.items() if k != "lines"},
        "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": "PRE001"}, "FIsIncludedTax": True},
        "FSaleOrderEntry": head.get("lines") or [line(), line(FQty=2, FTaxPrice=56.5)],
    }
    return {"Model": model, "IsVerifyBaseDataField": True}


def line(**more):
    return {
        "FMaterialId": {"FNumber": "M-0001"},
        "FUnitID": {"FNumber": "Pcs"},
        "FQty": 10,
        "FTaxPrice": 113,
        "FEntryTaxRate": 13,
        "FDeliveryDate": "2026-01-31",
        **more,
    }

"""Bulk read in the sandbox: a job that takes its time, a zipped CSV at its end."""

from __future__ import annotations

import csv
import io
import zipfile


def bulk(client, method, path="", **options):
    url = f"{client.base}/crm/bulk/v8/read{path}"
    return client.session.request(method, url, timeout=10, **options)


def test_a_job_walks_through_its_states_to_a_file(world):
    client = world.client()
    gone = world.app.records("Accounts")[0]["id"]
    world.app.delete("Accounts", gone, "Ann Lee")
    criteria = {"group_operator": "and", "group": [
        {"field": {"api_name": "Modified_Time"}, "comparator": "less_equal", "value": "2026-03-02T09:00:00+00:00"},
        {"field": {"api_name": "Phone"}, "comparator": "not_equal", "value": "${EMPTY}"}]}  # fmt: skip
    query = {"module": {"api_name": "Accounts"}, "fields": ["Account_Name", "Parent_Account", "Modified_Time"]}
    made = bulk(client, "POST", json={"query": {**query, "criteria": criteria}})
    assert made.status_code == 201 and made.json()["data"][0]["code"] == "ADDED_SUCCESSFULLY"
    id = made.json()["data"][0]["details"]["id"]
    assert bulk(client, "GET", f"/{id}/result").status_code == 400
    states = [bulk(client, "GET", f"/{id}").json()["data"][0] for _ in range(4)]
    assert [s["state"] for s in states] == ["ADDED", "QUEUED", "IN PROGRESS", "COMPLETED"]
    assert states[-1]["result"]["count"] == 5 and states[-1]["result"]["more_records"] is False
    with zipfile.ZipFile(io.BytesIO(bulk(client, "GET", f"/{id}/result").content)) as archive:
        text = archive.read(f"{id}.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["Id", "Account_Name", "Parent_Account", "Modified_Time"] and len(rows) == 5
    assert rows[0]["Modified_Time"].endswith("+08:00") and gone not in {row["Id"] for row in rows}


def test_what_a_job_refuses(world):
    client = world.client()
    job = {"query": {"module": {"api_name": "Accounts"}}}
    untyped = bulk(client, "POST", data=b"{}", headers={"Content-Type": "text/plain"})
    assert (untyped.status_code, untyped.json()["code"]) == (415, "MEDIA_TYPE_NOT_SUPPORTED")
    assert bulk(client, "GET", "/1").json()["code"] == "RESOURCE_NOT_FOUND"
    assert bulk(client, "POST", json={"query": {"module": {"api_name": "X"}}}).json()["code"] == "INVALID_MODULE"
    id = bulk(client, "POST", json=job).json()["data"][0]["details"]["id"]
    for _ in range(4):
        bulk(client, "GET", f"/{id}")
    statuses = [bulk(client, "GET", f"/{id}/result").status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]

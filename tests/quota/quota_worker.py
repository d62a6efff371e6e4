"""A process that calls a sandbox as a connector does, within an account's shared quota. Run by ``test_workers.py``.

``quota_worker.py STORE URL OWNER JSON``; JSON: threads, calls (of each thread), urgent, limits, rest (seconds between
calls), forever. Says ``begun`` at its first call; at its end one JSON line: calls, seconds, longest (wait in seconds).
"""

import json
import sys
import threading
import time

from hub.connect.budget import Budget
from hub.connect.http import Http
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.store.quota import SharedQuota
from hub.sync.holder import identity, is_dead


def main(store: str, url: str, owner: str, orders: str) -> None:
    told = json.loads(orders)
    quota = SharedQuota(store, identity(), is_dead=is_dead, urgent=bool(told.get("urgent")))
    services = Services("shop", MemoryCache(), quota=quota)
    http = Http(url, services, budget=Budget(owner=owner, **told["limits"]))
    waits: list[float] = []
    said = threading.Event()

    def work() -> None:
        for _ in range(10**9 if told.get("forever") else told["calls"]):
            asked = time.monotonic()
            http.get("/api/notes")
            waits.append(time.monotonic() - asked)
            if not said.is_set():
                said.set()
                print("begun", flush=True)
            if told.get("rest"):
                time.sleep(told["rest"])

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(told["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quota.close()
    print(json.dumps({"calls": len(waits), "seconds": time.monotonic() - began, "longest": max(waits)}), flush=True)


main(*sys.argv[1:])

"""A local API server that is not the bottleneck: ``python -m benchmarks.server [--port 0]``.

Any number of systems, each with any number of resources, all served from ready bytes by one asyncio process:

    GET    /{system}/{resource}?changed_since=CURSOR&page_token=TOKEN&limit=200&part=2/4
               → {"records": [{id, version, modified_at, key?, values | deleted}], "next": TOKEN?, "cursor": CURSOR}
    GET    /{system}/{resource}?ids=A,B     → {"records": […]}; an unknown id comes as deleted
    GET    /{system}/{resource}?keys=A,B    → {"records": [… | null]}, looked up by the writer's own key
    POST   /{system}/{resource}/upsert      {"records": [{values, id?, key?, version?}], "echo": bool}
               → {"results": [{id, version} | {error: {code, message, field}}]}; whole records with echo
    DELETE /{system}/{resource}?ids=A,B     → {"records": […]}

``/control/…`` (JSON bodies, POST unless said otherwise): ``load`` {system, resource, n, bad, seeded}, ``drop``
{system}, ``edit`` {system, resource, edits: {id: values}, by: field whose values stand for ids?}, ``latency`` {ms},
``faults`` [{match, next, status, close}], ``refuse`` {system, resource, value}, ``reset`` (counters), GET ``stats`` →
{"calls": {operation: n}, "records": {…}}.
When it is ready it prints one line: ``{"url": …}``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec

from benchmarks import data
from benchmarks.seeded import Seeded
from benchmarks.store import Refused, Resource

PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
Answer = tuple[int, bytes]


@dataclass
class Fault:
    """The next ``next`` calls whose ``METHOD /path`` starts with ``match`` fail: answered with ``status``, or with the
    connection closed ``before`` or ``after`` the call took effect."""

    match: str
    next: int = 1
    status: int = 0
    close: str = ""


@dataclass
class Bench:
    """Everything the server knows."""

    systems: dict[str, dict[str, Resource]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    latency: float = 0.0

    def resource(self, system: str, name: str) -> Resource:
        resources = self.systems.setdefault(system, {})
        if name not in resources:
            resources[name] = Resource(self.prefix(system, name))
        return resources[name]

    @staticmethod
    def prefix(system: str, name: str) -> str:
        """How the ids of records made by a writer begin."""
        return f"{system[0].upper()}{name[0].upper()}"

    def fault(self, call: str) -> Fault | None:
        for fault in self.faults:
            if fault.next > 0 and call.startswith(fault.match):
                fault.next -= 1
                return fault
        return None

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        parts = path.strip("/").split("/")
        try:
            if parts[0] == "control":
                return 200, control(self, parts[1], body)
            return 200, self.call(method, parts, parse_qs(query), body)
        except Refused as refusal:
            return 400, msgspec.json.encode({"error": refusal.answer})
        except (IndexError, KeyError, ValueError, msgspec.MsgspecError) as error:
            return 400, msgspec.json.encode({"error": {"code": "BAD_REQUEST", "message": repr(error)}})

    def call(self, method: str, parts: list[str], query: dict[str, list[str]], body: bytes) -> bytes:
        system, name = parts[0], parts[1]
        resource = self.resource(system, name)
        verb = "upsert" if parts[2:] == ["upsert"] else {"GET": "list", "DELETE": "delete"}[method]
        if "ids" in query and verb == "list":
            verb = "get"
        elif "keys" in query:
            verb = "probe"
        self.calls[f"{verb} {system}/{name}"] += 1
        match verb:
            case "upsert":
                return resource.upsert(body)
            case "delete":
                return _records(resource.delete(query["ids"][0].split(",")))
            case "get":
                return _records(resource.get(query["ids"][0].split(",")))
            case "probe":
                return _records(resource.by_key(query["keys"][0].split(",")))
        start = query.get("page_token", query.get("changed_since", ["0"]))[0]
        number, _, of = query.get("part", ["1/1"])[0].partition("/")
        limit = min(int(query.get("limit", ["200"])[0]), 1000)
        found, cursor, more = resource.page(int(start), limit, (int(number), int(of)))
        return b'{"records":[' + b",".join(found) + _tail(cursor, more)


def _tail(cursor: int, more: bool) -> bytes:
    following = f'"{cursor}"' if more else "null"
    return f'],"next":{following},"cursor":"{cursor}"}}'.encode()


def _records(found: list[bytes]) -> bytes:
    return b'{"records":[' + b",".join(found) + b"]}"


def control(bench: Bench, verb: str, body: bytes) -> bytes:
    """One control call; raises KeyError or ValueError for what it doesn't understand."""
    asked: Any = msgspec.json.decode(body) if body else {}
    match verb:
        case "load":
            if asked.get("seeded"):
                name, system = asked["resource"], asked["system"]
                bench.systems.setdefault(system, {})[name] = Seeded(bench.prefix(system, name), name, asked["n"])
            else:
                load(bench, asked["system"], asked["resource"], asked["n"], asked.get("bad", 0.0))
        case "drop":
            bench.systems.pop(asked["system"], None)
            gc.collect()
        case "edit":
            resource = bench.resource(asked["system"], asked["resource"])
            ids = resource.index(asked["by"]) if "by" in asked else None
            for id, values in msgspec.json.decode(body, type=Edits).edits.items():
                resource.edit(ids[id] if ids is not None else id, values)
        case "latency":
            bench.latency = asked["ms"] / 1000
        case "faults":
            bench.faults = [Fault(**fault) for fault in asked]
        case "refuse":
            bench.resource(asked["system"], asked["resource"]).refuse = msgspec.json.encode(asked["value"])
        case "reset":
            bench.calls.clear()
        case "stats":
            records = {f"{s}/{name}": r.live() for s, named in bench.systems.items() for name, r in named.items()}
            return msgspec.json.encode({"calls": dict(bench.calls), "records": records})
        case _:
            raise ValueError(f"no such control call: {verb}")
    return b"{}"


class Edits(msgspec.Struct):
    edits: dict[str, dict[str, msgspec.Raw]]


def load(bench: Bench, system: str, name: str, n: int, bad: float) -> None:
    """Fill a resource with n records written in A's way; the share ``bad`` of them is spoiled, half of these so that
    they can't be translated, half so that the target refuses them."""
    every = round(1 / bad) if bad else 0

    def records() -> Any:
        for i in range(n):
            record = data.in_a(name, i)
            if every and i % every == every // 2:
                record = data.spoil(name, record, "map" if i // every % 2 else "refuse")
            yield data.remote_id(name, i), record

    bench.systems.setdefault(system, {}).pop(name, None)
    bench.resource(system, name).load(records())
    gc.freeze()  # the rows live as long as the server: the collector need not walk them again and again


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection; requests are answered in order, one at a time."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.buffer = bytearray()
        self.busy = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self.advance()

    def advance(self) -> None:
        """Answer the next complete request in the buffer, if there is one."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "expect":
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        method, target, _ = lines[0].split(" ")
        path, _, query = target.partition("?")
        self.answer(method, path, query, body)

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        is_control = path.startswith("/control/")
        fault = None if is_control else self.bench.fault(f"{method} {path}")
        if fault and fault.close == "before":
            self.close()
            return
        status, content = (
            (fault.status, b"{}") if fault and fault.status else self.bench.answer(method, path, query, body)
        )
        if fault and fault.close == "after":
            self.close()
            return
        head = f"HTTP/1.1 {status} {PHRASES.get(status, 'Status')}\r\nContent-Type: application/json\r\n"
        wire = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
        if self.bench.latency and not is_control:
            self.busy = True
            asyncio.get_running_loop().call_later(self.bench.latency, self.finish, wire)
        else:
            self.write(wire)
            if self.buffer:
                self.advance()

    def finish(self, wire: bytes) -> None:
        self.busy = False
        self.write(wire)
        if self.buffer:
            self.advance()

    def write(self, wire: bytes) -> None:
        if self.transport is not None:
            self.transport.write(wire)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    bench = Bench()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(bench), "127.0.0.1", port)
    address = server.sockets[0].getsockname()
    sys.stdout.write(msgspec.json.encode({"url": f"http://127.0.0.1:{address[1]}"}).decode() + "\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    try:
        asyncio.run(serve(parser.parse_args().port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()

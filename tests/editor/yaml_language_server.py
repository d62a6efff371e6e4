"""The YAML language server that editors use, driven over standard input and output."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

PACKAGE = "yaml-language-server@1.25.0"
PROGRAM = Path("node_modules/yaml-language-server/bin/yaml-language-server")


class Server:
    """An editor with one folder open. ``settings`` are those of the editor, ``yaml.schemas`` among them."""

    def __init__(self, node: str, program: Path, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        on = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        self.settings = {"yaml": {**on, "schemas": settings["yaml.schemas"]}}
        self.numbers = itertools.count(1)
        self.process = subprocess.Popen(
            [node, str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Server:
        root = self.folder.as_uri()
        self.ask(
            "initialize",
            processId=None, rootUri=root, workspaceFolders=[{"uri": root, "name": "project"}],
            capabilities={"textDocument": {
                "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]}, "publishDiagnostics": {},
            }, "workspace": {"workspaceFolders": True, "configuration": True}},
        )  # fmt: skip
        self.tell("initialized")
        self.tell("workspace/didChangeConfiguration", settings={})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def diagnostics(self, file: Path, text: str) -> list[dict[str, Any]]:
        """Open a file with this text; what the server underlines."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        while True:
            message = self._read()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == file.as_uri():
                return list(message["params"]["diagnostics"])

    def completions(self, file: Path, line: int, character: int) -> dict[str, str]:
        """Label → documentation of what is offered there."""
        found = self._at("textDocument/completion", file, line, character)
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: _plain(item.get("documentation")) for item in items}

    def hover(self, file: Path, line: int, character: int) -> str:
        found = self._at("textDocument/hover", file, line, character)
        return _plain(found["contents"]) if found else ""

    def _at(self, method: str, file: Path, line: int, character: int) -> Any:
        place = {"line": line, "character": character}
        return self.ask(method, textDocument={"uri": file.as_uri()}, position=place)

    def ask(self, method: str, **params: Any) -> Any:
        number = next(self.numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]

    def tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """The next message; the server's questions for settings are answered."""
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) or not length:
            assert line or self.process.poll() is None, "the language server ended"
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "id" in message and "method" in message:
            items = message["params"]["items"] if message["method"] == "workspace/configuration" else []
            self._send({"id": message["id"], "result": [self.settings.get(item["section"]) for item in items] or None})
        return message


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(map(_plain, content))
    return str(content.get("value", "")) if isinstance(content, dict) else str(content or "")

"""A container engine for machines without one: what `docker` is asked for, done with processes.

It answers the requests of Docker's client on a socket. A container is a process group of its own
which has the image's environment and what it was created with, nothing else; images, networks and
volumes are taken for granted.
Belongs here: what Dagster's launcher and executor ask for. Does not: anything about Dagster.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PATH = re.compile(r"/v[0-9.]+/containers/(?P<id>[\w-]+)(?:/\w+)?")


@dataclass
class Container:
    """What a container was created with, and its process once it is started."""

    created: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None

    @property
    def status(self) -> str:
        if self.process is None:
            return "created"
        return "running" if self.process.poll() is None else "exited"

    def signal(self, number: int) -> None:
        """Sends a signal to all that runs in it."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


class Engine:
    """Runs containers until it is closed.

    Args:
        socket: where it listens.
        image: the environment that the image brings.
        workdir: where commands start.
        log: what containers print, one file for all.
    """

    def __init__(self, socket: Path, image: Mapping[str, str], workdir: Path, log: Path) -> None:
        self.containers: dict[str, Container] = {}
        self._image, self._workdir, self._log = image, workdir, log
        self._server = _Server(socket, self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Kills what still runs, and listens no more."""
        self._server.shutdown()
        self._server.server_close()
        for container in self.containers.values():
            container.signal(signal.SIGKILL)
            if container.process:
                container.process.wait()

    def create(self, asked: dict[str, Any], name: str | None) -> str:
        """A new container's id, which is its name where it is given one."""
        number = name or uuid.uuid4().hex
        self.containers[number] = Container(asked)
        return number

    def start(self, container: Container) -> None:
        """Starts a container's command with the image's environment and its own over it."""
        own = dict(line.split("=", 1) for line in container.created["Env"])
        with self._log.open("ab") as log:
            container.process = subprocess.Popen(
                container.created["Cmd"],
                cwd=self._workdir,
                env={**self._image, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


class _Server(ThreadingUnixStreamServer):
    """Listens for an engine."""

    daemon_threads = True

    def __init__(self, socket: Path, engine: Engine) -> None:
        super().__init__(str(socket), _Handler)
        self.engine = engine


class _Handler(BaseHTTPRequestHandler):
    """The answers to Docker's client."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith("/version"):
            self._answer(200, {"ApiVersion": "1.44", "Version": "stand-in"})
        elif (found := self._container(path)) is not None:
            state = {"Status": found.status, "Running": found.status == "running"}
            self._answer(200, {"Id": path.split("/")[3], "State": state, "Config": found.created})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        if path.endswith("/containers/create"):
            name = parse_qs(urlsplit(self.path).query).get("name", [None])[0]
            self._answer(201, {"Id": self.server.engine.create(asked, name), "Warnings": []})
        elif (found := self._container(path)) is not None:
            self._do(path.rsplit("/", 1)[1], found)

    def _do(self, verb: str, container: Container) -> None:
        if verb == "wait":
            assert container.process
            self._answer(200, {"StatusCode": container.process.wait()})
            return
        if verb == "start":
            self.server.engine.start(container)
        else:
            container.signal({"stop": signal.SIGTERM, "kill": signal.SIGKILL}[verb])
        self._answer(204, None)

    def _container(self, path: str) -> Container | None:
        """The container a path names; answers with 404 when there is none."""
        match = _PATH.fullmatch(path)
        found = self.server.engine.containers.get(match["id"]) if match else None
        if found is None:
            self._answer(404, {"message": f"no such container: {path}"})
            return None
        return found

    def _answer(self, status: int, body: object) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "docker"  # a client on a socket has no address

    def log_message(self, format: str, *args: Any) -> None:
        pass

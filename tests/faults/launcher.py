"""Runs `nns` again and again without its start: all is imported once, and each run is forked.

A process of its own, since only one without threads may fork and go on. It takes a line of JSON per
request and answers each with one:

{"start": ["run", …], "out": file, "arm": point?, "signal": 9?, "hold": true?} -> {"pid": 1}
{"wait": 1, "seconds": 60} -> {"code": 0, -9 after a signal, or null when it goes on}

A run is the whole of `cli.main` with these arguments, in a session of its own. `arm` has it killed
at a point, see points.py. One on `hold` stops at once, until SIGCONT: a tracer can follow it then.
"""

import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

_IMPORTED = (
    *("dagster", "dbt.cli.main", "dbt.adapters.duckdb.connections", "duckdb"),
    *("great_expectations", "pandas", "pyarrow.parquet"),
    *("pipelines.cli", "pipelines.definitions", "pipelines.release.publish"),
)


def imported() -> None:
    """All that a run imports, which takes longer than many a run."""
    from pipelines import imports

    with imports.uncollected():
        for name in _IMPORTED:
            importlib.import_module(name)
    logging.getLogger().handlers.clear()  # dbt leaves one, which in a run hears nothing


def started(request: dict) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor in (1, 2):
            os.dup2(out, descriptor)
        os.close(0)
        sys.argv = ["nns", *request["start"]]
        if point := request.get("arm"):
            import points

            points.arm(point, request["signal"])
        if request.get("hold"):
            os.kill(os.getpid(), signal.SIGSTOP)
        from pipelines import cli

        cli.main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout.flush()
        os._exit(code)  # what else there is to end belongs to the launcher


def waited(pid: int, seconds: float) -> int | None:
    """How a run ended, within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return None


def main() -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, str(Path(__file__).parent))
    imported()
    assert threading.active_count() == 1, "a lock that another thread holds stays held in a fork"
    print("{}", file=replies, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            reply = {"pid": started(request)}
        else:
            reply = {"code": waited(request["wait"], request["seconds"])}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()

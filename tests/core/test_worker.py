# SPDX-License-Identifier: Apache-2.0
"""The worker and its client, as real processes."""

import os
import signal
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.addon_modules import addon_module
from tests.core.conftest import REPO

JOBS = """
    import os, sys, time
    import numpy as np
    from vendor_core import worker
    from vendor_core.errors import PoiseError

    def count(params, report):
        for i in range(1000):
            report(i / 1000, f"step {i}")
            time.sleep(0.005)
        return {}, {}

    def deaf(params, report):
        time.sleep(20)
        return {}, {}

    def noisy(params, report):
        print("a stray print")
        os.write(1, b"a stray write")
        return {"ok": True}, {"x": np.arange(6.0).reshape(2, 3)}

    def large(params, report):
        return {}, {"x": np.arange(params["n"], dtype=np.float64)}

    def wrong(params, report):
        raise PoiseError("found this\\nexpected that")

    def broken(params, report):
        raise ValueError("a fault of the program")

    def where(params, report):
        import only_in_wheel
        return {"path": sys.path, "modules": [only_in_wheel.__file__, np.__file__], "isolated": sys.flags.isolated}, {}

    worker.main({f.__name__: f for f in (count, deaf, noisy, large, wrong, broken, where)})
"""


client_module = addon_module("worker.client")
WorkerDied = client_module.WorkerDied


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes clients of a worker that runs the given program instead of the core's own jobs."""
    clients = []

    def make(program: str = JOBS, python: str = sys.executable) -> Any:
        package = tmp_path / "vendor_core"
        package.mkdir()
        paths = f"__path__ = [{str(package)!r}, {str(REPO / 'vendor_core')!r}]\n__version__ = 'test'\n"
        (package / "__init__.py").write_text(paths)
        (package / "__main__.py").write_text(textwrap.dedent(program))
        (tmp_path / "wheels").mkdir()
        with zipfile.ZipFile(tmp_path / "wheels" / "only_in_wheel-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("only_in_wheel.py", "")
            wheel.writestr("numpy.py", "raise RuntimeError('a wheel must not shadow the interpreter')")
        clients.append(client_module.WorkerClient(python, tmp_path))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def until_end(client: Any, patience: float = 20.0) -> list[Any]:
    """Every message up to the end of the running job."""
    messages, give_up = [], time.monotonic() + patience
    while client.busy:
        assert time.monotonic() < give_up, f"no end of the job after {messages}"
        messages += client.poll()
        time.sleep(0.002)
    return messages


def until_progress(client: Any) -> None:
    while not any(message.type == "progress" for message in client.poll()):
        time.sleep(0.002)


def test_a_job_of_the_core_answers_and_the_worker_introduces_itself() -> None:
    client = client_module.WorkerClient()
    try:
        number = client.run("ping", {"text": "Grüße", "n": 3})
        *_, last = until_end(client)
        assert (last.type, last.id, last.data) == ("result", number, {"text": "Grüße", "n": 3})
        assert client.hello["numpy"] == np.__version__
        assert client.hello["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    finally:
        client.close()


def test_errors_of_the_input_come_as_one_line() -> None:
    client = client_module.WorkerClient()
    try:
        for job, params, words in (
            ("solve", {"take": "nowhere.c3d"}, "nowhere.c3d"),
            ("solve", {}, "take"),
            ("solve", {"take": 7}, "take"),
            ("dance", {}, "expected one of: ping, solve"),
        ):
            client.run(job, params)
            *_, last = until_end(client)
            assert last.type == "error"
            assert words in last.fields["message"] and "\n" not in last.fields["message"]
    finally:
        client.close()


def test_the_package_comes_first_and_the_wheels_last(start: Callable[..., Any], tmp_path: Path) -> None:
    client = start()
    client.run("where", {})
    *_, last = until_end(client)
    wheel = str(tmp_path / "wheels" / "only_in_wheel-1-py3-none-any.whl")
    assert last.data["path"][0] == str(tmp_path)
    assert last.data["path"][-1] == wheel
    assert last.data["modules"][0].startswith(wheel)
    assert last.data["modules"][1] == np.__file__
    assert last.data["isolated"] == 1


def test_stray_output_does_not_reach_the_messages(start: Callable[..., Any]) -> None:
    client = start()
    client.run("noisy", {})
    *_, last = until_end(client)
    np.testing.assert_array_equal(last.arrays["x"], [[0, 1, 2], [3, 4, 5]])


def test_large_arrays_arrive_whole_in_pieces(start: Callable[..., Any]) -> None:
    client = start()
    client.run("large", {"n": 4_000_000})
    *_, last = until_end(client)
    np.testing.assert_array_equal(last.arrays["x"], np.arange(4_000_000))


def test_progress_is_told_and_grows(start: Callable[..., Any]) -> None:
    client = start()
    client.run("count", {})
    until_progress(client)
    messages = []
    while len(messages) < 20:
        messages += client.poll()
    fractions = [message.fields["fraction"] for message in messages]
    assert fractions == sorted(fractions) and 0 < fractions[-1] < 1
    assert messages[-1].fields["text"].startswith("step ")


@pytest.mark.parametrize("job", ["count", "deaf"])
def test_cancel_ends_a_job_within_a_third_of_a_second(start: Callable[..., Any], job: str) -> None:
    """The best of three: a machine that is busy with something else says nothing of the worker."""
    client, took = start(), []
    for _ in range(3):
        client.run("noisy", {})
        until_end(client)
        client.run(job, {})
        time.sleep(0.1)
        began = time.monotonic()
        client.cancel()
        messages = until_end(client)
        took.append(time.monotonic() - began)
        assert messages[-1].type == "cancelled"
    assert min(took) < 0.3
    client.run("noisy", {})  # and the next job runs: in the same worker, or in a new one after a deaf one
    assert until_end(client)[-1].type == "result"


def test_a_second_job_is_refused_while_one_runs(start: Callable[..., Any]) -> None:
    client = start()
    client.run("count", {})
    with pytest.raises(Exception, match="still running"):
        client.run("count", {})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_worker_is_one_clear_line_and_the_next_job_starts_a_new_one(start: Callable[..., Any]) -> None:
    client = start()
    client.run("count", {})
    until_progress(client)
    client._process.send_signal(signal.SIGKILL)
    with pytest.raises(WorkerDied, match=r"^The worker process ended unexpectedly: signal 9\. Run it again[^\n]*$"):
        until_end(client)
    assert not client.busy
    client.run("noisy", {})
    assert until_end(client)[-1].type == "result"


def test_a_fault_in_a_job_is_told_by_its_last_line(start: Callable[..., Any]) -> None:
    client = start()
    client.run("broken", {})
    with pytest.raises(WorkerDied, match=r"^[^\n]*ValueError: a fault of the program\. Run it again[^\n]*$"):
        until_end(client)


def test_an_error_of_two_lines_becomes_one(start: Callable[..., Any]) -> None:
    client = start()
    client.run("wrong", {})
    assert until_end(client)[-1].fields["message"] == "found this expected that"


def test_a_worker_that_does_not_start_says_why(start: Callable[..., Any]) -> None:
    client = start("import a_module_that_is_not_there")
    client.run("noisy", {})
    with pytest.raises(WorkerDied, match="No module named 'a_module_that_is_not_there'"):
        until_end(client)


def test_an_interpreter_that_is_not_there_is_named(start: Callable[..., Any]) -> None:
    with pytest.raises(WorkerDied, match="no-such-python cannot be run"):
        start(python="/no-such-python").run("noisy", {})


@pytest.mark.skipif(os.name == "nt", reason="the interpreters that are none are shell scripts")
@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("exit 3", "exit status 3"),
        ("echo Usage: not a Python >&2; exit 1", "Usage: not a Python"),
        ("echo Hello, this is no Python; exec sleep 60", "found the bytes b'Hell'"),
        ("exec sleep 60", "no answer within 1 s"),
        (f'exec "{sys.executable}" -S "$@"', "No module named 'numpy'"),
    ],
    ids=["ends", "complains", "prints", "sleeps", "has-no-numpy"],
)
def test_what_is_no_interpreter_for_a_worker_is_one_line_that_says_what_is(
    start: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, how: str
) -> None:
    monkeypatch.setattr(client_module, "_GREETING", 1.0)
    program = tmp_path / "no-python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    client = start("import numpy", python=str(program))
    (tmp_path / "wheels" / "only_in_wheel-1-py3-none-any.whl").unlink()  # it holds a NumPy to trip over
    client.run("noisy", {})
    with pytest.raises(WorkerDied) as told:
        until_end(client)
    line = str(told.value)
    assert line.startswith(str(program)) and how in line and "\n" not in line
    assert "expected a Python 3.11 or later with NumPy" in line and client._process is None


def test_garbage_from_a_worker_is_refused(start: Callable[..., Any]) -> None:
    client = start("import sys, time; sys.stdout.write('Hello, world!'); sys.stdout.flush(); time.sleep(20)")
    client.run("noisy", {})
    with pytest.raises(WorkerDied, match="Expected a message of the worker, found the bytes b'Hell'"):
        until_end(client)
    assert client.poll() == []

"""Downloads from a server on this machine: interrupted, resumed with and without ranges, wrong, absent, disk full."""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import io
import json
import shutil
import socket
import struct
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from feynkac_worker.data import __main__ as command
from feynkac_worker.data import _download, _transfer, cifar10, cifar100, dataset, fashion_mnist, mnist, names, svhn
from feynkac_worker.data._download import download
from feynkac_worker.data._remote import Remote
from feynkac_worker.errors import ServiceError

BODY = np.random.default_rng(8).bytes(1_000_000)


@dataclass
class Home:
    """A server: `files` by path, `cuts` = bytes after which the next answers break off, `asked` = ranges asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    shift: int = 0
    cuts: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    served = Home(files={"/x.bin": BODY})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            served.asked.append(wanted)
            body = served.files.get(self.path)
            if body is None:
                return self.send_error(404)
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and served.ranges else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start + served.shift}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start:][: served.cuts.pop(0) if served.cuts else None])
            return None

        def log_message(self, *arguments: Any) -> None:
            pass

    monkeypatch.setenv("no_proxy", "*")  # a proxy of this machine would not reach 127.0.0.1
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def remote(home: Home, body: bytes = BODY, **change: Any) -> Remote:
    made = Remote("x.bin", len(body), hashlib.sha256(body).hexdigest(), (home.url,))
    return replace(made, **change)


def quiet(file: str, done: int, total: int) -> None:
    pass


def refused(wanted: Remote, root: Path) -> str:
    with pytest.raises(ServiceError, match=r"^Expected ") as raised:
        download(wanted, root, quiet)
    return str(raised.value).replace(str(root), "ROOT")


def test_brings_the_file_once_and_reports(home: Home, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    assert download(remote(home, folder="a/b"), tmp_path, lambda *progress: seen.append(progress)) is True
    assert (tmp_path / "a/b/x.bin").read_bytes() == BODY
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["x.bin"]
    done = [done for _, done, _ in seen]
    assert done == sorted(done) and len(done) >= 4 and seen[-1] == ("x.bin", len(BODY), len(BODY))
    assert download(remote(home, folder="a/b"), tmp_path, quiet) is False and home.asked == [None]


def test_goes_on_by_itself_after_interruptions(home: Home, tmp_path: Path) -> None:
    home.cuts = [300_000, 400_000]
    assert download(remote(home), tmp_path, quiet) and (tmp_path / "x.bin").read_bytes() == BODY
    assert home.asked == [None, "bytes=300000-", "bytes=700000-"]


def test_a_second_call_goes_on_with_the_part_file(home: Home, tmp_path: Path) -> None:
    home.cuts = [300_000, 0]
    said = refused(remote(home), tmp_path)
    where = home.url.removeprefix("http://").rstrip("/")
    assert said == (
        f"Expected to download `ROOT/x.bin` (1000000 bytes), got {where}: the connection ended after 300000 of 1000000 "
        "bytes; 300000 bytes are kept, run the command again to go on"
    )
    assert (tmp_path / "x.bin.part").read_bytes() == BODY[:300_000] and not (tmp_path / "x.bin").exists()
    assert download(remote(home), tmp_path, quiet) and (tmp_path / "x.bin").read_bytes() == BODY
    assert home.asked[2:] == ["bytes=300000-"] and not (tmp_path / "x.bin.part").exists()


def test_starts_again_where_the_server_knows_no_ranges(home: Home, tmp_path: Path) -> None:
    home.ranges = False
    (tmp_path / "x.bin.part").write_bytes(b"z" * 999_999)
    assert download(remote(home), tmp_path, quiet) and (tmp_path / "x.bin").read_bytes() == BODY
    assert home.asked == ["bytes=999999-"]


def test_without_ranges_it_gives_up_when_an_attempt_gets_no_further(home: Home, tmp_path: Path) -> None:
    home.ranges, home.cuts = False, [500_000, 600_000, 400_000, 1]
    assert "the connection ended after 400000 of 1000000 bytes; 400000 bytes are kept" in refused(
        remote(home), tmp_path
    )
    assert len(home.asked) == 3


def test_a_complete_part_file_needs_no_transfer_and_a_longer_one_none_of_its_bytes(home: Home, tmp_path: Path) -> None:
    (tmp_path / "x.bin.part").write_bytes(BODY)
    assert download(remote(home), tmp_path, quiet) and home.asked == []
    (tmp_path / "x.bin").rename(tmp_path / "x.bin.part")
    with (tmp_path / "x.bin.part").open("ab") as part:
        part.write(b"z")
    assert download(remote(home), tmp_path, quiet) and home.asked == [None]


def test_a_wrong_checksum_never_gets_the_name(home: Home, tmp_path: Path) -> None:
    home.files["/x.bin"] = b"z" + BODY[1:]
    got = hashlib.sha256(home.files["/x.bin"]).hexdigest()
    assert f"a file with the SHA-256 {got}, expected {remote(home).sha256}; or put" in refused(remote(home), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_file_is_thrown_away(home: Home, tmp_path: Path) -> None:
    (tmp_path / "x.bin.part").write_bytes(b"z" * 10)
    assert "a file with the SHA-256 " in refused(remote(home), tmp_path)
    assert download(remote(home), tmp_path, quiet) and home.asked == ["bytes=10-", None]


@pytest.mark.parametrize("body", [b"<html>sign in</html>", BODY + b"z"])
def test_another_file_is_refused_before_it_is_transferred(home: Home, tmp_path: Path, body: bytes) -> None:
    home.files["/x.bin"] = body
    assert f"a file of {len(body)} bytes in place of 1000000; or put" in refused(remote(home), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_than_asked_for_are_refused(home: Home, tmp_path: Path) -> None:
    home.shift = 1
    (tmp_path / "x.bin.part").write_bytes(BODY[:10])
    assert "an answer with other bytes than were asked for; 10 bytes are kept" in refused(remote(home), tmp_path)
    assert (tmp_path / "x.bin.part").read_bytes() == BODY[:10]


def test_absent_file_refused_connection_unknown_name(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "HTTP 404 Not Found; or put it there yourself" in refused(remote(home, name="y.bin"), tmp_path)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take the port
        closed = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        assert "connection refused; or put it there yourself" in refused(remote(home, homes=(closed,)), tmp_path)
        assert download(remote(home, homes=(closed, home.url)), tmp_path, quiet)

    def unknown(*arguments: Any, **options: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    said = refused(remote(home, name="z.bin", homes=("http://example.invalid/",)), tmp_path)
    assert "got example.invalid: its name is not known here (no network?); or put it there yourself" in said


def test_a_silent_server_is_given_up(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_transfer, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert "no answer for 0.05 s" in refused(remote(home, homes=(url,)), tmp_path)


class Full:
    """A part file on a disk with room for some bytes."""

    def __init__(self, file: IO[bytes], room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: bytes) -> int:
        if self.file.tell() + len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def test_disk_full_keeps_what_has_arrived(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = _transfer.receive
    monkeypatch.setattr(_download, "receive", lambda u, n, part, report: receive(u, n, Full(part, 600_000), report))  # type: ignore[arg-type]
    assert refused(remote(home), tmp_path) == (
        "Expected to write `ROOT/x.bin`, got: no space left on the disk; what has arrived is kept, "
        "run the command again to go on"
    )
    assert (tmp_path / "x.bin.part").read_bytes() == BODY[: 2 * _transfer.CHUNK]
    monkeypatch.setattr(_download, "receive", receive)
    assert download(remote(home), tmp_path, quiet) and home.asked == [None, f"bytes={2 * _transfer.CHUNK}-"]


def test_too_little_room_is_told_before_the_transfer(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**6, 1, 999_999))  # type: ignore[attr-defined]
    assert refused(remote(home), tmp_path) == "Expected 1000000 free bytes for `ROOT/x.bin`, got 999999"
    assert home.asked == [] and list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_written(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert refused(remote(home, folder="file/inside"), tmp_path).startswith(
        "Expected to write `ROOT/file/inside/x.bin`"
    )


def test_a_file_of_another_content_is_never_overwritten(home: Home, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"mine")
    assert refused(remote(home), tmp_path) == (
        f"Expected `ROOT/x.bin` to have the SHA-256 {remote(home).sha256}, got {hashlib.sha256(b'mine').hexdigest()}; "
        "move it away to download it anew"
    )
    assert (tmp_path / "x.bin").read_bytes() == b"mine" and home.asked == []


def test_two_downloads_of_one_file_exclude_each_other(home: Home, tmp_path: Path) -> None:
    with (tmp_path / "x.bin.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert refused(remote(home), tmp_path) == (
            "Expected `ROOT/x.bin.part` to be free, got one that another download is writing"
        )


def archive(members: dict[str, bytes], link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(info)
    return out.getvalue()


def test_archives_are_unpacked_whole_or_not_at_all(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = archive({"in/a": b"A", "in/b": b"B", "../out": b"C", "/abs": b"D", "in/../up": b"E", "in/..": b"F"}, "in/l")
    home.files["/x.tgz"] = body
    wanted = replace(remote(home, body), name="x.tgz", unpacks="in")

    def full(source: IO[bytes], target: IO[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", full)
        assert "no space left on the disk" in refused(wanted, tmp_path)
    assert (tmp_path / "x.tgz").exists() and not (tmp_path / "in").exists()
    assert download(wanted, tmp_path, quiet) is True and len(home.asked) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()} == {"a": b"A", "b": b"B"}
    assert download(wanted, tmp_path, quiet) is False and len(home.asked) == 1
    assert not (tmp_path.parent / "out").exists()


def test_an_archive_brought_by_hand_is_checked_and_unpacked(home: Home, tmp_path: Path) -> None:
    body = archive({"in/a": b"A"})
    (tmp_path / "x.tgz").write_bytes(body)
    assert download(replace(remote(home, body), name="x.tgz", unpacks="in"), tmp_path, quiet) and home.asked == []
    assert (tmp_path / "in/a").read_bytes() == b"A"


def test_every_remote_is_complete_and_lands_where_its_loader_looks() -> None:
    found = {name: dataset(name).REMOTES for name in names() if hasattr(dataset(name), "REMOTES")}
    assert sorted(found) == ["cifar10", "cifar100", "fashion_mnist", "mnist", "svhn"]
    for remote in (remote for remotes in found.values() for remote in remotes):
        assert len(remote.sha256) == 64 and int(remote.sha256, 16) and remote.size > 0 and remote.homes
        assert all(url.startswith(("https://", "http://")) and url.endswith("/") for url in remote.homes)
    assert [remote.unpacks for remote in cifar10.REMOTES + cifar100.REMOTES] == [
        cifar10.PYTHON.subfolder,
        cifar100.PYTHON.subfolder,
    ]
    for module in (mnist, fashion_mnist):
        assert [remote.name.removesuffix(".gz") for remote in module.REMOTES] == list(module.OFFICIAL)
    assert [remote.name for remote in svhn.REMOTES] == list(svhn.OFFICIAL)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_command_downloads_and_surveys(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = []
    for count, whole in zip((3, 3, 2, 2), mnist.REMOTES, strict=True):
        images = "images" in whole.name
        head = struct.pack(">4I", 0x803, count, 28, 28) if images else struct.pack(">2I", 0x801, count)
        body = gzip.compress(head + bytes(count * (784 if images else 1)))
        home.files[f"/{whole.name}"] = body
        small.append(replace(whole, size=len(body), sha256=hashlib.sha256(body).hexdigest()))
    monkeypatch.setattr(mnist, "REMOTES", tuple(small))
    arguments = ["download", "--root", str(tmp_path), "--mirror", home.url.rstrip("/"), "mnist"]
    assert command.main(arguments) == 0
    *progress, last = lines(capsys)
    paths = [f"MNIST/raw/{remote.name}" for remote in small]
    assert last == {"value": {"files": paths, "downloaded": paths}}
    assert progress == [{"progress": [remote.name, remote.size, remote.size]} for remote in small]
    assert command.main(arguments) == 0 and lines(capsys) == [{"value": {"files": paths, "downloaded": []}}]
    assert command.main(["survey", "--root", str(tmp_path), "mnist"]) == 0
    ((found,),) = [line["value"] for line in lines(capsys)]
    assert [(split["split"], split["n"], split["official"]) for split in found["splits"]] == [
        ("train", 3, False),
        ("test", 2, False),
    ]


def test_the_command_fails_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["download", "--root", str(tmp_path), "arrays"]) == 1
    assert lines(capsys) == [
        {
            "error": "Expected a data set that can be downloaded (cifar10, cifar100, fashion_mnist, mnist, svhn), "
            "got `arrays`"
        }
    ]
    assert command.main(["survey", "imagenet"]) == 1 and "got `imagenet`" in lines(capsys)[0]["error"]
    assert command.main(["survey"]) == 0
    (line,) = lines(capsys)
    assert [entry["name"] for entry in line["value"]] == names()
    by_name = {entry["name"]: entry for entry in line["value"]}
    assert by_name["fashion_mnist_subset"]["splits"][1]["n"] == 1000
    assert by_name["cifar10"]["downloadBytes"] == 170498071 and "error" in by_name["cifar10"]["splits"][0]

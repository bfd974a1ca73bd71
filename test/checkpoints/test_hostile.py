"""Pickles that want to run code, or to take all memory or time: refused in one sentence, and nothing happens."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published_files import Python2, published

from feynkac_worker.checkpoints import pickled, unpickler
from feynkac_worker.checkpoints.pickled import read_pickled
from feynkac_worker.checkpoints.read import read_checkpoint
from feynkac_worker.errors import ServiceError

ADVICE = "which is not loaded: save `net.state_dict()` with the code that made it"
Pack = Callable[[bytes], bytes]


def zipped(data: bytes, records: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, record in {"data.pkl": data, "version": b"3", **(records or {})}.items():
            archive.writestr(f"archive/{name}", record)
    return buffer.getvalue()


def older(data: bytes, rest: bytes = b"\x80\x02].") -> bytes:
    head = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}]
    return b"".join(pickle.dumps(value, protocol=2) for value in head) + data + rest


PACKS = pytest.mark.parametrize("pack", [zipped, older], ids=["zip", "older"])


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def glob(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def refusal(data: bytes, folder: Path) -> str:
    path = folder / "hostile.t7"
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(ServiceError) as caught:
        read_checkpoint(str(path))
    assert time.process_time() - started < 5
    return str(caught.value).removeprefix(f"Expected `{path}` to ")


COMMAND = "touch marker"
STATEMENT = "open('marker', 'w').write('')"
NETWORK = glob("__main__", "PreAct_ResNet_Cifar")
# What is refused, and the pickle behind it.
ATTACKS: dict[str, tuple[str, bytes]] = {
    "os.system": ("posix.system", glob("posix", "system") + text(COMMAND) + b"\x85R."),
    "eval": ("builtins.eval", glob("builtins", "eval") + text(STATEMENT) + b"\x85R."),
    "exec of Python 2": ("__builtin__.eval", glob("__builtin__", "eval") + text(STATEMENT) + b"\x85R."),
    "stack global": ("os.system", b"\x80\x04" + text("os") + text("system") + b"\x93" + text(COMMAND) + b"\x85R."),
    "stack global of a path": (
        "torch.os.system",
        b"\x80\x04" + text("torch") + text("os.system") + b"\x93" + text(COMMAND) + b"\x85R.",
    ),
    "getattr": ("builtins.getattr", glob("builtins", "getattr") + NETWORK + text("__init__") + b"\x86R."),
    "import": ("builtins.__import__", glob("builtins", "__import__") + text("marker") + b"\x85R."),
    "reconstructor": (
        "copy_reg._reconstructor",
        glob("copy_reg", "_reconstructor") + NETWORK + glob("__builtin__", "object") + b"N\x87R.",
    ),
    "newobj of a class": ("subprocess.Popen", glob("subprocess", "Popen") + text(COMMAND) + b"\x85\x81."),
    "newobj with arguments": ("__main__.PreAct_ResNet_Cifar", NETWORK + text(COMMAND) + b"\x85\x81."),
    "call of a class": ("__main__.PreAct_ResNet_Cifar", NETWORK + b")R."),
    "call of a module": ("torch.nn.modules.linear.Linear", glob("torch.nn.modules.linear", "Linear") + b"K\x01\x85R."),
    "state of a tuple": ("__main__.PreAct_ResNet_Cifar", NETWORK + b")\x81}}\x86b."),
    "state twice": ("__main__.PreAct_ResNet_Cifar", NETWORK + b")\x81}b}b."),
    "setstate": (
        "torch.nn.modules.module.Module.__setstate__",
        b"\x80\x04" + text("torch.nn.modules.module") + text("Module.__setstate__") + b"\x93" + b"}\x85R.",
    ),
    "reduce": ("torch.nn.Module.__reduce__", glob("torch.nn", "Module.__reduce__") + NETWORK + b"\x85R."),
    "nested load": ("torch.storage._load_from_bytes", glob("torch.storage", "_load_from_bytes") + b"C\x01x\x85R."),
    "torch.load": ("torch.load", glob("torch", "load") + text("marker") + b"\x85R."),
    "hub": ("torch.hub.load", glob("torch.hub", "load") + text("a/b") + b"\x85R."),
    "numpy file": ("numpy.load", glob("numpy", "load") + text("marker") + b"\x85R."),
    "storage from file": (
        "torch._C.FloatStorage.from_file",
        b"\x80\x04" + text("torch._C") + text("FloatStorage.from_file") + b"\x93" + text("marker") + b"\x85R.",
    ),
    "names with line ends": (
        "os\\nsystem.x",
        b"\x80\x04" + text("os\nsystem") + text("x") + b"\x93" + text(COMMAND) + b"\x85R.",
    ),
}


@PACKS
@pytest.mark.parametrize("name", list(ATTACKS))
def test_no_code_is_run(name: str, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown, data = ATTACKS[name]
    sentence = refusal(pack(b"\x80\x02" + data), tmp_path)
    assert sentence == (
        f"hold tensors, numbers and networks of the published code, got a pickled Python object (`{shown}`), {ADVICE}"
    )
    assert not Path("marker").exists()


def test_the_attacks_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Python's own unpickler the same bytes do what they want, so the tests above can fail."""
    monkeypatch.chdir(tmp_path)
    for name in ("os.system", "eval", "stack global"):
        code = f"import pickle; pickle.loads({bytes(ATTACKS[name][1])!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert Path("marker").exists()
        Path("marker").unlink()


@PACKS
@pytest.mark.parametrize(
    ("instruction", "data"),
    [
        ("INST", b"(S'touch marker'\nios\nsystem\n."),
        ("OBJ", b"(" + glob("__main__", "PreAct_ResNet_Cifar") + b"o."),
        ("EXT1", b"\x82\x01."),
        ("NEWOBJ_EX", glob("__main__", "PreAct_ResNet_Cifar") + b")}\x92."),
        ("BYTEARRAY8", b"\x96" + struct.pack("<Q", 1) + b"x."),
        ("PERSID", b"Pstorage\n."),
    ],
)
def test_other_instructions(instruction: str, data: bytes, pack: Pack, tmp_path: Path) -> None:
    assert f"got the pickle instruction `{instruction}`, which is not run: save" in refusal(pack(data), tmp_path)


def pid(kind: bytes, key: str, numel: bytes, tail: bytes) -> bytes:
    return b"(" + text("storage") + kind + text(key) + text("cpu") + numel + tail + b"tQ"


FLOATS = glob("torch", "FloatStorage")
HUGE = b"\x8a\x05" + (2**34).to_bytes(5, "little")


def tensor(place: bytes, size: bytes, stride: bytes, offset: bytes = b"K\x00") -> bytes:
    return glob("torch._utils", "_rebuild_tensor") + b"(" + place + offset + size + stride + b"tR"


STOP = b"s."
ITEM = b"\x80\x02}" + text("net")
SMALL = {
    "zip": pid(FLOATS, "0", b"K\x01", b""),
    "older": pid(FLOATS, "0", b"K\x01", b"N"),
}
ONE = (b"K\x01\x85", b"K\x01\x85")
BOMBS: dict[str, Callable[[str], bytes]] = {
    "expanded tensor": lambda kind: ITEM + tensor(SMALL[kind], HUGE + b"\x85", b"K\x00\x85") + STOP,
    "tensor beyond its storage": lambda kind: ITEM + tensor(SMALL[kind], *ONE, offset=b"K\x01") + STOP,
    "negative offset": lambda kind: ITEM + tensor(SMALL[kind], *ONE, offset=b"J\xff\xff\xff\xff") + STOP,
    "huge storage": lambda kind: (
        ITEM + tensor(pid(FLOATS, "0", HUGE, b"" if kind == "zip" else b"N"), HUGE + b"\x85", ONE[1]) + STOP
    ),
    "missing storage": lambda kind: ITEM + tensor(SMALL[kind].replace(text("0"), text("7")), *ONE) + STOP,
    "storage without a type": lambda kind: ITEM + tensor(SMALL[kind].replace(FLOATS, b"N"), *ONE) + STOP,
    "storage id abused": lambda _: ITEM + text("storage") + b"\x85Qs.",
    "module id abused": lambda _: ITEM + b"(" + text("module") + b"NNNtQs.",
    "id of another kind": lambda _: ITEM + b"(" + text("file") + text("marker") + b"tQs.",
    "huge memo index": lambda _: b"\x80\x02]r\xff\xff\xff\xff.",
    "huge text": lambda _: b"\x80\x02X\xff\xff\xff\xffabc.",
    "huge bytes": lambda _: b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "huge number": lambda _: b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
    "long decimals": lambda _: b"L" + b"9" * 2_000_000 + b"L\n.",
    "deep lists": lambda _: b"\x80\x02" + b"]" * 30_000 + b"a" * 29_999 + b".",
    "deep tuples": lambda _: b"\x80\x02)" + b"\x85" * 50_000 + b".",
    "deep tuple as key": lambda _: b"\x80\x02})" + b"\x85" * 100_000 + b"K\x01s.",
    "colliding keys": lambda _: (
        b"\x80\x02}("
        + b"".join(b"\x8a\x0b" + (i * (2**61 - 1)).to_bytes(11, "little") + b"N" for i in range(5_000))
        + b"u."
    ),
    "endless instructions": lambda _: b"\x80\x02" + b"N0" * 200_000 + b"N.",
    "mark as value": lambda _: b"\x80\x02}(K\x01s.",
    "nothing on the stack": lambda _: b"\x80\x02R.",
    "copies of a long list": lambda _: (
        b"\x80\x02](" + b"N" * 100_000 + b"eq\x00" + b"0" + (glob("__builtin__", "set") + b"h\x00\x85R0") * 1000 + b"N."
    ),
}


# Odd but harmless: read without a complaint, and refused as no checkpoint.
HARMLESS = ("huge memo index", "deep lists", "deep tuples")


@pytest.mark.parametrize("kind", ["zip", "older"])
@pytest.mark.parametrize("name", list(BOMBS))
def test_sizes_and_times_are_bounded(name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickler, "STEPS", 300_000)
    data = BOMBS[name](kind)
    numbers = struct.pack("<qf", 1, 0.5)
    keys = b"\x80\x02]" + text("0") + b"a."
    packed = zipped(data, {"data/0": numbers[8:]}) if kind == "zip" else older(data, keys + numbers)
    sentence = refusal(packed, tmp_path)
    known = ("got a damaged file", "got a pickle of more than 300000 steps", "got the keys `net`", "got a pickled")
    assert any(words in sentence for words in known)
    # Without torch's own unpickler before it.
    started = time.process_time()
    try:
        read_pickled(tmp_path / "hostile.t7")
    except Exception as error:
        assert not isinstance(error, MemoryError | RecursionError)
    else:
        assert name in HARMLESS
    assert time.process_time() - started < 5


def test_bombs_that_stop_torch_do_not_reach_it(tmp_path: Path) -> None:
    """Shared pairs as a key take 2^60 steps to hash, and so does their set; deep ones overflow the stack."""
    pairs = b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 60
    for pack in (zipped, older):
        assert "got a damaged file" in refusal(pack(pairs + b"}h\x00K\x01s."), tmp_path)
        for name in ("set", "Counter", "frozenset"):
            data = pairs + glob("builtins", name) + b"]h\x00a\x85R."
            assert "got a call whose arguments are nested more than 50 deep" in refusal(pack(data), tmp_path)
    # Two readers, two opinions: what Python takes for an archive by its end, and which of two records counts.
    bomb, fine = pairs + b"}h\x00K\x01s.", b"\x80\x02}."
    assert "got a damaged file" in refusal(older(bomb) + zipped(fine), tmp_path)
    for name in ("../other/data.pkl", "DATA.PKL"):
        assert "got a damaged file" in refusal(zipped(fine, {name: bomb}), tmp_path)


def test_trees_that_are_none(tmp_path: Path) -> None:
    """A module that holds itself, one that holds the same twice (2^n names), and a chain without end."""
    build = lambda key, inner: b"}" + text("_modules") + b"}" + text(key) + inner + b"ssb"  # noqa: E731
    again = NETWORK + b")\x81q\x00" + build("a", b"h\x00")
    twice = NETWORK + b")\x81" + b"}" + text("_modules") + b"}("
    twice += text("a") + NETWORK + b")\x81q\x01}b" + text("b") + b"h\x01" + b"usb"
    chain = NETWORK + b")\x81}b"
    for _ in range(100):
        chain = NETWORK + b")\x81" + build("a", chain)
    dotted = NETWORK + b")\x81" + build("a.b", NETWORK + b")\x81}b")
    parameter = NETWORK + b")\x81}" + text("_parameters") + b"}" + text("a") + text("x") + b"ssb"
    for data in (again, twice, chain, dotted, parameter):
        assert "got a damaged file" in refusal(zipped(b"\x80\x02" + data + b"."), tmp_path)
        assert "got a damaged file" in refusal(older(b"\x80\x02" + data + b"."), tmp_path)


def test_archives_that_are_no_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = zipped(NETWORK + b".", {"constants.pkl": b"\x80\x02)."})
    assert "got a TorchScript program, which is not run" in refusal(program, tmp_path)
    data = b"\x80\x02" + NETWORK + b")\x81}b."
    assert "got a damaged file" in refusal(zipped(data, method=zipfile.ZIP_DEFLATED), tmp_path)
    assert "got a damaged file" in refusal(zipped(data, {"byteorder": b"big"}), tmp_path)
    monkeypatch.setattr(pickled, "PICKLE_LIMIT_BYTES", 50)
    packed = zipped(data + b"N" * 1000, method=zipfile.ZIP_DEFLATED)
    assert f"got a pickle of {len(data) + 1000} bytes, more than 50" in refusal(packed, tmp_path)


def test_tensors_that_share_numbers_are_no_way_to_more_memory(tmp_path: Path) -> None:
    """A thousand parameters that all show the same storage would make a network a thousand times the file."""
    parameters = b"}(" + b"".join(
        text(f"p{i}") + tensor(pid(FLOATS, "0", b"M\x10\x27", b""), b"M\x10\x27\x85", b"K\x01\x85") for i in range(1000)
    )
    data = b"\x80\x02" + NETWORK + b")\x81}" + text("_parameters") + parameters + b"usb."
    assert "got a damaged file" in refusal(zipped(data, {"data/0": bytes(40_000)}), tmp_path)


def test_a_small_file_cannot_ask_for_a_huge_network(call: Callable[..., object], tmp_path: Path) -> None:
    """A stem of shape [2^20, 1, 1, 1] asks for convolutions of 2^40 weights."""
    state = {"conv1.weight": torch.zeros(2**20, 1, 1, 1), "fc.weight": torch.zeros(2, 2), "layer1.0.x": torch.zeros(1)}
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(ServiceError, match=r"to hold the weights of ResNet8 with `ensemble.0.conv1.weight` as float32"):
        call("checkpoint.load", {"path": str(tmp_path / "a.pth")})


def test_code_of_known_names_is_not_run_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a module on the path that bears a listed class, nor `__setstate__` of a class that is loaded."""
    monkeypatch.chdir(tmp_path)
    Path("planted.py").write_text(f"{STATEMENT}\nclass AttackPGD: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ours = zipped(b"\x80\x02}" + text("x") + glob("planted", "AttackPGD") + b")\x81}bs.")
    assert "got the keys `x`" in refusal(ours, tmp_path)
    assert "planted" not in sys.modules
    assert not Path("marker").exists()
    with published("resnet_cifar", tmp_path) as code:
        torch.save(code.Unknown(), "a.pth")
        refused = "got a pickled Python object (`resnet_cifar.Unknown`)"
        assert refused in refusal(Path("a.pth").read_bytes(), tmp_path)
        assert refused in refusal(Python2().file({"net": code.Unknown()}), tmp_path)

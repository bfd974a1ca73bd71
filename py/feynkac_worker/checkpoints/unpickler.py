"""A restricted unpickler for whole networks: the instructions that such files need, on inert values.

Python's own unpickler, even with `find_class` overridden, still hashes, recurses and allocates as a file tells it: ten
nested pairs as a dictionary key take 2^10 steps to hash, sixty take forever, and a memo index of four bytes makes a
list of 64 GB. Here an instruction is either in the table below or the file is refused. Nothing is imported, and only
functions of `standins.py` are called.

Reference: the standard library's `pickletools`, which also splits the bytes into instructions.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import IO, Any

from feynkac_worker.checkpoints.standins import (
    Dtype,
    Named,
    Network,
    RefusedError,
    Slice,
    Storage,
    checked_key,
    find,
    storage,
)

STEPS = 3_000_000  # instructions and copied elements; a whole En5ResNet110 takes 300,000
_ARGUMENT_DEPTH = 50
_MARK = object()
_CONSTANTS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_SINGLETONS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}


class Unpickler:
    """Reads the pickles of one file, which share a limit on the work that they may cause."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self._steps = 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        # BINPUT, LONG_BINPUT, BINGET, LONG_BINGET differ in the width of the index only.
        widths = {f"{width}{name}": f"_op_{name.lower()}" for width in ("BIN", "LONG_BIN") for name in ("PUT", "GET")}
        self._table: dict[str, Callable[[Any], None]] = {
            name[4:].upper(): getattr(self, name) for name in dir(self) if name.startswith("_op_")
        } | {name: getattr(self, method) for name, method in widths.items()}

    def load(self, file: IO[bytes]) -> Any:
        """The value of the next pickle; the file then stands behind it.

        Raises RefusedError for a class, function or instruction that is not on the list, and ValueError, IndexError or
        another plain error for bytes that are no pickle.
        """
        self._stack, self._memo = [], {}
        for code, value, _ in pickletools.genops(file):
            name = code.name
            self._spend(1)
            if name in _CONSTANTS:
                self._stack.append(value)
            elif name in _SINGLETONS:
                self._stack.append(_SINGLETONS[name])
            elif name in self._table:
                self._table[name](value)
            elif name not in ("PROTO", "FRAME", "STOP"):
                raise RefusedError(
                    f"the pickle instruction `{name}`, which is not run: "
                    "save `net.state_dict()` with the code that made it"
                )
        (result,) = self._stack
        return result

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > STEPS:
            raise RefusedError(
                f"a pickle of more than {STEPS} steps: save `net.state_dict()` with the code that made it"
            )

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark in the place of a value")
        return value

    def _top(self, kind: type) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise ValueError(f"something else than a {kind.__name__}")
        return self._stack[-1]

    def _marked(self) -> list[Any]:
        """Takes everything down to the last mark."""
        values = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        values.reverse()
        return values

    def _op_mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def _op_pop(self, _: Any) -> None:
        self._stack.pop()

    def _op_pop_mark(self, _: Any) -> None:
        self._marked()

    def _op_dup(self, _: Any) -> None:
        self._stack.append(self._stack[-1])

    def _op_put(self, index: int) -> None:
        value = self._pop()
        self._stack.append(value)
        self._memo[index] = value

    def _op_memoize(self, _: Any) -> None:
        self._op_put(len(self._memo))

    def _op_get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def _op_empty_list(self, _: Any) -> None:
        self._stack.append([])

    def _op_list(self, _: Any) -> None:
        self._stack.append(self._marked())

    def _op_append(self, _: Any) -> None:
        value = self._pop()
        self._top(list).append(value)

    def _op_appends(self, _: Any) -> None:
        values = self._marked()
        self._top(list).extend(values)

    def _op_empty_dict(self, _: Any) -> None:
        self._stack.append({})

    def _op_dict(self, _: Any) -> None:
        self._stack.append(self._pairs(self._marked()))

    def _op_setitem(self, _: Any) -> None:
        value, key = self._pop(), self._pop()
        self._top(dict)[checked_key(key)] = value

    def _op_setitems(self, _: Any) -> None:
        pairs = self._pairs(self._marked())
        self._top(dict).update(pairs)

    def _pairs(self, flat: list[Any]) -> dict[Any, Any]:
        keys = [checked_key(key) for key in flat[::2]]
        return dict(zip(keys, flat[1::2], strict=True))

    def _op_tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._marked()))

    def _op_tuple1(self, _: Any) -> None:
        self._last(1)

    def _op_tuple2(self, _: Any) -> None:
        self._last(2)

    def _op_tuple3(self, _: Any) -> None:
        self._last(3)

    def _last(self, n: int) -> None:
        values = [self._pop() for _ in range(n)]
        self._stack.append(tuple(reversed(values)))

    def _op_global(self, value: str) -> None:
        self._stack.append(self._find(*value.split(" ", 1)))

    def _op_stack_global(self, _: Any) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a class without a name")
        self._stack.append(self._find(module, name))

    def _find(self, module: str, name: str) -> Any:
        return find(module, name)

    def _op_reduce(self, _: Any) -> None:
        args, called = self._pop(), self._pop()
        if not isinstance(called, Named) or not isinstance(args, tuple):
            raise ValueError("a call of something that has no name")
        if called.call is None:
            raise called.refused()
        self._spend(sum(len(value) for value in args if isinstance(value, list | str | tuple)))
        self._stack.append(called.call(args))

    def _op_newobj(self, _: Any) -> None:
        args, kind = self._pop(), self._pop()
        if not isinstance(kind, Named):
            raise ValueError("an object without a class")
        if kind.call is not None or kind.dtype is not None or args != ():
            raise kind.refused()
        self._stack.append(Network(kind))

    def _op_build(self, _: Any) -> None:
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, Network):
            if target.state is not None or not isinstance(state, dict):
                raise target.kind.refused()
            target.state = state
        elif isinstance(target, Dtype):
            if not isinstance(state, tuple) or state[1] not in ("<", ">", "|", "="):
                raise ValueError("a numpy type of no known form")
            target.order = state[1]
        elif not isinstance(target, dict | Slice):
            # What a dictionary or a parameter keeps beside its content (versions of a state_dict, hooks) is dropped.
            raise ValueError("a state for something that has none")

    def _op_binpersid(self, _: Any) -> None:
        value = self._pop()
        if not isinstance(value, tuple) or not value or value[0] not in ("storage", "module"):
            raise ValueError("an outside object of no known kind")
        if value[0] == "module":
            # Beside the class lies its source code, which nobody reads.
            if len(value) != 4 or not isinstance(value[1], Named):
                raise ValueError("a class of no known form")
            self._stack.append(value[1])
            return
        found = storage(value[1:])
        known = self.storages.setdefault(found.key, found)
        if (known.dtype, known.total) != (found.dtype, found.total):
            raise ValueError("a storage of two types")
        self._stack.append(found)


class Screen(Unpickler):
    """Whether `torch.load(weights_only=True)` may read a pickle: builds nothing and finds what would stop the process.

    Torch's unpickler knows which functions to call, but hashes what a file calls a key: a file of 500 kB with a deep
    tuple as key ends the process with a segmentation fault, one of 300 bytes with shared pairs runs for hours.
    """

    def _find(self, module: str, name: str) -> Any:
        return None

    def _op_reduce(self, _: Any) -> None:
        self._unknown(self._pop())
        self._stack[-1] = None

    _op_newobj = _op_reduce

    def _op_build(self, _: Any) -> None:
        self._unknown(self._pop())

    def _op_binpersid(self, _: Any) -> None:
        self._unknown(self._stack[-1])
        self._stack[-1] = None

    def _op_empty_set(self, _: Any) -> None:
        self._stack.append([])

    def _top(self, kind: type) -> Any:
        # What a call gave may be a list or a dictionary: a new one takes what would be put there.
        return kind() if self._stack[-1] is None else super()._top(kind)

    def _unknown(self, value: Any) -> None:
        """Raises RefusedError when hashing or copying these arguments could be deep or long."""
        waiting = [(value, 0)]
        while waiting:
            inner, depth = waiting.pop()
            self._spend(1)
            if depth > _ARGUMENT_DEPTH:
                raise RefusedError(f"a call whose arguments are nested more than {_ARGUMENT_DEPTH} deep")
            if isinstance(inner, tuple | list):
                waiting.extend((item, depth + 1) for item in inner)

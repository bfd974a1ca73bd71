"""A plan with its captured handles filled in: what RUN names."""

from __future__ import annotations

from typing import Any, NoReturn

from torch import Tensor, nn

from feynkac_worker.arguments import literal_float, literal_int
from feynkac_worker.errors import PlanError
from feynkac_worker.executor import Values, as_tensor
from feynkac_worker.handles import Handles, kind_of, storages
from feynkac_worker.ir import Decoded, Kind, kind_text, shown
from feynkac_worker.program import Program


class Plan:
    """A defined plan: shared code, with the name and the locations of its own."""

    __slots__ = ("decoded", "program")

    def __init__(self, decoded: Decoded, program: Program) -> None:
        self.decoded, self.program = decoded, program


class Bound:
    """`template` holds the values of a run with the captures in place; `explicit` counts the arguments before them."""

    def __init__(self, plan: Plan, captured: Any, handles: Handles) -> None:
        """Raises PlanError or ProtocolError when the captures do not fit the plan's last inputs."""
        self.plan, self.program, self.objects, self.handles = plan, plan.program, handles.objects, handles
        self.replay, self.count, self.decoded = plan.program.replay, plan.program.count, plan.decoded
        kinds = plan.program.inputs
        if type(captured) is not list or len(captured) > len(kinds):
            raise PlanError(f"Expected at most {len(kinds)} captured handles, got {shown(captured)}")
        self.explicit = len(kinds) - len(captured)
        self.captured = captured
        self.captured_handles = flat_handles(captured)
        self.freed: int | None = None
        # The usual case, where checking an argument is one isinstance.
        self.tensors = all(kind.name == "tensor" for kind in kinds[: self.explicit])
        values = [self.value(self.explicit + i, arg) for i, arg in enumerate(captured)]
        self.template: Values = [*([None] * self.explicit), *values, *plan.program.room]
        for handle in self.captured_handles:
            handles.captured.setdefault(handle, []).append(self.forget)

    def forget(self, handle: int) -> None:
        """A captured handle was freed: its memory must go, and no later run may use it."""
        self.freed, self.template, self.explicit = handle, [], -1

    def fill(self, args: Any) -> Values:
        """The values of a run. Raises PlanError or ProtocolError when the arguments do not fit."""
        if len(args) != self.explicit:
            self._refuse(args)
        values = self.template.copy()
        i = 0
        if self.tensors:
            objects = self.objects
            for arg in args:
                value = objects.get(arg) if type(arg) is int else None
                values[i] = value if type(value) is Tensor else self.value(i, arg)
                i += 1
            return values
        for arg in args:
            values[i] = self.value(i, arg)
            i += 1
        return values

    def _refuse(self, args: Any) -> NoReturn:
        if self.freed is not None:
            raise PlanError(f"Expected every captured handle to live, got {self.freed}, which was freed")
        raise PlanError(f"Expected {self.explicit} arguments, got {len(args)}")

    def value(self, index: int, arg: Any) -> Any:
        """The value of one input from a handle, a list of handles, or a runtime scalar."""
        kind = self.program.inputs[index]
        if type(arg) is int:
            value = self.handles.get(arg)
            if kind_of(value) == kind.name:
                return value
            raise PlanError(f"Expected input {index} to be {kind_text(kind)}, got a {kind_of(value)}")
        tag, content = arg if type(arg) is list and len(arg) == 2 else (None, None)
        if tag == "l" and type(content) is list and kind == Kind("tensors", len(content)):
            return [self.handles.get(handle, "tensor") for handle in content]
        if kind.name in ("scalar", "tensor"):
            number = scalar(tag, content)
            if number is not None:
                return number if kind.name == "scalar" else as_tensor(number, self.program.runtime.device)
        raise PlanError(f"Expected input {index} to be {kind_text(kind)}, got {shown(arg)}")

    def slots(self, args: Any) -> tuple[set[int], set[int]]:
        """Storages and handles that a run with `args` may change."""
        touched: set[int] = set()
        changed: set[int] = set()
        inputs = [*(args if type(args) is list else []), *self.captured]
        for target in self.program.targets if len(inputs) == len(self.program.inputs) else ():
            flat = flat_handles([inputs[target.input]])
            for handle in flat if target.element is None else flat[target.element : target.element + 1]:
                value = self.handles.objects.get(handle)
                if target.how != "assign":
                    changed.add(handle)
                if isinstance(value, nn.Module):
                    touched.update(*(storages(buffer) for buffer in value.buffers()))
                else:
                    touched |= storages(value)
        return touched, changed


def scalar(tag: Any, content: Any) -> int | float | bool | None:
    """The number in `["i", n]`, `["f", x]` or `["b", v]`; None for anything else."""
    if tag == "f":
        return literal_float(content)
    if tag == "i":
        return literal_int(content)
    return content if tag == "b" and type(content) is bool else None


def flat_handles(args: Any) -> list[int]:
    """All handles in the arguments of RUN or the captures of BIND."""
    found: list[int] = []
    for arg in args if type(args) is list else ():
        if type(arg) is int:
            found.append(arg)
        elif type(arg) is list and len(arg) == 2 and arg[0] == "l" and type(arg[1]) is list:
            found += [handle for handle in arg[1] if type(handle) is int]
    return found

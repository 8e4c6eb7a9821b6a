"""A case of one call."""

from core import vjp


def one(group, name, op, tensors, attrs=None, consts=(), outputs=("y",), params=(), no_grad=(), also=()):
    """`op` of all tensors, in their order; what is given as (shape, kind) with kind int or bool is a constant.
    `also` are further calls."""
    held = [n for n, t in tensors.items() if kind_of(t) not in "f"]
    graph = [(op, list(tensors), list(outputs), attrs or {}), *also]
    last = [o for call in graph for o in call[2]]
    wanted = list(outputs) if not also else [also[-1][2][0]]
    vjp(name, group, graph, tensors, params=params, consts=[n for n in [*consts, *held] if n not in params],
        outputs=[o for o in wanted if o in last], no_grad=no_grad)


def kind_of(t):
    if hasattr(t, "dtype"):
        return t.dtype.kind
    kind = t[1]
    return "i" if kind.startswith("int") else "b" if kind == "bool" else "f"

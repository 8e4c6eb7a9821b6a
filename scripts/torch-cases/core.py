"""Cases: a graph of PyTorch's functions, what goes in, and what PyTorch says comes out."""

import hashlib
import json
import struct

import numpy as np
import torch

from functions import FUNCTIONS

CASES = []


def vjp(name, group, graph, tensors, params=(), consts=(), buffers=(), outputs=("y",), no_grad=()):
    """Values and gradients of `graph`, a list of (op, inputs, outputs, attrs), for random cotangents.

    `tensors` gives each input (shape, kind) or an array; kinds are those of `draw`. What is neither in `params`,
    `consts` nor `buffers` is an input. Gradients are taken of all float inputs and params but `no_grad`."""
    CASES.append(("vjp", dict(name=name, group=group, graph=calls(graph), tensors=tensors, params=params,
                              consts=consts, buffers=buffers, outputs=outputs, no_grad=no_grad)))


def train(name, graph, params, feeds, optimizer, steps, buffers=(), loss="loss", group="train",
          clip_grad_norm=None, clip_grad_value=None, lr_schedule=None, consts=(), frozen=()):
    """A training run: `params`, `buffers`, `consts` and `feeds` are (shape, kind) by name, `optimizer` has PyTorch's
    names; `frozen` names params that are not trained, `lr_schedule` is a scheduler of SCHEDULES by `type`, one step of it
    after every step."""
    CASES.append(("train", dict(name=name, group=group, graph=calls(graph), params=params, feeds=feeds,
                                optimizer=optimizer, steps=steps, buffers=dict(buffers), loss=loss,
                                clip_grad_norm=clip_grad_norm, clip_grad_value=clip_grad_value,
                                lr_schedule=lr_schedule, consts=dict(consts), frozen=frozen)))


def calls(graph):
    return [{"op": op, "in": list(given), "out": list(out), "attrs": dict(attrs)} for op, given, out, attrs in graph]


def draw(rng, shape, kind):
    """normal · small (a tenth of it) · positive (0.2 .. 2) · unit (0 .. 1) · apart (no two equal, none near 0) ·
    negative (minus positive) · int_float (0, 1 or 2: many are equal) · half_zero (every second pair of rows 0) ·
    scaled:S (normal times S) · offset (100 and a little) · wide (-1.4 .. 1.4) ·
    int:K (0 .. K-1) · bool · ones · zeros · probs (sums to 1 along axis 1) · sign (-1 or 1)"""
    size = int(np.prod(shape)) if len(shape) else 1
    if kind == "normal":
        x = rng.standard_normal(size)
    elif kind == "small":
        x = rng.standard_normal(size) * 0.1
    elif kind == "positive":
        x = rng.uniform(0.2, 2, size)
    elif kind == "negative":
        x = -rng.uniform(0.2, 2, size)
    elif kind == "int_float":
        x = rng.integers(0, 3, size)
    elif kind == "half_zero":
        x = rng.standard_normal(size) * (np.arange(size) // (2 * shape[-1]) % 2)
    elif kind.startswith("scaled:"):
        x = rng.standard_normal(size) * float(kind[7:])
    elif kind == "wide":
        x = rng.uniform(-1.4, 1.4, size)
    elif kind == "offset":
        x = rng.standard_normal(size) + 100
    elif kind == "unit":
        x = rng.uniform(0.02, 0.98, size)
    elif kind == "apart":
        x = (rng.permutation(size) + 0.5 - size / 2 + 0.25) * (4 / max(size, 1))
    elif kind.startswith("int:"):
        return rng.integers(0, int(kind[4:]), size).reshape(shape).astype(np.int32)
    elif kind == "bool":
        return rng.integers(0, 2, size).reshape(shape).astype(bool)
    elif kind == "ones":
        x = np.ones(size)
    elif kind == "zeros":
        x = np.zeros(size)
    elif kind == "sign":
        x = rng.choice([-1.0, 1.0], size)
    elif kind == "probs":
        e = np.exp(rng.standard_normal(shape))
        x = e / e.sum(axis=1, keepdims=True)
    else:
        raise ValueError(kind)
    # What a file holds is float32, so PyTorch starts from the same numbers.
    return x.reshape(shape).astype(np.float32)


def seeded(name):
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))


def tensor(array, dtype):
    if array.dtype == np.bool_:
        return torch.from_numpy(array)
    if array.dtype.kind == "i":
        return torch.from_numpy(array.astype(np.int64))
    return torch.from_numpy(array.astype(np.float64)).to(dtype)


def run(graph, values):
    env = dict(values)
    for call in graph:
        made = FUNCTIONS.call(call["op"], [env[n] for n in call["in"]], call["attrs"])
        made = made if isinstance(made, (tuple, list)) else (made,)
        env.update(zip(call["out"], made))
    return env


def answer_vjp(case, arrays, cotangents, dtype):
    wanted = [n for n, a in arrays.items() if a.dtype.kind == "f" and n not in case["no_grad"]
              and n not in case["consts"] and n not in case["buffers"]]
    values = {n: tensor(a, dtype) for n, a in arrays.items()}
    for n in wanted:
        values[n].requires_grad_(True)
    env = run(case["graph"], values)
    total = sum((env[o] * tensor(g, dtype)).sum() for o, g in cotangents.items())
    if not (torch.is_tensor(total) and total.requires_grad):
        wanted = []
    grads = torch.autograd.grad(total, [values[n] for n in wanted], allow_unused=True) if wanted else []
    out = {f"out.{o}": env[o].detach() for o in case["outputs"]}
    for n, g in zip(wanted, grads):
        out[f"grad.{n}"] = torch.zeros_like(values[n]) if g is None else g
    out.update({f"bufafter.{n}": values[n] for n in case["buffers"]})
    return wanted, {n: t.detach().double().numpy() for n, t in out.items()}


def make_vjp(case):
    rng = seeded(case["name"])
    arrays = {n: s if isinstance(s, np.ndarray) else draw(rng, *s) for n, s in case["tensors"].items()}
    first = run(case["graph"], {n: tensor(a, torch.float64) for n, a in arrays.items()})
    cotangents = {o: draw(rng, tuple(first[o].shape), "normal") for o in case["outputs"]
                  if first[o].dtype.is_floating_point}
    fresh = {n: a.copy() for n, a in arrays.items()}
    wanted, exact = answer_vjp(case, fresh, cotangents, torch.float64)
    _, single = answer_vjp(case, {n: a.copy() for n, a in arrays.items()}, cotangents, torch.float32)
    inputs = [n for n in arrays if n not in [*case["params"], *case["consts"], *case["buffers"]]]
    about = dict(name=case["name"], group=case["group"], kind="vjp", graph=case["graph"], inputs=inputs,
                 params=list(case["params"]), consts=list(case["consts"]), buffers=list(case["buffers"]),
                 outputs=list(case["outputs"]), grads=wanted, f32_err=worst(single, exact), compute="float64")
    given = {**arrays, **{f"gy.{o}": g for o, g in cotangents.items()}}
    kinds = {f"out.{o}": stored(first[o]) for o in case["outputs"]}
    return about, {**given, **{n: a.astype(kinds.get(n, np.float32)) for n, a in exact.items()}}


def stored(x):
    """Integers and booleans stay what they are."""
    return np.bool_ if x.dtype == torch.bool else np.float32 if x.dtype.is_floating_point else np.int32


def worst(actual, expected):
    gaps = [np.abs(actual[n] - e).max(initial=0) / max(np.abs(e).max(initial=0), 1e-3) for n, e in expected.items()]
    return float(max(gaps, default=0))


OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad",
              "adadelta": "Adadelta", "adamax": "Adamax", "nadam": "NAdam", "radam": "RAdam", "rprop": "Rprop",
              "asgd": "ASGD"}
SCHEDULES = {"step": "StepLR", "multistep": "MultiStepLR", "exponential": "ExponentialLR", "cosine": "CosineAnnealingLR",
             "linear": "LinearLR", "constant": "ConstantLR", "polynomial": "PolynomialLR"}


def answer_train(case, start, feeds, dtype):
    values = {n: tensor(a, dtype) for n, a in start.items()}
    trained = [n for n in case["params"] if n not in case["frozen"]]
    params = [values[n].requires_grad_(True) for n in trained]
    given = {k: v for k, v in case["optimizer"].items() if k != "type"}
    kind = case["optimizer"]["type"]
    optimizer = getattr(torch.optim, OPTIMIZERS[kind])(params, **given)
    schedule = case["lr_schedule"]
    if schedule:
        options = {k: v for k, v in schedule.items() if k != "type"}
        if schedule["type"] == "warmup":
            steps = options["warmup_steps"]
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: min((t + 1) / steps, 1))
        else:
            scheduler = getattr(torch.optim.lr_scheduler, SCHEDULES[schedule["type"]])(optimizer, **options)
    out, losses = {}, []
    for step in range(case["steps"]):
        env = run(case["graph"], {**values, **{n: tensor(a[step], dtype) for n, a in feeds.items()}})
        optimizer.zero_grad()
        env[case["loss"]].backward()
        if step == 0:
            out.update({f"grad1.{n}": values[n].grad.clone() for n in trained})
        if case["clip_grad_value"] is not None:
            torch.nn.utils.clip_grad_value_(params, case["clip_grad_value"])
        if case["clip_grad_norm"] is not None:
            norm = case["clip_grad_norm"]
            torch.nn.utils.clip_grad_norm_(params, **(norm if isinstance(norm, dict) else {"max_norm": norm}))
        optimizer.step()
        if schedule:
            scheduler.step()
        losses.append(float(env[case["loss"]].detach()))
        if step == 0:
            out.update({f"step1.{n}": values[n].detach().clone() for n in trained})
    out.update({f"final.{n}": values[n] for n in case["params"]})
    out.update({f"finalbuf.{n}": values[n] for n in case["buffers"]})
    return {n: t.detach().double().numpy() for n, t in out.items()}, np.array(losses)


def make_train(case):
    rng = seeded(case["name"])
    start = {n: draw(rng, *s) for n, s in {**case["params"], **case["buffers"], **case["consts"]}.items()}
    feeds = {n: np.stack([draw(rng, *s) for _ in range(case["steps"])]) for n, s in case["feeds"].items()}
    exact, losses = answer_train(case, start, feeds, torch.float64)
    single, single_losses = answer_train(case, start, feeds, torch.float32)
    about = dict(name=case["name"], group=case["group"], kind="train", graph=case["graph"], params=list(case["params"]),
                 trained=[n for n in case["params"] if n not in case["frozen"]], buffers=list(case["buffers"]),
                 feeds=list(feeds), consts=list(case["consts"]),
                 loss=case["loss"], optimizer=case["optimizer"], steps=case["steps"],
                 clip_grad_norm=case["clip_grad_norm"], clip_grad_value=case["clip_grad_value"],
                 lr_schedule=case["lr_schedule"],
                 f32_err=worst(single, exact), f32_err_loss=worst({"l": single_losses}, {"l": losses}),
                 compute="float64")
    prefix = {**{n: "initbuf." for n in case["buffers"]}, **{n: "" for n in case["consts"]}}
    given = {**{prefix.get(n, "init.") + n: a for n, a in start.items()},
             **{f"feed.{n}": a for n, a in feeds.items()}}
    return about, {**given, "loss": losses, **{n: a.astype(np.float32) for n, a in exact.items()}}


def write(path, about, arrays):
    """The safetensors layout; the case is JSON in the metadata."""
    kinds = {"float32": "F32", "float64": "F64", "int32": "I32", "bool": "BOOL"}
    header, parts, end = {"__metadata__": {"case": json.dumps(about)}}, [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": list(array.shape), "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    wrong = [n for n, a in arrays.items() if not np.isfinite(a).all()]
    if wrong:
        raise ValueError(f"not finite: {', '.join(wrong)}")
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def make(kind, case):
    return make_vjp(case) if kind == "vjp" else make_train(case)

"""Reductions over any axes, ties, zeros, and running ones."""

import numpy as np

from core import vjp
from groups.common import one

G = "reduction"
X = {"x": ((2, 3, 4), "apart")}
AXES = {"all": {}, "0": {"dim": 0}, "1_keep": {"dim": 1, "keepdim": True}, "last": {"dim": -1}, "0_2": {"dim": [0, 2]},
        "m1_m3_keep": {"dim": [-1, -3], "keepdim": True}}
for op in ["sum", "mean", "amax", "amin", "logsumexp", "std", "var"]:
    for name, attrs in AXES.items():
        if not (op == "logsumexp" and name == "all"):
            one(G, f"red_{op}_{name}", op, X, attrs)
for op in ["std", "var"]:
    one(G, f"red_{op}_biased", op, X, {"dim": 1, "unbiased": False})
    one(G, f"red_{op}_correction", op, X, {"dim": [1, 2], "correction": 0})
    one(G, f"red_{op}_all_biased", op, X, {"unbiased": False})
    one(G, f"red_{op}_correction_2", op, X, {"dim": 2, "correction": 2, "keepdim": True})
for op in ["prod", "max", "min", "argmax", "argmin", "median", "nansum"]:
    if op not in ["median"]:
        one(G, f"red_{op}_all", op, X)
    if op in ["max", "min", "median"]:
        one(G, f"red_{op}_1", op, X, {"dim": 1}, outputs=["y", "i"], also=[("mul", ["y", "y"], ["z"], {})])
        one(G, f"red_{op}_both", op, X, {"dim": -1, "keepdim": True}, outputs=["y", "i"])
    else:
        one(G, f"red_{op}_1", op, X, {"dim": 1})
        one(G, f"red_{op}_keep", op, X, {"dim": -1, "keepdim": True})
ZEROS = np.array([[0, 2, 3], [0, 0, 4], [1, 5, 2], [0, 0, 0]], np.float32)
one(G, "red_prod_zeros", "prod", {"x": ZEROS}, {"dim": 1})
one(G, "red_prod_zero_all", "prod", {"x": ZEROS[:1]})
TIES = np.array([[1, 3, 3, 2], [2, 2, 2, 2], [0, -1, 0, 0]], np.float32)
for op in ["amax", "amin"]:
    one(G, f"red_{op}_ties", op, {"x": TIES}, {"dim": 1})
    one(G, f"red_{op}_ties_all", op, {"x": TIES})
for op in ["max", "min"]:
    one(G, f"red_{op}_ties", op, {"x": TIES}, {"dim": 1}, outputs=["y", "i"])
    one(G, f"red_{op}_ties_all", op, {"x": TIES})
for name, attrs in {"2": {}, "1": {"p": 1}, "inf": {"p": "inf"}, "minus_inf": {"p": "-inf"}, "fro": {"p": "fro"},
                    "3": {"p": 3}, "0": {"p": 0}, "half": {"p": 0.5}}.items():
    one(G, f"red_norm_{name}", "norm", X, attrs)
    one(G, f"red_norm_{name}_dim", "norm", X, {**attrs, "dim": 1, "keepdim": True})
one(G, "red_norm_zero", "norm", {"x": ((2, 3), "zeros")}, {"dim": 1})
one(G, "red_norm_dims", "norm", X, {"dim": [0, 2]})
one(G, "red_normalize", "normalize", X)
one(G, "red_normalize_1", "normalize", X, {"p": 1, "dim": -1})
one(G, "red_logsumexp_far", "logsumexp", {"x": np.array([[1e4, 1e4, -1e4], [-1e4, -1e4, 0]], np.float32)}, {"dim": 1})
for op in ["cumsum", "cumprod", "logcumsumexp"]:
    one(G, f"red_{op}_1", op, X, {"dim": 1})
    one(G, f"red_{op}_last", op, {"x": ((3, 11), "apart")}, {"dim": -1})
one(G, "red_cumsum_0", "cumsum", X, {"dim": 0})
one(G, "red_cumsum_one", "cumsum", {"x": ((3, 1), "normal")}, {"dim": 1})
one(G, "red_cumsum_long", "cumsum", {"x": ((1000,), "normal")}, {"dim": 0})
one(G, "red_cumprod_zeros", "cumprod", {"x": ZEROS}, {"dim": 1})
one(G, "red_cummax", "cummax", X, {"dim": 1}, outputs=["y", "i"])
one(G, "red_any", "any", {"x": ((3, 2), "bool")}, {"dim": 1}, outputs=["m"], also=[("float", ["m"], ["y"], {})])
one(G, "red_all", "all", {"x": ((3, 2), "bool")}, {"dim": 1}, outputs=["m"], also=[("float", ["m"], ["y"], {})])
one(G, "red_any_all", "any", {"x": ((3, 2), "bool")}, outputs=["m"], also=[("float", ["m"], ["y"], {})])
one(G, "red_count_nonzero", "count_nonzero", {"x": TIES}, {"dim": 1}, outputs=["m"], also=[("float", ["m"], ["y"], {})])
for op in ["sum", "mean", "prod", "amax"]:
    one(G, f"red_{op}_size_1", op, {"x": ((3, 1, 2), "normal")}, {"dim": 1})
for op in ["sum", "prod"]:
    one(G, f"red_{op}_empty", op, {"x": ((3, 0), "normal")}, {"dim": 1})
one(G, "red_sum_number", "sum", {"x": ((), "normal")})
one(G, "red_sum_integers", "sum", {"x": ((3, 4), "int:9")}, {"dim": 1}, outputs=["s"], also=[("float", ["s"], ["y"], {})])
one(G, "red_sum_million", "sum", {"x": ((1000, 1000), "normal")})
one(G, "red_mean_long_rows", "mean", {"x": ((3, 70001), "normal")}, {"dim": 1})
one(G, "red_sum_long_columns", "sum", {"x": ((50003, 3), "normal")}, {"dim": 0})
one(G, "red_kthvalue", "kthvalue", X, {"k": 2, "dim": 1}, outputs=["y", "i"])
vjp("red_var_mean", G, [("var_mean", ["x"], ["v", "m"], {"dim": 1, "unbiased": False})], X, outputs=["v", "m"])
vjp("red_std_mean", G, [("std_mean", ["x"], ["v", "m"], {"dim": 1})], X, outputs=["v", "m"])
vjp("red_mean_of_squares", G, [("square", ["x"], ["a"], {}), ("mean", ["a"], ["b"], {"dim": [1], "keepdim": True}),
                               ("sub", ["x", "b"], ["y"], {})], X)

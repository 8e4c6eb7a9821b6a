"""Elementwise functions, broadcasting, and values that are used many times."""

import numpy as np

from core import vjp
from groups.common import one

G = "elementwise"
X = {"x": ((3, 4, 2), "apart")}
POSITIVE = {"x": ((3, 5), "positive")}
UNIT = {"x": ((3, 5), "unit")}

for op in ["exp", "expm1", "abs", "sign", "floor", "ceil", "round", "trunc", "frac", "sin", "cos", "tan", "atan", "sinh",
           "cosh", "tanh", "erf", "erfc", "sigmoid", "square", "neg", "reciprocal", "asinh", "exp2", "sinc", "positive"]:
    one(G, f"ew_{op}", op, X)
for op in ["log", "log1p", "log2", "log10", "sqrt", "rsqrt"]:
    one(G, f"ew_{op}", op, POSITIVE)
for op in ["asin", "acos", "atanh", "logit"]:
    one(G, f"ew_{op}", op, UNIT)
one(G, "ew_acosh", "acosh", {"x": np.array([1.1, 1.5, 3, 9.5], np.float32)})
SMALL = {"x": np.array([1e-6, -1e-6, 3e-4, -2e-3, 1e-7], np.float32)}
for op in ["expm1", "log1p", "sinh", "tanh", "atan", "asin", "erf", "asinh", "atanh", "tan"]:
    one(G, f"ew_{op}_small", op, SMALL)
one(G, "ew_atan_far", "atan", {"x": np.array([1e4, -1e4, 2.5, -2.4, 0.41, 0.42, 0], np.float32)})
PAIRS = {"same": ((2, 3, 4), (2, 3, 4)), "channel": ((2, 3, 4), (3, 1)), "rank": ((4,), (2, 3, 4)),
         "both": ((3, 1, 4), (1, 5, 1)), "number": ((), (2, 3)), "ones": ((1, 1), (1,)), "empty": ((0, 3), (1, 3))}
for op in ["add", "sub", "mul", "div"]:
    for name, (a, b) in PAIRS.items():
        one(G, f"ew_{op}_{name}", op, {"a": (a, "normal"), "b": (b, "positive")})
for op in ["add", "sub"]:
    one(G, f"ew_{op}_alpha", op, {"a": ((2, 3), "normal"), "b": ((3,), "normal")}, {"alpha": -2.5})
one(G, "ew_add_scalar", "add", X, {"other": 2.5})
one(G, "ew_mul_scalar", "mul", X, {"other": -0.5})
one(G, "ew_div_scalar", "div", X, {"other": 3})
one(G, "ew_div_floor", "div", {"a": ((3, 4), "apart"), "b": ((4,), "positive")}, {"rounding_mode": "floor"})
one(G, "ew_div_trunc", "div", {"a": ((3, 4), "apart"), "b": ((4,), "positive")}, {"rounding_mode": "trunc"})
for name, e in {"2": 2, "3": 3, "half": 0.5, "minus_2": -2, "1_5": 1.5, "0": 0, "1": 1, "minus_half": -0.5, "7": 7}.items():
    one(G, f"ew_pow_{name}", "pow", POSITIVE if e != int(e) else X, {"exponent": e})
one(G, "ew_pow_base", "pow", X, {"base": 2.5})
one(G, "ew_pow_tensors", "pow", {"a": ((3, 4), "positive"), "b": ((4,), "normal")})
one(G, "ew_pow_negative_base", "pow", {"a": ((3, 4), "normal"), "b": np.array([2, 3, -1, 0], np.float32)}, no_grad=["b"],
    consts=["b"])
SIDES = {"a": ((3, 4), "normal"), "b": ((3, 4), "normal")}
for op in ["maximum", "minimum", "atan2", "hypot", "logaddexp", "fmax", "fmin"]:
    one(G, f"ew_{op}", op, SIDES)
one(G, "ew_maximum_ties", "maximum", {"a": ((3, 4), "ones"), "b": ((4,), "ones")})
one(G, "ew_xlogy", "xlogy", {"a": np.array([0, 1, 2.5], np.float32), "b": np.array([0.5, 2, 3], np.float32)})
one(G, "ew_atan2_quadrants", "atan2", {"a": np.array([1, 1, -1, -1, 0.1, -3], np.float32),
                                       "b": np.array([1, -1, 1, -1, -2, 0.01], np.float32)})
for op in ["remainder", "fmod"]:
    one(G, f"ew_{op}", op, {"a": ((3, 4), "apart"), "b": np.array([0.7, -0.6, 1.3, -2.1], np.float32)})
one(G, "ew_remainder_scalar", "remainder", X, {"other": 0.7})
one(G, "ew_fmod_scalar", "fmod", X, {"other": -0.7})
one(G, "ew_clamp", "clamp", X, {"min": -0.5, "max": 0.8})
one(G, "ew_clamp_low", "clamp", X, {"min": 0.1})
one(G, "ew_clamp_high", "clamp", X, {"max": 0.1})
one(G, "ew_clamp_at_bounds", "clamp", {"x": np.array([-1, 0, 1, 2], np.float32)}, {"min": 0, "max": 1})
one(G, "ew_clamp_min", "clamp_min", X, {"min": 0.2})
one(G, "ew_clamp_max", "clamp_max", X, {"max": 0.2})
one(G, "ew_clamp_tensors", "clamp", {"x": ((3, 4), "normal"), "low": ((4,), "small"), "high": ((4,), "positive")},
    no_grad=["low", "high"], consts=["low", "high"])
one(G, "ew_where", "where", {"c": ((3, 1), "bool"), "a": ((3, 4), "normal"), "b": ((4,), "normal")})
one(G, "ew_masked_fill", "masked_fill", {"x": ((3, 4), "normal"), "m": ((3, 4), "bool")}, {"value": -1e9})
one(G, "ew_lerp", "lerp", {"a": ((3, 4), "normal"), "b": ((4,), "normal"), "w": ((3, 1), "unit")})
one(G, "ew_lerp_number", "lerp", SIDES, {"weight": 0.3})
one(G, "ew_addcmul", "addcmul", {"x": ((3, 4), "normal"), "a": ((4,), "normal"), "b": ((3, 1), "normal")}, {"value": 0.5})
one(G, "ew_addcdiv", "addcdiv", {"x": ((3, 4), "normal"), "a": ((4,), "normal"), "b": ((3, 1), "positive")}, {"value": -2})
for op in ["eq", "ne", "lt", "le", "gt", "ge"]:
    one(G, f"ew_{op}_mask", op, {"a": ((3, 4), "int:3"), "b": ((4,), "int:3")}, outputs=["m"],
        also=[("float", ["m"], ["y"], {})])
one(G, "ew_gt_number_mask", "gt", {"x": ((3, 4), "normal")}, {"other": 0.1}, outputs=["m"],
    also=[("float", ["m"], ["f"], {}), ("mul", ["f", "x"], ["y"], {})])
for op in ["logical_and", "logical_or", "logical_xor"]:
    one(G, f"ew_{op}", op, {"a": ((3, 4), "bool"), "b": ((4,), "bool")}, outputs=["m"],
        also=[("float", ["m"], ["y"], {})])
one(G, "ew_logical_not", "logical_not", {"a": ((3, 4), "bool")}, outputs=["m"], also=[("float", ["m"], ["y"], {})])
one(G, "ew_heaviside", "heaviside", {"x": np.array([-1, 0, 2], np.float32), "v": np.array([0.5, 0.25, 3], np.float32)},
    no_grad=["x", "v"], consts=["v"])


def graph(name, tensors, *calls, **more):
    vjp(name, G, [(op, given, [out], attrs) for op, given, out, attrs in calls], tensors, **more)


ABC = {n: ((3, 4), "normal") for n in "abc"}
graph("ew_used_twice", {"x": ((3, 4), "normal")}, ("mul", ["x", "x"], "y", {}))
graph("ew_add_to_itself", {"x": ((3, 4), "normal")}, ("add", ["x", "x"], "y", {}))
graph("ew_minus_itself", {"x": ((3, 4), "normal")}, ("sub", ["x", "x"], "y", {}))
graph("ew_over_itself", {"x": ((3, 4), "positive")}, ("div", ["x", "x"], "y", {}))
graph("ew_long_diamond", {"x": ((3, 4), "normal")}, ("tanh", ["x"], "a", {}), ("mul", ["a", "x"], "b", {}),
      ("sin", ["b"], "c", {}), ("add", ["c", "a"], "d", {}), ("mul", ["d", "b"], "e", {}), ("sub", ["e", "x"], "f", {}),
      ("mul", ["f", "f"], "y", {}))
graph("ew_several_results", ABC, ("mul", ["a", "b"], "y", {}), ("add", ["y", "c"], "z", {}), ("exp", ["z"], "w", {}),
      outputs=["y", "z", "w"])
graph("ew_unused_input", ABC, ("mul", ["a", "b"], "y", {}))
graph("ew_broadcast_diamond", {"x": ((4,), "normal"), "m": ((3, 4), "normal")}, ("mul", ["m", "x"], "a", {}),
      ("add", ["a", "x"], "b", {}), ("sigmoid", ["x"], "s", {}), ("mul", ["b", "s"], "y", {}))
graph("ew_powers_of_two", {"x": ((2, 3), "unit")}, *[("mul", [f"x{i}" if i else "x"] * 2, f"x{i + 1}" if i < 6 else "y", {})
                                                  for i in range(7)])
graph("ew_safe_where", {"x": np.array([-1, 0, 2, 4], np.float32)}, ("gt", ["x"], "m", {"other": 0}),
      ("clamp", ["x"], "p", {"min": 1e-3}), ("log", ["p"], "l", {}), ("where", ["m", "l", "x"], "y", {}))
graph("ew_integers", {"i": ((3, 4), "int:5"), "x": ((3, 4), "normal")}, ("float", ["i"], "f", {}), ("mul", ["f", "x"], "y", {}),
      consts=["i"])

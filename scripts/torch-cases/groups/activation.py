"""Activation functions: every option, every dim, and far from zero."""

import numpy as np

from groups.common import one

G = "activation"
FAR = np.array([[-1e4, -100, -20.5, -2.75, -1e-3], [1e4, 100, 20.5, 2.75, 1e-3], [-30, 30, 6.5, -6.5, 0.5]], np.float32)
X = {"x": ((3, 4, 5), "apart")}

PLAIN = ["relu", "sigmoid", "tanh", "silu", "mish", "selu", "relu6", "softsign", "logsigmoid", "hardsigmoid", "hardswish",
         "tanhshrink", "elu", "celu", "gelu", "softplus", "leaky_relu", "hardtanh", "hardshrink", "softshrink", "rrelu"]
for op in PLAIN:
    one(G, f"act_{op}_plain", op, X)
    one(G, f"act_{op}_far", op, {"x": FAR})
for dim in [0, 1, 2, -2]:
    for op in ["softmax", "log_softmax", "softmin"]:
        one(G, f"act_{op}_dim_{dim}".replace("-", "m"), op, X, {"dim": dim})
for op in ["softmax", "log_softmax", "softmin"]:
    one(G, f"act_{op}_far", op, {"x": FAR}, {"dim": 1})
one(G, "act_softmax_size_1", "softmax", {"x": ((3, 1), "normal")}, {"dim": 1})
one(G, "act_softmax_1d", "softmax", {"x": ((7,), "normal")}, {"dim": 0})
for dim in [0, 1, -1]:
    one(G, f"act_glu_dim_{dim}".replace("-", "m"), "glu", {"x": ((4, 6, 2), "normal")}, {"dim": dim})
one(G, "act_glu", "glu", {"x": ((3, 6), "normal")})
one(G, "act_gelu_tanh", "gelu", X, {"approximate": "tanh"})
one(G, "act_gelu_none", "gelu", X, {"approximate": "none"})
one(G, "act_gelu_tanh_far", "gelu", {"x": FAR}, {"approximate": "tanh"})
one(G, "act_elu_alpha", "elu", X, {"alpha": 0.3})
one(G, "act_celu_alpha", "celu", X, {"alpha": 2.5})
one(G, "act_celu_small_alpha", "celu", {"x": FAR}, {"alpha": 0.1})
one(G, "act_leaky_relu_slope", "leaky_relu", X, {"negative_slope": 0.3})
one(G, "act_leaky_relu_negative", "leaky_relu", X, {"negative_slope": -0.2})
one(G, "act_softplus_beta", "softplus", X, {"beta": 2.5})
one(G, "act_softplus_threshold", "softplus", {"x": ((4, 5), "normal")}, {"beta": 3, "threshold": 1})
one(G, "act_softplus_small_beta", "softplus", {"x": FAR}, {"beta": 0.1, "threshold": 20})
one(G, "act_hardtanh_range", "hardtanh", X, {"min_val": -0.5, "max_val": 1.5})
one(G, "act_hardshrink_lambda", "hardshrink", X, {"lambd": 1.2})
one(G, "act_softshrink_lambda", "softshrink", X, {"lambd": 0.25})
one(G, "act_threshold", "threshold", X, {"threshold": 0.3, "value": -2.0})
one(G, "act_rrelu_range", "rrelu", X, {"lower": 0.1, "upper": 0.5})
one(G, "act_prelu_one", "prelu", {"x": ((2, 3, 4), "apart"), "weight": ((1,), "positive")}, params=["weight"])
one(G, "act_prelu_channels", "prelu", {"x": ((2, 3, 4, 2), "apart"), "weight": ((3,), "normal")}, params=["weight"])
one(G, "act_prelu_matrix", "prelu", {"x": ((4, 3), "apart"), "weight": ((3,), "normal")}, params=["weight"])
one(G, "act_prelu_vector", "prelu", {"x": ((5,), "apart"), "weight": ((1,), "normal")}, params=["weight"])
KINKS = np.array([[-6, -3, -1, -0.5, 0], [0.5, 1, 3, 6, 0]], np.float32)
for op in ["relu", "relu6", "hardtanh", "hardsigmoid", "hardshrink", "softshrink", "leaky_relu", "elu",
           "celu", "selu", "softsign"]:
    one(G, f"act_{op}_at_kinks", op, {"x": KINKS})

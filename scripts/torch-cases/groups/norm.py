"""Normalisation: over the batch with its running statistics, layers, groups, instances, channels, lengths."""

from core import vjp


def batch(name, x, affine=True, kind="normal", **attrs):
    c = x[1]
    tensors = {"x": (x, kind)}
    given = ["x"]
    if affine:
        tensors.update({"weight": ((c,), "normal"), "bias": ((c,), "normal")})
        given += ["weight", "bias"]
    tensors.update({"mean": ((c,), "normal"), "var": ((c,), "positive")})
    vjp(name, "norm", [("batch_norm", [*given, "mean", "var"], ["y"], attrs)], tensors,
        params=given[1:], buffers=["mean", "var"])


batch("batch_norm_1d_train", (6, 3), training=True)
batch("batch_norm_1d_eval", (6, 3), training=False)
batch("batch_norm_1d_sequence_train", (3, 4, 5), training=True)
batch("batch_norm_2d_train_momentum", (3, 4, 3, 5), training=True, momentum=0.3)
batch("batch_norm_2d_train_momentum_1", (3, 4, 3, 5), training=True, momentum=1.0)
batch("batch_norm_2d_train_momentum_0", (3, 4, 3, 5), training=True, momentum=0.0)
batch("batch_norm_2d_train_eps", (3, 4, 3, 5), training=True, eps=0.1)
batch("batch_norm_2d_eval_eps", (3, 4, 3, 5), training=False, eps=0.01, momentum=0.2)
batch("batch_norm_2d_train_plain", (3, 4, 3, 5), affine=False, training=True)
batch("batch_norm_2d_eval_plain", (3, 4, 3, 5), affine=False, training=False)
batch("batch_norm_2d_train_far_mean", (3, 4, 3, 5), kind="offset", training=True)
batch("batch_norm_2d_train_two_values", (2, 3, 1, 1), training=True)
batch("batch_norm_2d_train_batch_1", (1, 3, 4, 5), training=True)
batch("batch_norm_2d_train_small_spread", (4, 3, 3, 3), kind="small", training=True)
batch("batch_norm_3d_train", (2, 3, 2, 3, 4), training=True, momentum=0.05, eps=1e-3)
batch("batch_norm_3d_eval", (2, 3, 2, 3, 4), training=False)
batch("batch_norm_one_channel", (5, 1, 3, 3), training=True)
batch("batch_norm_eval_default", (2, 3, 4, 4))
vjp("batch_norm_train_no_statistics", "norm", [("batch_norm", ["x", "weight", "bias"], ["y"], dict(training=True))],
    {"x": ((3, 4, 3, 2), "normal"), "weight": ((4,), "normal"), "bias": ((4,), "normal")}, params=["weight", "bias"])
vjp("batch_norm_twice_one_buffer", "norm",
    [("batch_norm", ["x", "weight", "bias", "mean", "var"], ["h"], dict(training=True)), ("tanh", ["h"], ["t"], {}),
     ("batch_norm", ["t", "weight", "bias", "mean", "var"], ["y"], dict(training=True, momentum=0.4))],
    {"x": ((3, 4, 3, 2), "normal"), "weight": ((4,), "normal"), "bias": ((4,), "normal"), "mean": ((4,), "normal"),
     "var": ((4,), "positive")}, params=["weight", "bias"], buffers=["mean", "var"])


def layer(name, x, axes, weight=True, bias=True, kind="normal", **attrs):
    shape = x[len(x) - axes:]
    tensors = {"x": (x, kind)}
    if weight:
        tensors["w"] = (shape, "normal")
    if bias:
        tensors["b"] = (shape, "normal")
    vjp(name, "norm", [("layer_norm", list(tensors), ["y"], dict(normalized_shape=list(shape), **attrs))], tensors,
        params=[n for n in tensors if n != "x"])


layer("layer_norm_1", (3, 5, 7), 1)
layer("layer_norm_2", (3, 5, 4), 2)
layer("layer_norm_3", (2, 3, 4, 3), 3)
layer("layer_norm_all", (3, 4), 2)
layer("layer_norm_vector", (7,), 1)
layer("layer_norm_plain", (3, 5, 6), 1, weight=False, bias=False)
layer("layer_norm_no_bias", (3, 5, 6), 1, bias=False)
layer("layer_norm_eps", (3, 5, 6), 1, eps=0.5)
layer("layer_norm_eps_12", (3, 6), 1, eps=1e-12)
layer("layer_norm_far_mean", (3, 33), 1, kind="offset")
layer("layer_norm_size_1", (3, 5, 1), 1)
layer("layer_norm_wide", (2, 260), 1)


def group(name, x, groups, affine=True, kind="normal", **attrs):
    tensors = {"x": (x, kind)}
    if affine:
        tensors.update({"weight": ((x[1],), "normal"), "bias": ((x[1],), "normal")})
    vjp(name, "norm", [("group_norm", list(tensors), ["y"], dict(num_groups=groups, **attrs))], tensors,
        params=[n for n in tensors if n != "x"])


group("group_norm_2", (2, 6, 3, 4), 2)
group("group_norm_1", (2, 6, 3, 4), 1)
group("group_norm_all", (2, 6, 3, 4), 6)
group("group_norm_plain", (2, 6, 3, 4), 3, affine=False)
group("group_norm_eps", (2, 6, 3, 4), 3, eps=0.2)
group("group_norm_1d", (2, 6, 5), 3)
group("group_norm_vectors", (3, 6), 2)
group("group_norm_3d", (2, 4, 2, 3, 2), 2)
group("group_norm_far_mean", (2, 6, 3, 4), 2, kind="offset")


def instance(name, x, affine=False, statistics=False, kind="normal", **attrs):
    tensors = {"x": (x, kind)}
    if affine:
        tensors.update({"weight": ((x[1],), "normal"), "bias": ((x[1],), "normal")})
    params = [n for n in tensors if n != "x"]
    if statistics:
        tensors.update({"mean": ((x[1],), "normal"), "var": ((x[1],), "positive")})
    vjp(name, "norm", [("instance_norm", list(tensors), ["y"], attrs)], tensors, params=params,
        buffers=["mean", "var"] if statistics else [])


instance("instance_norm_1d", (2, 3, 7))
instance("instance_norm_2d", (2, 3, 4, 5))
instance("instance_norm_2d_affine", (2, 3, 4, 5), affine=True)
instance("instance_norm_3d_affine_eps", (2, 3, 2, 3, 2), affine=True, eps=0.1)
instance("instance_norm_2d_statistics", (3, 4, 3, 5), statistics=True, use_input_stats=True)
instance("instance_norm_2d_affine_statistics", (3, 4, 3, 5), affine=True, statistics=True, momentum=0.3)
instance("instance_norm_2d_eval", (3, 4, 3, 5), affine=True, statistics=True, use_input_stats=False)
instance("instance_norm_1d_statistics_momentum", (2, 3, 6), affine=True, statistics=True, momentum=0.7, eps=1e-3)


def one(name, op, x, kind="normal", **attrs):
    vjp(name, "norm", [(op, ["x"], ["y"], attrs)], {"x": (x, kind)})


one("lrn_1d", "local_response_norm", (2, 7, 5), size=3, alpha=0.5)
one("lrn_2d_even", "local_response_norm", (2, 7, 3, 4), size=4, alpha=1.0, beta=0.5, k=2.0)
one("lrn_2d_over_channels", "local_response_norm", (2, 3, 3, 4), size=7, alpha=0.9)
one("lrn_2d_size_1", "local_response_norm", (2, 4, 3, 3), size=1, alpha=0.3, beta=1.0)
one("lrn_2d_size_2", "local_response_norm", (2, 4, 3, 3), size=2, alpha=0.3, beta=2.0, k=0.5)
one("lrn_3d", "local_response_norm", (2, 6, 2, 3, 2), size=5, alpha=0.1, beta=0.75, k=1.5)
one("normalize_default", "normalize", (3, 5))
one("normalize_dim_1", "normalize", (2, 5, 3, 2), dim=1)
one("normalize_p1_last", "normalize", (3, 4, 5), p=1.0, dim=-1)
one("normalize_p3", "normalize", (3, 4, 5), p=3.0, dim=2, kind="positive")
one("normalize_p3_signed", "normalize", (3, 4, 5), p=3.0, dim=2)
one("normalize_eps", "normalize", (3, 4), dim=1, eps=5.0)
one("normalize_zeros", "normalize", (3, 4), dim=1, kind="half_zero")
for name, dims, weight in [("rms_norm_last", 1, True), ("rms_norm_two", 2, True), ("rms_norm_plain", 1, False)]:
    x = (3, 4, 5)
    tensors = {"x": (x, "normal"), **({"w": (x[3 - dims:], "normal")} if weight else {})}
    vjp(name, "norm", [("rms_norm", list(tensors), ["y"], dict(normalized_shape=list(x[3 - dims:]), eps=1e-5))], tensors,
        params=["w"] if weight else [])

# Weight standardisation, spectral and weight norms, as compositions
vjp("weight_standardised_conv", "norm",
    [("mean", ["weight"], ["m"], dict(dim=[1, 2, 3], keepdim=True)), ("sub", ["weight", "m"], ["c"], {}),
     ("var", ["weight"], ["v"], dict(dim=[1, 2, 3], unbiased=False, keepdim=True)), ("add", ["v", "eps"], ["e"], {}),
     ("sqrt", ["e"], ["s"], {}), ("div", ["c", "s"], ["w"], {}), ("conv2d", ["x", "w", "bias"], ["h"], dict(padding=1)),
     ("group_norm", ["h", "g", "b"], ["y"], dict(num_groups=2))],
    {"x": ((2, 3, 5, 4), "normal"), "weight": ((4, 3, 3, 3), "normal"), "bias": ((4,), "normal"), "eps": ((1,), "positive"),
     "g": ((4,), "normal"), "b": ((4,), "normal")}, params=["weight", "bias", "g", "b"], consts=["eps"])
vjp("layer_norm_residual", "norm",
    [("linear", ["x", "w1", "b1"], ["h"], {}), ("add", ["h", "x"], ["r"], {}),
     ("layer_norm", ["r", "g", "b"], ["y"], dict(normalized_shape=[6]))],
    {"x": ((2, 3, 6), "normal"), "w1": ((6, 6), "normal"), "b1": ((6,), "normal"), "g": ((6,), "normal"), "b": ((6,), "normal")},
    params=["w1", "b1", "g", "b"])

"""Pooling: windows that overlap, leave gaps, overhang, meet padding; ties; indices; grids of unequal windows."""

import numpy as np

from core import vjp


def pool(name, op, x, kind="apart", outputs=("y",), **attrs):
    vjp(name, "pool", [(op, ["x"], list(outputs), attrs)], {"x": (x, kind)}, outputs=outputs)


# Max
pool("max_pool1d", "max_pool1d", (2, 3, 9), kernel_size=3)
pool("max_pool1d_s1_p1", "max_pool1d", (2, 3, 8), kernel_size=3, stride=1, padding=1)
pool("max_pool1d_dilated_ceil", "max_pool1d", (2, 3, 12), kernel_size=3, stride=2, dilation=3, padding=1, ceil_mode=True)
pool("max_pool1d_stride_over_kernel", "max_pool1d", (2, 3, 11), kernel_size=2, stride=4)
pool("max_pool2d_k2_uneven", "max_pool2d", (2, 3, 7, 5), kernel_size=2)
pool("max_pool2d_k2_s1", "max_pool2d", (2, 2, 5, 6), kernel_size=2, stride=1)
pool("max_pool2d_k3_s2", "max_pool2d", (2, 2, 7, 8), kernel_size=3, stride=2)
pool("max_pool2d_ceil", "max_pool2d", (2, 2, 7, 6), kernel_size=3, stride=2, ceil_mode=True)
pool("max_pool2d_ceil_p1", "max_pool2d", (2, 2, 6, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True)
pool("max_pool2d_ceil_last_dropped", "max_pool2d", (1, 2, 4, 5), kernel_size=2, stride=3, padding=1, ceil_mode=True)
pool("max_pool2d_negative_padded", "max_pool2d", (2, 2, 5, 5), kind="negative", kernel_size=3, stride=2, padding=1)
pool("max_pool2d_per_axis", "max_pool2d", (2, 2, 9, 8), kernel_size=[3, 2], stride=[2, 1], padding=[1, 0], dilation=[1, 3])
pool("max_pool2d_dilated", "max_pool2d", (2, 2, 7, 8), kernel_size=2, stride=1, dilation=[3, 2])
pool("max_pool2d_ties", "max_pool2d", (2, 2, 6, 6), kind="int_float", kernel_size=3, stride=1, padding=1)
pool("max_pool2d_ties_dilated", "max_pool2d", (2, 2, 8, 7), kind="int_float", kernel_size=3, stride=2, dilation=2, padding=1)
pool("max_pool2d_all_equal", "max_pool2d", (2, 2, 4, 4), kind="zeros", kernel_size=2)
pool("max_pool2d_whole", "max_pool2d", (2, 3, 4, 5), kernel_size=[4, 5])
pool("max_pool2d_size1", "max_pool2d", (1, 1, 1, 1), kernel_size=1)
pool("max_pool2d_k1_s2", "max_pool2d", (2, 2, 5, 4), kernel_size=1, stride=2)
pool("max_pool3d", "max_pool3d", (2, 2, 4, 5, 6), kernel_size=2)
pool("max_pool3d_per_axis", "max_pool3d", (1, 2, 5, 4, 6), kernel_size=[2, 3, 2], stride=[1, 2, 3], padding=[1, 1, 0], ceil_mode=True)
pool("max_pool3d_dilated", "max_pool3d", (1, 2, 5, 4, 6), kernel_size=2, stride=1, dilation=[2, 1, 3])
pool("max_pool1d_indices", "max_pool1d_with_indices", (2, 3, 9), outputs=("y", "i"), kernel_size=3, stride=2, padding=1)
pool("max_pool2d_indices", "max_pool2d_with_indices", (2, 2, 6, 7), outputs=("y", "i"), kernel_size=3, stride=2, padding=1)
pool("max_pool2d_indices_ties", "max_pool2d", (1, 2, 6, 7), kind="int_float", outputs=("y", "i"), kernel_size=2,
     ceil_mode=True, return_indices=True)
pool("max_pool3d_indices", "max_pool3d_with_indices", (1, 2, 4, 4, 5), outputs=("y", "i"), kernel_size=2)


def unpool(name, n, x, pooling, more=None, kind="apart"):
    """Pools, squares, and puts back."""
    graph = [(f"max_pool{n}d_with_indices", ["x"], ["p", "i"], pooling), ("mul", ["p", "w"], ["q"], {}),
             (f"max_unpool{n}d", ["q", "i"], ["y"], {**{k: v for k, v in pooling.items() if k != "ceil_mode"}, **(more or {})})]
    import torch
    sizes = getattr(torch.nn.functional, f"max_pool{n}d")(torch.zeros(x), **pooling).shape
    vjp(name, "pool", graph, {"x": (x, kind), "w": (tuple(sizes), "normal")})


unpool("max_unpool1d", 1, (2, 3, 8), dict(kernel_size=2))
unpool("max_unpool1d_uneven", 1, (2, 3, 9), dict(kernel_size=2), dict(output_size=[9]))
unpool("max_unpool2d", 2, (2, 2, 6, 8), dict(kernel_size=2, stride=2))
unpool("max_unpool2d_size", 2, (2, 2, 7, 9), dict(kernel_size=[2, 3], stride=[2, 3]), dict(output_size=[7, 9]))
unpool("max_unpool2d_gaps", 2, (1, 2, 8, 8), dict(kernel_size=2, stride=3))
unpool("max_unpool2d_padded", 2, (1, 2, 6, 6), dict(kernel_size=2, stride=2, padding=1))
unpool("max_unpool3d", 3, (1, 2, 4, 4, 6), dict(kernel_size=2))

# Average
pool("avg_pool1d", "avg_pool1d", (2, 3, 9), kernel_size=3)
pool("avg_pool1d_s2_p1", "avg_pool1d", (2, 3, 9), kernel_size=3, stride=2, padding=1)
pool("avg_pool1d_not_counted", "avg_pool1d", (2, 3, 9), kernel_size=4, stride=3, padding=2, count_include_pad=False)
pool("avg_pool1d_ceil", "avg_pool1d", (2, 3, 10), kernel_size=4, stride=3, padding=1, ceil_mode=True)
pool("avg_pool2d_k3_s1_p1", "avg_pool2d", (2, 3, 5, 6), kernel_size=3, stride=1, padding=1)
pool("avg_pool2d_not_counted", "avg_pool2d", (2, 3, 5, 6), kernel_size=3, stride=2, padding=1, count_include_pad=False)
pool("avg_pool2d_ceil", "avg_pool2d", (2, 3, 6, 7), kernel_size=3, stride=2, ceil_mode=True)
pool("avg_pool2d_ceil_p1", "avg_pool2d", (2, 3, 6, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True)
pool("avg_pool2d_ceil_not_counted", "avg_pool2d", (2, 3, 6, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True,
     count_include_pad=False)
pool("avg_pool2d_divisor", "avg_pool2d", (2, 3, 5, 6), kernel_size=2, divisor_override=3)
pool("avg_pool2d_divisor_padded_ceil", "avg_pool2d", (2, 3, 6, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True,
     divisor_override=5)
pool("avg_pool2d_divisor1", "avg_pool2d", (2, 3, 4, 4), kernel_size=2, divisor_override=1)
pool("avg_pool2d_per_axis", "avg_pool2d", (2, 3, 7, 8), kernel_size=[2, 5], stride=[3, 1], padding=[1, 2], count_include_pad=False)
pool("avg_pool2d_stride_over_kernel", "avg_pool2d", (2, 3, 8, 7), kernel_size=2, stride=3)
pool("avg_pool2d_whole", "avg_pool2d", (2, 3, 5, 4), kernel_size=[5, 4])
pool("avg_pool2d_k1", "avg_pool2d", (2, 3, 5, 4), kernel_size=1, stride=2)
pool("avg_pool3d", "avg_pool3d", (2, 2, 4, 5, 6), kernel_size=2)
pool("avg_pool3d_all", "avg_pool3d", (1, 2, 5, 4, 6), kernel_size=[3, 2, 3], stride=[2, 2, 1], padding=[1, 0, 1], ceil_mode=True,
     count_include_pad=False)
pool("avg_pool3d_divisor", "avg_pool3d", (1, 2, 4, 4, 4), kernel_size=2, stride=1, divisor_override=7)

# Power
pool("lp_pool1d_p2", "lp_pool1d", (2, 3, 9), norm_type=2, kernel_size=3)
pool("lp_pool1d_p3", "lp_pool1d", (2, 3, 9), kind="positive", norm_type=3, kernel_size=3, stride=2)
pool("lp_pool2d_p2", "lp_pool2d", (2, 3, 6, 5), norm_type=2, kernel_size=2)
pool("lp_pool2d_p2_negative", "lp_pool2d", (2, 3, 6, 5), kind="negative", norm_type=2, kernel_size=3, stride=1)
pool("lp_pool2d_p1", "lp_pool2d", (2, 3, 6, 5), kind="positive", norm_type=1, kernel_size=2)
pool("lp_pool2d_p1_signed", "lp_pool2d", (2, 3, 6, 5), norm_type=1, kernel_size=2)
pool("lp_pool2d_p_float", "lp_pool2d", (2, 3, 6, 5), kind="positive", norm_type=2.5, kernel_size=[2, 3], stride=2)
pool("lp_pool2d_ceil", "lp_pool2d", (2, 3, 7, 6), kind="positive", norm_type=2, kernel_size=2, ceil_mode=True)
pool("lp_pool2d_zeros", "lp_pool2d", (1, 2, 4, 4), kind="half_zero", norm_type=2, kernel_size=2)

# Adaptive
pool("adaptive_avg_pool1d", "adaptive_avg_pool1d", (2, 3, 7), output_size=3)
pool("adaptive_avg_pool1d_more", "adaptive_avg_pool1d", (2, 3, 4), output_size=7)
pool("adaptive_avg_pool2d", "adaptive_avg_pool2d", (2, 3, 7, 9), output_size=[3, 4])
pool("adaptive_avg_pool2d_divides", "adaptive_avg_pool2d", (2, 3, 6, 8), output_size=[3, 2])
pool("adaptive_avg_pool2d_int", "adaptive_avg_pool2d", (2, 3, 7, 5), output_size=2)
pool("adaptive_avg_pool2d_none", "adaptive_avg_pool2d", (2, 3, 7, 5), output_size=[None, 3])
pool("adaptive_avg_pool2d_none_last", "adaptive_avg_pool2d", (2, 3, 7, 5), output_size=[1, None])
pool("adaptive_avg_pool2d_more", "adaptive_avg_pool2d", (2, 2, 3, 4), output_size=[5, 6])
pool("adaptive_avg_pool2d_1", "adaptive_avg_pool2d", (2, 3, 5, 6), output_size=1)
pool("adaptive_avg_pool3d", "adaptive_avg_pool3d", (1, 2, 4, 5, 6), output_size=[3, 2, 4])
pool("adaptive_avg_pool3d_none", "adaptive_avg_pool3d", (1, 2, 4, 5, 3), output_size=[None, 2, None])
pool("adaptive_max_pool1d", "adaptive_max_pool1d", (2, 3, 8), output_size=3)
pool("adaptive_max_pool2d", "adaptive_max_pool2d", (2, 3, 7, 9), output_size=[3, 4])
pool("adaptive_max_pool2d_ties", "adaptive_max_pool2d", (2, 3, 7, 6), kind="int_float", output_size=[3, 4])
pool("adaptive_max_pool2d_1", "adaptive_max_pool2d", (2, 3, 5, 6), output_size=[1, 1])
pool("adaptive_max_pool2d_1_ties", "adaptive_max_pool2d", (2, 3, 5, 6), kind="int_float", output_size=1)
pool("adaptive_max_pool2d_none", "adaptive_max_pool2d", (2, 3, 5, 6), output_size=[None, 4])
pool("adaptive_max_pool2d_indices", "adaptive_max_pool2d", (2, 2, 5, 7), outputs=("y", "i"), output_size=[2, 3],
     return_indices=True)
pool("adaptive_max_pool3d", "adaptive_max_pool3d", (1, 2, 4, 5, 3), output_size=[2, 3, 2])

# Fractional, with the samples given
vjp("fractional_max_pool2d", "pool",
    [("fractional_max_pool2d", ["x", "u"], ["y"], dict(kernel_size=2, output_size=[4, 3]))],
    {"x": ((2, 3, 9, 7), "apart"), "u": ((2, 3, 2), "unit")}, consts=["u"])
vjp("fractional_max_pool2d_ratio", "pool",
    [("fractional_max_pool2d", ["x", "u"], ["y"], dict(kernel_size=[3, 2], output_ratio=[0.6, 0.5]))],
    {"x": ((2, 2, 10, 9), "apart"), "u": ((2, 2, 2), "unit")}, consts=["u"])
vjp("fractional_max_pool3d", "pool",
    [("fractional_max_pool3d", ["x", "u"], ["y"], dict(kernel_size=2, output_size=[3, 2, 4]))],
    {"x": ((1, 2, 6, 5, 7), "apart"), "u": ((1, 2, 3), "unit")}, consts=["u"])

# Max and mean of the same, as in attention over channels
vjp("pool_max_plus_avg", "pool",
    [("max_pool2d", ["x"], ["a"], dict(kernel_size=3, stride=2, padding=1)),
     ("avg_pool2d", ["x"], ["b"], dict(kernel_size=3, stride=2, padding=1)), ("add", ["a", "b"], ["y"], {})],
    {"x": ((2, 3, 7, 6), "apart")})
vjp("pool_twice", "pool",
    [("max_pool2d", ["x"], ["a"], dict(kernel_size=2, stride=1)), ("max_pool2d", ["a"], ["y"], dict(kernel_size=2))],
    {"x": ((2, 3, 8, 7), "apart")})
vjp("pool_max_of_negated_is_min", "pool",
    [("neg", ["x"], ["n"], {}), ("max_pool2d", ["n"], ["m"], dict(kernel_size=3, stride=2, padding=1)), ("neg", ["m"], ["y"], {})],
    {"x": ((2, 3, 7, 6), "positive")})
unpool("max_unpool2d_of_ceil", 2, (1, 2, 7, 5), dict(kernel_size=2, stride=2, ceil_mode=True), dict(output_size=[7, 5]))

# One example, without an axis for the batch
pool("max_pool2d_unbatched", "max_pool2d", (3, 5, 6), kernel_size=2)
pool("avg_pool1d_unbatched", "avg_pool1d", (3, 7), kernel_size=3, padding=1)
pool("adaptive_avg_pool2d_unbatched", "adaptive_avg_pool2d", (3, 5, 6), output_size=[2, 3])

# Many windows
pool("adaptive_avg_pool2d_many", "adaptive_avg_pool2d", (1, 2, 13, 11), output_size=[9, 10])
pool("adaptive_max_pool2d_many_ties", "adaptive_max_pool2d", (1, 2, 13, 11), kind="int_float", output_size=[9, 10])

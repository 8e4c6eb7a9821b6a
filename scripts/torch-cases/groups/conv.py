"""Convolutions in 1, 2 and 3 dims: every option, alone and together, on sizes that do not fit evenly."""

from core import vjp


def conv(name, x, weight, bias=True, kind="normal", before=None, **attrs):
    """One convolution; `before` is a padding call in front of it."""
    op = f"conv{len(weight) - 2}d"
    tensors = {"x": (x, kind), "weight": (weight, "normal")}
    params = ["weight"]
    if bias:
        tensors["bias"] = ((weight[0],), "normal")
        params.append("bias")
    graph = [(op, ["p" if before else "x", *params], ["y"], attrs)]
    if before:
        graph.insert(0, ("pad", ["x"], ["p"], before))
    vjp(name, "conv", graph, tensors, params=params)


# 1-D
conv("conv1d_plain", (2, 3, 9), (4, 3, 3))
conv("conv1d_no_bias", (2, 3, 9), (4, 3, 3), bias=False)
conv("conv1d_k1", (2, 3, 7), (5, 3, 1))
conv("conv1d_even_kernel_p1", (1, 2, 8), (3, 2, 4), padding=1)
conv("conv1d_stride3_uneven", (2, 3, 11), (4, 3, 2), stride=3)
conv("conv1d_stride_over_kernel", (2, 2, 13), (3, 2, 2), stride=4, padding=1)
conv("conv1d_dilation3", (2, 3, 13), (2, 3, 3), dilation=3)
conv("conv1d_dilation2_stride2_p3", (2, 3, 12), (2, 3, 4), dilation=2, stride=2, padding=3)
conv("conv1d_groups3", (2, 6, 9), (9, 2, 3), groups=3, padding=1)
conv("conv1d_depthwise_causal", (2, 4, 9), (4, 1, 3), groups=4, dilation=2, before=dict(pad=[4, 0]))
conv("conv1d_same_even", (2, 3, 8), (2, 3, 4), padding="same")
conv("conv1d_same_dilated", (2, 3, 9), (2, 3, 3), padding="same", dilation=2)
conv("conv1d_valid", (2, 3, 9), (2, 3, 3), padding="valid")
conv("conv1d_list_attrs", (2, 3, 9), (2, 3, 3), stride=[2], padding=[2], dilation=[1])
conv("conv1d_kernel_is_size", (3, 2, 5), (4, 2, 5))
conv("conv1d_size1", (1, 1, 1), (1, 1, 1))
conv("conv1d_padding_over_kernel", (1, 2, 4), (2, 2, 2), padding=3)
conv("conv1d_causal", (2, 2, 7), (3, 2, 3), before=dict(pad=[2, 0], mode="constant", value=0.0))
conv("conv1d_reflect", (2, 2, 7), (3, 2, 5), before=dict(pad=[2, 2], mode="reflect"))
conv("conv1d_circular", (2, 2, 7), (3, 2, 5), before=dict(pad=[2, 2], mode="circular"))
conv("conv1d_replicate_uneven", (2, 2, 6), (3, 2, 4), before=dict(pad=[3, 1], mode="replicate"))
conv("conv1d_pad_value", (2, 2, 6), (3, 2, 3), before=dict(pad=[1, 2], value=1.5))
conv("conv1d_long_kernel", (1, 1, 33), (2, 1, 17), padding=8)

# 2-D
conv("conv2d_plain", (2, 3, 7, 6), (4, 3, 3, 3))
conv("conv2d_no_bias", (2, 3, 7, 6), (4, 3, 3, 3), bias=False, padding=1)
conv("conv2d_1x1", (2, 5, 4, 3), (3, 5, 1, 1))
conv("conv2d_1x1_stride2", (2, 5, 5, 7), (3, 5, 1, 1), stride=2)
conv("conv2d_1x1_padded", (1, 3, 3, 4), (2, 3, 1, 1), padding=1)
conv("conv2d_1x1_stride3_p1", (1, 3, 6, 5), (2, 3, 1, 1), stride=3, padding=1)
conv("conv2d_even_kernel", (2, 2, 6, 7), (3, 2, 2, 4))
conv("conv2d_even_kernel_p1_s2", (2, 2, 7, 8), (3, 2, 4, 4), padding=1, stride=2)
conv("conv2d_5x5_p2", (1, 2, 7, 7), (3, 2, 5, 5), padding=2)
conv("conv2d_7x7_s2_p3", (1, 3, 13, 11), (4, 3, 7, 7), padding=3, stride=2)
conv("conv2d_rect_kernel", (2, 2, 8, 7), (3, 2, 1, 5), padding=[0, 2])
conv("conv2d_column_kernel", (2, 2, 8, 7), (3, 2, 5, 1), padding=[2, 0])
conv("conv2d_stride_per_axis", (2, 3, 9, 8), (2, 3, 3, 3), stride=[2, 3])
conv("conv2d_padding_per_axis", (2, 3, 5, 6), (2, 3, 3, 3), padding=[2, 1])
conv("conv2d_dilation_per_axis", (2, 3, 9, 11), (2, 3, 3, 3), dilation=[2, 4])
conv("conv2d_all_per_axis", (2, 4, 10, 11), (6, 2, 3, 2), stride=[2, 1], padding=[1, 3], dilation=[3, 2], groups=2)
conv("conv2d_stride_over_kernel", (2, 2, 11, 10), (3, 2, 2, 2), stride=3)
conv("conv2d_stride_uneven", (2, 2, 8, 9), (3, 2, 3, 3), stride=4)
conv("conv2d_s2_k3_even_size", (2, 3, 8, 8), (4, 3, 3, 3), stride=2, padding=1)
conv("conv2d_dilation2_p2", (1, 2, 7, 8), (3, 2, 3, 3), dilation=2, padding=2)
conv("conv2d_dilation_stride", (1, 2, 11, 12), (3, 2, 3, 3), dilation=2, stride=3, padding=2)
conv("conv2d_groups3", (2, 6, 5, 6), (9, 2, 3, 3), groups=3)
conv("conv2d_groups2_stride2_dilation2", (2, 4, 9, 8), (6, 2, 3, 3), groups=2, stride=2, dilation=2, padding=2)
conv("conv2d_groups_1x1", (2, 6, 4, 5), (4, 3, 1, 1), groups=2)
conv("conv2d_depthwise", (2, 5, 6, 7), (5, 1, 3, 3), groups=5, padding=1)
conv("conv2d_depthwise_no_bias_s2", (2, 5, 6, 7), (5, 1, 3, 3), bias=False, groups=5, padding=1, stride=2)
conv("conv2d_depthwise_multiplier3", (2, 3, 6, 5), (9, 1, 3, 3), groups=3, padding=1)
conv("conv2d_depthwise_multiplier2_dilated", (1, 3, 9, 8), (6, 1, 3, 3), groups=3, dilation=2, padding=2, stride=2)
conv("conv2d_depthwise_5x5", (1, 4, 7, 7), (4, 1, 5, 5), groups=4, padding=2)
conv("conv2d_same", (2, 3, 5, 6), (2, 3, 3, 3), padding="same")
conv("conv2d_same_even", (2, 3, 5, 6), (2, 3, 2, 4), padding="same")
conv("conv2d_same_dilated_even", (1, 2, 7, 6), (2, 2, 2, 3), padding="same", dilation=[3, 2])
conv("conv2d_same_groups", (1, 4, 5, 5), (4, 2, 4, 3), padding="same", groups=2)
conv("conv2d_valid_stride", (1, 2, 7, 6), (2, 2, 3, 3), padding="valid", stride=2)
conv("conv2d_kernel_is_size", (3, 2, 5, 4), (6, 2, 5, 4))
conv("conv2d_kernel_over_size", (2, 2, 2, 3), (3, 2, 5, 5), padding=2)
conv("conv2d_padding_over_kernel", (1, 2, 3, 2), (2, 2, 2, 2), padding=[3, 2])
conv("conv2d_batch1_channel1", (1, 1, 5, 5), (1, 1, 3, 3), padding=1)
conv("conv2d_one_pixel", (2, 3, 1, 1), (4, 3, 3, 3), padding=1)
conv("conv2d_wide", (1, 2, 1, 17), (3, 2, 1, 6), stride=[1, 4])
conv("conv2d_many_channels", (1, 33, 4, 3), (17, 33, 3, 3), padding=1)
conv("conv2d_batch7", (7, 2, 4, 4), (3, 2, 3, 3))
conv("conv2d_asymmetric_pad", (2, 2, 5, 6), (3, 2, 3, 3), stride=2, before=dict(pad=[0, 1, 2, 0]))
conv("conv2d_pad_value", (1, 2, 5, 4), (3, 2, 3, 3), before=dict(pad=[1, 1, 1, 1], mode="constant", value=-2.0))
conv("conv2d_pad_negative", (1, 2, 7, 6), (3, 2, 3, 3), before=dict(pad=[-1, 2, 1, -2]))
conv("conv2d_reflect", (2, 2, 5, 6), (3, 2, 5, 3), before=dict(pad=[1, 1, 2, 2], mode="reflect"))
conv("conv2d_replicate", (2, 2, 4, 5), (3, 2, 3, 3), before=dict(pad=[3, 1, 2, 2], mode="replicate"))
conv("conv2d_circular", (2, 2, 4, 5), (3, 2, 3, 3), before=dict(pad=[1, 2, 2, 1], mode="circular"))
conv("conv2d_padded_and_padding", (1, 2, 5, 5), (2, 2, 3, 3), padding=1, before=dict(pad=[0, 1, 0, 1]))

# 3-D
conv("conv3d_plain", (2, 2, 4, 5, 6), (3, 2, 3, 3, 3))
conv("conv3d_1x1x1", (1, 3, 2, 3, 4), (2, 3, 1, 1, 1), bias=False)
conv("conv3d_stride2_p1", (1, 2, 5, 6, 5), (3, 2, 3, 3, 3), stride=2, padding=1)
conv("conv3d_per_axis", (1, 2, 5, 6, 7), (3, 2, 2, 3, 1), stride=[1, 2, 3], padding=[1, 0, 2], dilation=[2, 1, 1])
conv("conv3d_groups2", (2, 4, 3, 4, 3), (4, 2, 2, 2, 2), groups=2)
conv("conv3d_depthwise_dilated", (1, 3, 5, 5, 6), (6, 1, 2, 3, 2), groups=3, dilation=2, padding=1)
conv("conv3d_same", (1, 2, 3, 4, 5), (2, 2, 2, 3, 4), padding="same")
conv("conv3d_replicate", (1, 2, 3, 3, 4), (2, 2, 3, 3, 3), before=dict(pad=[1, 1, 1, 0, 0, 2], mode="replicate"))
conv("conv3d_circular", (1, 1, 3, 3, 4), (2, 1, 3, 3, 3), before=dict(pad=[1, 1, 1, 1, 1, 1], mode="circular"))
conv("conv3d_reflect", (1, 1, 3, 4, 3), (2, 1, 3, 3, 3), before=dict(pad=[2, 1, 1, 3, 1, 1], mode="reflect"))

# The same weight twice, and a weight that is computed.
vjp("conv2d_shared_weight", "conv",
    [("conv2d", ["x", "weight"], ["h"], dict(padding=1)), ("tanh", ["h"], ["t"], {}),
     ("conv2d", ["t", "weight", "bias"], ["y"], dict(padding=1))],
    {"x": ((2, 3, 5, 4), "normal"), "weight": ((3, 3, 3, 3), "normal"), "bias": ((3,), "normal")},
    params=["weight", "bias"])
vjp("conv2d_weight_normalised", "conv",
    [("mul", ["weight", "weight"], ["w2"], {}), ("sum", ["w2"], ["s"], dict(dim=[1, 2, 3], keepdim=True)),
     ("sqrt", ["s"], ["n"], {}), ("div", ["weight", "n"], ["d"], {}), ("mul", ["d", "g"], ["w"], {}),
     ("conv2d", ["x", "w"], ["y"], dict(padding=1, stride=2))],
    {"x": ((2, 2, 5, 6), "normal"), "weight": ((3, 2, 3, 3), "normal"), "g": ((3, 1, 1, 1), "normal")},
    params=["weight", "g"])
vjp("conv2d_two_inputs_one_weight", "conv",
    [("conv2d", ["a", "weight"], ["p"], dict(stride=2)), ("conv2d", ["b", "weight"], ["q"], dict(stride=2)),
     ("sub", ["p", "q"], ["d"], {}), ("abs", ["d"], ["y"], {})],
    {"a": ((2, 2, 5, 5), "normal"), "b": ((2, 2, 5, 5), "normal"), "weight": ((3, 2, 2, 2), "normal")},
    params=["weight"])

# One example, without an axis for the batch
conv("conv1d_unbatched", (3, 7), (2, 3, 3), padding=1)
conv("conv2d_unbatched", (3, 5, 6), (4, 3, 3, 3), stride=2, padding=1)
conv("conv3d_unbatched", (2, 3, 4, 3), (2, 2, 2, 2, 2))

"""Transposed convolutions: strides, output paddings, dilations, groups, and all of them together."""

from core import vjp


def conv(name, x, weight, bias=True, **attrs):
    op = f"conv_transpose{len(weight) - 2}d"
    tensors = {"x": (x, "normal"), "weight": (weight, "normal")}
    params = ["weight"]
    if bias:
        tensors["bias"] = ((weight[1] * attrs.get("groups", 1),), "normal")
        params.append("bias")
    vjp(name, "conv_transpose", [(op, ["x", *params], ["y"], attrs)], tensors, params=params)


conv("convt1d_plain", (2, 3, 5), (3, 4, 3))
conv("convt1d_no_bias_s2", (2, 3, 5), (3, 4, 3), bias=False, stride=2)
conv("convt1d_k4_s2_p1", (2, 3, 5), (3, 2, 4), stride=2, padding=1)
conv("convt1d_s3_k2", (2, 3, 5), (3, 2, 2), stride=3)
conv("convt1d_s3_k2_out_pad2", (2, 3, 4), (3, 2, 2), stride=3, output_padding=2)
conv("convt1d_dilation3", (2, 3, 5), (3, 2, 3), dilation=3)
conv("convt1d_dilation3_out_pad2", (2, 3, 5), (3, 2, 3), dilation=3, output_padding=2)
conv("convt1d_groups2", (2, 4, 5), (4, 3, 3), groups=2, stride=2, padding=1, output_padding=1)
conv("convt1d_size1", (1, 2, 1), (2, 3, 4))
conv("convt1d_all", (2, 4, 6), (4, 2, 4), stride=[3], padding=[2], output_padding=[1], dilation=[2], groups=2)
conv("convt1d_depthwise", (2, 3, 5), (3, 1, 4), groups=3, stride=2, padding=1)

conv("convt2d_plain", (2, 3, 4, 5), (3, 2, 3, 3))
conv("convt2d_no_bias", (2, 3, 4, 5), (3, 2, 3, 3), bias=False)
conv("convt2d_1x1", (2, 3, 4, 3), (3, 4, 1, 1))
conv("convt2d_1x1_s2", (2, 3, 3, 3), (3, 2, 1, 1), stride=2)
conv("convt2d_1x1_s2_out_pad", (2, 3, 3, 3), (3, 2, 1, 1), stride=2, output_padding=1)
conv("convt2d_k2_s2", (2, 3, 4, 3), (3, 4, 2, 2), stride=2)
conv("convt2d_k4_s2_p1", (2, 3, 4, 3), (3, 2, 4, 4), stride=2, padding=1)
conv("convt2d_k3_s2_p1_out_pad1", (2, 3, 4, 5), (3, 2, 3, 3), stride=2, padding=1, output_padding=1)
conv("convt2d_k5_s3_p2", (1, 2, 4, 3), (2, 3, 5, 5), stride=3, padding=2)
conv("convt2d_stride_over_kernel", (2, 2, 3, 4), (2, 3, 2, 2), stride=4)
conv("convt2d_stride_over_kernel_out_pad", (2, 2, 3, 2), (2, 3, 2, 2), stride=4, output_padding=3, padding=1)
conv("convt2d_per_axis", (1, 2, 4, 3), (2, 3, 3, 2), stride=[2, 3], padding=[1, 0], output_padding=[1, 2])
conv("convt2d_dilation2", (2, 2, 4, 3), (2, 3, 3, 3), dilation=2)
conv("convt2d_dilation_per_axis", (1, 2, 4, 3), (2, 3, 3, 2), dilation=[2, 3], stride=[3, 2], padding=[2, 1])
conv("convt2d_dilation_out_pad", (1, 2, 3, 3), (2, 2, 3, 3), dilation=3, output_padding=2, stride=2)
conv("convt2d_groups2", (2, 4, 3, 4), (4, 3, 3, 3), groups=2)
conv("convt2d_groups2_s2_p1_out_pad", (2, 4, 3, 4), (4, 3, 3, 3), groups=2, stride=2, padding=1, output_padding=1)
conv("convt2d_groups3_dilated", (1, 6, 3, 3), (6, 1, 3, 2), groups=3, dilation=2, stride=2)
conv("convt2d_depthwise", (2, 3, 4, 4), (3, 1, 3, 3), groups=3, stride=2, padding=1)
conv("convt2d_depthwise_multiplier2", (2, 3, 3, 4), (3, 2, 4, 4), groups=3, stride=2, padding=1)
conv("convt2d_padding_crops", (2, 2, 5, 6), (2, 3, 3, 3), padding=2)
conv("convt2d_padding_over_kernel", (1, 2, 6, 7), (2, 2, 2, 2), padding=2)
conv("convt2d_rect", (1, 2, 3, 4), (2, 3, 1, 5), padding=[0, 2])
conv("convt2d_one_pixel", (2, 5, 1, 1), (5, 3, 4, 4))
conv("convt2d_size1_batch1", (1, 1, 1, 1), (1, 1, 1, 1))
conv("convt2d_even_kernel_s1", (1, 2, 4, 4), (2, 2, 4, 2), padding=1)
conv("convt2d_k9_s4", (1, 1, 3, 3), (1, 1, 9, 9), stride=4, padding=4, output_padding=3)

conv("convt3d_plain", (1, 2, 2, 3, 2), (2, 3, 3, 2, 3))
conv("convt3d_k4_s2_p1", (1, 2, 2, 3, 2), (2, 2, 4, 4, 4), stride=2, padding=1)
conv("convt3d_per_axis", (1, 2, 3, 2, 3), (2, 2, 2, 3, 1), stride=[2, 1, 3], padding=[1, 0, 0], output_padding=[1, 0, 2])
conv("convt3d_groups_dilated", (1, 4, 2, 3, 2), (4, 1, 2, 2, 2), groups=2, dilation=[1, 2, 3], bias=False)

vjp("convt2d_after_conv", "conv_transpose",
    [("conv2d", ["x", "down"], ["h"], dict(stride=2, padding=1)), ("relu", ["h"], ["r"], {}),
     ("conv_transpose2d", ["r", "up", "bias"], ["y"], dict(stride=2, padding=1, output_padding=1))],
    {"x": ((2, 2, 6, 8), "normal"), "down": ((3, 2, 3, 3), "normal"), "up": ((3, 2, 3, 3), "normal"),
     "bias": ((2,), "normal")}, params=["down", "up", "bias"])
vjp("convt2d_tied_weight", "conv_transpose",
    [("conv2d", ["x", "weight"], ["h"], dict(stride=2)), ("conv_transpose2d", ["h", "weight"], ["y"], dict(stride=2))],
    {"x": ((2, 2, 7, 5), "normal"), "weight": ((3, 2, 3, 3), "normal")}, params=["weight"])
conv("convt2d_unbatched", (3, 4, 5), (3, 2, 3, 3), stride=2, padding=1)

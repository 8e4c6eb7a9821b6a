"""Other sizes: interpolation in every mode, shuffles of pixels, sampled grids, patches, paddings."""

import numpy as np

from core import vjp


def one(name, op, x, kind="normal", **attrs):
    vjp(name, "resize", [(op, ["x"], ["y"], attrs)], {"x": (x, kind)})


def size(name, x, mode, **attrs):
    one(name, "interpolate", x, mode=mode, **attrs)


size("nearest_1d_up", (2, 3, 5), "nearest", size=8)
size("nearest_1d_down", (2, 3, 9), "nearest", size=[4])
size("nearest_2d_size", (2, 3, 4, 5), "nearest", size=[7, 3])
size("nearest_2d_int_size", (2, 3, 4, 5), "nearest", size=6)
size("nearest_2d_factor_2", (2, 3, 4, 5), "nearest", scale_factor=2)
size("nearest_2d_factors", (2, 3, 4, 5), "nearest", scale_factor=[2, 3])
size("nearest_2d_factor_1_5", (2, 3, 4, 5), "nearest", scale_factor=1.5)
size("nearest_2d_factor_half", (2, 3, 5, 6), "nearest", scale_factor=0.5)
size("nearest_2d_factor_0_7", (2, 3, 7, 9), "nearest", scale_factor=[0.7, 2.3])
size("nearest_2d_factor_recomputed", (2, 3, 7, 9), "nearest", scale_factor=[0.7, 2.3], recompute_scale_factor=True)
size("nearest_3d", (1, 2, 3, 4, 5), "nearest", size=[5, 3, 7])
size("nearest_3d_factor", (1, 2, 2, 3, 2), "nearest", scale_factor=2.0)
size("nearest_exact_1d", (2, 3, 7), "nearest-exact", size=5)
size("nearest_exact_2d", (2, 3, 4, 5), "nearest-exact", size=[7, 3])
size("nearest_exact_2d_factor", (2, 3, 5, 4), "nearest-exact", scale_factor=1.7)
size("nearest_exact_3d", (1, 2, 3, 4, 5), "nearest-exact", size=[5, 2, 7])
one("nearest_default_mode", "interpolate", (1, 2, 3, 4), scale_factor=2)

size("linear_up", (2, 3, 5), "linear", size=8)
size("linear_down", (2, 3, 9), "linear", size=4, align_corners=False)
size("linear_corners", (2, 3, 5), "linear", size=9, align_corners=True)
size("linear_factor", (2, 3, 5), "linear", scale_factor=2.6)
size("linear_size_1", (2, 3, 5), "linear", size=1, align_corners=True)
size("linear_from_1", (2, 3, 1), "linear", size=4)

size("bilinear_up", (2, 3, 4, 5), "bilinear", size=[7, 8])
size("bilinear_down", (2, 3, 9, 8), "bilinear", size=[4, 3])
size("bilinear_up_down", (2, 3, 9, 4), "bilinear", size=[4, 9])
size("bilinear_corners", (2, 3, 4, 5), "bilinear", size=[7, 8], align_corners=True)
size("bilinear_corners_down", (2, 3, 9, 8), "bilinear", size=[4, 3], align_corners=True)
size("bilinear_corners_to_1", (2, 3, 5, 4), "bilinear", size=[1, 6], align_corners=True)
size("bilinear_int_size", (2, 3, 4, 5), "bilinear", size=6)
size("bilinear_factor_2", (2, 3, 4, 5), "bilinear", scale_factor=2)
size("bilinear_factor_2_corners", (2, 3, 4, 5), "bilinear", scale_factor=2, align_corners=True)
size("bilinear_factor_1_5", (2, 3, 4, 5), "bilinear", scale_factor=1.5)
size("bilinear_factor_2_3", (2, 3, 4, 5), "bilinear", scale_factor=2.3)
size("bilinear_factor_2_3_recomputed", (2, 3, 4, 5), "bilinear", scale_factor=2.3, recompute_scale_factor=True)
size("bilinear_factor_2_3_kept", (2, 3, 4, 5), "bilinear", scale_factor=2.3, recompute_scale_factor=False)
size("bilinear_factor_0_6", (2, 3, 7, 9), "bilinear", scale_factor=[0.6, 0.4])
size("bilinear_factor_0_6_corners", (2, 3, 7, 9), "bilinear", scale_factor=[0.6, 1.4], align_corners=True)
size("bilinear_same_size", (2, 3, 4, 5), "bilinear", size=[4, 5])
size("bilinear_one_pixel", (2, 3, 1, 1), "bilinear", size=[3, 4])
size("bilinear_antialias_down", (1, 2, 9, 8), "bilinear", size=[4, 3], antialias=True)
size("bilinear_antialias_up", (1, 2, 4, 3), "bilinear", size=[7, 8], antialias=True)

size("bicubic_up", (2, 2, 4, 5), "bicubic", size=[7, 8])
size("bicubic_down", (2, 2, 9, 8), "bicubic", size=[4, 3])
size("bicubic_corners", (2, 2, 4, 5), "bicubic", size=[7, 8], align_corners=True)
size("bicubic_factor", (2, 2, 4, 5), "bicubic", scale_factor=2)
size("bicubic_factor_1_6", (2, 2, 4, 5), "bicubic", scale_factor=[1.6, 0.7])
size("bicubic_small", (1, 2, 2, 1), "bicubic", size=[5, 3])
size("bicubic_antialias_down", (1, 2, 9, 8), "bicubic", size=[4, 3], antialias=True)

size("trilinear_up", (1, 2, 3, 4, 2), "trilinear", size=[5, 3, 4])
size("trilinear_corners", (1, 2, 3, 4, 2), "trilinear", size=[5, 7, 3], align_corners=True)
size("trilinear_factor", (1, 2, 2, 3, 2), "trilinear", scale_factor=2)
size("trilinear_factor_1_5", (1, 2, 2, 3, 4), "trilinear", scale_factor=[1.5, 2.0, 0.5])

size("area_1d", (2, 3, 7), "area", size=3)
size("area_2d", (2, 3, 7, 6), "area", size=[3, 4])
size("area_2d_factor", (2, 3, 7, 6), "area", scale_factor=0.5)
size("area_2d_up", (2, 3, 3, 4), "area", size=[5, 6])
size("area_3d", (1, 2, 4, 3, 5), "area", size=[2, 2, 3])

one("upsample_bilinear_corners", "upsample_bilinear", (2, 3, 4, 5), scale_factor=2)
one("upsample_nearest", "upsample_nearest", (2, 3, 4, 5), size=[8, 10])
one("upsample_bicubic", "upsample", (1, 2, 3, 4), scale_factor=2, mode="bicubic", align_corners=False)

one("pixel_shuffle_2", "pixel_shuffle", (2, 8, 3, 4), upscale_factor=2)
one("pixel_shuffle_3", "pixel_shuffle", (2, 9, 2, 3), upscale_factor=3)
one("pixel_unshuffle_2", "pixel_unshuffle", (2, 2, 4, 6), downscale_factor=2)
one("pixel_unshuffle_3", "pixel_unshuffle", (1, 2, 6, 3), downscale_factor=3)
one("channel_shuffle_3", "channel_shuffle", (2, 6, 3, 2), groups=3)

for n, (x, pad) in enumerate([((2, 3, 5), [2, 1]), ((2, 2, 4, 5), [1, 2, 3, 0]), ((1, 2, 3, 4, 3), [1, 0, 2, 1, 1, 2])]):
    for mode in ["constant", "reflect", "replicate", "circular"]:
        one(f"pad_{mode}_{n + 1}d", "pad", x, pad=[min(p, 2) for p in pad], mode=mode, **({"value": 0.5} if mode == "constant" else {}))
one("pad_crops", "pad", (2, 2, 5, 6), pad=[-1, -2, -1, 0])
one("pad_crops_and_adds", "pad", (2, 2, 5, 6), pad=[-1, 2, 3, -2], value=-1.0)
one("pad_last_only", "pad", (2, 2, 3, 4), pad=[1, 2])
one("pad_channels", "pad", (2, 2, 3, 4), pad=[0, 0, 0, 0, 1, 2])
one("pad_all_axes", "pad", (2, 3), pad=[1, 0, 0, 2], mode="constant", value=2.0)
one("zero_pad2d", "pad", (2, 2, 3, 4), pad=[1, 1, 1, 1])


def grid(name, x, shape, kind="wide", **attrs):
    vjp(name, "resize", [("grid_sample", ["x", "grid"], ["y"], attrs)],
        {"x": (x, "normal"), "grid": ((x[0], *shape, len(shape)), kind)}, no_grad=["grid"] if attrs.get("mode") == "nearest" else [])


for mode in ["bilinear", "nearest", "bicubic"]:
    for padding in ["zeros", "border", "reflection"]:
        for corners in [False, True]:
            grid(f"grid_{mode}_{padding}{'_corners' if corners else ''}", (2, 2, 4, 5), (3, 4), mode=mode, padding_mode=padding,
                 align_corners=corners)
grid("grid_default", (2, 2, 4, 5), (3, 4))
grid("grid_3d", (1, 2, 3, 4, 3), (2, 3, 2), align_corners=False)
grid("grid_3d_border_corners", (1, 2, 3, 4, 3), (2, 3, 2), padding_mode="border", align_corners=True)
grid("grid_3d_nearest", (1, 2, 3, 4, 3), (2, 3, 2), mode="nearest", align_corners=False)
for corners in [False, True]:
    more = "_corners" if corners else ""
    vjp(f"affine_grid{more}", "resize", [("affine_grid", ["theta"], ["y"], dict(size=[2, 3, 4, 5], align_corners=corners))],
        {"theta": ((2, 2, 3), "normal")})
    vjp(f"affine_grid_3d{more}", "resize",
        [("affine_grid", ["theta"], ["y"], dict(size=[2, 3, 2, 3, 4], align_corners=corners))], {"theta": ((2, 3, 4), "normal")})
    vjp(f"spatial_transformer{more}", "resize",
        [("affine_grid", ["theta"], ["g"], dict(size=[2, 2, 3, 4], align_corners=corners)),
         ("grid_sample", ["x", "g"], ["y"], dict(align_corners=corners))],
        {"theta": ((2, 2, 3), "normal"), "x": ((2, 2, 5, 4), "normal")})

one("unfold_2", "unfold", (2, 3, 5, 4), kernel_size=2)
one("unfold_all", "unfold", (2, 2, 7, 8), kernel_size=[3, 2], dilation=[2, 1], padding=[1, 2], stride=[2, 3])
one("unfold_s2_p1", "unfold", (1, 3, 6, 6), kernel_size=3, stride=2, padding=1)
one("fold_2", "fold", (2, 12, 12), output_size=[5, 4], kernel_size=2)
one("fold_overlap", "fold", (2, 18, 9), output_size=[6, 5], kernel_size=3, stride=2, padding=1)
one("fold_all", "fold", (1, 12, 12), output_size=[7, 8], kernel_size=[3, 2], dilation=[2, 1], padding=[1, 2], stride=[2, 3])
vjp("fold_of_unfold", "resize",
    [("unfold", ["x"], ["u"], dict(kernel_size=3, padding=1)), ("mul", ["u", "w"], ["m"], {}),
     ("fold", ["m"], ["y"], dict(output_size=[4, 5], kernel_size=3, padding=1))],
    {"x": ((2, 2, 4, 5), "normal"), "w": ((18, 20), "normal")})
# Grids that meet pixels exactly, where slopes have two sides
for corners in [False, True]:
    for padding in ["zeros", "border"]:
        vjp(f"spatial_transformer_identity_{padding}{'_corners' if corners else ''}", "resize",
            [("affine_grid", ["theta"], ["g"], dict(size=[1, 2, 4, 5], align_corners=corners)),
             ("grid_sample", ["x", "g"], ["y"], dict(align_corners=corners, padding_mode=padding))],
            {"theta": np.array([[[1, 0, 0], [0, 1, 0]]], np.float32), "x": ((1, 2, 4, 5), "normal")})

"""Whole networks, small: the kinds that the field knows."""

from builder import Net

ATTRS_POOL = dict(kernel_size=2)


def lenet(act, pool):
    n = Net(x=(2, 1, 20, 20))
    h = n.call(pool, n.call(act, n.conv("x", 1, 4, 5)), **ATTRS_POOL)
    h = n.call(pool, n.call(act, n.conv(h, 4, 6, 5)), **ATTRS_POOL)
    h = n.call(act, n.linear(n.flatten(h, start_dim=1), 24, 12))
    n.linear(h, 12, 10)
    n.case(f"lenet_{act}_{pool}", "network")


lenet("relu", "max_pool2d")
lenet("sigmoid", "avg_pool2d")

n = Net(x=(1, 3, 31, 31))
h = n.max_pool2d(n.local_response_norm(n.relu(n.conv("x", 3, 8, 7, stride=3, padding=2)), size=5), kernel_size=3, stride=2)
h = n.max_pool2d(n.local_response_norm(n.relu(n.conv(h, 8, 8, 3, padding=1, groups=2)), size=5), kernel_size=3, stride=2, ceil_mode=True)
h = n.relu(n.conv(h, 8, 12, 3, padding=1))
h = n.relu(n.conv(h, 12, 8, 3, padding=1, groups=2))
h = n.flatten(n.adaptive_avg_pool2d(h, output_size=[1, 2]), start_dim=1)
h = n.dropout_eval(n.relu(n.linear(n.dropout_eval(h, p=0.5), 16, 10)), p=0.5)
n.log_softmax(n.linear(h, 10, 5), dim=1)
n.case("alexnet_like", "network")

for normed in [False, True]:
    n = Net(x=(2, 3, 8, 8))
    h, c = "x", 3
    for width in [4, 6]:
        for _ in range(2):
            h = n.conv(h, c, width, 3, padding=1)
            h = n.relu(n.bn(h, width) if normed else h)
            c = width
        h = n.max_pool2d(h, kernel_size=2, stride=2)
    n.linear(n.relu(n.linear(n.flatten(h, start_dim=1), 24, 8)), 8, 4)
    n.case(f"vgg_like{'_bn' if normed else ''}", "network")


def resnet(name, block, training, preactivated=False):
    n = Net(x=(2, 3, 9, 9))
    h, c = n.relu(n.bn(n.conv("x", 3, 4, 3, stride=1, padding=1, bias=False), 4, training)), 4
    for stride, width in [(1, 4), (2, 6)]:
        h, c = block(n, h, c, width, stride, training)
    n.linear(n.flatten(n.adaptive_avg_pool2d(h, output_size=[1, 1]), start_dim=1), c, 5)
    n.case(name, "network")


def basic(n, x, c, width, stride, training):
    h = n.relu(n.bn(n.conv(x, c, width, 3, stride=stride, padding=1, bias=False), width, training))
    h = n.bn(n.conv(h, width, width, 3, padding=1, bias=False), width, training)
    short = x if stride == 1 and c == width else n.bn(n.conv(x, c, width, 1, stride=stride, bias=False), width, training)
    return n.relu(n.add(h, short)), width


def bottleneck(groups, expansion=2):
    def block(n, x, c, width, stride, training):
        out = width * expansion
        h = n.relu(n.bn(n.conv(x, c, width, 1, bias=False), width, training))
        h = n.relu(n.bn(n.conv(h, width, width, 3, stride=stride, padding=1, bias=False, groups=groups), width, training))
        h = n.bn(n.conv(h, width, out, 1, bias=False), out, training)
        short = n.bn(n.conv(x, c, out, 1, stride=stride, bias=False), out, training)
        return n.relu(n.add(h, short)), out
    return block


def squeezed(n, x, c, width, stride, training):
    h, _ = basic(n, x, c, width, stride, training)
    g = n.sigmoid(n.linear(n.relu(n.linear(n.flatten(n.adaptive_avg_pool2d(h, output_size=1), start_dim=1), width, 2)), 2, width))
    return n.mul(h, n.reshape(g, shape=[2, width, 1, 1])), width


def inverted(n, x, c, width, stride, training):
    h = n.relu6(n.bn(n.conv(x, c, c * 2, 1, bias=False), c * 2, training))
    h = n.relu6(n.bn(n.conv(h, c * 2, c * 2, 3, stride=stride, padding=1, groups=c * 2, bias=False), c * 2, training))
    h = n.bn(n.conv(h, c * 2, width, 1, bias=False), width, training)
    return (n.add(h, x) if stride == 1 and c == width else h), width


for training in [True, False]:
    mode = "train" if training else "eval"
    resnet(f"resnet_basic_{mode}", basic, training)
    resnet(f"resnet_bottleneck_{mode}", bottleneck(1), training)
    resnet(f"resnext_{mode}", bottleneck(2), training)
    resnet(f"senet_{mode}", squeezed, training)
    resnet(f"mobilenet_v2_{mode}", inverted, training)

n = Net(x=(2, 3, 8, 8))
h = n.max_pool2d(n.relu(n.conv("x", 3, 6, 3, padding=1)), kernel_size=3, stride=2, padding=1)
for c in [6, 9]:
    h = n.cat(n.relu(n.conv(h, c, 2, 1)), n.relu(n.conv(n.relu(n.conv(h, c, 2, 1)), 2, 3, 3, padding=1)),
              n.relu(n.conv(n.relu(n.conv(h, c, 1, 1)), 1, 2, 5, padding=2)),
              n.relu(n.conv(n.max_pool2d(h, kernel_size=3, stride=1, padding=1), c, 2, 1)), dim=1)
n.linear(n.flatten(n.adaptive_avg_pool2d(h, output_size=1), start_dim=1), 9, 4)
n.case("googlenet_like", "network")

n = Net(x=(2, 3, 8, 8))
h = n.max_pool2d(n.relu(n.conv("x", 3, 6, 3, padding=1)), kernel_size=3, stride=2, ceil_mode=True)
for c in [6, 8]:
    s = n.relu(n.conv(h, c, 3, 1))
    h = n.cat(n.relu(n.conv(s, 3, 4, 1)), n.relu(n.conv(s, 3, 4, 3, padding=1)), dim=1)
n.flatten(n.adaptive_avg_pool2d(n.relu(n.conv(h, 8, 5, 1)), output_size=[1, 1]), start_dim=1)
n.case("squeezenet_like", "network")

n = Net(x=(2, 3, 8, 8))
h, c = n.conv("x", 3, 4, 3, padding=1, bias=False), 4
for stage in range(2):
    for _ in range(2):
        new = n.conv(n.relu(n.bn(n.conv(n.relu(n.bn(h, c)), c, 4, 1, bias=False), 4)), 4, 2, 3, padding=1, bias=False)
        h, c = n.cat(h, new, dim=1), c + 2
    if stage == 0:
        h, c = n.avg_pool2d(n.conv(n.relu(n.bn(h, c)), c, c // 2, 1, bias=False), kernel_size=2, stride=2), c // 2
n.linear(n.flatten(n.adaptive_avg_pool2d(n.relu(n.bn(h, c)), output_size=1), start_dim=1), c, 3)
n.case("densenet_train", "network")


def double(n, x, c, width):
    return n.relu(n.conv(n.relu(n.conv(x, c, width, 3, padding=1)), width, width, 3, padding=1))


for up in ["transposed", "bilinear"]:
    n = Net(x=(1, 2, 12, 8))
    a = double(n, "x", 2, 3)
    b = double(n, n.max_pool2d(a, kernel_size=2), 3, 4)
    c = double(n, n.max_pool2d(b, kernel_size=2), 4, 5)

    def raised(x, c, width):
        if up == "transposed":
            return n.conv(x, c, width, 2, stride=2, transposed=True)
        return n.conv(n.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), c, width, 1)
    d = double(n, n.cat(b, raised(c, 5, 4), dim=1), 8, 4)
    e = double(n, n.cat(a, raised(d, 4, 3), dim=1), 6, 3)
    n.conv(e, 3, 2, 1)
    n.case(f"unet_{up}", "network")

n = Net(x=(2, 1, 8, 8))
h = n.relu(n.conv(n.relu(n.conv("x", 1, 3, 3, stride=2, padding=1)), 3, 4, 3, stride=2, padding=1))
h = n.linear(n.relu(n.linear(n.flatten(h, start_dim=1), 16, 5)), 5, 16)
h = n.relu(n.conv(n.reshape(h, shape=[2, 4, 2, 2]), 4, 3, 3, stride=2, padding=1, output_padding=1, transposed=True))
n.sigmoid(n.conv(h, 3, 1, 3, stride=2, padding=1, output_padding=1, transposed=True))
n.case("autoencoder_conv", "network")

n = Net(x=(3, 12))
h = n.linear(n.tanh(n.linear("x", 12, 6)), 6, 2)
n.sigmoid(n.linear(n.tanh(n.linear(h, 2, 6)), 6, 12))
n.case("autoencoder_linear", "network")

n = Net(x=(2, 6), noise=(2, 3))
h = n.relu(n.linear("x", 6, 8))
m, v = n.linear(h, 8, 3), n.linear(h, 8, 3)
z = n.add(m, n.mul(n.exp(n.mul(v, n.param("half", (1,)))), "noise"))
r = n.sigmoid(n.linear(n.relu(n.linear(z, 3, 8)), 8, 6))
n.case("vae", "network", y=r, m=m, v=v)

for training in [True, False]:
    n = Net(x=(3, 5, 1, 1))
    h = n.relu(n.bn(n.conv("x", 5, 8, 4, bias=False, transposed=True), 8, training))
    h = n.relu(n.bn(n.conv(h, 8, 4, 4, stride=2, padding=1, bias=False, transposed=True), 4, training))
    n.tanh(n.conv(h, 4, 2, 4, stride=2, padding=1, bias=False, transposed=True))
    n.case(f"dcgan_generator_{'train' if training else 'eval'}", "network")
n = Net(x=(3, 2, 16, 16))
h = n.leaky_relu(n.conv("x", 2, 4, 4, stride=2, padding=1, bias=False), negative_slope=0.2)
h = n.leaky_relu(n.bn(n.conv(h, 4, 6, 4, stride=2, padding=1, bias=False), 6), negative_slope=0.2)
n.sigmoid(n.conv(h, 6, 1, 4, bias=False))
n.case("dcgan_discriminator", "network")

n = Net(x=(1, 2, 8, 12))
h, c, found = "x", 2, []
for width in [3, 4]:
    h = n.relu(n.bn(n.conv(h, c, width, 3, padding=1), width))
    h, i = n.call("max_pool2d_with_indices", h, [f"p{width}", f"i{width}"], kernel_size=2, stride=2)
    found, c = [(i, width), *found], width
for i, width in found:
    h = n.max_unpool2d(h, i, kernel_size=2, stride=2)
    out = 3 if width == 4 else 5
    h = n.bn(n.conv(h, width, out, 3, padding=1), out)
    h = n.relu(h) if out == 3 else h
n.case("segnet", "network")

n = Net(x=(1, 3, 12, 12))
h = n.leaky_relu(n.bn(n.conv("x", 3, 4, 3, padding=1, bias=False), 4), negative_slope=0.1)
h = n.max_pool2d(h, kernel_size=2, stride=2)
h = n.leaky_relu(n.bn(n.conv(h, 4, 6, 3, padding=1, bias=False), 6), negative_slope=0.1)
p = n.conv(n.max_pool2d(h, kernel_size=2, stride=2), 6, 2 * 7, 1)
p = n.permute(n.reshape(p, shape=[1, 2, 7, 3, 3]), dims=[0, 1, 3, 4, 2])
xy = n.sigmoid(n.narrow(p, dim=4, start=0, length=2))
wh = n.exp(n.narrow(p, dim=4, start=2, length=2))
obj = n.sigmoid(n.narrow(p, dim=4, start=4, length=1))
cls = n.softmax(n.narrow(p, dim=4, start=5, length=2), dim=4)
n.cat(xy, wh, obj, cls, dim=4)
n.case("yolo_head", "network")

n = Net(x=(6, 1, 8, 6), h0=(1, 2, 5), c0=(1, 2, 5))
h = n.max_pool2d(n.relu(n.conv("x", 1, 2, 3, padding=1)), kernel_size=2)
h = n.reshape(h, shape=[3, 2, 24])
ws = [n.param(f"lstm.{k}", s, "scaled:0.3") for k, s in
      [("weight_ih_l0", (20, 24)), ("weight_hh_l0", (20, 5)), ("bias_ih_l0", (20,)), ("bias_hh_l0", (20,))]]
s, hn, cn = n.call("lstm", [h, "h0", "c0", *ws], ["s", "hn", "cn"], layers=1, bidirectional=False, batch_first=False, bias=True)
n.linear(s, 5, 4)
n.case("cnn_lstm", "network")

n = Net(x=(2, 3, 9), mask=(2, 1, 1))
h = "x"
for d in [1, 2]:
    t = n.relu(n.conv(n.pad(h, pad=[2 * d, 0]), 3, 3, 3, dims=1, dilation=d))
    h = n.relu(n.add(h, n.conv(n.pad(t, pad=[2 * d, 0]), 3, 3, 3, dims=1, dilation=d)))
n.mul(h, "mask")
n.case("temporal_convolutions", "network")

n = Net(x=(1, 3, 4, 5))
h = n.relu(n.conv("x", 3, 4, 5, padding=2))
h = n.relu(n.conv(h, 4, 3, 3, padding=1))
n.pixel_shuffle(n.conv(h, 3, 9, 3, padding=1), upscale_factor=3)
n.case("espcn", "network")

n = Net(x=(1, 3, 8, 8))
h = n.relu(n.instance_norm(n.conv(n.pad("x", pad=[1, 1, 1, 1], mode="reflect"), 3, 4, 3)))
h = n.relu(n.instance_norm(n.conv(h, 4, 6, 3, stride=2, padding=1)))
r = n.instance_norm(n.conv(n.pad(h, pad=[1, 1, 1, 1], mode="reflect"), 6, 6, 3))
h = n.add(h, r)
h = n.relu(n.instance_norm(n.conv(h, 6, 4, 3, stride=2, padding=1, output_padding=1, transposed=True)))
n.tanh(n.conv(n.pad(h, pad=[1, 1, 1, 1], mode="reflect"), 4, 3, 3))
n.case("cyclegan_generator", "network")

n = Net(x=(1, 3, 9, 9))
h = n.relu(n.conv("x", 3, 4, 3, stride=2, padding=1))
a = [n.relu(n.conv(h, 4, 3, 1)), *[n.relu(n.conv(h, 4, 3, 3, padding=d, dilation=d)) for d in (2, 3)]]
g = n.interpolate(n.relu(n.conv(n.adaptive_avg_pool2d(h, output_size=1), 4, 3, 1)), size=[5, 5], mode="bilinear", align_corners=False)
h = n.conv(n.cat(*a, g, dim=1), 12, 2, 1)
n.interpolate(h, size=[9, 9], mode="bilinear", align_corners=False)
n.case("deeplab_aspp", "network")

n = Net(x=(2, 3, 8, 8))
h = n.conv("x", 3, 6, 4, stride=4)
h = n.permute(n.reshape(h, shape=[2, 6, 4]), dims=[0, 2, 1])
h = n.add(h, n.param("position", (1, 4, 6), "scaled:0.3"))
r = n.layer_norm(h, n.param("g1", (6,), "positive"), n.param("b1", (6,)), normalized_shape=[6])
q, k, v = [n.permute(n.reshape(n.linear(r, 6, 6), shape=[2, 4, 2, 3]), dims=[0, 2, 1, 3]) for _ in range(3)]
a = n.softmax(n.mul(n.matmul(q, n.permute(k, dims=[0, 1, 3, 2])), n.param("scale", (1,))), dim=-1)
a = n.reshape(n.permute(n.matmul(a, v), dims=[0, 2, 1, 3]), shape=[2, 4, 6])
h = n.add(h, n.linear(a, 6, 6))
r = n.layer_norm(h, n.param("g2", (6,), "positive"), n.param("b2", (6,)), normalized_shape=[6])
h = n.add(h, n.linear(n.gelu(n.linear(r, 6, 10)), 10, 6))
n.linear(n.mean(h, dim=1), 6, 3)
n.case("vision_transformer", "network")

"""python3 make.py OUT: what PyTorch (1.13 or later, as Debian's python3-torch) makes of narrow copies of example nets.

Writes OUT/NAME.st for every net: its prediction before training, the loss of each step, the gradients of the first one,
weights and running averages after the last, in float64. What goes in is not stored: weights, inputs and targets follow
from their names by `numbers`, here and in test/examples/oracle.ts. Of gradients and weights every file holds some
elements and the product with a direction in which all elements take part."""

import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

STEPS, RATE, MOMENTUM = 4, 0.02, 0.9


def numbers(name, count):
    """`count` numbers from 0 to 1: a linear congruential generator, begun with the FNV-1a hash of the name."""
    x = 2166136261
    for byte in name.encode():
        x = (x ^ byte) * 16777619 % 2**32
    out = np.empty(count)
    for i in range(count):
        x = (x * 1664525 + 1013904223) % 2**32
        out[i] = (x >> 8) / 2**24
    return out


def initial(name, shape):
    u = numbers(name, int(np.prod(shape)))
    last = name.rsplit(".", 1)[-1]
    if last == "running_var" or (last == "weight" and len(shape) == 1):
        x = 0.5 + u
    elif last == "weight":
        # Transposed convolutions have their inputs first; both counts do.
        x = (2 * u - 1) * np.sqrt(6 / np.prod(shape[1:]))
    else:
        x = (2 * u - 1) * 0.2
    return torch.from_numpy(x.astype(np.float32).astype(np.float64).reshape(shape))


class Net:
    """Layers by path, as the example names them; the first call makes a layer's parameters."""

    def __init__(self, name):
        self.name, self.params, self.buffers, self.training = name, {}, {}, False

    def param(self, path, shape):
        name = f"{self.name}.{path}"
        if name not in self.params:
            self.params[name] = initial(name, shape).requires_grad_(True)
        return self.params[name]

    def buffer(self, path, shape):
        name = f"{self.name}.{path}"
        if name not in self.buffers:
            self.buffers[name] = initial(name, shape)
        return self.buffers[name]

    def conv(self, path, x, c, k, bias=True, **how):
        weight = self.param(f"{path}.weight", (c, x.shape[1] // how.get("groups", 1), k, k))
        return F.conv2d(x, weight, self.param(f"{path}.bias", (c,)) if bias else None, **how)

    def transposed(self, path, x, c, k, **how):
        weight = self.param(f"{path}.weight", (x.shape[1], c, k, k))
        return F.conv_transpose2d(x, weight, self.param(f"{path}.bias", (c,)), **how)

    def dense(self, path, x, c):
        return F.linear(x, self.param(f"{path}.weight", (c, x.shape[1])), self.param(f"{path}.bias", (c,)))

    def norm(self, path, x):
        c = (x.shape[1],)
        averages = self.buffer(f"{path}.running_mean", c), self.buffer(f"{path}.running_var", c)
        return F.batch_norm(x, *averages, self.param(f"{path}.weight", c), self.param(f"{path}.bias", c), self.training)

    def conv_bn(self, path, x, c, k=3, stride=1, groups=1):
        x = self.conv(f"{path}.conv", x, c, k, bias=False, stride=stride, padding=k // 2, groups=groups)
        return self.norm(f"{path}.batch_norm", x)


def alexnet(n, x, slim=24):
    def neighbours(x):
        return F.local_response_norm(x, 5, alpha=5 * 1e-4, beta=0.75, k=2)

    x = neighbours(F.relu(n.conv("conv1", x, 96 // slim, 11, stride=4)))
    x = neighbours(F.relu(n.conv("conv2", F.max_pool2d(x, 3, 2), 256 // slim, 5, padding=2, groups=2)))
    x = F.relu(n.conv("conv3", F.max_pool2d(x, 3, 2), 384 // slim, 3, padding=1))
    x = F.relu(n.conv("conv4", x, 384 // slim, 3, padding=1, groups=2))
    x = F.relu(n.conv("conv5", x, 256 // slim, 3, padding=1, groups=2))
    x = F.max_pool2d(x, 3, 2).flatten(1)
    x = F.relu(n.dense("fc6", x, 4096 // slim))
    return [n.dense("fc8", F.relu(n.dense("fc7", x, 4096 // slim)), 5)]


def vgg11(n, x, w=3):
    layers = [("conv1_1.conv[0]", w, True), ("conv2_1.conv[0]", 2 * w, True), ("conv3_1.conv[0]", 4 * w, False),
              ("group3.conv[0]", 4 * w, True), ("conv4_1.conv[0]", 8 * w, False), ("conv4_2.conv[0]", 8 * w, True),
              ("group5.conv[0]", 8 * w, False), ("group5.conv[1]", 8 * w, True)]
    for layer, channels, pools in layers:
        x = F.relu(n.conv(f"features.{layer}", x, channels, 3, padding=1))
        x = F.max_pool2d(x, 2) if pools else x
    x = F.relu(n.dense("fc6", x.flatten(1), 64 * w))
    return [n.dense("fc8", F.relu(n.dense("fc7", x, 64 * w)), 5)]


def nin(n, x, slim=32):
    def mlp(path, x, k, c1, c2, c3):
        x = F.relu(n.conv(f"{path}.conv", x, c1, k, padding=k // 2))
        x = F.relu(n.conv(f"{path}.mix1", x, c2, 1))
        return F.relu(n.conv(f"{path}.mix2", x, c3, 1))

    x = mlp("mlp1", x, 5, 192 // slim, 160 // slim, 96 // slim)
    x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-np.inf), 3, 2)
    x = mlp("mlp2", x, 5, 192 // slim, 192 // slim, 192 // slim)
    # Zeros that are laid around count in the mean.
    x = F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)
    x = mlp("mlp3", x, 3, 192 // slim, 192 // slim, 5)
    return [x.mean((2, 3))]


def googlenet(n, x, slim=16):
    def conv(path, x, c, k, stride=1):
        return F.relu(n.conv(f"{path}.conv", x, c // slim, k, stride=stride, padding=k // 2))

    def inception(path, x, c1, r3, c3, r5, c5, cp):
        return torch.cat([
            conv(f"{path}.one", x, c1, 1),
            conv(f"{path}.three", conv(f"{path}.reduce3", x, r3, 1), c3, 3),
            conv(f"{path}.five", conv(f"{path}.reduce5", x, r5, 1), c5, 5),
            conv(f"{path}.project", F.max_pool2d(x, 3, 1, 1), cp, 1),
        ], 1)

    def aux(path, x):
        x = conv(f"{path}.reduce", F.avg_pool2d(x, 5, 3), 128, 1).flatten(1)
        return n.dense(f"{path}.head", F.relu(n.dense(f"{path}.hidden", x, 1024 // slim)), 5)

    def lrn(x):
        return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1)

    x = lrn(F.max_pool2d(conv("stem", x, 64, 7, 2), 3, 2, 1))
    x = lrn(conv("conv2", conv("conv2_reduce", x, 64, 1), 192, 3))
    x = inception("a3", F.max_pool2d(x, 3, 2, 1), 64, 96, 128, 16, 32, 32)
    x = inception("b3", x, 128, 128, 192, 32, 96, 64)
    x = inception("a4", F.max_pool2d(x, 3, 2, 1), 192, 96, 208, 16, 48, 64)
    one = aux("head1", x)
    x = inception("b4", x, 160, 112, 224, 24, 64, 64)
    x = inception("c4", x, 128, 128, 256, 24, 64, 64)
    x = inception("d4", x, 112, 144, 288, 32, 64, 64)
    two = aux("head2", x)
    x = inception("e4", x, 256, 160, 320, 32, 128, 128)
    x = inception("a5", F.max_pool2d(x, 3, 2, 1), 256, 160, 320, 32, 128, 128)
    x = inception("b5", x, 384, 192, 384, 48, 128, 128)
    return [n.dense("head", x.mean((2, 3)), 5), one, two]


def residual(n, x, layers, width, unit):
    x = F.max_pool2d(F.relu(n.conv_bn("stem", x, width, 7, 2)), 3, 2, 1)
    for i, count in enumerate(layers):
        x = unit(f"first[{i}]", x, width * 2**i, 1 if i == 0 else 2)
        for k in range(count - 1):
            x = unit(f"rest[{i}][{k}]", x, width * 2**i, 1)
    return [n.dense("head", x.mean((2, 3)), 5)]


def resnet(n, x, width=3):
    def basic(path, x, c, stride):
        skip = n.conv_bn(f"{path}.down", x, c, 1, stride) if stride != 1 or x.shape[1] != c else x
        y = n.conv_bn(f"{path}.conv2", F.relu(n.conv_bn(f"{path}.conv1", x, c, 3, stride)), c)
        return F.relu(y + skip)

    return residual(n, x, [2, 1, 1], width, basic)


def resnext(n, x, width=4, groups=2):
    def split(path, x, c, stride):
        path = f"{path}.Bottleneck"
        skip = n.conv_bn(f"{path}.down", x, 4 * c, 1, stride) if stride != 1 or x.shape[1] != 4 * c else x
        inner = groups * 4 * c // width
        y = F.relu(n.conv_bn(f"{path}.conv1", x, inner, 1))
        y = F.relu(n.conv_bn(f"{path}.conv2", y, inner, 3, stride, groups))
        return F.relu(n.conv_bn(f"{path}.conv3", y, 4 * c, 1) + skip)

    return residual(n, x, [2, 1, 1], width, split)


def densenet(n, x, k=3):
    def layer(path, x):
        y = n.conv(f"{path}.reduce", F.relu(n.norm(f"{path}.norm1", x)), 4 * k, 1, bias=False)
        return n.conv(f"{path}.conv", F.relu(n.norm(f"{path}.norm2", y)), k, 3, bias=False, padding=1)

    x = n.conv("stem", x, 2 * k, 7, bias=False, stride=2, padding=3)
    x = F.max_pool2d(F.relu(n.norm("norm", x)), 3, 2, 1)
    for i in range(4):
        if i > 0:
            path = f"transition[{i}]"
            y = F.relu(n.norm(f"{path}.batch_norm", x))
            x = F.avg_pool2d(n.conv(f"{path}.conv", y, x.shape[1] // 2, 1, bias=False), 2)
        for j in range(2):
            x = torch.cat([x, layer(f"block[{i}].layer[{j}]", x)], 1)
    return [n.dense("head", F.relu(n.norm("last", x)).mean((2, 3)), 5)]


def segnet(n, x, w=2):
    def stack(path, x, channels):
        for i, c in enumerate(channels):
            x = F.relu(n.conv_bn(f"{path}.conv[{i}]", x, c))
        return x

    kept = []
    for i, channels in enumerate([[w] * 2, [2 * w] * 2, [4 * w] * 3, [8 * w] * 3, [8 * w] * 3]):
        x, index = F.max_pool2d(stack(f"down{i + 1}", x, channels), 2, return_indices=True)
        kept.append(index)
    ups = [[w], [2 * w, w], [4 * w, 4 * w, 2 * w], [8 * w, 8 * w, 4 * w], [8 * w] * 3]
    for i in range(4, -1, -1):
        x = stack(f"up{i + 1}", F.max_unpool2d(x, kept[i], 2), ups[i])
    return [n.conv("scores", x, 3, 3, padding=1)]


def unet(n, x, w=2):
    def double(path, x, c):
        x = F.relu(n.conv(f"{path}.conv1", x, c, 3, padding=1))
        return F.relu(n.conv(f"{path}.conv2", x, c, 3, padding=1))

    skips = []
    for i in range(4):
        skips.append(double(f"down{i + 1}", x, w * 2**i))
        x = F.max_pool2d(skips[-1], 2)
    x = double("bottom", x, 16 * w)
    for i in range(3, -1, -1):
        grown = n.transposed(f"up{i + 1}.grow", x, w * 2**i, 2, stride=2)
        x = double(f"up{i + 1}.double", torch.cat([skips[i], grown], 1), w * 2**i)
    return [n.conv("scores", x, 3, 1)]


# Name in the example, what it sees, classes (per pixel or picture), weights of the losses, and whether it is trained as
# a net is (with the averages of the batch) or as it predicts (where there is dropout).
NETS = {
    "alexnet": (alexnet, "AlexNet", (4, 3, 67, 67), False),
    "vgg": (vgg11, "VGG11", (4, 3, 32, 32), False),
    "nin": (nin, "NIN", (4, 3, 12, 12), False),
    "googlenet": (googlenet, "GoogLeNet", (4, 3, 65, 65), False),
    "resnet": (resnet, "Few", (6, 3, 32, 32), True),
    "resnext": (resnext, "Few", (6, 3, 32, 32), True),
    "densenet": (densenet, "Small", (6, 3, 64, 64), True),
    "segnet": (segnet, "SegNet", (4, 3, 32, 32), True),
    "unet": (unet, "UNet", (4, 1, 32, 32), False),
}


def feed(example, step, shape, pixels, classes):
    x = (2 * numbers(f"{example}.x{step}", int(np.prod(shape))) - 1).astype(np.float32).astype(np.float64)
    size = (shape[0], *shape[2:]) if pixels else (shape[0],)
    y = np.floor(numbers(f"{example}.y{step}", int(np.prod(size))) * classes).astype(np.int64)
    return torch.from_numpy(x.reshape(shape)), torch.from_numpy(y.reshape(size))


def sample(name, x, most):
    """At most `most` elements, evenly spread, and the product with a direction."""
    flat = x.detach().numpy().ravel()
    stride = -(-flat.size // most)
    return [*flat[::stride], float(flat @ (2 * numbers(f"{name}.direction", flat.size) - 1))]


def answers(example):
    forward, name, shape, as_trained = NETS[example]
    pixels = example in ("segnet", "unet")
    classes = 3 if pixels else 5
    n = Net(name)
    predicted = forward(n, feed(example, 0, shape, pixels, classes)[0])[0].detach()
    n.training = as_trained
    params = list(n.params.values())
    optimizer = torch.optim.SGD(params, lr=RATE, momentum=MOMENTUM)
    losses, grads = [], []
    for step in range(STEPS):
        x, y = feed(example, step, shape, pixels, classes)
        outs = forward(n, x)
        loss = sum((1 if i == 0 else 0.3) * F.cross_entropy(out, y) for i, out in enumerate(outs))
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            grads = [v for k, p in n.params.items() for v in sample(k, p.grad, 96)]
        optimizer.step()
        losses.append(float(loss.detach()))
    final = [v for k, p in n.params.items() for v in sample(k, p, 8)]
    averages = [v for k, b in n.buffers.items() for v in sample(k, b, 8)]
    about = dict(example=example, net=name, input=list(shape), classes=classes, pixels=pixels, steps=STEPS,
                 params=[[k, list(p.shape)] for k, p in n.params.items()],
                 buffers=[[k, list(b.shape)] for k, b in n.buffers.items()])
    return about, dict(predicted=sample(f"{example}.predicted", predicted, 256), loss=losses, grads=grads, final=final,
                       averages=averages)


def write(path, about, arrays):
    header, parts, end = {"__metadata__": {"case": json.dumps(about, separators=(",", ":"))}}, [], 0
    for name, values in arrays.items():
        array = np.array(values, dtype=np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} is not finite")
        data = array.tobytes()
        header[name] = {"dtype": "F32", "shape": [array.size], "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


for example in NETS:
    about, arrays = answers(example)
    write(pathlib.Path(sys.argv[1]) / f"{example}.st", about, arrays)
    print(example, [round(v, 4) for v in arrays["loss"]], max(map(abs, arrays["grads"])))

/** Nets of every kind that half precision is tried on, small enough for the interpreter. */
export const mlp = `net Mlp(x: f32[N, 32]) -> f32[N, 10] {
  return x -> dense(48) -> relu -> dense(48) -> gelu -> dense(10)
}

train fit {
  data x: f32[N, 32]
  data y: i32[N]
  minimize cross_entropy(Mlp(x), y) over Mlp by adam(lr = 0.003)
}
`;

export const lenet = `net LeNet(x: f32[N, 1, 12, 12]) -> f32[N, 10] {
  return x -> conv(6, 5, pad = 2) -> tanh -> avg_pool(2) -> conv(16, 5) -> tanh -> avg_pool(2) -> flatten
           -> dense(40) -> tanh -> dense(10)
}

train fit {
  data x: f32[N, 1, 12, 12]
  data y: i32[N]
  minimize cross_entropy(LeNet(x), y) over LeNet by sgd(lr = 0.1, momentum = 0.9)
}
`;

export const resnet = `block basic(channels: int, stride: int)(x: f32[N, C, H, W]) -> f32[N, channels, ...] {
  straight = x -> conv(channels, 3, stride = stride, pad = 1) -> batch_norm -> relu -> conv(channels, 3, pad = 1)
  return relu((straight -> batch_norm) + (x -> conv(channels, 1, stride = stride) -> batch_norm))
}

net Small(x: f32[N, 3, 6, 6]) -> f32[N, 5] {
  return x -> conv(4, 3, pad = 1) -> batch_norm -> relu -> basic(4, 1) -> basic(8, 2) -> global_avg_pool -> flatten
           -> dense(5)
}

train fit {
  data x: f32[N, 3, 6, 6]
  data y: i32[N]
  minimize cross_entropy(Small(x), y) over Small by sgd(lr = 0.05, momentum = 0.9)
}
`;

export const lstm = `net Reader(x: f32[N, T, 6]) -> f32[N, 4] {
  r = x -> lstm(16)
  return r.h[0] -> dense(4)
}

train fit {
  data x: f32[N, 12, 6]
  data y: i32[N]
  minimize cross_entropy(Reader(x), y) over Reader by adam(lr = 0.01)
}
`;

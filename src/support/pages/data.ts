import { type Page, page } from './page.ts';

const train = (flags: string): string => `dnnc train net.dnn fit ${flags}\n`;
const read = 'dnnc run net.dnn --net Small --inputs x.safetensors --outputs y.safetensors\n';

/** E04xx: tensor files, and what trainings read and write. E05xx: memory. */
export const dataPages: readonly Page[] = [
  page('E0401', 'a tensor file that ends before its header does', {
    cause:
      'A safetensors file begins with the length of its header in 8 bytes, then the header. The file is shorter.',
    language: 'console',
    example: read,
    cure: 'Copy or download the file again.',
  }),
  page('E0402', 'a header larger than the format allows', {
    cause:
      'The first 8 bytes tell of a header of more than 100 MB. Most likely this is a file of another format.',
    language: 'console',
    example: read,
    cure: 'Convert the file to safetensors: in Python, `safetensors.torch.save_file` or `safetensors.numpy.save_file`.',
  }),
  page('E0403', 'a damaged header', {
    cause: 'The header is no JSON object of tensors, each with `dtype`, `shape` and `data_offsets`.',
    language: 'text',
    example: '{"weight": {"dtype": "F32", "shape": [2]}}\n',
    cure: 'Write the file with a safetensors library.',
    fixed: '{"weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}\n',
  }),
  page('E0404', 'a tensor that stands twice in a file', {
    cause: 'A name stands twice in the header, so it is not clear which tensor is meant.',
    language: 'text',
    example:
      '{"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},\n "w": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}\n',
    cure: 'Give the tensors different names.',
  }),
  page('E0405', 'a dtype that cannot be read', {
    cause:
      'A tensor has a dtype that the reader does not know, such as an 8-bit float. The hint lists those that it does.',
    language: 'text',
    example: '{"w": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}\n',
    cure: 'Convert the tensor before it is saved, for instance to `F32`.',
  }),
  page('E0406', 'a tensor at an impossible place', {
    cause:
      'The bytes of a tensor lie outside the file, overlap those of another, or leave bytes that belong to none. The file is damaged or cut off.',
    language: 'text',
    example: '{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}   // and only 4 bytes of data\n',
    cure: 'Copy or download the file again, or write it with a safetensors library.',
  }),
  page('E0407', 'a tensor with too many or too few bytes', {
    cause: 'The dtype and shape of a tensor need another number of bytes than its place has.',
    language: 'text',
    example: '{"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 16]}}\n',
    cure: 'Write the file with a safetensors library.',
    fixed: '{"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}\n',
  }),
  page('E0408', 'a value that its type cannot hold', {
    cause:
      'Kernels have 32-bit integers. A 64-bit integer of a file does not fit, or a value that is to be written.',
    language: 'console',
    example: read,
    cure: 'Make the values smaller: class numbers and token ids always fit.',
  }),
  page('E0411', 'data without examples', {
    cause: 'The leading axis of the `data` that has the batch size is 0 long.',
    language: 'console',
    example: train('--data empty.safetensors --out runs/fit'),
    cure: 'Use a file with examples.',
  }),
  page('E0412', 'a batch that the data cannot fill', {
    cause:
      'There are fewer examples than `--batch`, and partial batches are dropped. Or a `param` has a row for each example of a batch, and some batch would be smaller.',
    language: 'console',
    example: train('--data ten.safetensors --batch 32 --out runs/fit'),
    cure: 'Use a smaller `--batch`, or `--keep-last`.',
    fixed: train('--data ten.safetensors --batch 10 --out runs/fit'),
  }),
  page('E0413', 'a file that cannot be written', {
    cause: 'There is no permission, no room, no such folder, or a file stands where a folder is needed.',
    language: 'console',
    example: train('--data digits.safetensors --out net.dnn/run'),
    cure: 'Choose another place, or make room. What was in the file before is as it was.',
  }),
  page('E0414', 'no checkpoint to resume from', {
    cause:
      'The folder of `--resume` has no checkpoint, or none that is whole. The notes say what is wrong with each.',
    language: 'console',
    example: train('--data digits.safetensors --resume runs/other'),
    cure: 'Name the folder that `--out` named, or start anew with `--out`.',
    fixed: train('--data digits.safetensors --resume runs/fit'),
  }),
  page('E0415', 'a training that cannot go on like this', {
    cause:
      'The program, the data or flags are not those of the training that is to be resumed; its result would be neither the one nor the other.',
    language: 'console',
    example: train('--data digits.safetensors --resume runs/fit --batch 16'),
    cure: 'Leave the flags out: those of the training are taken. Or start anew with `--out`.',
    fixed: train('--data digits.safetensors --resume runs/fit'),
  }),
  page('E0416', 'a training that would be overwritten', {
    cause: 'The folder of `--out` holds a training that is not finished.',
    language: 'console',
    example: train('--data digits.safetensors --out runs/fit'),
    cure: '`--resume` goes on with it, `--overwrite` throws it away.',
    fixed: train('--data digits.safetensors --resume runs/fit'),
  }),
  page('E0417', 'a metric that cannot be watched', {
    cause: '`--monitor` or `--patience` need `--val` and a metric that the program has.',
    language: 'console',
    example: train('--data digits.safetensors --val test.safetensors --monitor acuracy --out runs/fit'),
    cure: 'Name a metric of the program; `:max` or `:min` says which way is better.',
    fixed: train('--data digits.safetensors --val test.safetensors --monitor accuracy --out runs/fit'),
  }),
  page('E0418', 'tensors that do not fit the program', {
    cause:
      'The tensors of `--inputs`, `--data`, `--val` or `--weights`, or those of `weights "file"` in the program, are not those that it takes: one is missing, has another dtype or shape, or is none of its own. All are listed, each with both types.',
    language: 'console',
    example: 'dnnc run net.dnn --net Small --inputs other.safetensors --outputs y.safetensors\n',
    cure: 'Save the tensors under the names and in the shapes that are listed. `dnnc explain FILE` shows those of the parameters; keys of weights from elsewhere are mapped by `rename`.',
    fixed: read,
  }),
  page('E0419', 'a table of names that cannot be used', {
    cause:
      'The file after `rename` cannot be read, is no JSON object of texts, or has a key that is no regular expression.',
    language: 'text',
    example: '{"layer1\\\\.(": "rest."}\n',
    cure: 'Write regular expressions of JavaScript as keys, and what takes their place as values; `$1` is the first group.',
    fixed: '{"^layer1\\\\.": "rest."}\n',
  }),
  page('E0420', 'sizes that the program cannot have', {
    cause:
      'With the sizes of these inputs, a tensor of the program has an axis of length 0 or less, such as the result of a 5 x 5 convolution of an image of 3 x 3.',
    language: 'console',
    example: read,
    cure: 'Give larger inputs, or pad them in the program.',
  }),
  page('E0421', 'a file of data that is not what its format says', {
    cause:
      'A file of `--data` or `--val` is cut off, is of another format than its name says, or has something in it that is no number where one is needed; or pictures of a folder differ in size; or a module fails or yields what is no example. The message names the file and the byte, the line or the example.',
    language: 'console',
    example: train('--data train-images-idx3-ubyte.gz,train-labels-idx1-ubyte.gz --out runs/fit'),
    cure: 'Download or write the file again. What each format looks like is in cli.md under Data.',
  }),
  page('E0430', 'a damaged table of schedules', {
    cause:
      'The file of `--tuning`, or the one that `dnnc tune` is to add to, is no table of measured schedules: it is cut off or edited, or was written by another version. The message names the character or the entry.',
    language: 'text',
    example: '{"format": "dnnc tuning 1", "adapters": {"nvidia": {"kind": "gpu"}}}\n',
    cure: 'Restore the file, or measure again into a new one with `dnnc tune FILE --out TABLE`.',
    fixed: '{"format": "dnnc tuning 1", "adapters": {"nvidia": {"kind": "gpu", "works": {}}}}\n',
  }),
  page('E0501', 'not enough memory', {
    cause:
      'The buffers of a program with these sizes are larger than the device allows or has, or the interpreter needs more than the host has.',
    language: 'console',
    example: train('--data digits.safetensors --batch 65536 --out runs/fit'),
    cure: 'Use a smaller `--batch`; `dnnc explain FILE --dim N=…` shows the bytes for a size.',
  }),
  page('E0502', 'half precision where there is none', {
    cause:
      'With `--precision f16`, kernels keep tensors in `f16`, for which WebGPU has the feature `shader-f16`. The adapter does not have it (`dnnc devices` shows what each has), or the program was to be interpreted, which needs no kernels.',
    language: 'console',
    example: `${read} --precision f16 --target interpret`,
    cure: 'Leave `--precision` away: `f32` runs on every adapter. Weights are the same files for both.',
  }),
];

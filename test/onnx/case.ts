import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { decodeModel, decodeTensor, type ModelProto } from './proto.ts';
import { readTensor, type Tensor } from './tensor.ts';

/** One node test: a model, and tensors in the order of its graph's inputs and outputs. */
export interface NodeCase {
  readonly name: string;
  readonly model: ModelProto;
  readonly inputs: () => readonly (Tensor | undefined)[];
  readonly outputs: () => readonly Tensor[];
}

export function readCase(folder: string, name: string): NodeCase {
  const data = `${folder}/${name}/test_data_set_0`;
  const files = readdirSync(data);
  const tensors = (prefix: string) => {
    const found: Tensor[] = [];
    for (let i = 0; files.includes(`${prefix}_${i}.pb`); i++)
      found.push(readTensor(decodeTensor(readFileSync(`${data}/${prefix}_${i}.pb`))));
    return found;
  };
  return {
    name,
    model: decodeModel(readFileSync(`${folder}/${name}/model.onnx`)),
    inputs: () => tensors('input'),
    outputs: () => tensors('output'),
  };
}

/** The cases of a folder: its subfolders with a model. */
export const caseNames = (folder: string): string[] =>
  readdirSync(folder)
    .filter(name => existsSync(`${folder}/${name}/model.onnx`))
    .sort();

import { Attrs, named, Untranslated } from './attrs.ts';
import type { TrainCase } from './case.ts';

/** What stands behind `by`: clipping, the sign, the optimiser with its learning rate. */
export function links({ optimizer, clip_grad_norm, clip_grad_value, lr_schedule }: TrainCase): string {
  const attrs = new Attrs(String(optimizer.type), optimizer);
  const maximize = attrs.boolean('maximize') ? ['maximize'] : [];
  const own = optimiser(attrs, String(attrs.get('type')).toLowerCase(), rate(attrs, lr_schedule));
  for (const how of ['foreach', 'capturable', 'differentiable', 'fused']) attrs.get(how);
  attrs.done();
  return [...clipping(clip_grad_norm, clip_grad_value), ...maximize, own].join(' -> ');
}

function clipping(norm: unknown, value: unknown): string[] {
  const byValue = optionsOf(value, 'clip_value');
  const byNorm = optionsOf(norm, 'max_norm');
  return [
    ...(byValue ? [`clip_value(${byValue.number('clip_value')})`] : []),
    ...(byNorm ? [`clip_norm(${byNorm.number('max_norm')}${named({ p: byNorm.number('norm_type') })})`] : []),
  ];
}

/** `0.5`, or an object with more. */
function optionsOf(given: unknown, main: string): Attrs | undefined {
  if (given === null || given === undefined) return undefined;
  return new Attrs(main, typeof given === 'object' ? (given as Record<string, unknown>) : { [main]: given });
}

const defaultRates: Readonly<Record<string, number>> = {
  ...{ adam: 1e-3, adamw: 1e-3, radam: 1e-3, adamax: 2e-3, nadam: 2e-3 },
  ...{ rmsprop: 1e-2, adagrad: 1e-2, rprop: 1e-2, adadelta: 1 },
};

/** The learning rate as a function of `iter`. */
function rate(attrs: Attrs, schedule: unknown): string | number | undefined {
  const lr = attrs.number('lr');
  if (schedule === null || schedule === undefined) return lr;
  const start = lr ?? defaultRates[String(attrs.get('type')).toLowerCase()];
  if (typeof schedule !== 'object') throw new Untranslated('this learning-rate schedule');
  const given = new Attrs('a learning-rate schedule', schedule as Record<string, unknown>);
  const kind = String(given.get('type') ?? given.get('name'));
  const every = given.number('steps_per_epoch') ?? given.number('every') ?? 1;
  const t = every === 1 ? 'iter' : `floor(iter / ${every})`;
  const text = scheduled(kind.toLowerCase().replace(/_?(annealing)?_?(lr|decay)?$/, ''), start!, t, given);
  given.done();
  return text;
}

function scheduled(kind: string, lr: number, t: string, given: Attrs): string {
  const steps = (...names: readonly string[]): number => {
    const found = names.map(n => given.number(n)).find(n => n !== undefined);
    if (found === undefined) throw new Untranslated(`the schedule ${kind} without ${names[0]}`);
    return found;
  };
  switch (kind) {
    case 'step':
      return `step_decay(${lr}, ${t}, ${steps('step_size')}${named({ factor: given.number('gamma') })})`;
    case 'multistep':
    case 'multi_step':
      return `milestone_decay(${lr}, ${t}, ${given.ints('milestones')}${named({ factor: given.number('gamma') })})`;
    case 'exponential':
    case 'exp':
      return `exponential_decay(${lr}, ${t}, ${steps('gamma')})`;
    case 'cosine':
      return `cosine_decay(${lr}, ${t}, ${steps('T_max', 't_max', 'steps')}${named({ end: given.number('eta_min') })})`;
    case 'cosineannealingwarmrestarts':
    case 'cosine_warm_restarts':
      given.only('T_mult', 1);
      return `cosine_restarts(${lr}, ${t}, ${steps('T_0')}${named({ end: given.number('eta_min') })})`;
    case 'linear': {
      const ends = { from: given.number('start_factor'), to: given.number('end_factor') };
      return `linear_factor(${lr}, ${t}, ${given.number('total_iters') ?? 5}${named(ends)})`;
    }
    case 'constant': {
      const count = given.number('total_iters') ?? 5;
      return `constant_factor(${lr}, ${t}, ${count}${named({ factor: given.number('factor') })})`;
    }
    case 'polynomial': {
      const count = given.number('total_iters') ?? 5;
      return `polynomial_decay(${lr}, ${t}, ${count}${named({ power: given.number('power') })})`;
    }
    case 'warmup':
    case 'warm_up':
    case 'linear_warmup':
      return `warm_up(${lr}, ${t}, ${steps('warmup_steps', 'warmup', 'steps', 'total_iters')})`;
    default:
      throw new Untranslated(`the schedule ${kind}`);
  }
}

function optimiser(attrs: Attrs, type: string, lr: string | number | undefined): string {
  const call = (values: Record<string, string | number | boolean | undefined>) =>
    `${type}(${named({ lr, ...values }).slice(2)})`;
  const decay = { weight_decay: attrs.number('weight_decay') };
  const momenta = () => {
    const [beta1, beta2] = attrs.numbers('betas') ?? [];
    return { beta1, beta2, eps: attrs.number('eps') };
  };
  switch (type) {
    case 'sgd':
      return call({
        ...decay,
        momentum: attrs.number('momentum'),
        nesterov: attrs.boolean('nesterov'),
        dampening: attrs.number('dampening'),
      });
    case 'adam':
    case 'adamw':
      return call({ ...decay, ...momenta(), amsgrad: attrs.boolean('amsgrad') });
    case 'adamax':
    case 'radam':
      return call({ ...decay, ...momenta() });
    case 'nadam':
      return call({ ...decay, ...momenta(), momentum_decay: attrs.number('momentum_decay') });
    case 'rmsprop':
      return call({
        ...decay,
        alpha: attrs.number('alpha'),
        eps: attrs.number('eps'),
        momentum: attrs.number('momentum'),
        centered: attrs.boolean('centered'),
      });
    case 'adagrad': {
      const start = attrs.number('initial_accumulator_value');
      return call({ ...decay, eps: attrs.number('eps'), lr_decay: attrs.number('lr_decay'), start });
    }
    case 'asgd':
      return call({
        ...decay,
        lambda: attrs.number('lambd'),
        alpha: attrs.number('alpha'),
        t0: attrs.number('t0'),
      });
    case 'adadelta':
      return call({ ...decay, rho: attrs.number('rho'), eps: attrs.number('eps') });
    case 'rprop': {
      const [shrink, grow] = attrs.numbers('etas') ?? [];
      const [smallest, largest] = attrs.numbers('step_sizes') ?? [];
      return call({ shrink, grow, smallest, largest });
    }
    default:
      throw new Untranslated(`the optimiser ${type}`);
  }
}

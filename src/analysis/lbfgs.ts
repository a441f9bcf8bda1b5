/**
 * Minimises a smooth function by limited-memory BFGS (Liu and Nocedal 1989) with a line search for the
 * strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6). Deterministic.
 */

/** Value at `point`; the gradient is written into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  /** Steps at most. Default 200. */
  maxIterations?: number;
  /** Ends where the greatest part of the gradient is below this. Default 1e-6. */
  tolerance?: number;
  /** Steps that are remembered. Default 10. */
  history?: number;
}

export interface Minimum {
  point: Float64Array;
  value: number;
  iterations: number;
  converged: boolean;
}

const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const MOST_TRIALS = 25;

interface Trial {
  step: number;
  value: number;
  slope: number;
  point: Float64Array;
  gradient: Float64Array;
}

export function minimise(
  objective: Objective,
  start: Float64Array,
  { maxIterations = 200, tolerance = 1e-6, history = 10 }: LbfgsOptions = {},
): Minimum {
  let point: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(start.length);
  let value = objective(point, gradient);
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (greatest(gradient) <= tolerance)
      return { point, value, iterations: iteration, converged: true };
    const direction = descent(gradient, steps, changes);
    const first = iteration === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const next = search(objective, { point, gradient, value }, direction, first);
    if (!next) return { point, value, iterations: iteration, converged: false };
    const step = difference(next.point, point);
    const change = difference(next.gradient, gradient);
    if (dot(step, change) > 1e-14 * dot(change, change)) {
      steps.push(step);
      changes.push(change);
      if (steps.length > history) {
        steps.shift();
        changes.shift();
      }
    }
    const gained = value - next.value;
    ({ point, gradient, value } = next);
    if (gained <= 1e-15 * Math.max(1, Math.abs(value))) {
      return { point, value, iterations: iteration + 1, converged: true };
    }
  }
  return { point, value, iterations: maxIterations, converged: greatest(gradient) <= tolerance };
}

/** The two-loop recursion: minus the approximate inverse Hessian times the gradient. */
function descent(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
): Float64Array {
  const direction = gradient.map((value) => -value);
  const weights = new Float64Array(steps.length);
  for (let at = steps.length - 1; at >= 0; at--) {
    const [step, change] = [steps[at], changes[at]];
    if (!step || !change) continue;
    const weight = dot(step, direction) / dot(step, change);
    weights[at] = weight;
    addScaled(direction, change, -weight);
  }
  const [step, change] = [steps.at(-1), changes.at(-1)];
  if (step && change) {
    const scale = dot(step, change) / dot(change, change);
    for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] ?? 0) * scale;
  }
  for (const [at, one] of steps.entries()) {
    const other = changes[at];
    if (!other) continue;
    const weight = dot(other, direction) / dot(one, other);
    addScaled(direction, one, (weights[at] ?? 0) - weight);
  }
  return direction;
}

/** A step that lowers the value enough and flattens the slope; `undefined` where none is found. */
function search(
  objective: Objective,
  from: { point: Float64Array; gradient: Float64Array; value: number },
  direction: Float64Array,
  first: number,
): Trial | undefined {
  const slope = dot(from.gradient, direction);
  if (!(slope < 0)) return undefined;
  const origin: Trial = { step: 0, slope, ...from };
  const attempt = (step: number): Trial => {
    const point = from.point.slice();
    addScaled(point, direction, step);
    const gradient = new Float64Array(point.length);
    const value = objective(point, gradient);
    return { step, value, slope: dot(gradient, direction), point, gradient };
  };
  const isTooHigh = ({ step, value }: Trial): boolean =>
    !(value <= from.value + SUFFICIENT_DECREASE * step * slope);
  const isFlat = (trial: Trial): boolean => Math.abs(trial.slope) <= -CURVATURE * slope;
  let previous = origin;
  let step = first;
  for (let count = 0; count < MOST_TRIALS; count++) {
    const trial = attempt(step);
    if (isTooHigh(trial) || (count > 0 && trial.value >= previous.value)) {
      return zoom(attempt, previous, trial, { isTooHigh, isFlat });
    }
    if (isFlat(trial)) return trial;
    if (trial.slope >= 0) return zoom(attempt, trial, previous, { isTooHigh, isFlat });
    previous = trial;
    step *= 2;
  }
  return previous === origin ? undefined : previous;
}

/** Halves in on a step between `low`, which is low enough, and `high`. */
function zoom(
  attempt: (step: number) => Trial,
  low: Trial,
  high: Trial,
  { isTooHigh, isFlat }: { isTooHigh: (t: Trial) => boolean; isFlat: (t: Trial) => boolean },
): Trial | undefined {
  let [near, far] = [low, high];
  for (let count = 0; count < MOST_TRIALS; count++) {
    const trial = attempt(between(near, far));
    if (isTooHigh(trial) || trial.value >= near.value) {
      far = trial;
    } else {
      if (isFlat(trial)) return trial;
      if (trial.slope * (far.step - near.step) >= 0) far = near;
      near = trial;
    }
  }
  return near.step > 0 ? near : undefined;
}

/** The least of the parabola through both, kept off the ends; the middle where there is none. */
function between(near: Trial, far: Trial): number {
  const width = far.step - near.step;
  const curvature = 2 * (far.value - near.value - near.slope * width);
  const share = curvature > 0 ? (-near.slope * width) / curvature : Number.NaN;
  return near.step + width * (share > 0.1 && share < 0.9 ? share : 0.5);
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}

function addScaled(target: Float64Array, values: Float64Array, scale: number): void {
  for (let at = 0; at < target.length; at++) {
    target[at] = (target[at] ?? 0) + scale * (values[at] ?? 0);
  }
}

function difference(left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, at) => value - (right[at] ?? 0));
}

function greatest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

export { applySettings, parseRunConfig, type RawConfig } from './config.ts';
export type { RunOutcome, TrainEvent, TrainOptions } from './events.ts';
export { gatherMaterial, type Material } from './material.ts';
export { measureSpeed, type Speed } from './probe.ts';
export { evaluationIsDue, type Machine, resolveMachine, resolveWorkers } from './resolve.ts';
export { trainRun } from './run.ts';
export { createOptimiser, Stepper, type StepperOptions, trainingLoss } from './stepper.ts';

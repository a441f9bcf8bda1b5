export { type Aggregate, type Axes, aggregate, type Cell, type Comparison } from './aggregate.ts';
export type { ChildProgram } from './child.ts';
export { type ExecuteOptions, type Execution, execute, type RunOutcome } from './execute.ts';
export { type BySeed, type Gain, gainOf, normalise, reuseShare, transferGain } from './gains.ts';
export { type PlannedRun, runTitle, studyPaths } from './run.ts';
export { type RunState, type RunStatus, readRunState, readStates } from './state.ts';

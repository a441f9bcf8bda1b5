export { aggregate } from './aggregate.ts';
export {
  type AnalysisJob,
  type AnalysisOutcome,
  dueAnalyses,
  jobTitle,
  pairsOf,
  runAnalyses,
} from './analyses.ts';
export { findingsOf, formatAnalyses, type ReadAnalyses, readAnalyses } from './analysisTable.ts';
export { type Cancelled, cancelStudy, registerRunner } from './cancel.ts';
export {
  compareInits,
  formatComparisons,
  formatCurves,
  formatModels,
  studyCurves,
} from './comparisons.ts';
export { deletedRuns } from './damage.ts';
export type { NamedData } from './dataAxis.ts';
export { describeStudy, formatStudy } from './describe.ts';
export { formatBytes } from './disk.ts';
export {
  estimateBytes,
  estimateIterations,
  estimateStudy,
  type RunEstimate,
  type StudyEstimate,
} from './estimate.ts';
export { type ExecuteOptions, type Execution, execute, type RunOutcome } from './execute.ts';
export type { ChildProgram } from './executors/child.ts';
export type { Attempt, AttemptEnd, Executor, Reservation } from './executors/executor.ts';
export { LocalExecutor, type LocalOptions } from './executors/local.ts';
export { RunMemory, visibleGpus } from './executors/machine.ts';
export { type ExecutorSettings, executorNamed, executorSchema } from './executors/settings.ts';
export { SlurmExecutor, type SlurmOptions } from './executors/slurm.ts';
export { dueFid, type FidJob, readFrechet, runFid } from './fid.ts';
export {
  locateFolder,
  type PreparedStudy,
  prepareStudy,
  readPlan,
  studyFolder,
  writeStudyFolder,
} from './folder.ts';
export { type BySeed, gainOf, normalise, reuseShare, transferGain } from './gains.ts';
export {
  deleteGarbage,
  findGarbage,
  type Garbage,
  type GarbageKind,
  type GarbageReport,
  type Kept,
} from './gc.ts';
export { formatStudySchema, SCHEMA_FILE, studyJsonSchema } from './jsonSchema.ts';
export { chooseRates, formatRates, type RateChoice } from './learningRates.ts';
export { type DataFacts, type Plan, type PlanFacts, planRuns, shareMachine } from './plan.ts';
export { probeSpeeds } from './probe.ts';
export {
  type QueryResult,
  type QueryView,
  queryStudy,
  queryViews,
  type ViewColumn,
} from './query.ts';
export { type Report, writeReport } from './report.ts';
export { loadStudySchema, readStudy } from './resolve.ts';
export { initLabel, type PlannedRun, runTitle, studyPaths } from './run.ts';
export { measureSharing, type SharingOptions } from './sharing.ts';
export { type RunState, type RunStatus, readRunState, readStates } from './state.ts';
export { StateReader } from './stateReader.ts';
export { countStates, estimateSeconds, type StatusCounts } from './status.ts';
export type { AnalysisRequest, FidRequest, Study, StudySource } from './study.ts';
export {
  type FailedRun,
  type ProgressCounts,
  type RunningRun,
  type StudyStatus,
  studyStatus,
} from './studyStatus.ts';
export { firstToReach, readSummary } from './summary.ts';
export { GRID_VARIANT, modelLabels, tableRows } from './tableRows.ts';
export {
  type CurveInput,
  transferCurves,
} from './transferCurve.ts';

export {
  type AnalysedRun,
  type AnalysisDocument,
  type AttentionDocument,
  analysisPaths,
  analysisSchema,
  type CalibrationDocument,
  type CkaDocument,
  type ConvergenceDocument,
  type FidDocument,
  fidSchema,
  hasGlobalAttention,
  type KnnDocument,
  type L2Document,
  type MeasureName,
  measureNames,
  type ReinitDocument,
} from './analysis.ts';
export { readAnalysis, writeAnalysis } from './analysisFiles.ts';
export { type CsvCell, formatCsv } from './csv.ts';
export {
  type ColumnType,
  type DataColumn,
  formatCsvTable,
  json,
  real,
  text,
  truth,
  whole,
  writeCsvTable,
} from './dataTable.ts';
export {
  createTable,
  insertRows,
  loadDuckDb,
  type MemoryDatabase,
  openMemoryDatabase,
  writeParquetTable,
} from './duckdb.ts';
export {
  type Init,
  initRank,
  initSchema,
  initTitle,
  keepModules,
  parseInit,
  partialTransferSchema,
} from './initialisation.ts';
export {
  hasSettings,
  type MeasureSettings,
  measureOptionSchemas,
  measureSettings,
} from './measureOptions.ts';
export { HEARTBEAT_LIMIT_SECONDS, isAlive, thisProcess } from './ownership.ts';
export {
  type PaperCell,
  type PaperDataSet,
  type PaperModel,
  paperCells,
  paperDataSets,
  paperModels,
} from './paper.ts';
export {
  type EvaluationLine,
  evaluationLineSchema,
  evaluationSchema,
  type IdentityParts,
  type LogLine,
  logLineSchema,
  METHOD_VERSION,
  metricValueSchema,
  type Owner,
  ownerSchema,
  type Resolved,
  type RunRecord,
  type RunResult,
  resolvedSchema,
  runIdentity,
  runRecordSchema,
  runResultSchema,
  type TrainLine,
  trainLineSchema,
} from './run.ts';
export {
  readEvaluations,
  readLog,
  readRunRecord,
  runPaths,
  writeRunRecord,
} from './runFiles.ts';
export type {
  Aggregate,
  AnalysisRow,
  Axes,
  Cell,
  Comparison,
  CurvePoint,
  DataSummary,
  Gain,
  LearningCurve,
  ModelSummary,
  PairedComparison,
  RunCost,
  Spread,
  Statistic,
  StudyCost,
  StudyEnvironment,
  StudySummary,
  TransferCurve,
  UnfinishedRun,
} from './summary.ts';
export {
  neededResultColumns,
  type ResultRow,
  resultColumns,
  writeResults,
} from './table.ts';
export {
  initOptionsSchema,
  methodSettings,
  type RunConfig,
  runConfigSchema,
  type TrainingSettings,
  trainingSchema,
} from './training.ts';
export {
  type KeyPath,
  knownKeys,
  parseSetting,
  parseYamlMap,
  type ValidateOptions,
  validate,
  validateYaml,
  yamlPlaces,
} from './validate.ts';

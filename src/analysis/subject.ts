/** What is analysed: a finished run, its data and networks, and perhaps another run beside it. */
import {
  type DataSet,
  Loader,
  openDataSet,
  parseDataSpec,
  readSplits,
  type SplitName,
  type Splits,
  splitsIdentity,
} from '../data/index.ts';
import { type OpenedRun, openRun, type RunCheckpoint } from '../eval/index.ts';
import type { ImageModel } from '../models/index.ts';
import { type AnalysedRun, METHOD_VERSION, runPaths } from '../results/index.ts';
import { type Device, libtorchVersion } from '../tensor/index.ts';
import { WorkError } from '../util/index.ts';
import { requireComparable } from './comparable.ts';
import { type FinishedRun, readFinishedRun } from './finishedRun.ts';
import type { TaskDescription } from './scores.ts';

/** A network of the run that is analysed, or of the one that it is set against. */
export type NetworkKey = `${'run' | 'against'}:${RunCheckpoint}`;

export interface SubjectOptions {
  device: Device;
  /** Of forward passes; by default float32 at taps, and the run's own where logits are judged. */
  precision?: 'fp32' | 'bf16';
  /** Decoding threads; 0 decodes in the caller's. */
  workers: number;
  signal?: AbortSignal;
  onImages?: (done: number, total: number) => void;
}

export class Subject {
  readonly run: FinishedRun;
  readonly against: FinishedRun | undefined;
  readonly warnings: string[] = [];
  readonly options: SubjectOptions;
  readonly #networks = new Map<NetworkKey, OpenedRun>();
  #data: { dataset: DataSet; splits: Splits } | undefined;

  private constructor(run: FinishedRun, against: FinishedRun | undefined, options: SubjectOptions) {
    this.run = run;
    this.against = against;
    this.options = options;
  }

  /**
   * Reads the records; data and networks are opened when a measure needs them.
   * @throws RequestError for runs that are not finished, or differ in what makes them incomparable.
   */
  static async open(
    folder: string,
    against: string | undefined,
    options: SubjectOptions,
  ): Promise<Subject> {
    const run = await readFinishedRun(folder);
    const other = against === undefined ? undefined : await readFinishedRun(against);
    if (other) requireComparable(run, other);
    return new Subject(run, other, options);
  }

  /** Number format in which taps are read. */
  get tapPrecision(): 'fp32' | 'bf16' {
    return this.options.precision ?? 'fp32';
  }

  /** Number format in which the run evaluated itself, so that its metrics come out again. */
  get runPrecision(): 'fp32' | 'bf16' {
    return this.options.precision ?? this.run.resolved.precision;
  }

  get description(): TaskDescription {
    const { task, metric, classes } = this.run.data;
    return { task, metric, classes };
  }

  /** The networks, in evaluation mode on the device. @throws WorkError for a damaged checkpoint. */
  async openNetworks(keys: Iterable<NetworkKey>): Promise<void> {
    for (const key of new Set(keys)) {
      if (this.#networks.has(key)) continue;
      const [side, checkpoint] = key.split(':') as ['run' | 'against', RunCheckpoint];
      const owner = side === 'run' ? this.run : this.against;
      if (!owner) throw new Error(`no run for ${key}`);
      const opened = await openRun(owner.folder, checkpoint);
      if (this.options.device !== 'cpu') opened.model.to({ device: this.options.device });
      this.#networks.set(key, opened);
      this.warn(...opened.warnings);
    }
  }

  network(key: NetworkKey): ImageModel {
    const opened = this.#networks.get(key);
    if (!opened) throw new Error(`the network ${key} was not opened`);
    return opened.model;
  }

  /** Opens the data set and finds the run's splits in it. @throws WorkError where either has changed. */
  async openData(): Promise<void> {
    if (this.#data) return;
    const { record, data, folder } = this.run;
    const { signal } = this.options;
    const dataset = await openDataSet(parseDataSpec(record.config.data), { signal });
    if (dataset.identity !== data.identity) {
      throw new WorkError({
        where: `data set ${dataset.name}`,
        expected: 'the images and labels that the run was trained on',
        got: 'others: a file, a label or a group has changed since',
        hint: 'put the data back as it was, or train the run again',
      });
    }
    const splits = await readSplits(runPaths(folder).splits, dataset);
    if (splitsIdentity(dataset, splits) !== data.splits) {
      throw new WorkError({
        where: runPaths(folder).splits,
        expected: 'the splits that the run was trained on',
        got: 'others: the file has changed since',
        hint: 'put it back as it was, or train the run again',
      });
    }
    this.#data = { dataset, splits };
  }

  /** The batches of a split in order, as the run evaluates them: centre crops, the run's own norm. */
  async openSplit(split: SplitName, batchSize: number): Promise<Loader> {
    await this.openData();
    if (!this.#data) throw new Error('no data');
    const { dataset, splits } = this.#data;
    const { data, resolved, record } = this.run;
    const { workers, signal, onImages } = this.options;
    return Loader.open({
      dataset,
      indices: splits[split],
      size: resolved.size,
      resize: resolved.resize,
      mean: data.mean,
      std: data.std,
      batchSize,
      shuffle: false,
      dropLast: false,
      seed: record.config.seed,
      workers,
      onBadImage: record.config.training.onBadImage,
      signal,
      ...(onImages ? { onProgress: onImages } : {}),
    });
  }

  /** What an image is called in errors. */
  imageName(index: number): string {
    return this.#data?.dataset.samples[index]?.id ?? `image ${index}`;
  }

  warn(...texts: readonly string[]): void {
    for (const text of texts) if (!this.warnings.includes(text)) this.warnings.push(text);
  }

  /** The head of a document. */
  head(keys: readonly NetworkKey[], { isPair }: { isPair: boolean }) {
    const { against } = this;
    return {
      format: 1 as const,
      run: analysedRun(this.run, checkpointsOf(keys, 'run')),
      ...(isPair && against
        ? { against: analysedRun(against, checkpointsOf(keys, 'against')) }
        : {}),
      versions: {
        method: METHOD_VERSION,
        node: process.versions.node,
        libtorch: libtorchVersion(),
      },
      warnings: [...this.warnings],
    };
  }

  dispose(): void {
    for (const { model } of this.#networks.values()) model.dispose();
    this.#networks.clear();
  }
}

function checkpointsOf(keys: readonly NetworkKey[], side: 'run' | 'against'): RunCheckpoint[] {
  return (['initial', 'best'] as const).filter((name) => keys.includes(`${side}:${name}`));
}

function analysedRun({ record, data }: FinishedRun, checkpoints: RunCheckpoint[]): AnalysedRun {
  const { model, init, seed } = record.config;
  return { runId: record.runId, model, init, seed, data: data.name, checkpoints };
}

/** Mean attended distance by block and head (METHODS; the paper's figure 18), over the test images. */
import type { ImageModel } from '../models/index.ts';
import type { AnalysisDocument, AttentionDocument } from '../results/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { mean, RequestError } from '../util/index.ts';
import { AttendedDistance, uniformDistance } from './attendedDistance.ts';
import { nonFinite } from './finite.ts';
import type {
  BatchView,
  Measure,
  MeasureOptions,
  Outcome,
  Reader,
  TextTable,
  Work,
} from './measure.ts';
import { describeNumber } from './show.ts';
import type { NetworkKey, Subject } from './subject.ts';

export const attention: Measure = {
  name: 'attention',
  summary: 'how far, in pixels, each head of a vision transformer looks',
  takesPair: false,
  networks: ({ checkpoint }) => [`run:${checkpoint}`],
  begin: (subject, options) => new AttentionWork(subject, options),
  table,
};

class AttentionWork implements Work {
  readonly readers: readonly Reader[];
  readonly #subject: Subject;
  readonly #network: NetworkKey;
  readonly #layout: { grid: number; patchSize: number };
  readonly #layers = new Map<string, AttendedDistance>();
  #images = 0;

  constructor(subject: Subject, options: MeasureOptions) {
    this.#subject = subject;
    this.#network = `run:${options.checkpoint}`;
    this.#layout = layoutOf(subject.network(this.#network));
    this.readers = [
      {
        network: this.#network,
        split: 'test',
        attention: (tap, parts, batch) => this.#read(tap, parts, batch),
      },
    ];
  }

  batchDone(batch: BatchView): void {
    this.#images += batch.indices.length;
  }

  finish(): Outcome {
    const { grid, patchSize } = this.#layout;
    const document: AttentionDocument = {
      ...this.#subject.head([this.#network], { isPair: false }),
      measure: 'attention',
      precision: this.#subject.tapPrecision,
      images: this.#images,
      unit: 'pixels',
      grid,
      patchSize,
      uniform: uniformDistance(grid, patchSize),
      layers: [...this.#layers].map(([tap, distances]) => {
        const heads = distances.heads();
        const present = heads.filter((value) => value !== undefined);
        return {
          tap,
          mean: present.length > 0 ? mean(present) : null,
          heads: heads.map((value) => value ?? null),
          skipped: distances.skipped(),
        };
      }),
    };
    return { document };
  }

  #read(tap: string, parts: readonly Tensor[], batch: BatchView): void {
    const { grid, patchSize } = this.#layout;
    let offset = 0;
    for (const part of parts) {
      const [samples = 0, heads = 0] = part.shape;
      const layer = this.#layers.get(tap) ?? new AttendedDistance(heads, grid, patchSize);
      this.#layers.set(tap, layer);
      const bad = layer.add(part);
      if (bad !== undefined) {
        const image = this.#subject.imageName(batch.indices[offset + bad] ?? -1);
        throw nonFinite({ tap, image }, Number.NaN);
      }
      offset += samples;
    }
  }
}

/** Patches along a side and pixels along a patch. @throws RequestError for a network without them. */
function layoutOf(model: ImageModel): { grid: number; patchSize: number } {
  const positions = model.state().get('pos_embed');
  const tokens = positions?.shape[1] ?? 0;
  const grid = Math.sqrt(tokens - 1);
  if (positions && Number.isInteger(grid) && grid > 0) {
    return { grid, patchSize: model.inputSize / grid };
  }
  throw new RequestError({
    where: `attention of ${model.id}`,
    expected: 'a vision transformer whose patches all attend to each other, such as deit_small',
    got: model.family === 'cnn' ? 'a convolutional network' : 'one with windows of attention',
  });
}

function table(document: AnalysisDocument): TextTable {
  if (document.measure !== 'attention') throw new Error('another measure');
  const { layers, uniform, images } = document;
  const heads = Math.max(...layers.map((layer) => layer.heads.length), 0);
  return {
    columns: ['tap', 'mean', ...Array.from({ length: heads }, (_, head) => `head ${head + 1}`)],
    rows: layers.map((layer) => [
      layer.tap,
      describeNumber(layer.mean, 2),
      ...layer.heads.map((value) => describeNumber(value, 2)),
    ]),
    notes: [
      `pixels, over ${images} test images; attention to all patches alike: ${uniform.toFixed(2)}`,
    ],
  };
}

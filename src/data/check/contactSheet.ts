/** Pictures as a network gets them: a row for each sample, evaluated and augmented. */
import { fromTypedArray, scope, type Tensor } from '../../tensor/index.ts';
import { changedImages, evaluationBatch } from '../augment/apply.ts';
import { drawChange } from '../augment/draw.ts';
import { augmentSchema } from '../augment/settings.ts';
import { classText, type DataSet } from '../dataSet.ts';
import type { ImageStore } from '../images/imageStore.ts';
import { sharp } from '../images/sharp.ts';
import { nestedOrder } from '../splits/subset.ts';

/** A picture of the sheet: size × size × 3 bytes. */
export interface SheetRow {
  id: string;
  className: string;
  /** The centre, as in evaluation. */
  evaluated: Uint8Array;
  /** The training pictures of the first epochs. */
  augmented: Uint8Array[];
}

export interface ContactSheet {
  /** Pixels of a side of every picture. */
  size: number;
  rows: SheetRow[];
}

const epochs = 5;
const mostRows = 12;

/** Pixels between pictures, and of a picture's side on the sheet. */
const gap = 6;
const tile = 128;

/** Rows for samples of all classes, up to twelve. */
export async function makeContactSheet(
  dataset: DataSet,
  store: ImageStore,
  indices: readonly number[],
  { resize, size }: { resize: number; size: number },
): Promise<ContactSheet> {
  const good = indices.filter((index) => store.badReason(index) === undefined);
  const chosen = nestedOrder(dataset, good, 0)
    .flatMap(([first]) => first ?? [])
    .slice(0, mostRows);
  const augment = augmentSchema.parse({});
  const rows: SheetRow[] = [];
  for (const index of chosen) {
    const pixels = new Uint8Array(store.bytesPerImage);
    await store.read([index], pixels);
    const sample = dataset.samples[index];
    const [evaluated = [], changed = []] = scope(() => {
      const one = fromTypedArray(pixels, [1, resize, resize, 3], { dtype: 'uint8' });
      const plain = { mean: [0, 0, 0], std: [1, 1, 1] };
      const changes = Array.from({ length: epochs }, (_, epoch) =>
        drawChange(augment, { resize, size }, { seed: 0, epoch, index }),
      );
      return [
        [bytesOf(evaluationBatch(one, size, plain))],
        changes.map((change) => bytesOf(changedImages(one, [change], size))),
      ];
    });
    rows.push({
      id: sample?.id ?? '',
      className: sample ? classText(dataset, sample) : '',
      evaluated: evaluated[0] ?? new Uint8Array(),
      augmented: changed,
    });
  }
  return { size, rows };
}

/** [1, 3, H, W] from 0 to 1 as rows of pixels. */
function bytesOf(image: Tensor): Uint8Array {
  const values = image.toArray();
  const area = values.length / 3;
  return Uint8Array.from({ length: values.length }, (_, at) =>
    Math.round(255 * (values[(at % 3) * area + Math.floor(at / 3)] ?? 0)),
  );
}

/** A picture of the sheet as a JPEG file. */
export async function encodeTile(pixels: Uint8Array, size: number): Promise<Buffer> {
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** The whole sheet as a PNG file: evaluated pictures in the first column, then the augmented ones. */
export async function encodeSheet({ size, rows }: ContactSheet): Promise<Buffer> {
  const columns = epochs + 1;
  const step = tile + gap;
  const pieces = await Promise.all(
    rows.flatMap(({ evaluated, augmented }, row) =>
      [evaluated, ...augmented].map(async (pixels, column) => ({
        input: await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
          .resize(tile, tile)
          .png()
          .toBuffer(),
        left: gap + column * step + (column > 0 ? gap : 0),
        top: gap + row * step,
      })),
    ),
  );
  const canvas = {
    width: 2 * gap + columns * step,
    height: gap + rows.length * step,
    channels: 3 as const,
    background: '#ffffff',
  };
  return sharp({ create: canvas }).composite(pieces).png().toBuffer();
}

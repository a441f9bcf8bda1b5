/**
 * FID between two sets of images (METHODS; Heusel et al. 2017): how far the domains lie apart, by the
 * Fréchet distance of an Inception network's features. Either set may be statistics from a file.
 */
import { type DataSet, type DataSpec, Loader, openDataSet } from '../data/index.ts';
import type { FidDocument } from '../results/index.ts';
import { type Device, libtorchVersion } from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';
import {
  EXTRACTOR_FEATURES,
  EXTRACTOR_NORM,
  EXTRACTOR_SIZE,
  type Extractor,
  type ExtractorName,
  openExtractor,
} from './extractor.ts';
import { frechetDistance, MomentAccumulator, type Moments } from './frechet.ts';
import { readMoments, writeMoments } from './npz.ts';

/** A set of images, or statistics that were saved. */
export type FidSide = { kind: 'images'; spec: DataSpec } | { kind: 'statistics'; path: string };

export interface FidRequest {
  source: FidSide;
  /** Without it only the source's statistics are taken. */
  target?: FidSide;
  extractor: ExtractorName;
  /** The extractor's; needed where a side is images. */
  weights?: string;
  saveSource?: string;
  saveTarget?: string;
  device: Device;
  workers: number;
  onBadImage: 'error' | 'skip';
  signal?: AbortSignal;
  onProgress?: (text: string, done: number, total: number) => void;
}

type SideDocument = FidDocument['source'];

const BATCH = 32;

/**
 * Takes the statistics that are needed, saves those that are asked for, and measures.
 * @throws RequestError and WorkError for images, weights or statistics that cannot be used.
 */
export async function measureFid(request: FidRequest): Promise<FidDocument> {
  const { source, target, weights, extractor: name, device } = request;
  const needsImages = source.kind === 'images' || target?.kind === 'images';
  if (needsImages && weights === undefined) {
    throw new RequestError({
      where: 'carryover analyze fid',
      expected: `--weights, the checkpoint of ${name}`,
      got: 'none',
      hint: 'only two .npz files of statistics need none',
    });
  }
  const extractor =
    needsImages && weights !== undefined ? await openExtractor(name, weights, device) : undefined;
  try {
    const warnings: string[] = [];
    const first = await momentsOf('source', source, extractor, request, warnings);
    if (request.saveSource !== undefined) await writeMoments(request.saveSource, first.moments);
    const second = target && (await momentsOf('target', target, extractor, request, warnings));
    if (request.saveTarget !== undefined && second) {
      await writeMoments(request.saveTarget, second.moments);
    }
    return {
      format: 1,
      measure: 'fid',
      extractor: name,
      ...(extractor ? { weights: extractor.weights.sha256 } : {}),
      source: first.document,
      ...(second
        ? { target: second.document, ...frechetDistance(first.moments, second.moments) }
        : {}),
      versions: { node: process.versions.node, libtorch: libtorchVersion() },
      warnings,
    };
  } finally {
    extractor?.dispose();
  }
}

async function momentsOf(
  role: 'source' | 'target',
  side: FidSide,
  extractor: Extractor | undefined,
  request: FidRequest,
  warnings: string[],
): Promise<{ moments: Moments; document: SideDocument }> {
  if (side.kind === 'statistics') {
    const moments = await readMoments(side.path);
    return { moments, document: { kind: 'statistics', features: moments.mean.length } };
  }
  if (!extractor) throw new Error('no extractor for images');
  const dataset = await openDataSet(side.spec, { signal: request.signal });
  const moments = await extractMoments(role, dataset, extractor, request, warnings);
  const samples = moments.samples ?? 0;
  if (samples < EXTRACTOR_FEATURES) {
    warnings.push(
      `${role} ${dataset.name}: ${samples} images, fewer than the ${EXTRACTOR_FEATURES} features: ` +
        'their covariance is singular, and FIDs of so few images lie too high',
    );
  }
  return {
    moments,
    document: {
      kind: 'images',
      features: EXTRACTOR_FEATURES,
      name: dataset.name,
      identity: dataset.identity,
      images: samples,
    },
  };
}

async function extractMoments(
  role: string,
  dataset: DataSet,
  extractor: Extractor,
  request: FidRequest,
  warnings: string[],
): Promise<Moments> {
  const { workers, onBadImage, signal, onProgress, device } = request;
  const loader = await Loader.open({
    dataset,
    indices: dataset.samples.map((_, index) => index),
    size: EXTRACTOR_SIZE,
    resize: EXTRACTOR_SIZE,
    ...EXTRACTOR_NORM,
    batchSize: BATCH,
    shuffle: false,
    dropLast: false,
    seed: 0,
    workers,
    onBadImage,
    signal,
    device,
    onProgress: (done, total) => onProgress?.(`reading ${role} images`, done, total),
  });
  try {
    warnings.push(...loader.notes);
    if (loader.skipped.length > 0) {
      warnings.push(`${role} ${dataset.name}: ${loader.skipped.length} bad images are left out`);
    }
    const accumulator = new MomentAccumulator(EXTRACTOR_FEATURES);
    let done = 0;
    for await (const batch of loader.epoch(0)) {
      try {
        const features = extractor.features(batch.images);
        accumulator.add(features);
        features.dispose();
      } finally {
        batch.dispose();
      }
      done += batch.indices.length;
      onProgress?.(`${role} features`, done, loader.indices.length);
      signal?.throwIfAborted();
    }
    return accumulator.finish();
  } finally {
    await loader.close();
  }
}

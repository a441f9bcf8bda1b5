/**
 * What every image network offers: its taps (where features are read), its module groups (what weights
 * transfer by), and a forward pass that is an ordered list of named segments, so that it can be observed,
 * stopped and started anywhere.
 */
import { Module } from '../nn/index.ts';
import { ops, scope, type Tensor } from '../tensor/index.ts';
import { RequestError } from '../util/index.ts';

/** A place where features are read and a layer is reset. */
export interface Tap {
  /** Upstream name of the module whose output is read: `layer1.0`, `blocks.0.attn`. */
  name: string;
  /** What the tap's module owns: exact tensor names, or prefixes that end in a dot (see `owns`). */
  prefixes: readonly string[];
  /** 'spatial': [B, C, H, W]; 'tokens': [B, T, D]. */
  kind: 'spatial' | 'tokens';
  /** Whether token 0 is the class token. */
  hasClassToken: boolean;
}

/** One of the modules that WT-ST-n/m counts from the input; together they are the backbone. */
export interface ModuleGroup {
  name: string;
  /** Exact tensor names, or prefixes that end in a dot (see `owns`). */
  prefixes: readonly string[];
}

/** 'cls': the class token; 'spatial': mean over pixels or patches; 'both': the two side by side. */
export type EmbeddingKind = 'cls' | 'spatial' | 'both';

/**
 * Sees a value of the forward pass under its name. The value is the network's own: read it, never change
 * it, and use it during the call only. What the observer computes from it stays; to hold the value
 * itself, make a handle of your own (`ops.alias`, or `ops.detach` to leave the graph).
 */
export type Observer = (name: string, value: Tensor) => void;

export interface RunOptions {
  /** Name of the segment to start with; the first if not given. */
  from?: string;
  /** Name of the segment to stop before: its input is returned. The logits if not given. */
  until?: string;
  /** Called with each tap's value, in order. */
  observe?: Observer;
  /** Called with each attention module's weights [B, heads, T, T], under the name of its tap. */
  observeAttention?: Observer;
}

/** What a segment makes of the state before it. */
export interface SegmentResult {
  /** The input of the next segment. */
  state: Tensor;
  /** The tap's value, of a segment that is a tap. May be the state itself. */
  tap?: Tensor;
  /** Attention weights [B, heads, T, T], of a segment that computes them. */
  attention?: Tensor;
}

/**
 * A step of the forward pass: one tensor in, one tensor out. A segment that contains a tap has the tap's
 * name, and everything the tap's module computes happens in it, so that a network whose module is reset
 * can be run on from the input of that segment.
 */
export interface Segment {
  name: string;
  /**
   * @param lean Nobody looks at anything before the features that the head reads: what they do not
   *   depend on may be left out.
   */
  run(state: Tensor, lean: boolean): SegmentResult;
}

/** What a network is built for. */
export interface ModelOptions {
  /** Outputs of the head, K. */
  classes: number;
  /** 3, or 1 for greyscale images that are not repeated. Default 3. */
  inputChannels?: 1 | 3;
  /** Height and width of the images in pixels. Default: the model's own. */
  imageSize?: number;
}

/** What a network tells of itself when it is built. */
export interface ModelIdentity {
  id: string;
  family: 'cnn' | 'vit';
  classes: number;
  inputChannels: 1 | 3;
  inputSize: number;
}

export abstract class ImageModel extends Module {
  readonly id: string;
  readonly family: 'cnn' | 'vit';
  readonly classes: number;
  readonly inputChannels: 1 | 3;
  /** Height and width of the images in pixels. */
  readonly inputSize: number;

  /** Prefix of the classification layer's names: `fc.` or `head.`. */
  abstract readonly headPrefix: string;
  /** Name of the weight [O, inputChannels, h, w] that meets the image. */
  abstract readonly firstConvolution: string;
  abstract readonly taps: readonly Tap[];
  abstract readonly groups: readonly ModuleGroup[];
  /** The forward pass, in order; the last segment is the head alone. */
  abstract readonly segments: readonly Segment[];

  constructor({ id, family, classes, inputChannels, inputSize }: ModelIdentity) {
    super();
    this.id = id;
    this.family = family;
    this.classes = classes;
    this.inputChannels = inputChannels;
    this.inputSize = inputSize;
  }

  /**
   * The logits [B, K] of images [B, inputChannels, S, S].
   * @param observe called with each tap's value, in order (see `Observer`).
   */
  forward(images: Tensor, observe?: Observer): Tensor {
    this.checkImages(images);
    return this.run(images, { observe });
  }

  /** The features [B, D] that the head reads. */
  features(images: Tensor, observe?: Observer): Tensor {
    this.checkImages(images);
    return this.run(images, { observe, until: this.segments.at(-1)?.name });
  }

  /**
   * Runs the segments from `from` up to, and without, `until` on `state`, the input of the first of them.
   * Where nothing between is observed, what the features do not depend on may be left out, which changes
   * the result by rounding alone. Values between segments are freed as soon as the next has used them;
   * autograd keeps what it needs.
   */
  run(state: Tensor, { from, until, observe, observeAttention }: RunOptions = {}): Tensor {
    const first = from === undefined ? 0 : this.#segmentIndex(from);
    const end = until === undefined ? this.segments.length : this.#segmentIndex(until);
    const observed = observe !== undefined || observeAttention !== undefined;
    const lean = !observed && end >= this.segments.length - 1;
    let current = state;
    for (const { name, run } of this.segments.slice(first, end)) {
      const input = current;
      const result = scope(() => run(input, lean));
      if (result.tap) {
        observe?.(name, result.tap);
        if (result.tap !== result.state) result.tap.dispose();
      }
      if (result.attention) {
        observeAttention?.(name, result.attention);
        result.attention.dispose();
      }
      current = result.state;
      if (input !== state && input !== current) input.dispose();
    }
    return current;
  }

  /** The tap of that name. */
  tap(name: string): Tap {
    const tap = this.taps.find((candidate) => candidate.name === name);
    if (!tap) throw unknownName(this.id, 'tap', name, this.taps);
    return tap;
  }

  /** The kinds of embedding that a tap has; the first is its default. */
  embeddingKinds(tap: string): readonly EmbeddingKind[] {
    return this.tap(tap).hasClassToken ? ['both', 'cls', 'spatial'] : ['spatial'];
  }

  /**
   * One vector per image from a tap's value: the mean over pixels or over patch tokens ('spatial'), the
   * class token ('cls'), or the class token and the mean side by side ('both', the default where there
   * is a class token).
   *
   * @param value [B, C, H, W] or [B, T, D].
   * @returns [B, C], [B, D] or [B, 2D]; float32 of a bfloat16 value.
   * @throws RequestError for a kind that the tap does not have.
   */
  embedding(tap: string, value: Tensor, kind?: EmbeddingKind): Tensor {
    const kinds = this.embeddingKinds(tap);
    const chosen = kind ?? kinds[0];
    if (chosen === undefined || !kinds.includes(chosen)) {
      throw new RequestError({
        where: `embedding of ${this.id} at ${tap}`,
        expected: kinds.join(', '),
        got: String(kind),
        hint: 'only taps behind a class token have more kinds than "spatial"',
      });
    }
    return scope(() => {
      const { kind: layout, hasClassToken } = this.tap(tap);
      if (layout === 'spatial') return meanOver(value, [2, 3]);
      if (!hasClassToken) return meanOver(value, [1]);
      const tokens = value.shape[1] ?? 0;
      // A copy, because a view would keep all tokens in memory.
      const classToken = () => toFullPrecision(ops.clone(ops.select(value, 1, 0)));
      const patches = () => meanOver(ops.narrow(value, 1, 1, tokens - 1), [1]);
      if (chosen === 'cls') return classToken();
      return chosen === 'spatial' ? patches() : ops.cat([classToken(), patches()], 1);
    });
  }

  /** Whether a tensor belongs to the classification layer. */
  isHead(name: string): boolean {
    return name.startsWith(this.headPrefix);
  }

  /** The module group of a backbone tensor; `undefined` for the head's. */
  groupOf(name: string): ModuleGroup | undefined {
    return this.groups.find(({ prefixes }) => owns(prefixes, name));
  }

  /**
   * How a name in a checkpoint, already without wrapper prefixes, reads in this network: under another
   * name, or ignored for a reason. Overridden where upstream families name or store things differently.
   * @param _all All names of the file, without wrapper prefixes, where one alone does not tell.
   */
  readCheckpointName(
    name: string,
    _all: ReadonlySet<string>,
  ): { name: string } | { ignored: string } {
    return { name };
  }

  #segmentIndex(name: string): number {
    const index = this.segments.findIndex((segment) => segment.name === name);
    if (index < 0) throw unknownName(this.id, 'segment', name, this.segments);
    return index;
  }

  /** @throws RequestError for images that are not [B, inputChannels, S, S]. */
  protected checkImages(images: Tensor): void {
    const [, channels, height, width] = images.shape;
    const fits = channels === this.inputChannels && this.fitsSize(height ?? 0, width ?? 0);
    if (images.shape.length !== 4 || !fits) {
      const size = this.inputSize;
      throw new RequestError({
        where: `input of ${this.id}`,
        expected: `images [B, ${this.inputChannels}, ${size}, ${size}]`,
        got: `[${images.shape.join(', ')}]`,
        hint: 'build the model for the size and channels of the data',
      });
    }
  }

  /** Whether the network takes images of this size; one that pools globally takes more than its own. */
  protected fitsSize(height: number, width: number): boolean {
    return height === this.inputSize && width === this.inputSize;
  }
}

/**
 * Whether one of `prefixes` covers a tensor's name: exactly, or as a prefix that ends in a dot, so that
 * `blocks.1.` never covers `blocks.11.norm1.weight`.
 */
export function owns(prefixes: readonly string[], name: string): boolean {
  return prefixes.some((prefix) =>
    prefix.endsWith('.') ? name.startsWith(prefix) : name === prefix,
  );
}

/** The mean over some dimensions; of bfloat16 in float32, so that it is rounded once and not twice. */
function meanOver(value: Tensor, dimensions: readonly number[]): Tensor {
  if (value.dtype !== 'bfloat16') return ops.mean(value, dimensions);
  const count = dimensions.reduce((product, axis) => product * (value.shape[axis] ?? 0), 1);
  return ops.div(toFullPrecision(ops.sum(value, dimensions)), count);
}

function toFullPrecision(value: Tensor): Tensor {
  return value.dtype === 'bfloat16' ? value.to({ dtype: 'float32' }) : value;
}

function unknownName(
  id: string,
  what: string,
  name: string,
  known: readonly { name: string }[],
): RequestError {
  return new RequestError({
    where: `${what} of ${id}`,
    expected: `one of ${known.map((item) => item.name).join(', ')}`,
    got: name,
  });
}

/** Tells what a checkpoint file is from its first bytes, because names lie: pages are saved as `.pth`. */
import { type ErrorParts, WorkError } from '../util/index.ts';
import { quotable } from './stored.ts';

/** Enough to see every mark below: the last, a tar archive's, is at 257. */
export const leadingBytes = 512;

type Parts = Omit<ErrorParts, 'where' | 'expected'>;

/**
 * The number that `torch.save` pickled first before PyTorch 1.6 (torch/serialization.py, MAGIC_NUMBER), after
 * the pickle's own first bytes, which depend on its protocol.
 */
const legacyMagic = Buffer.from('8a0a6cfc9c46f9206aa850192e', 'hex');

function startsWith(head: Uint8Array, text: string, at = 0): boolean {
  return Buffer.from(head.subarray(at, at + text.length)).toString('latin1') === text;
}

/** What a file is that no reader of ours takes, if its first bytes tell. */
function recogniseOther(head: Uint8Array): Parts | undefined {
  const text = Buffer.from(head).toString('latin1');
  const again = 'download the file itself again and look at its size';
  if (/^(\xef\xbb\xbf)?\s*</.test(text)) {
    const start = quotable(text.trim().slice(0, 24));
    return { got: `a web page or XML (it starts with "${start}")`, hint: again };
  }
  if (text.startsWith('version https://git-lfs')) {
    return { got: 'a Git LFS pointer', hint: 'fetch the file with `git lfs pull`' };
  }
  if (head[0] === 0x80 && (head[1] ?? 99) <= 5) {
    return { got: 'a bare Python pickle', hint: 'save weights with torch.save or as .safetensors' };
  }
  if (startsWith(head, '\x1f\x8b')) return { got: 'a gzip file', hint: 'gunzip it first' };
  if (startsWith(head, '\x89HDF')) {
    return { got: 'an HDF5 file', hint: 'convert it to .safetensors or .pth first' };
  }
  return undefined;
}

/** How a checkpoint is laid out: `zip`, `legacy` and `tar` are PyTorch's, from 1.6, 0.1.10 and 0.1 on. */
export type Layout = 'safetensors' | 'zip' | 'legacy' | 'tar';

/**
 * The layout of a checkpoint of `size` bytes whose first `leadingBytes` (or all, if fewer) are `head`.
 * @throws WorkError that says what the file seems to be instead.
 */
export function detectLayout(path: string, head: Uint8Array, size: number): Layout {
  if (startsWith(head, 'PK\x03\x04') || startsWith(head, 'PK\x05\x06')) return 'zip';
  // A safetensors header is JSON after its own length, whose first bytes may look like anything else: a
  // header of 60 bytes starts with "<". Its last bytes are zero, which no text has there.
  if (startsWith(head, '\0\0{', 6)) return 'safetensors';
  const magic = Buffer.from(head.subarray(0, 32)).indexOf(legacyMagic);
  if (head[0] === 0x80 && magic !== -1) return 'legacy';
  if (startsWith(head, 'ustar', 257)) return 'tar';
  const other = recogniseOther(head);
  // A damaged one gets that reader's own words.
  if (!other && size > 0 && (startsWith(head, '{', 8) || path.endsWith('.safetensors'))) {
    return 'safetensors';
  }
  const start = Buffer.from(head.subarray(0, 8)).toString('hex');
  const unknown: Parts = {
    got: size === 0 ? 'an empty file' : `${size} bytes that start with ${start} (hexadecimal)`,
    hint: 'copy or download it again',
  };
  throw new WorkError({
    where: path,
    expected: 'a .safetensors file or a PyTorch checkpoint (.pth, .pt)',
    ...(other ?? unknown),
  });
}

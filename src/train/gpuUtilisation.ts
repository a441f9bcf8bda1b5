/** How busy a GPU is, asked of nvidia-smi now and then; nothing where that program is not there. */
import { execFile } from 'node:child_process';
import { physicalGpu } from '../tensor/index.ts';

const SAMPLE_SECONDS = 10;

export class GpuUtilisation implements Disposable {
  readonly #command: string;
  readonly #gpu: string;
  readonly #timer: NodeJS.Timeout;
  #sum = 0;
  #count = 0;

  /**
   * @param device `cuda:1`: a place among the GPUs that this process sees
   * @param command the program to ask
   */
  constructor(device: string, command = 'nvidia-smi', seconds = SAMPLE_SECONDS) {
    this.#command = command;
    this.#gpu = physicalGpu(Number(device.split(':')[1] ?? 0));
    this.#timer = setInterval(() => this.#sample(), seconds * 1000);
    this.#timer.unref();
  }

  /** Share of the time in which the GPU computed anything, 0 to 1; `undefined` where it is not known. */
  get mean(): number | undefined {
    return this.#count > 0 ? this.#sum / this.#count / 100 : undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const args = ['--query-gpu=utilization.gpu', '--format=csv,noheader,nounits', '-i', this.#gpu];
    const child = execFile(this.#command, args, { timeout: 5000 }, (error, stdout) => {
      // A machine without the program, or a GPU that does not tell: not to be asked again.
      const percent = error || stdout.trim() === '' ? Number.NaN : Number(stdout.trim());
      if (!Number.isFinite(percent)) {
        clearInterval(this.#timer);
        return;
      }
      this.#sum += percent;
      this.#count += 1;
    });
    child.unref();
  }
}

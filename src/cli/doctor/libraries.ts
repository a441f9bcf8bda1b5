/** Which shared libraries this process has loaded, and what they say of the linear algebra behind LibTorch. */

export type BlasKind = 'openblas' | 'mkl' | 'accelerate' | 'reference' | 'unknown';

/** Paths of the shared libraries that are loaded now. */
export function loadedLibraries(): string[] {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('sharedObjects' in report)) return [];
  const { sharedObjects } = report;
  return Array.isArray(sharedObjects) ? sharedObjects.map(String) : [];
}

/** The path of the library whose file name starts with `name`, or undefined. */
export function libraryNamed(libraries: readonly string[], name: string): string | undefined {
  return libraries.find((path) => (path.split('/').at(-1) ?? '').startsWith(name));
}

/**
 * The BLAS that matrix products use.
 * @param libraries the loaded libraries
 * @param configuration how LibTorch says it was built, which counts where the BLAS is linked into it
 */
export function blasKind(libraries: readonly string[], configuration: string): BlasKind {
  if (libraryNamed(libraries, 'libopenblas')) return 'openblas';
  if (libraryNamed(libraries, 'libmkl')) return 'mkl';
  if (libraryNamed(libraries, 'libblas')) return 'reference';
  const built = /BLAS_INFO=(\w+)/.exec(configuration)?.[1] ?? '';
  if (built === 'mkl') return 'mkl';
  if (built === 'open') return 'openblas';
  if (built === 'accelerate') return 'accelerate';
  return 'unknown';
}

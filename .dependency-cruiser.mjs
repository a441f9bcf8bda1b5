// The layer table of the design as one-way rules, without exclusions: each folder under src/ may
// import the folders listed for it, through their index.ts, and nothing else of ours.

const engine = ['models', 'nn', 'tensor', 'util'];
const work = ['eval', 'transfer', 'weights', 'data', 'results', ...engine];

/** @type {Record<string, string[]>} */
const layers = {
  util: [],
  results: ['util'],
  tensor: ['util'],
  nn: ['tensor', 'util'],
  models: ['nn', 'tensor', 'util'],
  weights: engine,
  transfer: ['weights', ...engine],
  data: ['results', 'tensor', 'util'],
  eval: ['weights', 'data', 'results', ...engine],
  train: work,
  analysis: work,
  study: ['train', 'analysis', ...work],
  figures: ['results', 'util'],
  report: ['figures', 'results', 'util'],
  cli: ['study', 'report', 'figures', 'train', 'analysis', ...work],
};

const layerRules = Object.entries(layers).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder} may import only: ${allowed.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^(src|native|test|bench|scripts)/',
    pathNot: [folder, ...allowed].map((name) => `^src/${name}/`),
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layerRules,
    {
      name: 'known-layers-only',
      comment: 'A new folder under src/ gets its place in the layer table first',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(${Object.keys(layers).join('|')})/` },
      to: {},
    },
    {
      name: 'through-the-index',
      comment: 'Another folder is imported through its index.ts',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'native-through-tensor',
      comment: 'Only src/tensor reaches the addon',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/tensor/' },
      to: { path: '(^native/|\\.node$)' },
    },
    {
      name: 'starts-light',
      comment: 'A command loads what it works with when it runs: --help shows within 150 ms',
      severity: 'error',
      from: { path: '^src/cli/(main|program)\\.ts$|^src/cli/commands/' },
      to: {
        path: '^src/',
        pathNot: '^src/(cli|util)/',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-packages',
      comment: 'The program runs without the packages of its development',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};

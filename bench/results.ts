/**
 * The results of one machine: a JSON document, and a table in Markdown made from it. They are written after each
 * row; a row that is measured again takes its old one's place.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileWhole, writeJson } from '../src/util/index.ts';
import type { Benchmark, Row } from './benchmark.ts';
import type { Spread } from './pairing.ts';

/** When, with which versions and settings. */
type Taken = Record<string, string | number | undefined>;

export interface MeasuredRow extends Row {
  taken: Taken;
}

interface Document {
  machine: Record<string, string | number | undefined>;
  benchmarks: Record<string, { summary: string; rows: MeasuredRow[] }>;
}

/** @param folder where the machine's files lie, or will */
export function openResults(folder: string, machine: Document['machine']) {
  const { processor, family, cores, gpu } = machine;
  const kind = family === undefined ? processor : `${processor} family ${family}`;
  const name = `${kind} ${cores} cores ${gpu ?? ''}`.trim().toLowerCase();
  const base = join(folder, name.replace(/[^a-z0-9]+/g, '-'));
  const path = `${base}.json`;
  return {
    /** Adds a row to both files. */
    async add({ name, summary }: Benchmark, row: MeasuredRow): Promise<void> {
      const document: Document = existsSync(path)
        ? JSON.parse(readFileSync(path, 'utf8'))
        : { machine, benchmarks: {} };
      const rows = document.benchmarks[name]?.rows ?? [];
      const at = rows.findIndex((other) => other.name === row.name);
      document.benchmarks[name] = {
        summary,
        rows: at < 0 ? [...rows, row] : rows.with(at, row),
      };
      document.machine = machine;
      await writeJson(path, document);
      await writeFileWhole(`${base}.md`, markdown(document));
    },
  };
}

function show({ median, least, greatest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${greatest.toFixed(digits)})`;
}

export function tableLine(row: MeasuredRow): string {
  const digits = row.unit.startsWith('ns') ? 0 : 2;
  const met = row.ratio.median >= row.target ? 'yes' : 'no';
  const target = Number(row.target.toFixed(2));
  return `| ${row.name} | ${show(row.ours, digits)} | ${show(row.reference, digits)} | ${row.unit} | ${show(row.ratio, 2)} | ${target} | ${met} | ${row.notes ?? ''} |`;
}

/** A benchmark's table, and below it when and how its rows were taken. */
export function section(summary: string, rows: readonly MeasuredRow[]): string {
  const taken = new Set(
    rows.map((row) =>
      Object.entries(row.taken)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ),
  );
  return [
    `## ${summary}`,
    '',
    '| case | carryover | reference | unit | ratio | target | met | notes |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(tableLine),
    '',
    ...[...taken].map((each) => `Taken: ${each}.`),
    '',
  ].join('\n');
}

function markdown({ machine, benchmarks }: Document): string {
  const about = Object.entries(machine)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `- ${name}: ${value}`);
  return [
    `# ${machine.processor}, ${machine.cores} cores${machine.gpu === undefined ? '' : `, ${machine.gpu}`}`,
    '',
    ...about,
    '',
    'Written by `npm run bench`. Medians, with the least and the greatest over the rounds in brackets; the ratio is above 1 where carryover is better, round by round.',
    '',
    ...Object.values(benchmarks).map(({ summary, rows }) => section(summary, rows)),
  ].join('\n');
}

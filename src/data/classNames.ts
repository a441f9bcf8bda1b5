/** Order and task of classes that are known by name only. */
import { RequestError } from '../util/index.ts';
import type { DataTask } from './dataSet.ts';
import { byCodePoint } from './imageFiles.ts';

/** Class names in order: by value where all are numbers (grades), else by code points. */
export function orderClasses(names: Iterable<string>): string[] {
  const list = [...new Set(names)];
  const numeric = list.every((name) => /^-?\d+(\.\d+)?$/.test(name));
  return list.sort(numeric ? (a, b) => Number(a) - Number(b) : byCodePoint);
}

/** The task where the user names none: two classes are binary, the second one the positive. */
export function taskOfClasses(count: number): DataTask {
  return count === 2 ? 'binary' : 'multiclass';
}

/** @throws RequestError where a class is named twice. */
export function requireDistinct(classes: readonly string[], where: string): void {
  const twice = classes.find((name, index) => classes.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new RequestError({ where, expected: 'each class once', got: `"${twice}" twice` });
}

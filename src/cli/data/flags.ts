/** What the options of `carryover data` come to. */

/** Options that name a data set more closely. */
export interface DataFlags {
  set: string[];
  splitSeed: number;
  fraction?: string;
  nTrain?: number;
}

export interface CheckFlags extends DataFlags {
  splits?: string;
  html?: string;
  sheet?: string;
  resize: number;
  size?: number;
  workers?: number;
  cache: boolean;
  images: boolean;
}

export interface SplitFlags extends DataFlags {
  out?: string;
}

/** Reads the conformance tables in `data/` and keeps the count of what held. */
import { readFileSync } from "node:fs";

/** Data whose shape differs by area and by `given.kind`: each area's README paragraph (its `schema`) describes it, and the tests take it apart. */
// oxlint-disable-next-line typescript/no-explicit-any -- a union of all shapes would be longer than the tests
export type Shapeless = any;

export interface ConformanceCase {
  readonly id: string;
  readonly title: string;
  readonly rule: string;
  readonly basis: "test" | "derived";
  readonly given: Shapeless;
  readonly expect: Shapeless;
  readonly note?: string;
}

export interface ConformanceArea {
  readonly area: string;
  readonly schema: string;
  readonly cases: readonly ConformanceCase[];
}

/** The table of one area, as in `data/<area>.json`. */
export function loadArea(area: string): ConformanceArea {
  return JSON.parse(readFileSync(new URL(`../data/${area}.json`, import.meta.url), "utf8")) as ConformanceArea;
}

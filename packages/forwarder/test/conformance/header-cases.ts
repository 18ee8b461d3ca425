import type { ConformanceCase } from "@proxy/conformance";
import { emptyTransformer, type Transformer } from "../../src/index.ts";

/** Rules of `forwarder-headers` that a row of the deviations decides otherwise, with the test that pins ours. */
const rules: ReadonlyMap<string, string> = new Map([
  // A line break in a field: the front servers refuse the request with 400 (exchange contract, refusals).
  ["newlines", "D21"],
  // Repeated lines: lines-stay-as-they-came.test.ts
  ["multi-value-wire", "D19"],
]);
/** Single cases of that kind. */
const single: ReadonlyMap<string, string> = new Map([
  // Content-Length with Transfer-Encoding: refused by the front servers with 400 (exchange contract, refusals).
  ["forwarder-headers.content-length-conflict.80b0e8e5", "D20"],
  // obs-text from a destination passes unchanged: lines-stay-as-they-came.test.ts
  ["forwarder-headers.header-encoding.4d5c2eaa", "D21"],
  ["forwarder-headers.header-encoding.1442f5b9", "D21"],
]);

/** The row of the deviations that decides a case otherwise. */
export function supersededBy({ id, rule }: ConformanceCase): string | undefined {
  return rules.get(rule) ?? single.get(id);
}

const hostOfDestination: Transformer = { omitRequestHeaders: new Set(["host"]), trusted: true };

/** What the `transforms` of a case are for a forwarder. */
export function transformerOf(transforms: unknown): Transformer {
  if (transforms === "copy-all") return emptyTransformer;
  if (transforms !== undefined) return { copyRequestHeaders: false };
  return hostOfDestination;
}

/** The lines of a table's `name -> values`. */
export function pairs(headers: Readonly<Record<string, readonly string[]>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
}

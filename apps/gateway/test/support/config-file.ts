import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for files of one test, removed at its end. */
export interface ConfigFolder {
  readonly path: string;
  /** Writes `value` as JSON (a string as it is) in one step, as editors that rename do. */
  write(name: string, value: unknown): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function configFolder(): Promise<ConfigFolder> {
  const path = await mkdtemp(join(tmpdir(), "gateway-test-"));
  return {
    path,
    async write(name, value) {
      const file = join(path, name);
      await writeFile(`${file}.new`, typeof value === "string" ? value : JSON.stringify(value, undefined, 2));
      await rename(`${file}.new`, file);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** A configuration with one route for everything. */
export function oneRoute(address: string, rest: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
      Clusters: { c: { Destinations: { d: { Address: address } } } },
    },
    ...rest,
  };
}

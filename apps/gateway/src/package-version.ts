import { readFileSync } from "node:fs";

/** The version in the gateway's package.json; the same relative place for the sources and for the build. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

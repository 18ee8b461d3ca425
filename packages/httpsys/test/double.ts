import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble, doubleMissing } from "../../../tooling/httpsys-double/build.ts";
import { loadHttpSys, type HttpSysLibrary } from "../src/index.ts";
import { loadKoffi, type Koffi } from "../src/koffi.ts";

const koffi = installedKoffi();

function installedKoffi(): Koffi | undefined {
  try {
    return loadKoffi();
  } catch {
    return undefined;
  }
}

/** Why nothing can be tested through the double here; undefined when it can. */
export const missing: string | undefined = koffi === undefined ? "koffi is not installed" : doubleMissing;

/** The double behind the binding. */
export function double(): Promise<HttpSysLibrary> {
  return loadHttpSys({ path: buildDouble() });
}

/** A port of the loopback address that was free a moment ago: HTTP.sys cannot choose one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const names = ["sessions", "groups", "urls", "queues", "rules", "ports", "calls", "connections", "lent"] as const;

/** Live objects of the double in this process. */
export function liveObjects(path: string = buildDouble()): Record<(typeof names)[number], number> {
  if (koffi === undefined) throw new Error(missing);
  const counts = koffi.load(path).func("HttpSim_Counts", "void", ["void *"]);
  const out = Buffer.alloc(names.length * 4);
  counts(out);
  return Object.fromEntries(names.map((name, i) => [name, out.readUInt32LE(i * 4)])) as Record<(typeof names)[number], number>;
}

/** Tokens of accounts that were given with certificates and not closed. */
export function liveTokens(path: string = buildDouble()): number {
  if (koffi === undefined) throw new Error(missing);
  return koffi.load(path).func("HttpSim_Tokens", "uint32_t", [])();
}

const totalNames = ["delegated", "cameBack", "givenOn", "answered503", "cut", "waiting"] as const;

/** What became of the requests of this process that others were given: of those that a process did not finish `givenOn`, `answered503` and `cut` tell. */
export function totals(path: string = buildDouble()): Record<(typeof totalNames)[number], number> {
  if (koffi === undefined) throw new Error(missing);
  const read = koffi.load(path).func("HttpSim_Totals", "void", ["void *"]);
  const out = Buffer.alloc(totalNames.length * 4);
  read(out);
  return Object.fromEntries(totalNames.map((name, i) => [name, out.readUInt32LE(i * 4)])) as Record<(typeof totalNames)[number], number>;
}

/** "file:line" of each refusal that the double has made in this process. */
export function refusedAt(path: string = buildDouble()): string[] {
  if (koffi === undefined) throw new Error(missing);
  const read = koffi.load(path).func("HttpSim_Places", "void", ["void *", "uint32_t"]);
  const out = Buffer.alloc(8192);
  read(out, out.length);
  return out.toString("latin1", 0, out.indexOf(0)).split(" ").filter((place) => place !== "");
}

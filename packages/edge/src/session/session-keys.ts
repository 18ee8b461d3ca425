/**
 * The keys of cookies, derived from secrets that all gateways of a site share, each use with keys of its own (HKDF). The first secret seals,
 * the others only read: a new one is added behind the old on every gateway, then moved to the front, then the old one is dropped.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createRotatableKeyRing, type KeyProtector, type RotatableKeyRing } from "@proxy/cluster";
import type { SessionKeysConfig } from "@proxy/config";
import { watchFiles } from "@proxy/http";

export interface SessionKeys {
  readonly session: KeyProtector;
  readonly correlation: KeyProtector;
  /** Does not watch the file any longer. */
  close(): void;
}

/**
 * Throws `TypeError` for secrets that cannot be used; `onFault` hears of those that a changed file has later, while those before stay. Without secrets they are
 * random, the same for all schemes
 * of the process: sessions then end with it, and not with a reload.
 */
export function sessionKeys(config: SessionKeysConfig, onFault: (error: Error) => void): SessionKeys {
  const secrets = readSecrets(config) ?? [(ownSecret ??= randomBytes(32))];
  const session = createRotatableKeyRing(secrets, undefined, "session cookie");
  const correlation = createRotatableKeyRing(secrets, undefined, "sign-in cookie");
  return { session, correlation, close: config.path ? watch(config, [session, correlation], onFault) : () => {} };
}

let ownSecret: Uint8Array | undefined;

function watch(config: SessionKeysConfig, rings: readonly RotatableKeyRing[], onFault: (error: Error) => void): () => void {
  return watchFiles([config.path as string], () => {
    try {
      const secrets = readSecrets(config) ?? [];
      for (const ring of rings) ring.use(secrets);
    } catch (error) {
      onFault(error as Error);
    }
  });
}

const largestFile = 65_536;

/** All secrets, the one that seals first; undefined when none are configured. Throws `TypeError` that tells no secret. */
export function readSecrets({ path, secrets = [] }: SessionKeysConfig): readonly string[] | undefined {
  if (!path && secrets.length === 0) return undefined;
  const all = [...(path ? linesOf(path) : []), ...secrets];
  if (all.length === 0) throw new TypeError(`${path ?? "Secrets"} has no secret`);
  const short = all.findIndex((secret) => Buffer.byteLength(secret) < 32);
  if (short >= 0) throw new TypeError(`secret ${short + 1} is shorter than 32 bytes`);
  if (new Set(all).size < all.length) throw new TypeError("a secret stands twice");
  return all;
}

function linesOf(path: string): readonly string[] {
  let text: string;
  try {
    if (statSync(path).size > largestFile) throw new TypeError(`${path} has more than ${largestFile} bytes`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new TypeError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, { cause: error });
  }
  return text.replace(/^\uFEFF/, "").split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

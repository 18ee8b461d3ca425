import { readFileSync, statSync } from "node:fs";
import type { AffinityKeysConfig } from "@proxy/config";

/** The secrets of session affinity cannot be used. `message` says where the fault is, never what the secret is. */
export class AffinitySecretsError extends Error {
  override readonly name = "AffinitySecretsError";
}

const smallestSecret = 32;
const largestFile = 65_536;

/** Whether secrets are configured at all. */
export function hasAffinitySecrets({ path, secrets }: AffinityKeysConfig): boolean {
  return Boolean(path) || (secrets ?? []).length > 0;
}

/** All secrets, the one that protects first: those of the file, then the others. Throws `AffinitySecretsError`. */
export function readAffinitySecrets({ path, secrets = [] }: AffinityKeysConfig): readonly string[] {
  const places = new Map<string, string>();
  const add = (secret: string, place: string): void => {
    if (Buffer.byteLength(secret) < smallestSecret) {
      throw new AffinitySecretsError(`${place} is a secret of fewer than ${smallestSecret} bytes`);
    }
    const known = places.get(secret);
    if (known !== undefined) throw new AffinitySecretsError(`${place} is the same secret as ${known}`);
    places.set(secret, place);
  };
  if (path) for (const { secret, line } of readLines(path)) add(secret, `line ${line} of ${path}`);
  for (const [index, secret] of secrets.entries()) add(secret, `Secrets:${index}`);
  if (places.size === 0) throw new AffinitySecretsError(`${path ?? "Secrets"} has no secret`);
  return [...places.keys()];
}

function readLines(path: string): readonly { readonly secret: string; readonly line: number }[] {
  const lines = readText(path).replace(/^\uFEFF/, "").split(/\r?\n/);
  return lines
    .map((text, index) => ({ secret: text.trim(), line: index + 1 }))
    .filter(({ secret }) => secret !== "" && !secret.startsWith("#"));
}

function readText(path: string): string {
  try {
    if (statSync(path).size > largestFile) throw new AffinitySecretsError(`${path} has more than ${largestFile} bytes`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof AffinitySecretsError) throw error;
    throw new AffinitySecretsError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, { cause: error });
  }
}

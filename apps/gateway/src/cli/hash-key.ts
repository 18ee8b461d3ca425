import { createHash, randomBytes } from "node:crypto";
import type { Output } from "./command-line.ts";
import { exitCode } from "./exit-code.ts";
import type { HashKeyInvocation } from "./invocation.ts";

/** Fewer characters can be tried one after the other by whoever has read the hash. */
const shortest = 22;

/** Prints an API key with its hash, or the hash of the one on `input`. */
export async function hashKey({ stdin }: HashKeyInvocation, input: AsyncIterable<Buffer | string>, { out, error }: Output): Promise<number> {
  if (!stdin) {
    const key = `key_${randomBytes(32).toString("base64url")}`;
    out(`key   ${key}\nhash  ${hashOf(key)}\n`);
    return exitCode.ok;
  }
  let text = "";
  for await (const chunk of input) text += String(chunk);
  const key = text.replace(/\r?\n$/, "");
  if (key.length < shortest || /[^\x21-\x7e]/.test(key)) {
    error(`gateway: a key has at least ${shortest} characters, all of them visible ASCII\n`);
    return exitCode.usage;
  }
  out(`hash  ${hashOf(key)}\n`);
  return exitCode.ok;
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

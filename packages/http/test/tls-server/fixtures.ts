import { readFileSync } from "node:fs";
import type { TlsCertificate } from "../../src/index.ts";

const read = (name: string): string => readFileSync(new URL(`../tls/${name}`, import.meta.url), "utf8");

/** For `localhost` and 127.0.0.1, signed by itself. */
export const localhost: TlsCertificate & { readonly cert: string; readonly key: string } = {
  cert: read("cert.pem"),
  key: read("key.pem"),
};

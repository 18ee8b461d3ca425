/** How the load reaches the proxies: cleartext HTTP/1.1, TLS, or HTTP/2. */
import { fileURLToPath } from "node:url";
import type { Shape } from "./shapes.ts";

/** `tls`: HTTP/1.1 over TLS; `h2`: HTTP/2 over TLS; `h2c`: HTTP/2 in cleartext, by prior knowledge. */
export type Front = "tls" | "h2" | "h2c";

/** For localhost; P-256, as most sites have by now. */
export const certificate = fileURLToPath(new URL("../../packages/http/test/tls/cert.pem", import.meta.url));
export const certificateKey = fileURLToPath(new URL("../../packages/http/test/tls/key.pem", import.meta.url));

export function isTls(shape: Shape): boolean {
  return shape.front === "tls" || shape.front === "h2";
}

export function isHttp2(shape: Shape): boolean {
  return shape.front === "h2" || shape.front === "h2c";
}

/** What any server of HTTP/1.1 in cleartext can be asked, without a cache. */
export function isPlain(shape: Shape): boolean {
  return shape.front === undefined && shape.load !== "websocket" && !isDelegated(shape) && shape.cached !== true && shape.token === undefined;
}

/** The destination also takes connections that are handed to it: only the gateway can, and forwards beside that. */
export function isDelegated(shape: Shape): boolean {
  return shape.destination === "receiver";
}

export function urlOf(shape: Shape, port: number): string {
  return isTls(shape) ? `https://localhost:${port}${shape.path}` : `http://127.0.0.1:${port}${shape.path}`;
}

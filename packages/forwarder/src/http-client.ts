import type { HttpClient, HttpClientOptions } from "@proxy/http";
import { createUndiciClient } from "./undici/undici-client.ts";

/** The clients that forwarding uses unless it is handed others: connection pools for any number of origins. */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  return createUndiciClient(options);
}

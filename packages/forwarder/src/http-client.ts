import { createVersionedClient, type HeaderEncodings, type HttpClient, type HttpClientOptions, withHeaderEncodings } from "@proxy/http";

/**
 * The clients that forwarding uses unless it is handed others: connection pools for any number of origins, HTTP/1.1 and
 * HTTP/2 as `createVersionedClient` chooses. Throws when what `options.tls` holds is malformed.
 */
export function createHttpClient(options: HttpClientOptions & HeaderEncodings = {}): HttpClient {
  return withHeaderEncodings(createVersionedClient(options), options);
}

/** Which answers are compressed, and how: ready to be asked. */
import { constants, createBrotliCompress, createGzip, createZstdCompress, type BrotliCompress, type Gzip, type ZstdCompress } from "node:zlib";
import Negotiator from "negotiator";
import type { CompressionPolicyConfig, ContentEncoding } from "@proxy/config";
import { listElements, type HeaderList, type RequestHead, type ResponseHead } from "@proxy/http";

export type Compressor = BrotliCompress | Gzip | ZstdCompress;

export interface CompressionPolicy {
  /** Whether answers over TLS are compressed too. */
  readonly enableForHttps: boolean;
  /** The coding that `request` prefers among those offered; undefined: it is to stay as it is. */
  codingFor(request: RequestHead): ContentEncoding | undefined;
  /** Whether the answer depends on Accept-Encoding: its type is compressed for those who ask. */
  varies(head: ResponseHead): boolean;
  /** Whether this one is worth it; of those that vary. */
  isWorth(headers: HeaderList): boolean;
}

const defaultMediaTypes = [
  "text/*", "application/json", "application/javascript", "application/xml", "application/wasm", "application/manifest+json", "application/ld+json",
  "application/problem+json", "application/graphql-response+json", "application/xhtml+xml", "application/rss+xml", "application/atom+xml", "application/x-ndjson", "image/svg+xml",
];

/** Its types lag behind: they do not know the server's preference. */
interface PreferringNegotiator extends Negotiator {
  encoding(available?: readonly string[], options?: { readonly preferred: readonly string[] }): string | undefined;
}

/** Compiles a policy that the configuration's own checks have seen. */
export function compileCompressionPolicy(config: CompressionPolicyConfig): CompressionPolicy {
  const { encodings = ["br", "zstd", "gzip"], mediaTypes = defaultMediaTypes, minimumSize = 1024, enableForHttps = false } = config;
  const available = [...encodings, "identity"];
  const exact = new Set(mediaTypes.filter((type) => !type.endsWith("/*")).map((type) => type.toLowerCase()));
  const kinds = mediaTypes.filter((type) => type.endsWith("/*")).map((type) => type.slice(0, -1).toLowerCase());
  return {
    enableForHttps,
    codingFor({ headers }) {
      const accepted = headers.getAll("accept-encoding").join(",");
      if (accepted === "") return undefined;
      const negotiator = new Negotiator({ headers: { "accept-encoding": accepted } }) as PreferringNegotiator;
      const chosen = negotiator.encoding(available, { preferred: encodings });
      return encodings.find((encoding) => encoding === chosen);
    },
    varies({ status, headers }) {
      // No content, or a part of it, whose places are those of the uncompressed.
      if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
      // Compressed already; or not to be touched (RFC 9111, 5.2.2.6).
      if (headers.has("content-encoding") || headers.has("content-range")) return false;
      const { length } = headers.getAll("cache-control").flatMap((value) => listElements(value.toLowerCase())).filter((each) => each === "no-transform");
      if (length > 0) return false;
      const type = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
      return exact.has(type) || kinds.some((kind) => type.startsWith(kind));
    },
    isWorth(headers) {
      const length = headers.get("content-length");
      return length === undefined || Number(length) >= minimumSize;
    },
  };
}

/**
 * Levels for answers made as they are asked for: a good part of the gain at a fraction of the highest level's cost. Windows are bounded, so that thousands of
 * streams at a time do not take megabytes each.
 */
export function createCompressor(coding: ContentEncoding): Compressor {
  switch (coding) {
    case "br":
      return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 } });
    case "zstd":
      return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 18 } });
    case "gzip":
      return createGzip({ level: 6 });
  }
}

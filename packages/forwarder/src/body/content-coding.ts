/** Content codings (RFC 9110, 8.4.1) through `node:zlib`: taking them off a body, and putting them on again. */
import type { Transform } from "node:stream";
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createGunzip,
  createGzip,
  createInflate,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";
import { listElements, type HeaderList } from "@proxy/http";
import { BodyContentError } from "./body-transform.ts";

interface Compressor extends Transform {
  flush(kind: number): void;
}

interface Coding {
  readonly decoder: () => Transform;
  /** `flushing`: what goes in comes out at once. */
  readonly encoder: (flushing: boolean) => Compressor;
  /** What `flush` takes to give all that went in. */
  readonly flushed: number;
}

/** Puts a content coding on; it holds back what may be compressed better together, until `flush`. */
export interface Encoder {
  readonly stage: Transform;
  flush(): void;
}

const gzip: Coding = {
  decoder: () => createGunzip(),
  encoder: (flushing) => createGzip(flushing ? { flush: constants.Z_SYNC_FLUSH } : {}),
  flushed: constants.Z_SYNC_FLUSH,
};

const codings: ReadonlyMap<string, Coding> = new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  [
    "deflate",
    {
      decoder: () => createInflate(),
      encoder: (flushing) => createDeflate(flushing ? { flush: constants.Z_SYNC_FLUSH } : {}),
      flushed: constants.Z_SYNC_FLUSH,
    },
  ],
  [
    "br",
    {
      decoder: () => createBrotliDecompress(),
      encoder: (flushing) =>
        createBrotliCompress({
          // The preset is for files that are compressed once: a hundred times the work of this one.
          params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
          ...(flushing ? { flush: constants.BROTLI_OPERATION_FLUSH } : {}),
        }),
      flushed: constants.BROTLI_OPERATION_FLUSH,
    },
  ],
  [
    "zstd",
    {
      // RFC 9659, 3: a window of 8 MiB at most. The library's own limit lets four kilobytes take 128 MiB.
      decoder: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
      encoder: (flushing) => createZstdCompress(flushing ? { flush: constants.ZSTD_e_flush } : {}),
      flushed: constants.ZSTD_e_flush,
    },
  ],
]);

/** What a destination may be asked to encode a body with that is to be changed. */
export const knownCodings: ReadonlySet<string> = new Set(codings.keys());

/** More than two on top of each other nobody sends but to make work. */
const maximumCodings = 2;

/** The codings of a message in the order in which they were applied. Throws `BodyContentError` (415) for ones that cannot be taken off. */
export function contentCodings(headers: HeaderList): readonly string[] {
  const named: string[] = [];
  for (const line of headers.getAll("content-encoding")) {
    for (const element of listElements(line)) {
      const name = element.toLowerCase();
      if (name === "identity") continue;
      if (!codings.has(name)) throw new BodyContentError(415, `content coding ${JSON.stringify(element)} cannot be taken off`);
      named.push(name);
    }
  }
  if (named.length > maximumCodings) throw new BodyContentError(415, `${named.length} content codings are too many`);
  return named;
}

/** What takes `named` off a body, in order. */
export function decodersOf(named: readonly string[]): Transform[] {
  return named.toReversed().flatMap((name) => codings.get(name)?.decoder() ?? []);
}

/** What puts `named` on a body, in order. */
export function encodersOf(named: readonly string[], flushing: boolean): Encoder[] {
  return named.flatMap((name) => {
    const coding = codings.get(name);
    if (coding === undefined) return [];
    const stage = coding.encoder(flushing);
    return [{ stage, flush: () => stage.flush(coding.flushed) }];
  });
}

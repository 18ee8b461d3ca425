import { type Exchange, HeaderList } from "@proxy/http";
import type { Transformer } from "./forward-options.ts";
import { checkFields } from "./outgoing.ts";
import { passingTrailers } from "./response-headers.ts";

/**
 * The trailers for the client: those of the destination that may pass, and what the transform makes of them; undefined
 * where there are none, or where they cannot reach the client. Throws what the transform throws, and on lines that
 * cannot stand on the wire.
 */
export function clientTrailers(
  exchange: Exchange,
  transformer: Transformer,
  trailers: HeaderList | undefined,
): HeaderList | undefined {
  if (!exchange.response.trailersSupported) return undefined;
  const passing = transformer.copyResponseTrailers === false ? undefined : passingTrailers(trailers);
  if (transformer.trailers === undefined) return passing;
  const changed = passing ?? new HeaderList();
  transformer.trailers(exchange, changed);
  if (transformer.trusted !== true) checkFields(changed);
  return passingTrailers(changed);
}

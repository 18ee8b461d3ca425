import type { Http2Stream } from "node:http2";

/**
 * Resets `stream` with `code` (RFC 9113, 5.4.2), so that the peer does not take what it got for all there was. Node's `close`
 * alone ends the writable side first, which sends END_STREAM before the reset, and with trailers awaited it can bring the
 * process down (an assertion in `Http2Stream::OnTrailers`): both happen in `_final`, which is taken out.
 */
export function resetStream(stream: Http2Stream, code: number): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.writableEnded) stream._final = ignore;
  stream.close(code);
}

function ignore(): void {}

import type { Http2Stream } from "node:http2";

/**
 * Resets `stream` with `code` (RFC 9113, 5.4.2), so that the peer does not take what it got for all there was. Node's `close`
 * alone ends the writable side first, which sends END_STREAM before the reset.
 */
export function resetStream(stream: Http2Stream, code: number): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.writableEnded) stream._final = ignore;
  stream.close(code);
}

function ignore(): void {}

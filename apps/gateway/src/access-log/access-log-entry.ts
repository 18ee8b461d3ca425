import type { WebSocketReport } from "@proxy/forwarder";

/** What the access log says of one request. Strings are as on the wire: each character one byte, nothing escaped. */
export interface AccessLogEntry {
  /** Wall clock at the end of the request, in milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds from the head of the request to its end; undefined when there was no request to speak of. */
  readonly duration: number | undefined;
  readonly remoteAddress: string | undefined;
  /** Undefined when the request could not be read. */
  readonly request: AccessLogRequest | undefined;
  /** Undefined when the client left, or was cut off, before an answer, and when another process answers. */
  readonly status: number | undefined;
  readonly route: string | undefined;
  readonly cluster: string | undefined;
  readonly destination: string | undefined;
  /** How often it was sent to a destination, where that was more than once. */
  readonly attempts: number | undefined;
  /** What went wrong, in the words of the error's code. */
  readonly error: string | undefined;
  /** What the output cache had to do with the answer, where one was asked. Not in the combined format. */
  readonly cache?: string | undefined;
  /** Whether it was handed to another process, which answers it: the entry is written then. Not in the combined format. */
  readonly delegated?: boolean | undefined;
  /** What a WebSocket carried, where that is told. Not in the combined format. */
  readonly webSocket?: WebSocketReport | undefined;
}

export interface AccessLogRequest {
  readonly method: string;
  /** Without the values of parameters that are masked; so is `referer`. */
  readonly target: string;
  readonly httpVersion: string;
  readonly authority: string;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

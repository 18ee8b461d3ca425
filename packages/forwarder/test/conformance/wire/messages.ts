/** What the two ends of a forwarding say and see, whatever the version of HTTP. */
export type Lines = readonly (readonly [name: string, value: string])[];

export interface SentRequest {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly headers: Lines;
  readonly body: string;
  /** Sent over HTTP/2 behind a head that does not end the stream, over HTTP/1.1 as the headers say. */
  readonly hasBody: boolean;
}

/** A request as a destination got it. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** `:authority` over HTTP/2 stands as Host. */
  readonly headers: Lines;
  readonly body: string;
  readonly hasBody: boolean;
}

export interface SentResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Lines;
  readonly trailers: Lines | undefined;
}

/** A response as a client got it; one that broke off, or a stream reset instead, has the status 0. */
export interface SeenResponse {
  readonly status: number;
  /** Undefined over HTTP/2, which has none. */
  readonly reason: string | undefined;
  readonly headers: Lines;
  readonly trailers: Lines;
}

/** A client that makes one request after the other. */
export interface WireEnd {
  ask(request: SentRequest): Promise<SeenResponse>;
  close(): void;
}

/** A destination that answers every request with `answer` and keeps what it saw in `seen`. */
export interface WireDestination {
  readonly port: number;
  answer: SentResponse;
  readonly seen: SeenRequest[];
  /** What a destination could not read. */
  readonly faults: unknown[];
  close(): Promise<void>;
}

/** The values of the lines called `name`, in order. */
export function valuesOf(lines: Lines, name: string): string[] {
  const key = name.toLowerCase();
  return lines.filter(([found]) => found.toLowerCase() === key).map(([, value]) => value);
}

import {
  type DestinationCall,
  type DestinationClient,
  DestinationError,
  type DestinationHandler,
  type DestinationOrigin,
  type DestinationRequest,
  type HttpClient,
} from "./destination-client.ts";
import type { BodySource } from "./body.ts";
import type { ResponseHead, Tunnel } from "./exchange.ts";
import type { HeaderList } from "./header-list.ts";

/** What the bytes of header values mean. Lists hold them as latin1 in any case: a character is a byte. */
export type HeaderEncoding = "utf-8" | "us-ascii" | "iso-8859-1";

export interface HeaderEncodings {
  /**
   * What request header values are at destinations. `utf-8`: bytes that are no UTF-8 are taken for iso-8859-1 and converted;
   * `us-ascii`: a request with anything else fails; `iso-8859-1` (default): bytes pass unchanged.
   */
  readonly requestHeaderEncoding?: HeaderEncoding | undefined;
  /**
   * What response header values have to be: a response with anything else fails. They are never changed. Default
   * `iso-8859-1`, which everything is.
   */
  readonly responseHeaderEncoding?: HeaderEncoding | undefined;
}

/** `client`, whose requests and responses keep to `encodings`; itself when these ask for nothing. */
export function withHeaderEncodings(client: HttpClient, encodings: HeaderEncodings): HttpClient {
  const isPlain = (encoding: HeaderEncoding | undefined): boolean => encoding === undefined || encoding === "iso-8859-1";
  const { requestHeaderEncoding, responseHeaderEncoding } = encodings;
  return isPlain(requestHeaderEncoding) && isPlain(responseHeaderEncoding) ? client : new EncodingClient(client, encodings);
}

class EncodingClient implements HttpClient {
  readonly #client: HttpClient;
  readonly #encodings: HeaderEncodings;
  /** The same destination for the same one behind it. */
  readonly #destinations = new WeakMap<DestinationClient, DestinationClient>();

  constructor(client: HttpClient, encodings: HeaderEncodings) {
    this.#client = client;
    this.#encodings = encodings;
  }

  destination(origin: DestinationOrigin): DestinationClient {
    const inner = this.#client.destination(origin);
    let own = this.#destinations.get(inner);
    if (own === undefined) {
      own = new EncodingDestination(inner, this.#encodings, `destination ${origin.scheme}://${origin.host}:${origin.port}`);
      this.#destinations.set(inner, own);
    }
    return own;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  destroy(cause?: Error): void {
    this.#client.destroy(cause);
  }
}

const failedCall: DestinationCall = { pause: () => {}, resume: () => {}, abort: () => {} };

class EncodingDestination implements DestinationClient {
  readonly #inner: DestinationClient;
  readonly #encodings: HeaderEncodings;
  readonly #name: string;

  constructor(inner: DestinationClient, encodings: HeaderEncodings, name: string) {
    this.#inner = inner;
    this.#encodings = encodings;
    this.#name = name;
  }

  send(request: DestinationRequest, handler: DestinationHandler): DestinationCall {
    const { requestHeaderEncoding: asked, responseHeaderEncoding: expected } = this.#encodings;
    const encoded = asked === undefined ? request.headers : encodeFields(request.headers, asked);
    if (encoded === undefined) {
      handler.onError(
        new DestinationError(`${this.#name}: the request cannot be sent: a header value is not in ${asked}`, {
          step: "request",
          source: "gateway",
          requestSent: false,
        }),
      );
      return failedCall;
    }
    const sent = encoded === request.headers ? request : withHeaders(request, encoded);
    if (expected === undefined || expected === "iso-8859-1") return this.#inner.send(sent, handler);
    const reader = new ResponseCheck(handler, expected, this.#name);
    return reader.use(this.#inner.send(sent, reader));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  destroy(cause?: Error): void {
    this.#inner.destroy(cause);
  }
}

/** Passes on what a client tells, and ends the call at the first head that is not in `encoding`. */
class ResponseCheck implements DestinationHandler {
  readonly #handler: DestinationHandler;
  readonly #encoding: HeaderEncoding;
  readonly #name: string;
  #call: DestinationCall | undefined;
  #over = false;

  constructor(handler: DestinationHandler, encoding: HeaderEncoding, name: string) {
    this.#handler = handler;
    this.#encoding = encoding;
    this.#name = name;
  }

  /** The call, which is known only after it may have ended. */
  use(call: DestinationCall): DestinationCall {
    this.#call = call;
    if (this.#over) call.abort(new Error("the response is refused"));
    return call;
  }

  onInformational(status: number, headers: HeaderList): void {
    if (!this.#over && isIn(headers, this.#encoding)) this.#handler.onInformational(status, headers);
  }

  onResponse(head: ResponseHead): void {
    if (this.#over) return;
    if (isIn(head.headers, this.#encoding)) this.#handler.onResponse(head);
    else this.#refuse("response-head");
  }

  onData(chunk: Uint8Array): boolean | void {
    return this.#over ? true : this.#handler.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#over) return;
    if (trailers === undefined || isIn(trailers, this.#encoding)) this.#handler.onEnd(trailers);
    else this.#refuse("response-body");
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    if (isIn(head.headers, this.#encoding)) {
      this.#handler.onUpgrade(head, tunnel);
      return;
    }
    this.#refuse("response-head");
    tunnel.abort(new Error("the response is refused"));
  }

  onError(error: DestinationError): void {
    if (!this.#over) this.#handler.onError(error);
  }

  onProgress(): void {
    if (!this.#over) this.#handler.onProgress();
  }

  #refuse(step: "response-head" | "response-body"): void {
    this.#over = true;
    this.#call?.abort(new Error("the response is refused"));
    this.#handler.onError(new DestinationError(`${this.#name}: a header value is not in ${this.#encoding}`, { step, requestSent: true }));
  }
}

/** `headers` itself when nothing is to be changed, undefined when they cannot be in `encoding`. */
function encodeFields(headers: HeaderList, encoding: HeaderEncoding): HeaderList | undefined {
  if (encoding === "iso-8859-1" || isIn(headers, encoding)) return headers;
  if (encoding === "us-ascii") return undefined;
  const encoded = headers.copy();
  for (let i = 0; i < encoded.size; i++) {
    const value = encoded.valueAt(i);
    if (!isUtf8(value)) encoded.setValueAt(i, Buffer.from(value, "utf8").toString("latin1"));
  }
  return encoded;
}

function isIn(headers: HeaderList, encoding: HeaderEncoding): boolean {
  const fits = encoding === "us-ascii" ? isAscii : isUtf8;
  for (let i = 0; i < headers.size; i++) if (!fits(headers.valueAt(i))) return false;
  return true;
}

function isAscii(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return false;
  return true;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

function isUtf8(value: string): boolean {
  if (isAscii(value)) return true;
  // Text, not bytes: it is encoded.
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0xff) return false;
  try {
    strictUtf8.decode(Buffer.from(value, "latin1"));
    return true;
  } catch {
    return false;
  }
}

/** Members one by one: a request may be an object with accessors. */
function withHeaders(request: DestinationRequest, headers: HeaderList): DestinationRequest {
  const { method, target, httpVersion, versionPolicy, upgrade, expectContinue } = request;
  const body: BodySource | undefined = request.body;
  return { method, target, headers, body, httpVersion, versionPolicy, upgrade, expectContinue };
}

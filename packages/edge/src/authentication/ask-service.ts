/**
 * One question to another service (an issuer, a token endpoint): with a limit of time and of bytes, and without redirects, since an answer from
 * somewhere else would be believed like one of the service.
 */
export interface ServiceQuestion {
  readonly url: string;
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** Milliseconds for the whole answer. */
  readonly timeout: number;
  /** Bytes of the answer's body. */
  readonly maxBytes: number;
  /** Whether a redirect is an answer like others; otherwise it is a failure. Default false. */
  readonly redirects?: boolean | undefined;
  /** Calls the question off. */
  readonly signal?: AbortSignal | undefined;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Rejects when there is no whole answer; what it says holds nothing of the question but the host. */
export async function askService(fetch: typeof globalThis.fetch, question: ServiceQuestion): Promise<ServiceAnswer> {
  const { url, method = "GET", headers = {}, body, timeout, maxBytes } = question;
  const { host } = new URL(url);
  const limit = AbortSignal.timeout(timeout);
  const signal = question.signal === undefined ? limit : AbortSignal.any([limit, question.signal]);
  try {
    const response = await fetch(url, { method, headers: Object.entries(headers), redirect: "manual", signal, ...(body === undefined ? {} : { body }) });
    if (question.redirects !== true && response.status >= 300 && response.status < 400) throw new Error(`it redirects (${response.status})`);
    return { status: response.status, headers: response.headers, body: await bytesOf(response, maxBytes) };
  } catch (cause) {
    const reason = limit.aborted ? `no answer within ${timeout} ms` : reasonOf(cause);
    throw new Error(`${host} could not be asked: ${reason}`, { cause });
  }
}

async function bytesOf({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** fetch hides in `cause` why a connection failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code) : error.message;
}

/** The JSON object in an answer; undefined: it holds none. */
export function jsonObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

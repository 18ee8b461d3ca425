/**
 * Serves through the httpapi.dll of the machine with nothing but what Wine 8 has of it: `server.ts <port> <requests>`. Echoes method, raw URL, the
 * field X-Test and the length of the body, for so many requests, then ends. Not the front server of this package: that calls what Wine ends the
 * process for (HttpSendResponseEntityBody, HttpShutdownRequestQueue, HttpWaitForDisconnect).
 */
import { errorCode } from "../../src/abi/constants.ts";
import { loadHttpSys, type Memory } from "../../src/binding.ts";
import type { PendingCall } from "../../src/completions.ts";
import { decodeRequest, decodeRequestId, type DecodedRequest } from "../../src/decode-request.ts";
import { encodeResponse } from "../../src/encode-response.ts";
import { HttpSysError } from "../../src/errors.ts";
import { startListening, type Listening } from "../../src/listening.ts";
import { parseUrlPrefix } from "../../src/url-prefix.ts";

const [port, requests] = process.argv.slice(2).map(Number) as [number, number];
const library = await loadHttpSys();
const { queue, completions } = await listenWhenServicesAreUp();
let answered = 0;

class Receive implements PendingCall {
  #id = 0n;
  #memory: Memory = library.memory(4096);

  start(overlapped: bigint): number {
    return library.call("HttpReceiveHttpRequest", queue, this.#id, 0, this.#memory.address, this.#memory.buffer.length, 0n, overlapped);
  }

  completed(code: number, bytes: number): void {
    if (code === errorCode.ERROR_MORE_DATA) {
      this.#id = decodeRequestId(this.#memory.buffer);
      this.#memory = library.memory(Math.max(bytes, this.#memory.buffer.length * 2));
    } else if (code === 0) {
      const request = decodeRequest(this.#memory.buffer, this.#memory.address, bytes);
      this.#id = 0n;
      if (request.hasBody) completions.submit(new Body(request));
      else answer(request, 0);
    } else fail("receive", code);
    completions.submit(this);
  }
}

class Body implements PendingCall {
  readonly #request: DecodedRequest;
  readonly #memory = library.memory(512);
  #length = 0;

  constructor(request: DecodedRequest) {
    this.#request = request;
  }

  start(overlapped: bigint): number {
    return library.call("HttpReceiveRequestEntityBody", queue, this.#request.requestId, 0, this.#memory.address, this.#memory.buffer.length, 0n, overlapped);
  }

  completed(code: number, bytes: number): void {
    if (code === errorCode.ERROR_HANDLE_EOF) return answer(this.#request, this.#length);
    if (code !== 0) return fail("body", code);
    this.#length += bytes;
    completions.submit(this);
  }
}

class Answer implements PendingCall {
  readonly #id: bigint;
  readonly #memory: Memory;
  readonly #body: Buffer;

  constructor(id: bigint, text: string) {
    this.#id = id;
    this.#body = library.memory(Buffer.byteLength(text)).buffer;
    this.#body.write(text);
    this.#memory = encodeResponse(library, { status: 200, reason: "OK", headers: ["Content-Type", "text/plain", "X-Server", "wine"] }, [this.#body]);
  }

  start(overlapped: bigint): number {
    return library.call("HttpSendHttpResponse", queue, this.#id, 0, this.#memory.address, 0n, 0n, 0n, 0, overlapped, 0n);
  }

  completed(code: number): void {
    if (code !== 0) fail(`answer of ${this.#body.length} bytes`, code);
    if (++answered === requests) process.exit(0);
  }
}

/** While Wine starts its services, that of HTTP.sys cannot be started (1055), or not soon enough (1053). */
async function listenWhenServicesAreUp(): Promise<Listening> {
  for (let round = 0; ; round++) {
    try {
      return startListening(library, { prefixes: [parseUrlPrefix(`http://localhost:${port}/`)] });
    } catch (error) {
      if (!(error instanceof HttpSysError) || ![1053, 1055].includes(error.errorCode) || round === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

function answer({ requestId, method, rawUrl, headers }: DecodedRequest, length: number): void {
  const at = headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === "x-test");
  completions.submit(new Answer(requestId, `${method} ${rawUrl} ${at < 0 ? "-" : (headers[at + 1] as string).length} ${length}\n`));
}

function fail(what: string, code: number): void {
  process.stderr.write(`${what}: ${code}\n`);
  process.exit(1);
}

// More than there are connections: with fewer, Wine 8 forgets requests.
for (let i = 0; i < 8; i++) completions.submit(new Receive());
process.stdout.write("serving\n");

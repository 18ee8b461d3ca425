import { errorCode } from "../abi/constants.ts";
import type { Memory } from "../binding.ts";
import type { PendingCall } from "../completions.ts";
import { decodeRequest, decodeRequestId, type DecodedRequest } from "../decode-request.ts";
import { closeToken } from "./client-certificate.ts";
import { HttpSysError } from "../errors.ts";
import type { RequestId } from "../handles.ts";
import type { Listening } from "../listening.ts";

export interface ReceiverOwner {
  received(request: DecodedRequest): void;
  fault(error: Error): void;
  /** Nothing more comes from it. */
  ended(receiver: Receiver): void;
}

const usualSize = 16_384;
/** More than HTTP.sys lets a head have (64 KB each way by default, 16 MB at most by registry). */
const largestSize = 32 * 1024 * 1024;
const faultDelay = 250;
const clientGoneCodes: ReadonlySet<number> = new Set([
  errorCode.ERROR_CONNECTION_INVALID, errorCode.ERROR_NETNAME_DELETED, errorCode.ERROR_CONNECTION_ABORTED,
]);

/** Receives one request after another, with a buffer that grows for a large one and shrinks again. */
export class Receiver implements PendingCall {
  readonly #listening: Listening;
  readonly #owner: ReceiverOwner;
  readonly #usual: Memory;
  #memory: Memory;
  /** Of a request that did not fit. */
  #id = 0n as RequestId;
  #stopped = false;

  constructor(listening: Listening, owner: ReceiverOwner) {
    this.#listening = listening;
    this.#owner = owner;
    this.#usual = listening.library.memory(usualSize);
    this.#memory = this.#usual;
    listening.completions.submit(this);
  }

  stop(): void {
    this.#stopped = true;
  }

  start(overlapped: bigint): number {
    const { library, queue } = this.#listening;
    if (this.#stopped) return errorCode.ERROR_OPERATION_ABORTED;
    return library.call("HttpReceiveHttpRequest", queue, this.#id, 0, this.#memory.address, this.#memory.buffer.length, 0n, overlapped);
  }

  completed(code: number, bytes: number): void {
    switch (code) {
      case 0:
        this.#deliver(bytes);
        break;
      case errorCode.ERROR_MORE_DATA: {
        this.#id = decodeRequestId(this.#memory.buffer);
        const size = Math.max(bytes, this.#memory.buffer.length * 2);
        if (size <= largestSize) {
          this.#memory = this.#listening.library.memory(size);
          this.#again();
          return;
        }
        this.#owner.fault(new HttpSysError("HttpReceiveHttpRequest", code, { detail: `${bytes} bytes` }));
        this.#listening.library.call("HttpCancelHttpRequest", this.#listening.queue, this.#id, 0n);
        break;
      }
      case errorCode.ERROR_OPERATION_ABORTED:
      case errorCode.ERROR_INVALID_HANDLE:
        // Nobody here closed the queue, and nothing more will come from it: whoever serves from it is to know.
        if (!this.#stopped) this.#owner.fault(new HttpSysError("HttpReceiveHttpRequest", code, { hint: "no further request is received; serve anew" }));
        this.#owner.ended(this);
        return;
      default: {
        // The client left between the two calls, or another process has taken the request: 87 as well as 1229.
        const isOfRequest = this.#id !== 0n && code === errorCode.ERROR_INVALID_PARAMETER;
        this.#reset();
        if (isOfRequest || clientGoneCodes.has(code)) {
          // In a turn of its own: a call that fails at once again would let nothing else run.
          setImmediate(() => this.#again());
          return;
        }
        if (this.#stopped) {
          this.#owner.ended(this);
          return;
        }
        this.#owner.fault(new HttpSysError("HttpReceiveHttpRequest", code));
        setTimeout(() => this.#again(), faultDelay).unref();
        return;
      }
    }
    this.#reset();
    this.#again();
  }

  #deliver(bytes: number): void {
    const { buffer, address } = this.#memory;
    let request: DecodedRequest;
    try {
      request = decodeRequest(buffer, address, bytes === 0 ? buffer.length : bytes);
      closeToken(this.#listening.library, request.tls);
    } catch (error) {
      this.#owner.fault(error as Error);
      this.#listening.library.call("HttpCancelHttpRequest", this.#listening.queue, decodeRequestId(buffer), 0n);
      return;
    }
    this.#owner.received(request);
  }

  #reset(): void {
    this.#id = 0n as RequestId;
    this.#memory = this.#usual;
  }

  #again(): void {
    if (this.#stopped) this.#owner.ended(this);
    else this.#listening.completions.submit(this);
  }
}

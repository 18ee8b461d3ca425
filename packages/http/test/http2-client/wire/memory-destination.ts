/** A session with a destination whose bytes a test gives it, without a socket; and what became of its one request. */
import { CheckedFrames } from "../../../src/engine/http2/checked-frames.ts";
import { Http2Call } from "../../../src/engine/http2/client/call.ts";
import type { Http2ClientConnection } from "../../../src/engine/http2/client/connection.ts";
import type { Http2Destination } from "../../../src/engine/http2/client/http2-destination.ts";
import { DestinationSession, maximumBlock } from "../../../src/engine/http2/client/session.ts";
import { codeName } from "../../../src/engine/http2/client/stream-faults.ts";
import { Output } from "../../../src/engine/http2/output.ts";
import { HeaderList } from "../../../src/index.ts";
import { RecordedCall } from "../../contract/destination-call.ts";

const maximumHead = 16_384;

export class MemoryDestination {
  readonly recorded = new RecordedCall();
  /** What became of the connection, or "". */
  ending = "";
  /** Bytes that were written, whatever they say. */
  written = 0;
  readonly #frames: CheckedFrames;
  readonly #session: DestinationSession;
  readonly #call: Http2Call;

  constructor() {
    const output = new Output({ destroyed: false, writableEnded: false, writableLength: 0, write: (bytes) => ((this.written += bytes.length), true) }, false, { taken: () => undefined });
    const owner = {
      connectionFault: (code: number) => this.#end(`connection ${codeName(code)}`),
      streamClosed: () => undefined,
      settingsTaken: () => undefined,
      goaway: (last: number, code: number) => this.#end(`goaway ${last} ${codeName(code)}`),
      pingAnswered: () => undefined,
    };
    const session = new DestinationSession(owner, output, () => 0, maximumHead);
    const request = { method: "GET", target: "/", headers: new HeaderList(), body: undefined };
    const destination = { name: "destination", wheel: { add: () => undefined, remove: () => undefined, after: () => 0 }, enqueue: () => undefined };
    this.#session = session;
    this.#frames = new CheckedFrames(session, maximumBlock(maximumHead));
    this.#call = new Http2Call(destination as unknown as Http2Destination, request, this.recorded, [":method", "GET", ":scheme", "http", ":authority", "a.test", ":path", "/"], false);
    this.recorded.call = this.#call;
    const connection = { fault: "the connection was closed", cause: undefined, isFresh: true, isCut: false, doubt: () => undefined, heard: () => undefined, keepMemory: () => undefined };
    this.#call.start(connection as unknown as Http2ClientConnection, session.open(this.#call, true));
  }

  /** `bytes` come, in pieces of `cut`; not in memory that lasts. */
  read(bytes: Buffer, cut: number): void {
    const memory = Buffer.alloc(Math.min(cut, bytes.length));
    for (let from = 0; from < bytes.length; from += cut) {
      const count = bytes.copy(memory, 0, from, Math.min(from + cut, bytes.length));
      this.#session.lasting = false;
      this.#frames.read(memory, 0, count);
      // Nobody may look at it any more.
      memory.fill(0xee);
    }
  }

  /** All that can be said of the request and the connection, but how much came of a body that failed. */
  get outcome(): unknown {
    const { head, informational, error, trailers, finals, problems, body } = this.recorded;
    return {
      ending: this.ending, finals, problems, status: head?.status, headers: head?.headers.toRaw(), body: error === undefined ? body : "", trailers: trailers?.toRaw(),
      interim: informational.map(([status]) => status), error: error?.message, step: error?.step,
    };
  }

  #end(ending: string): void {
    if (this.ending !== "") return;
    this.ending = ending;
    this.#frames.stop();
    for (const stream of this.#session.streams.table.open.values()) {
      stream.cut();
      stream.listener.connectionLost(false);
    }
  }
}

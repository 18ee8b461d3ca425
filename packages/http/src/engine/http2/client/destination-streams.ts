import { ConnectionStreams } from "../connection-streams.ts";
import type { FloodLimits } from "../flood-guard.ts";
import { errorCode } from "../frames.ts";
import type { Output } from "../output.ts";
import type { Http2Stream } from "../stream.ts";
import type { Http2Call } from "./call.ts";

/** Bytes of all responses of a connection that may be on their way. */
export const connectionWindow = 16_777_216;
/** Bytes of one request body that may wait. */
const maximumQueued = 65_536;

/** A destination is chosen, and a client is not: only what would stop all others is too much. Some measure the way by a PING with each chunk. */
const destinationFloods: FloodLimits = {
  idleFrameBurst: 40_000,
  idleFrameRate: 30_000,
  pingBurst: 10_000,
  pingRate: 5000,
  settingsBurst: 100,
  settingsRate: 50,
  resetBurst: Infinity,
  resetRate: Infinity,
};

/** What streams ask of their connection. */
export interface DestinationStreamsOwner {
  /** The connection ends with this GOAWAY. */
  connectionFault(code: number, message: string): void;
  /** The stream of `call` is over on both sides. */
  streamClosed(call: Http2Call): void;
}

/** The streams of one connection to a destination, each of which carries a call. */
export class DestinationStreams extends ConnectionStreams<Http2Call> {
  readonly #owner: DestinationStreamsOwner;

  constructor(owner: DestinationStreamsOwner, output: Output, now: () => number) {
    super({ output, window: connectionWindow, maximumQueued, now, floods: destinationFloods });
    this.#owner = owner;
  }

  override connectionFault(code: number, message: string): void {
    this.#owner.connectionFault(code, message);
  }

  override listenerFailed(stream: Http2Stream<Http2Call>, error: unknown): void {
    stream.reset(errorCode.internalError);
    stream.listener.readerFailed(error);
  }

  override endWritten(): void {}

  override closed(stream: Http2Stream<Http2Call>): void {
    this.table.open.delete(stream.id);
    this.#owner.streamClosed(stream.listener);
  }

  /**
   * The window of the connection is given back as the bytes come: those of a stream that nobody reads, which has a window of its own, must
   * not hold up the others, which are of other clients.
   */
  override receive(length: number): boolean {
    if (!super.receive(length)) return false;
    super.credit(length);
    return true;
  }

  override credit(): void {}
}
